"""The coverage of the newest day by segment: the minutes in which the feed was connected, and its instruments."""

from __future__ import annotations

from datetime import datetime
from typing import Final, NamedTuple

from ltp.batch.minutes.hours import Hours
from ltp.core.bars.coverage import KNOWN_WITHIN_S, Span, ended, gaps, minutes
from ltp.core.counted import counted, listed
from ltp.core.instrument import split_key
from ltp.core.market.session import Calendar
from ltp.core.trading_day import IST, date_of
from ltp.db.bars import bar_audits, coverage
from ltp.db.engine import Engine

_NAMED: Final = 6


class SegmentCoverage(NamedTuple):
    """Trading minutes of a segment that are over: `minutes`, and the `gaps` in which the feed was not connected.

    `subscribed`: instruments with any coverage; `whole`: of them, those without a gap of their own. `filled`:
    instruments whose gaps have the broker's bars.
    """

    segment: str
    minutes: int
    gaps: list[Span]
    subscribed: int
    whole: int
    filled: int


def report(engine: Engine, calendar: Calendar, now: datetime) -> tuple[int, list[SegmentCoverage]]:
    """Return the midnight of the newest day on which the feed was connected, 0 for none, and its segments.

    Raises:
        DatabaseError: the database cannot be read.
    """
    midnight = coverage.newest_midnight(engine)
    if midnight is None:
        return 0, []
    connected, hours = coverage.connected(engine, midnight), Hours(calendar)
    day = date_of(midnight)
    filled, final = coverage.refills_of_day(engine, day), bar_audits.final_keys(engine, day)
    by_segment: dict[str, list[tuple[str, list[Span]]]] = {}
    for key, spans in sorted(coverage.of_day(engine, midnight).items()):
        by_segment.setdefault(split_key(key)[0], []).append((key, spans))
    found = []
    for segment, of_keys in by_segment.items():
        windows = ended(hours.windows(segment, midnight), int(now.timestamp()) - KNOWN_WITHIN_S)
        if not windows:
            continue
        own = {key: each for key, spans in of_keys if (each := gaps(spans, windows))}
        have_bars = sum(key in final or each[-1].until <= filled.get(key, 0) for key, each in own.items())
        count = minutes([Span(*window) for window in windows])
        whole, all_keys = len(of_keys) - len(own), len(of_keys)
        found.append(SegmentCoverage(segment, count, gaps(connected, windows), all_keys, whole, have_bars))
    return midnight, found


def line(of: SegmentCoverage) -> str:
    """Return a sentence without its day and segment."""
    connected = of.minutes - minutes(of.gaps)
    sentence = f"connected in {connected:,} of {counted(of.minutes, 'minute')}"
    if of.gaps:
        sentence += f", not {listed([_times(gap) for gap in of.gaps], _NAMED)}"
    sentence += f"; {counted(of.subscribed, 'instrument')} subscribed, {of.whole:,} of them in all minutes"
    if of.filled:
        sentence += f"; the gaps of {of.filled:,} have the broker's bars"
    return sentence


def _times(gap: Span) -> str:
    return " to ".join(f"{datetime.fromtimestamp(each, IST):%H:%M}" for each in gap)
