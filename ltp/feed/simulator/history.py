"""Charts of the simulated exchange: daily bars, and minute bars that add up to them.

Past days come from the seed, days that this process traded through from its trades; the minutes before its
start are drawn so that they end at its first price, and the last bars join the present prices. Knows no HTTP.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, timedelta
from itertools import pairwise

from ltp.core.money import Price, snap
from ltp.feed.simulator.book import Book, midnight
from ltp.feed.simulator.path import CLOSES_S, OPENS_S, Bar

StampedBar = tuple[int, Bar]


def daily_bars(book: Book, first: date, end: date) -> list[StampedBar]:
    """Return the days from `first` up to but not including `end`.

    Each is stamped with its midnight in India (seconds since the epoch).
    """
    return [(int(midnight(day)), bar) for day in _days(book, first, end) if (bar := _day(book, day))]


def minute_bars(
    book: Book,
    begin: float,
    end: float,
    now: float,
    interval: int,
    *,
    is_open: Callable[[int], bool] = lambda _: True,
) -> list[StampedBar]:
    """Return bars of `interval` minutes that begin at or after `begin` and before `end`.

    Instants are seconds since the epoch.

    Args:
        is_open: whether the instrument trades at an instant; no minute is drawn at another one.
    """
    one_minute: list[StampedBar] = []
    first, last = (date.fromordinal(_ordinal(instant)) for instant in (begin, end))
    for day in _days(book, first, last + timedelta(days=1)):
        one_minute.extend(_minutes(book, day, now, is_open))
    wanted = (stamped for stamped in one_minute if begin <= stamped[0] < end)
    return list(_grouped(wanted, interval * 60))


def _ordinal(epoch_s: float) -> int:
    return date(1970, 1, 1).toordinal() + int((epoch_s + 19_800) // 86_400)


def _days(book: Book, first: date, end: date) -> Iterator[date]:
    day, today = first, book.snapshot.session
    while day < end and day <= today:
        if day == today or day in book.past or (book.trading_day(day) and not _untraded(book, day)):
            yield day
        day += timedelta(days=1)


def _untraded(book: Book, day: date) -> bool:
    """A trading day on which this process ran and yet made no trade has no bar."""
    return book.before.session < day < book.snapshot.session


def _day(book: Book, day: date) -> Bar:
    if day == book.snapshot.session:
        return book.snapshot.bar
    return book.past.get(day) or book.path.bar(day)


def _minutes(book: Book, day: date, now: float, is_open: Callable[[int], bool]) -> list[StampedBar]:
    opening = int(midnight(day)) + OPENS_S
    starts = [at for at in range(opening, opening + CLOSES_S - OPENS_S, 60) if is_open(at)]
    if day != book.snapshot.session:
        return _drawn(book, day, _day(book, day), starts)
    live = sorted(book.minutes.items())
    if day != book.before.session:
        return live
    started = live[0][0] if live else int(now) // 60 * 60
    return _drawn(book, day, book.before.bar, [at for at in starts if at < started]) + live


def _drawn(book: Book, day: date, whole: Bar, starts: Sequence[int]) -> list[StampedBar]:
    """Draw a bar at each of `starts` from open to close of the day. They reach its high and low and share its
    volume.
    """
    if not starts:
        return []
    count = len(starts)
    rng = random.Random(f"{book.listing.key}:{day}:{whole}")
    prices = _bridge(rng, whole, count, book.listing.instrument.tick_size)
    volumes = _shares(rng, whole.volume, count)
    bars = [
        Bar(a, max(a, b), min(a, b), b, volume)
        for (a, b), volume in zip(pairwise(prices), volumes, strict=True)
    ]
    top = max(range(count), key=lambda index: bars[index].high)
    bars[top] = bars[top]._replace(high=whole.high)
    bottom = min(range(count), key=lambda index: bars[index].low)
    bars[bottom] = bars[bottom]._replace(low=whole.low)
    return list(zip(starts, bars, strict=True))


def _bridge(rng: random.Random, whole: Bar, count: int, tick: Price) -> list[Price]:
    """Return `count` + 1 prices, a random walk tied to open and close and kept within low and high."""
    step = (whole.high - whole.low) / max(1.0, count**0.5)
    walk = [0.0]
    for _ in range(count):
        walk.append(walk[-1] + rng.gauss(0, step))
    tilt = (whole.close - whole.open - walk[-1]) / count
    inside = (
        min(whole.high, max(whole.low, snap(round(whole.open + value + tilt * index), tick)))
        for index, value in enumerate(walk)
    )
    prices = list(inside)
    prices[0], prices[-1] = whole.open, whole.close
    return prices


def _shares(rng: random.Random, volume: int, count: int) -> list[int]:
    weights = [0.2 + rng.random() + 2 * abs(index / count - 0.5) for index in range(count)]
    total, given, shares = sum(weights), 0, []
    reached = 0.0
    for weight in weights:
        reached += weight
        shares.append(int(volume * reached / total) - given)
        given += shares[-1]
    shares[-1] += volume - given
    return shares


def _grouped(bars: Iterable[StampedBar], seconds: int) -> Iterator[StampedBar]:
    """Join minutes into longer bars, counted from the opening of their day."""
    current: StampedBar | None = None
    for stamp, bar in bars:
        opening = int(midnight(date.fromordinal(_ordinal(stamp)))) + OPENS_S
        start = opening + (stamp - opening) // seconds * seconds
        if current is not None and current[0] == start:
            joined = current[1]
            bar = Bar(
                joined.open,
                max(joined.high, bar.high),
                min(joined.low, bar.low),
                bar.close,
                joined.volume + bar.volume,
            )
        elif current is not None:
            yield current
        current = (start, bar)
    if current is not None:
        yield current
