"""Whether the next connection may be tried now: the wait of the last failure, the deadline that outlives this
process, and the full stop that only other credentials lift.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final
from typing import Protocol as Shape

from ltp.errors import LTPError

CREDENTIALS_EVERY_S: Final = 2.0  # how often a stopped feed looks whether its credentials changed
NOT_BEFORE_EVERY_S: Final = 5.0  # so that an operator who deletes the deadline is heard
UNKNOWN_S: Final = 1.0
_SAME_S: Final = 0.01  # a deadline is kept in whole milliseconds

_log = logging.getLogger(__name__)


class NotBeforeStore(Shape):
    """The instant before which nobody may connect, kept outside this process. Both may raise StoreError."""

    def read(self) -> float:
        """Return it in seconds since the epoch, 0 when there is none."""

    def write(self, epoch_s: float) -> None: ...


class Gate:
    """Closed by `hold` and `stop`, opened by time and by new credentials. For one thread."""

    def __init__(
        self,
        not_before: NotBeforeStore,
        credentials_version: Callable[[], int],
        clock: Callable[[], float],
        monotonic: Callable[[], float],
    ) -> None:
        self._not_before, self._credentials_version = not_before, credentials_version
        self._clock, self._monotonic = clock, monotonic
        self._not_until = self._checked = float("-inf")
        self._stopped_version: int | None = None
        self._unwritten = 0.0
        self._deadline = 0.0, 0.0  # as it is kept, and the monotonic instant it was when first seen
        self.obstacle = ""  # why it could not even be found out
        self.pause = ""  # what a deadline of before this process, or an operator's, says

    @property
    def stopped(self) -> bool:
        return self._stopped_version is not None

    def hold(self, seconds: float, *, keep: bool = False) -> None:
        """Stay closed for `seconds`; `keep`: for the next process too."""
        self._not_until = self._monotonic() + seconds
        if keep:
            self._unwritten = self._clock() + seconds
            self._deadline = self._unwritten, self._not_until
            self._write()

    def stop(self, version: int) -> None:
        """Stay closed until the credentials are no longer those of `version`."""
        self._stopped_version, self._checked = version, self._monotonic()

    def rearmed(self) -> bool:
        """Tell, once, that new credentials have ended a full stop."""
        now = self._monotonic()
        if self._stopped_version is None or now - self._checked < CREDENTIALS_EVERY_S:
            return False
        self._checked = now
        if self._credentials_version() == self._stopped_version:
            return False
        self._stopped_version = None
        return True

    def is_open(self) -> bool:
        if self._unwritten:
            self._write()
        if self.stopped or self._monotonic() < self._not_until:
            return False
        try:
            until = self._not_before.read()
            left_s, self.obstacle = self._left_s(until), ""
            self.pause = (
                f"The broker said too many requests; nobody connects before {_clock_time(until)}"
                if left_s > 0
                else ""
            )
        except LTPError as error:
            # Unknown counts as closed: late by a second is better than an account the broker blocks.
            left_s, self.obstacle = UNKNOWN_S, f"It is not known whether the broker may be called: {error}"
        if left_s > 0:
            self._not_until = self._monotonic() + min(left_s, NOT_BEFORE_EVERY_S)
        return left_s <= 0

    def _left_s(self, until: float) -> float:
        """Return the seconds until a deadline: by the clock when it is first seen, from then on by the time
        that passes.
        """
        now = self._monotonic()
        if abs(until - self._deadline[0]) > _SAME_S:
            self._deadline = until, now + until - self._clock()
        return self._deadline[1] - now

    def _write(self) -> None:
        """Write the deadline; one that could not be written is tried again at each look, until it has passed."""
        try:
            if self._unwritten > self._clock():
                self._not_before.write(self._unwritten)
            self._unwritten = 0.0
        except LTPError as error:
            self.obstacle = f"The instant before which nobody may connect could not be kept: {error}"


def _clock_time(epoch_s: float) -> str:
    try:
        return f"{datetime.fromtimestamp(epoch_s, UTC):%Y-%m-%d %H:%M:%S} UTC"
    except (ValueError, OverflowError, OSError):
        return "the instant in market_stream:not_before"  # an operator may have written any number
