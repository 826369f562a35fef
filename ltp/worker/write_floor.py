"""The least time from one write to Redis to the next."""

from __future__ import annotations

from typing import Final

# Waking and a round trip have a fixed price, and meanwhile ticks conflate. A share of what lies between two
# events of a page, so that each page finds a batch of its own to go with, within these bounds.
_SHARE: Final = 1 / 10
_BOUNDS_S: Final = 0.002, 0.02


def least_s(min_interval_s: float) -> float:
    """Return it for a least interval between two events of a page.

    Without an interval a batch is an event: no more of them than can be seen.
    """
    least, most = _BOUNDS_S
    return min(max(min_interval_s * _SHARE, least), most) if min_interval_s else most
