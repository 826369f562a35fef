"""The pace of the worker's writes: the least time from one to the next, and the back-off after failures."""

from __future__ import annotations

from typing import Final

from ltp.core.failure_limit import FailureLimit

# A write costs a wake-up and a round trip whatever its size, and ticks that come before it conflate. So a
# page's event interval holds ten writes, within these bounds: then each page's event finds a fresh batch.
_SHARE: Final = 1 / 10
_BOUNDS_S: Final = 0.002, 0.02

STANDBY_S: Final = 0.1
_FIRST_RETRY_S: Final = 0.05
_MAX_RETRY_S: Final = 1.0
_GIVE_UP_S: Final = 30.0


def write_interval_s(event_interval_s: float) -> float:
    """Return the least time between two writes, given the least time between two events of a page.

    At 0 each batch is an event, and the longest interval holds: more events cannot be seen.
    """
    shortest, longest = _BOUNDS_S
    return min(max(event_interval_s * _SHARE, shortest), longest) if event_interval_s else longest


class Retry:
    """`wait_s`: time to wait before the next try, 0 after a success."""

    def __init__(self) -> None:
        self.wait_s, self._failure_limit = 0.0, FailureLimit(_GIVE_UP_S)

    def failed(self) -> None:
        self.wait_s = min(max(self.wait_s * 2, _FIRST_RETRY_S), _MAX_RETRY_S)

    def stand_by(self) -> None:
        """Note that this worker does not lead, so there is nothing to write."""
        self.wait_s = STANDBY_S
        self._failure_limit.succeeded()

    def succeeded(self) -> None:
        self.wait_s = 0.0
        self._failure_limit.succeeded()

    def exhausted(self, now: float) -> bool:
        """Note a fault of this program at `now` (monotonic seconds); return whether no write has succeeded
        for 30 s.
        """
        return self._failure_limit.failed(now)
