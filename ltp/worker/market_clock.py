"""The market at this moment: the calendar and a clock, with the file of late changes read again on demand."""

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

# NIFTY and RELIANCE: when both are silent in session, the feed is.
PROBES: Final = ("IDX_I:13", "NSE_EQ:2885")
CONNECT_EARLY: Final = timedelta(minutes=5)  # the first auction price must find the feed subscribed
# Phases in which the close in a price packet is the previous session's; afterwards it is the day's own.
_PREV_CLOSE_PHASES: Final = frozenset({"pre_open", "continuous", "closing_auction"})


class MarketClock:
    """Thread-safe: the calendar is replaced as a whole.

    Args:
        load: reads the tables and the file of late changes. Raises ConfigError.
        clock: seconds since the epoch.
    """

    def __init__(self, load: Callable[[], Calendar], clock: Callable[[], float] = time.time) -> None:
        self._load, self._clock = load, clock
        self._calendar = load()
        self._provisional = self._refusal = ""
        self._outlook: list[Notice] = []
        self._look_ahead()

    def reload(self) -> bool:
        """Read the file of late changes again; return whether the trading hours changed.

        A file that is no longer accepted changes nothing, and is logged once for as long as it stays the
        same.
        """
        refusal, before = "", self._calendar
        try:
            calendar = self._load()
            if calendar != before:
                self._calendar = calendar
                log.info("The trading hours changed")
        except ConfigError as error:
            refusal = str(error)
            if refusal != self._refusal:
                log.warning("The trading hours stay as they were: %s", error)
        self._refusal = refusal
        self._look_ahead()
        return self._calendar is not before

    @property
    def provisional(self) -> str:
        """The sentence about trading hours of today that are provisional, "" for none."""
        return self._provisional

    @property
    def outlook(self) -> list[Notice]:
        """The uncertain trading hours from today until a month ahead."""
        return self._outlook

    def phases(self) -> dict[str, str]:
        return self._calendar.phases(self._now())

    def is_open(self, segment: str) -> bool:
        return self._calendar.is_open(segment, self._now())

    def trades_at(self, segment: str, epoch_s: int) -> bool:
        """Return whether a segment is open at an instant, in any phase but closed."""
        at = datetime.fromtimestamp(epoch_s, UTC)
        return segment in SEGMENTS and self._calendar.is_open(segment, at)

    def phase_at(self, segment: str, epoch_s: int) -> str:
        """Return the phase of a segment at an instant."""
        return self._calendar.phase(segment, datetime.fromtimestamp(epoch_s, UTC))

    def trading_segments(self) -> frozenset[str]:
        """Return the segments that trade continuously, so that silence in one would be a fault now."""
        at = self._now()
        return frozenset(
            segment
            for segment, phase in self._calendar.phases(at).items()
            if phase == "continuous" and not self._calendar.quiet_expected(segment, at)
        )

    def expects_packets(self) -> bool:
        """Return whether silence of the probes would be a fault of the feed now."""
        return _segments(PROBES) <= self.trading_segments()

    def probes(self) -> tuple[str, ...]:
        """Return the instruments that are subscribed only to distinguish a silent feed from a quiet market:
        none while the exchange is shut.
        """
        return PROBES if self._is_near("NSE_EQ") else ()

    def wants_feed(self, keys: Iterable[str]) -> bool:
        """Return whether a segment of `keys` is open, or opens within five minutes."""
        return any(self._is_near(segment) for segment in _segments(keys))

    def prev_close_from(self) -> frozenset[str]:
        """Return the segments whose price packets now carry the previous session's close."""
        return frozenset(segment for segment, phase in self.phases().items() if phase in _PREV_CLOSE_PHASES)

    def sessions(self) -> dict[str, str]:
        """Return the ISO date of the current or last session by segment, where the tables reach that far."""
        now, dates = self._now(), {}
        for segment in SEGMENTS:
            try:
                dates[segment] = self._calendar.session_date(segment, now).isoformat()
            except NotFoundError:
                continue
        return dates

    def is_session(self, segment: str, session: str) -> bool:
        """Return whether a segment trades on a day, an ISO date; True for a segment without a calendar."""
        return segment not in SEGMENTS or self._calendar.is_session(segment, date.fromisoformat(session))

    def session_on(self, at: datetime) -> date:
        """Return the day of the share market's session that is on at an instant, else of the last one before.

        Raises:
            NotFoundError: no table reaches that far back.
        """
        return self._calendar.session_date("NSE_EQ", at)

    def _is_near(self, segment: str) -> bool:
        now = self._now()
        return self._calendar.is_open(segment, now) or self._calendar.is_open(segment, now + CONNECT_EARLY)

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._clock(), UTC)

    def _look_ahead(self) -> None:
        self._outlook = self._calendar.outlook(self._now())
        provisional = self._calendar.provisional(self._now())
        if provisional and provisional != self._provisional:
            log.warning("%s", provisional)
        self._provisional = provisional


def _segments(keys: Iterable[str]) -> set[str]:
    return {key.partition(":")[0] for key in keys}
