"""The market calendar: the phase of a segment at an instant, and the session that a price belongs to.

The worker decides with it when to be connected; web processes receive the phases in the worker's batches.
Dates and hours are in the tables of `holidays`.
"""

from __future__ import annotations

import tomllib
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Final, NamedTuple

from ltp.core.instrument import SEGMENTS
from ltp.core.market.holidays import CLOSED, Hours, Tables, Window, packaged_tables, parse_tables
from ltp.core.market.outlook import Notice, outlook
from ltp.core.trading_day import IST, day_start
from ltp.errors import ConfigError, InputError, NotFoundError

_ALWAYS: Final = Hours((Window(0, 24 * 60, "continuous"),))
_SEARCH_DAYS: Final = 60  # far more than the longest run of closed days
_CACHED_DAYS: Final = 4096


class TradingWindow(NamedTuple):
    """`start`, `end` (excluded): seconds since the epoch. `phase`: as of `Calendar.phase`."""

    start: int
    end: int
    phase: str


class Calendar:
    """The calendar of all segments. Every `now` is an aware datetime of any zone.

    A naive datetime raises AssertionError, because its meaning would depend on the host's zone.
    """

    def __init__(self, tables: Tables | None) -> None:
        """`tables` None: all segments are always open."""
        self._tables = tables
        self._cache: dict[tuple[str, date], Hours] = {}

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Calendar) and self._tables == other._tables

    __hash__ = None  # type: ignore[assignment]

    @classmethod
    def load(cls, overrides: Path | None = None) -> Calendar:
        """Return the exchanges' calendar, overridden by a file of late changes.

        Raises:
            ConfigError: the file cannot be read, or an entry is not accepted; names line and field.
        """
        tables = packaged_tables()
        return cls(tables.under(_read_overrides(overrides)) if overrides else tables)

    @classmethod
    def always_open(cls) -> Calendar:
        """Return the simulator's calendar: every segment trades round the clock, each day is a session."""
        return cls(None)

    @classmethod
    def named(cls, name: str, overrides: Path | None = None) -> Calendar:
        """Return the calendar for a value of MARKET_CALENDAR.

        Raises:
            ConfigError: the name is neither nse nor always_open; also as `load`.
        """
        if name == "nse":
            return cls.load(overrides)
        if name == "always_open":
            return cls.always_open()
        raise ConfigError("MARKET_CALENDAR", name, "it must be nse or always_open")

    def phase(self, segment: str, now: datetime) -> str:
        """Return pre_open, continuous, closing_auction, post_close or closed."""
        day, minute = _in_india(now)
        return self._phase_at(segment, day, minute)

    def phases(self, now: datetime) -> dict[str, str]:
        """Return the phase of every segment."""
        day, minute = _in_india(now)
        return {segment: self._phase_at(segment, day, minute) for segment in SEGMENTS}

    def is_open(self, segment: str, now: datetime) -> bool:
        return self.phase(segment, now) != CLOSED

    def quiet_expected(self, segment: str, now: datetime) -> bool:
        """Return whether even the most traded instruments may be silent, as around the closing auction."""
        day, minute = _in_india(now)
        return any(window.start <= minute < window.end for window in self._hours(segment, day).quiet)

    def windows(self, segment: str, day: date) -> list[TradingWindow]:
        """Return the trading windows of a day in order; none on a day without a session."""
        began = day_start(day)
        return [
            TradingWindow(began + window.start * 60, began + window.end * 60, window.phase)
            for window in self._hours(segment, day).windows
        ]

    def is_session(self, segment: str, day: date) -> bool:
        """Return whether the segment trades on a day; True for days before the first year of the tables."""
        if self._tables is not None and day.year < min(self._tables.years, default=day.year):
            return True
        return bool(self._hours(segment, day).windows)

    def session_date(self, segment: str, now: datetime) -> date:
        """Return the date of the newest session that has begun. A session begins with its first window.

        Raises:
            NotFoundError: there was none within two months: `now` is before all tables.
        """
        today, minute = _in_india(now)
        windows = self._hours(segment, today).windows
        if windows and minute >= windows[0].start:
            return today
        for back in range(1, _SEARCH_DAYS):
            if self._hours(segment, today - timedelta(days=back)).windows:
                return today - timedelta(days=back)
        raise NotFoundError("session", f"{segment} before {today}")

    def session_before(self, segment: str, day: date) -> date | None:
        """Return the newest session before a day, None if there was none within two months."""
        days = (day - timedelta(days=back) for back in range(1, _SEARCH_DAYS))
        return next((each for each in days if self._hours(segment, each).windows), None)

    def next_window(self, segment: str, now: datetime) -> TradingWindow | None:
        """Return the first trading window that begins after `now`, None if none does within two months."""
        today, at = _in_india(now)[0], now.timestamp()
        windows = (
            window
            for ahead in range(_SEARCH_DAYS)
            for window in self.windows(segment, today + timedelta(days=ahead))
        )
        return next((window for window in windows if window.start > at), None)

    def day_name(self, segment: str, day: date) -> str:
        """Return the name of a holiday or of a special session, "" for an ordinary day."""
        special = None if self._tables is None else self._tables.days.get((segment, day))
        return special.name if special else ""

    def provisional(self, now: datetime) -> str:
        """Return a sentence if the day's hours are provisional, else ""."""
        day, _ = _in_india(now)
        if self._tables is None:
            return ""
        if day.year not in self._tables.years:
            return f"There is no holiday table for {day.year}: every weekday is taken for a trading day."
        doubts = {segment: reason for segment in SEGMENTS if (reason := self._tables.lookup(segment, day)[1])}
        if not doubts:
            return ""
        reasons = "; ".join(dict.fromkeys(doubts.values()))
        return f"The trading hours of {', '.join(doubts)} on {day} are provisional ({reasons})."

    def outlook(self, now: datetime) -> list[Notice]:
        """Return the notices of provisional hours for the next 30 days."""
        return [] if self._tables is None else outlook(self._tables, _in_india(now)[0])

    def _phase_at(self, segment: str, day: date, minute: int) -> str:
        for window in self._hours(segment, day).windows:
            if window.start <= minute < window.end:
                return window.phase
        return CLOSED

    def _hours(self, segment: str, day: date) -> Hours:
        """Return the hours from a cache, because the worker needs those of eight segments every second."""
        hours = self._cache.get((segment, day))
        if hours is None:
            assert segment in SEGMENTS, f"{segment!r} is no segment; callers check their keys"  # noqa: S101
            hours = _ALWAYS if self._tables is None else self._tables.lookup(segment, day)[0]
            if len(self._cache) >= _CACHED_DAYS:
                self._cache.clear()
            self._cache[segment, day] = hours
        return hours


def _in_india(now: datetime) -> tuple[date, int]:
    assert now.tzinfo is not None, "a datetime without a zone depends on the host"  # noqa: S101
    local = now.astimezone(IST)
    return local.date(), local.hour * 60 + local.minute


def _read_overrides(path: Path) -> Tables:
    try:
        return parse_tables(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        accepted = f"it must name a readable text file ({type(error).__name__})"
    except tomllib.TOMLDecodeError as error:
        accepted = f"it must be TOML: {error}"
    except InputError as error:
        accepted = str(error)
    raise ConfigError("MARKET_CALENDAR_OVERRIDES", str(path), accepted)
