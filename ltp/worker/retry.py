"""When the next try may come, and when there is none any more."""

from __future__ import annotations

from typing import Final

from ltp.core.failure_limit import FailureLimit

STANDBY_S: Final = 0.1
_FIRST_S: Final = 0.05
_MOST_S: Final = 1.0
_GIVE_UP_S: Final = 30.0


class Retry:
    """`wait_s`: before the next try, 0 after a success."""

    def __init__(self) -> None:
        self.wait_s, self._patience = 0.0, FailureLimit(_GIVE_UP_S)

    def failed(self) -> None:
        self.wait_s = min(max(self.wait_s * 2, _FIRST_S), _MOST_S)

    def stand_by(self) -> None:
        """Note that nothing is to be done now."""
        self.wait_s = STANDBY_S
        self._patience.succeeded()

    def succeeded(self) -> None:
        self.wait_s = 0.0
        self._patience.succeeded()

    def lost(self, now: float) -> bool:
        """Note a fault of ours; return whether there was no success for too long (monotonic seconds)."""
        return self._patience.failed(now)
