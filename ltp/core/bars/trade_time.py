"""The second at which a packet's last trade was made, by the exchange's clock."""

from __future__ import annotations

from typing import Final

AHEAD_S: Final = 5  # how far the exchange's clock may be ahead of ours; a later trade time is damage
LATE_S: Final = (
    1_800  # no broker queues prices for half an hour: an older trade time is of another day or clock
)
FROZEN_S: Final = 10  # a trade time that stands still for so long while the volume rises is no trade time


def is_timely(ltt: int | None, arrived: int) -> bool:
    """Return whether a trade time can be that of a packet that arrived at `arrived` (exchange seconds)."""
    return ltt is not None and arrived - LATE_S <= ltt <= arrived + AHEAD_S


def traded_at(before: int | None, ltt: int | None, arrived: int, *, rose: bool) -> int | None:
    """Return the second of the trade, None for no trade.

    A risen volume proves a trade since the packet before. A trade time that contradicts it counts as the
    arrival.

    Args:
        before: trade time of the packet before.
        rose: the day's volume is higher than in the packet before.
    """
    if ltt is not None and is_timely(ltt, arrived):
        frozen = rose and ltt == before and arrived - ltt > FROZEN_S
        if before is None or (ltt >= before and not frozen):
            return ltt
    return arrived if rose else None
