"""The gate before the next connection, closed by a wait, by a stored deadline or by a stop.

The wait follows from the last failure. The deadline outlives this process, because the next one must respect
it too. The stop lasts until the credentials change.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final
from typing import Protocol as Shape

from ltp.errors import LTPError

CREDENTIALS_EVERY_S: Final = 2.0  # how often a stopped feed looks whether its credentials changed
NOT_BEFORE_EVERY_S: Final = 5.0  # how often the deadline is read, because an operator may delete it
UNKNOWN_S: Final = 1.0
_SAME_S: Final = 0.01  # the stored deadline is rounded to whole milliseconds

_log = logging.getLogger(__name__)


class NotBeforeStore(Shape):
    """The instant before which no process may connect, kept outside this one. Both may raise StoreError."""

    def read(self) -> float:
        """Return the instant in seconds since the epoch, 0 when there is none."""

    def write(self, epoch_s: float) -> None: ...


class Gate:
    """Closed by `hold` and `stop`, opened by time and by new credentials. For one thread.

    `obstacle`: why it is not known whether the gate is open, "" when it is known. `pause`: the sentence of a
    deadline in force that an earlier process or an operator has set, "" for none.
    """

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
        self._deadline = 0.0, 0.0  # as stored, and the same as a monotonic instant when it was first read
        self.obstacle = self.pause = ""

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
        """Return True once when new credentials have ended a stop."""
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
                f"Too many requests for the broker; the feed stays away until {_clock_time(until)}"
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
        """Return the seconds until a deadline.

        By the clock when it is first read, from then on by monotonic time: a set clock must not move it.
        """
        now = self._monotonic()
        if abs(until - self._deadline[0]) > _SAME_S:
            self._deadline = until, now + until - self._clock()
        return self._deadline[1] - now

    def _write(self) -> None:
        """Store the deadline; on failure it is tried again at each look, until it has passed."""
        try:
            if self._unwritten > self._clock():
                self._not_before.write(self._unwritten)
            self._unwritten = 0.0
        except LTPError as error:
            self.obstacle = f"The instant until which the feed must stay away could not be stored: {error}"


def _clock_time(epoch_s: float) -> str:
    try:
        return f"{datetime.fromtimestamp(epoch_s, UTC):%Y-%m-%d %H:%M:%S} UTC"
    except (ValueError, OverflowError, OSError):
        return "the instant in market_stream:not_before"  # an operator may have written any number
