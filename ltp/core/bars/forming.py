"""Forming bars between the worker and the web processes: the newest one-minute bars of a few instruments, of which
the last one may still change.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Final, NamedTuple

from ltp.core import ohlc
from ltp.core.bars.bar import LIVE, MARKS, MINUTE_S, Bar, joined
from ltp.core.bars.faults import fault
from ltp.core.money import Price
from ltp.core.ticks.tick import Tick
from ltp.core.trading_day import day_start, session_date

MOST_BARS: Final = 12  # of one instrument; the worker sends those of some six minutes
_MARKS: Final = sum(MARKS)
_END_S: Final = 2**32
_OTHER_SCALE_PCT: Final = 25  # of the previous close of a price to the stored one


class FormingBatch(NamedTuple):
    """`source`: "dhanhq" or "simulator". `bars`: by key, oldest first; those of a later batch replace them."""

    source: str
    bars: Mapping[str, Sequence[Bar]]


def is_sound(bars: Sequence[Bar]) -> bool:
    """Return whether these can be the newest bars of an instrument, built from ticks."""
    possible = all(
        0 < bar.start < _END_S and 0 <= bar.marks <= _MARKS and bar.sources == LIVE and not fault(bar)
        for bar in bars
    )
    rising = all(one.start < other.start for one, other in pairwise(bars))
    return possible and rising and 0 < len(bars) <= MOST_BARS


def continued(stored: Sequence[Bar], recent: Sequence[Bar]) -> list[Bar]:
    """Return stored one-minute bars, oldest first, with the recent ones of the worker in their places.

    A stored bar of another source stays: the broker's bar has replaced that minute.
    """
    if not recent:
        return list(stored)
    first = recent[0].start
    kept = [bar for bar in stored if bar.start < first]
    late = {bar.start: bar for bar in stored if bar.start >= first}
    settled = {start: bar for start, bar in late.items() if bar.sources != LIVE}
    merged = late | {bar.start: bar for bar in recent} | settled
    return kept + [merged[start] for start in sorted(merged)]


def end_of(bar: Bar, minutes: int, windows: Sequence[tuple[int, int]]) -> int:
    """Return the second after a bar of `minutes`, which its trading window may cut short."""
    end = bar.start + minutes * MINUTE_S
    return next((min(end, last) for first, last in windows if first <= bar.start < last), end)


def day_bar(tick: Tick | None) -> Bar | None:
    """Return the bar of the day of a price: open, high, low and volume are the exchange's own, of the packet.

    None where the packet had no day's prices, or impossible ones.
    """
    if tick is None or tick.ltp is None:
        return None
    day, (open_, high, low) = session_date(tick.session), (tick.open, tick.high, tick.low)
    if day is None or open_ is None or high is None or low is None:
        return None
    bar = Bar(
        day_start(day), open_, max(high, tick.ltp), min(low, tick.ltp), tick.ltp, tick.volume or 0, tick.oi
    )
    return None if ohlc.fault(*bar[1:5]) or low <= 0 else bar


def is_other_scale(tick: Tick, close: Price) -> bool:
    """Return whether prices have another scale than the last stored close, such as after a split that is not imported
    yet: no share opens so far from its close.
    """
    before = tick.prev_close
    return before is not None and abs(before - close) * 100 > _OTHER_SCALE_PCT * close


def with_day(last: Bar | None, day: Bar, start: int) -> Bar:
    """Return the bar that starts at `start`, a week or month, with the bar of one more day.

    Args:
        last: the stored one with that start, None without any.
    """
    return joined([last, day], start)._replace(marks=0) if last else day._replace(start=start)
