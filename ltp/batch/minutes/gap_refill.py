"""The broker's bars of minutes of today that the feed did not cover, while the session goes on.

A gap is filled once it is over, of instruments that are subscribed now: those of others wait for the fetch
after the session, which replaces all bars. It counts as filled up to the newest bar that the broker returned of
the day, which proves that the answer reaches so far: the rest is asked for again.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Final, NamedTuple

from ltp.batch.minutes.broker_bars import BarFetch, ChartSource, Fetched
from ltp.batch.minutes.hours import Hours
from ltp.batch.progress import Progress
from ltp.core.bars.bar import LIVE, MINUTE_S, PARTIAL, Bar
from ltp.core.bars.coverage import Span, ended, gaps, joined
from ltp.core.instrument import Instrument, split_key
from ltp.core.market.session import Calendar
from ltp.core.trading_day import date_of, midnight_of
from ltp.db import candle_source, minute_bars
from ltp.db.bars import coverage
from ltp.db.engine import Engine

SETTLED_S: Final = 60  # after a minute the broker's bar of it may still change


class Wanted(NamedTuple):
    """`minutes`: to be filled. `until`: the gaps before this second are then filled."""

    minutes: list[Span]
    until: int


def wanted(engine: Engine, calendar: Calendar, now: datetime) -> dict[str, Wanted]:
    """Return by key the minutes of today to be filled, of subscribed instruments with a gap that is over.

    The partial bars of such an instrument are among them, wherever they are.

    Raises:
        DatabaseError: the database cannot be read.
    """
    at = int(now.timestamp())
    midnight, hours = midnight_of(at), Hours(calendar)
    subscribed, filled = (
        coverage.subscribed_last(engine, midnight),
        coverage.refills_of_day(engine, date_of(at)),
    )
    found = {}
    for key, covered in coverage.of_day(engine, midnight).items():
        windows = ended(hours.windows(split_key(key)[0], at), at - SETTLED_S)
        if key not in subscribed or not windows:
            continue
        due = _due(gaps(covered, windows), windows[-1][1], filled.get(key, 0))
        if due.minutes:
            partial = _partial(engine, key, midnight, due.until)
            found[key] = due._replace(minutes=joined([*due.minutes, *partial]))
    return found


def fill(
    engine: Engine,
    charts: ChartSource,
    minutes: dict[str, Wanted],
    calendar: Calendar,
    *,
    now: datetime,
    simulated: bool = False,
    progress: Progress = lambda *_: None,
) -> Fetched:
    """Store the broker's bars of these minutes, and note by instrument how far it is filled.

    Raises:
        FeedAuthError, FeedError, DatabaseError: as `broker_bars.fetch_sessions`.
    """
    if simulated:
        candle_source.refuse_simulated(candle_source.origin(engine))
    at = int(now.timestamp())
    only = {key: each.minutes for key, each in minutes.items()}
    answers, before = _Answers(charts), coverage.refills_of_day(engine, date_of(at))
    fetch = BarFetch(engine, answers, calendar, at, simulated=simulated, only=only)
    for number, (key, each) in enumerate(minutes.items()):
        progress("filling gaps", number, len(minutes))
        if fetch.instrument(key, [date_of(at)]):
            until = min(each.until, answers.until)
            if until > before.get(key, midnight_of(at)):
                coverage.note_refill(engine, key, date_of(at), until)
    progress("filling gaps", len(minutes), len(minutes))
    return fetch.result()


class _Answers:
    """Charts that note the end of the newest bar of the last answer: `until`, 0 for an empty one."""

    def __init__(self, charts: ChartSource) -> None:
        self._charts = charts
        self.until = 0

    def intraday(self, instrument: Instrument, first: date, last: date) -> list[Bar]:
        bars = self._charts.intraday(instrument, first, last)
        self.until = max((bar.start + MINUTE_S for bar in bars), default=0)
        return bars


def _due(found: list[Span], over: int, filled: int) -> Wanted:
    """Return the gaps that are over and not filled. `over`: the end of the last minute that may be filled."""
    until = over
    if found and found[-1].until == over:  # the feed has not covered a minute since
        until = found.pop().start
    return Wanted([Span(max(gap.start, filled), gap.until) for gap in found if gap.until > filled], until)


def _partial(engine: Engine, key: str, midnight: int, until: int) -> list[Span]:
    bars = minute_bars.fetch(engine, key, midnight, until)
    return [
        Span(bar.start, bar.start + MINUTE_S) for bar in bars if bar.sources == LIVE and bar.marks & PARTIAL
    ]
