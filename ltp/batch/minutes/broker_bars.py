"""The broker's one-minute bars of sessions, in place of those that were built here from ticks.

Each instrument is compared and stored as soon as it is fetched, so that an end halfway loses nothing. A session
that was fetched after its end is noted, and the next fetch leaves it out while its one-minute bars are stored.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime
from itertools import groupby
from typing import Final, NamedTuple, Protocol

from ltp.batch.minutes.hours import Hours
from ltp.batch.progress import Progress
from ltp.core.bars.bar import LIVE, MINUTE_S, Bar
from ltp.core.bars.comparison import Comparison, Difference, compared, worst
from ltp.core.bars.coverage import Span
from ltp.core.bars.faults import inside
from ltp.core.instrument import SEGMENTS, Instrument, split_key
from ltp.core.market.kinds import CONTINUOUS, kinds
from ltp.core.market.session import Calendar
from ltp.core.trading_day import DAY_S, IST, date_of, day_start, midnight_of
from ltp.db import candle_source, instruments, minute_bars
from ltp.db.bars import bar_audits, worst_minutes
from ltp.db.engine import Engine
from ltp.errors import FeedAuthError, FeedError, NotFoundError

_MAX_FAILURES: Final = 10
_SETTLED_S: Final = 300  # after its end a session's last minutes may still be missing at the broker


class ChartSource(Protocol):
    def intraday(self, instrument: Instrument, first: date, last: date) -> list[Bar]: ...


class Fetched(NamedTuple):
    """`instruments`: fetched. `up_to_date`: instruments with nothing to fetch. `bars`: stored; `changed`: of
    them, new or different. `outside`: bars outside of the trading hours, left out. `empty`: instruments
    without a bar. `compared`: bars built here with the broker's that replaced them. `failed`: a sentence for
    each instrument that could not be fetched.
    """

    instruments: int
    up_to_date: int
    bars: int
    changed: int
    outside: int
    empty: int
    compared: Comparison
    failed: tuple[str, ...]


def newest_session(calendar: Calendar, now: datetime) -> date:
    """Return the day of the newest session of any segment that has begun.

    Raises:
        NotFoundError: there was none within two months.
    """
    days = []
    for segment in SEGMENTS:
        try:
            days.append(calendar.session_date(segment, now))
        except NotFoundError:
            continue
    if not days:
        raise NotFoundError("session", f"before {now.astimezone(IST).date()}")
    return max(days)


def days_with_bars(engine: Engine, first: date, last: date, *, simulated: bool) -> dict[str, list[date]]:
    """Return the days from `first` to `last` that have bars, by key.

    Bars of the simulated exchange count only for itself: real ones would remove them all.
    """
    if not simulated and candle_source.origin(engine) == "simulated":
        return {}
    stored = minute_bars.stored_days(engine, day_start(first), day_start(last) + DAY_S)
    return {key: [date_of(at) for at in midnights] for key, midnights in stored.items()}


def fetch_sessions(
    engine: Engine,
    charts: ChartSource,
    days: Mapping[str, Collection[date]],
    calendar: Calendar,
    *,
    now: datetime,
    again: bool = False,
    simulated: bool = False,
    progress: Progress = lambda *_: None,
) -> Fetched:
    """Fetch the sessions of each key that have not been fetched after their end.

    An instrument that cannot be fetched is reported and skipped; ten in a row end the fetch.

    Args:
        days: sessions by key.
        now: aware; the minute that runs is not stored.
        again: fetch all sessions.
        simulated: the charts are those of the simulated exchange.
    Raises:
        FeedAuthError: the broker refuses the credentials.
        FeedError: ten in a row failed.
        DatabaseError: all that was stored by then is right; or simulated bars would join real candles.
    """
    if simulated:
        candle_source.refuse_simulated(candle_source.origin(engine))
    fetch = BarFetch(engine, charts, calendar, int(now.timestamp()), again=again, simulated=simulated)
    for number, (key, sessions) in enumerate(days.items()):
        progress("fetching bars", number, len(days))
        fetch.instrument(key, sorted(sessions))
    progress("fetching bars", len(days), len(days))
    return fetch.result()


class BarFetch:
    """Fetches one instrument after the other, and counts.

    Args:
        now: seconds since the epoch.
        again, simulated: see `fetch_sessions`.
        only: the minutes to store by key, of sessions that go on; None for all of sessions that are then noted.
    """

    def __init__(
        self,
        engine: Engine,
        charts: ChartSource,
        calendar: Calendar,
        now: int,
        *,
        again: bool = False,
        simulated: bool = False,
        only: Mapping[str, Sequence[Span]] | None = None,
    ) -> None:
        self._engine, self._charts, self._now = engine, charts, now
        self._calendar, self._hours = calendar, Hours(calendar)
        self._again, self._simulated, self._only = again or only is not None, simulated, only
        self._instruments = self._up_to_date = self._bars = self._changed = self._outside = self._empty = 0
        self._compared = Comparison()
        self._failed: list[str] = []
        self._in_a_row = 0

    def instrument(self, key: str, sessions: Sequence[date]) -> bool:
        """Fetch the sessions of a key, in order; return False where it failed. For errors see `fetch_sessions`."""
        missing = self._missing(key, sessions)
        if not missing:
            self._up_to_date += 1
            return True
        known = instruments.fetch_named(self._engine, [key])
        if not known:
            self._failed.append(f"{key}: the instrument master does not know it")
            return False
        try:
            bars = self._charts.intraday(known[0], missing[0], missing[-1])
        except FeedError as error:
            self._failed.append(f"{key}: {error}")
            self._in_a_row += 1
            if isinstance(error, FeedAuthError) or self._in_a_row >= _MAX_FAILURES:
                raise
            return False
        self._in_a_row = 0
        self._instruments += 1
        self._store(key, {day_start(day) for day in missing}, bars)
        return True

    def result(self) -> Fetched:
        return Fetched(
            self._instruments,
            self._up_to_date,
            self._bars,
            self._changed,
            self._outside,
            self._empty,
            self._compared,
            tuple(self._failed),
        )

    def _missing(self, key: str, sessions: Sequence[date]) -> list[date]:
        if self._again or not sessions:
            return list(sessions)
        first, last = sessions[0], sessions[-1]
        final = bar_audits.final_days(self._engine, key, first, last)
        if final:  # audits outlive the bars
            stored = minute_bars.days_of(self._engine, key, day_start(first), day_start(last) + DAY_S)
            final = {day for day in final if day_start(day) in stored}
        return [day for day in sessions if day not in final]

    def _store(self, key: str, midnights: Collection[int], bars: Sequence[Bar]) -> None:
        """Store the bars of the days of `midnights`, and their comparisons; bars of days between are left out."""
        audits = []
        for midnight, group in groupby(bars, key=lambda bar: midnight_of(bar.start)):
            fetched = self._accepted(key, group) if midnight in midnights else []
            if fetched:
                comparison, differences = self._replace(key, midnight, fetched)
                worst_minutes.keep(self._engine, key, date_of(midnight), differences)
                audits.append((date_of(midnight), comparison, self._is_over(key, midnight)))
                self._compared = self._compared.plus(comparison)
        self._empty += not audits
        if self._only is not None:
            audits = [audit for audit in audits if audit[1].minutes]
        bar_audits.add(self._engine, key, audits)

    def _accepted(self, key: str, bars: Iterable[Bar]) -> list[Bar]:
        """Leave out the minute that runs, which would stay as it is now, and bars outside of trading hours."""
        ended = [bar for bar in bars if bar.start + MINUTE_S <= self._now]
        if self._only is not None:
            ended = [bar for bar in ended if inside(bar.start, self._only[key])]
        segment = split_key(key)[0]
        within = [bar for bar in ended if inside(bar.start, self._hours.windows(segment, bar.start))]
        self._outside += len(ended) - len(within)
        return within

    def _replace(self, key: str, midnight: int, fetched: list[Bar]) -> tuple[Comparison, list[Difference]]:
        """Store the bars of a session; return the comparison with those built here that they replace."""
        stored: list[Bar] = []
        if self._simulated or candle_source.origin(self._engine) != "simulated":
            stored = minute_bars.fetch(self._engine, key, midnight, midnight + DAY_S)
        if midnight < midnight_of(self._now):
            minute_bars.upsert_session(self._engine, midnight, {key: fetched}, simulated=self._simulated)
        else:  # more bars of a session that is on will follow
            minute_bars.upsert(self._engine, {key: fetched}, simulated=self._simulated)
        self._bars += len(fetched)
        self._changed += len(set(fetched).difference(stored))
        own = self._of_session(key, stored)
        return compared(own, fetched), worst(own, fetched, worst_minutes.MOST)

    def _of_session(self, key: str, stored: Sequence[Bar]) -> list[Bar]:
        """Return the bars built here that can be compared. Those of auctions and of the trade after the close are
        left out: a broker may enter the one trade of an auction in another minute.
        """
        own = [bar for bar in stored if bar.sources == LIVE]
        each = kinds(self._calendar, split_key(key)[0], [bar.start for bar in own])
        return [bar for bar, kind in zip(own, each, strict=True) if kind == CONTINUOUS]

    def _is_over(self, key: str, midnight: int) -> bool:
        windows = self._hours.windows(split_key(key)[0], midnight)
        return self._only is None and all(end + _SETTLED_S <= self._now for _, end in windows)
