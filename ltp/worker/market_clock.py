"""The market as the worker sees it at this moment: the calendar, a clock, and the file of late changes read
again on demand.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Final

from ltp.core.instrument import SEGMENTS
from ltp.core.market.outlook import Notice
from ltp.core.market.session import Calendar
from ltp.errors import ConfigError, NotFoundError

log = logging.getLogger(__name__)

PROBES: Final = (
    "IDX_I:13",
    "NSE_EQ:2885",
)  # NIFTY and RELIANCE: when both are silent in session, the feed is
CONNECT_EARLY: Final = timedelta(minutes=5)  # the first auction price must find the feed subscribed
# Where the close in a price packet is the previous session's; afterwards it is the day's own (dhanhq-v2 3.5).
_PREV_CLOSE_PHASES: Final = frozenset({"pre_open", "continuous", "closing_auction"})


class MarketClock:
    """Safe for several threads: the calendar is replaced as a whole."""

    def __init__(self, load: Callable[[], Calendar], clock: Callable[[], float] = time.time) -> None:
        """`load` reads the tables and the file of late changes; raises ConfigError. `clock`: seconds since
        the epoch.
        """
        self._load, self._clock = load, clock
        self._calendar = load()
        self._told = self._refused = ""
        self._outlook: list[Notice] = []
        self._tell_doubts()

    def reload(self) -> bool:
        """Read the late changes again; tell whether they say something new.

        A file that is no longer accepted changes nothing and is logged, once as long as it stays the same.
        """
        refused, before = "", self._calendar
        try:
            calendar = self._load()
            if calendar != before:
                self._calendar = calendar
                log.info("The trading hours changed")
        except ConfigError as error:
            refused = str(error)
            if refused != self._refused:
                log.warning("The trading hours stay as they were: %s", error)
        self._refused = refused
        self._tell_doubts()
        return self._calendar is not before

    @property
    def doubts(self) -> str:
        """What is provisional about the trading hours, empty when nothing is."""
        return self._told

    @property
    def outlook(self) -> list[Notice]:
        """What is not certain about the trading hours from today until a month ahead."""
        return self._outlook

    def phases(self) -> dict[str, str]:
        return self._calendar.phases(self._now())

    def is_open(self, segment: str) -> bool:
        return self._calendar.is_open(segment, self._now())

    def expects_packets(self) -> bool:
        """Tell whether silence of the probes would be a fault of the feed now."""
        at = self._now()
        return all(
            self._calendar.phase(segment, at) == "continuous"
            and not self._calendar.quiet_expected(segment, at)
            for segment in _segments(PROBES)
        )

    def judged(self) -> frozenset[str]:
        """Return the segments in which silence would be a fault now, measured by their usual pace."""
        at = self._now()
        return frozenset(
            segment
            for segment, phase in self._calendar.phases(at).items()
            if phase == "continuous" and not self._calendar.quiet_expected(segment, at)
        )

    def probes(self) -> tuple[str, ...]:
        """Return what is subscribed only to tell silence from a quiet market: nothing while the exchange is
        shut.
        """
        return PROBES if self._near("NSE_EQ") else ()

    def wants_feed(self, keys: Iterable[str]) -> bool:
        """Tell whether a segment of `keys` is open, or opens within five minutes."""
        return any(self._near(segment) for segment in _segments(keys))

    def prev_close_from(self) -> frozenset[str]:
        """Return the segments whose price packets now carry the previous session's close."""
        return frozenset(segment for segment, phase in self.phases().items() if phase in _PREV_CLOSE_PHASES)

    def sessions(self) -> dict[str, str]:
        """Return the ISO date of the current or last session by segment, without those no table reaches."""
        now, dates = self._now(), {}
        for segment in SEGMENTS:
            try:
                dates[segment] = self._calendar.session_date(segment, now).isoformat()
            except NotFoundError:
                continue
        return dates

    def is_session(self, segment: str, session: str) -> bool:
        """Tell whether a segment trades on a day, an ISO date; true for a segment that is none of ours."""
        return segment not in SEGMENTS or self._calendar.is_session(segment, date.fromisoformat(session))

    def session_on(self, at: datetime) -> date:
        """Return the day of the share market's session that was on at an instant, or else of the last one
        before.

        Raises:
            NotFoundError: no table reaches that far back.
        """
        return self._calendar.session_date("NSE_EQ", at)

    def _near(self, segment: str) -> bool:
        now = self._now()
        return self._calendar.is_open(segment, now) or self._calendar.is_open(segment, now + CONNECT_EARLY)

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._clock(), UTC)

    def _tell_doubts(self) -> None:
        self._outlook = self._calendar.outlook(self._now())
        doubts = self._calendar.provisional(self._now())
        if doubts and doubts != self._told:
            log.warning("%s", doubts)
        self._told = doubts


def _segments(keys: Iterable[str]) -> set[str]:
    return {key.partition(":")[0] for key in keys}
