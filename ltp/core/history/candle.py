"""Daily candles, and the packed records in which SQL stores them and screens read them."""

from __future__ import annotations

import struct
from bisect import bisect_left
from collections.abc import Iterable
from datetime import date
from itertools import pairwise
from typing import Final, NamedTuple

from ltp.core import ohlc
from ltp.core.money import Price

# Days since 1970-01-01, open, high, low, close, volume. Little-endian and without gaps, so that numpy can
# read the bytes as an array of records.
RECORD: Final = struct.Struct("<i5q")
_DAY: Final = struct.Struct("<i")
_BEHIND_D: Final = 7  # a basis that ends earlier than this before the other one is no longer imported
_EPOCH: Final = date(1970, 1, 1).toordinal()


class Candle(NamedTuple):
    """One session of an instrument. Prices in 1/10,000 rupee, volume in shares (0 for an index)."""

    day: date
    open: Price
    high: Price
    low: Price
    close: Price
    volume: int


def day_number(day: date) -> int:
    return day.toordinal() - _EPOCH


def day_of(number: int) -> date:
    return date.fromordinal(number + _EPOCH)


def fault(candle: Candle) -> str:
    """Return why the candle is impossible, "" if it is possible. The prices must be above 0."""
    return ohlc.fault(candle.open, candle.high, candle.low, candle.close)


def record(candle: Candle) -> bytes:
    return RECORD.pack(candle.day.toordinal() - _EPOCH, *candle[1:])


def pack(candles: Iterable[Candle]) -> bytes:
    """Return the records by day. Of two candles of a day the later one counts."""
    return merge(b"", b"".join(map(record, candles)))


def unpack(packed: bytes) -> list[Candle]:
    return [Candle(day_of(number), *rest) for number, *rest in RECORD.iter_unpack(packed)]


def merge(old: bytes, new: bytes) -> bytes:
    """Return the records of both by day, each day once: the record of `new`, of two records in it the later.

    `old` must be in order of days, `new` need not.
    """
    days = [number for number, *_ in RECORD.iter_unpack(new)]
    appends = not old or not new or _day_at(old, len(old) // RECORD.size - 1) < days[0]
    if appends and all(before < after for before, after in pairwise(days)):
        return old + new
    by_day = _by_day(old) | _by_day(new)
    return b"".join(by_day[day] for day in sorted(by_day))


def between(packed: bytes, first: date, last: date) -> bytes:
    """Return the records from `first` to `last`, both included. `packed` must be in order."""
    return packed[_offset(packed, day_number(first)) : _offset(packed, day_number(last) + 1)]


def by_year(packed: bytes) -> dict[int, bytes]:
    """Split records, which must be in order, by calendar year."""
    years = {}
    start = 0
    while start < len(packed):
        year = day_of(_DAY.unpack_from(packed, start)[0]).year
        end = _offset(packed, day_number(date(year + 1, 1, 1)))
        years[year] = packed[start:end]
        start = end
    return years


def count_changed(old: bytes, new: bytes) -> int:
    """Return how many records of `new`, which has each day once, are not in `old`."""
    if not old:
        return len(new) // RECORD.size
    return len(set(_by_day(new).items()) - set(_by_day(old).items()))


def first_day(packed: bytes) -> date | None:
    """Return the day of the oldest record, None if there is none."""
    return day_of(_day_at(packed, 0)) if packed else None


def last_day(packed: bytes) -> date | None:
    """Return the day of the newest record, None if there is none."""
    return day_of(_day_at(packed, len(packed) // RECORD.size - 1)) if packed else None


def prefers_adjusted(raw: bytes, adjusted: bytes) -> bool:
    """Return whether a share's adjusted history is to be used instead of its raw one; they are never mixed.

    The longer history is used, unless it ends more than a week before the other; raw if both are equal.
    """
    if not raw or not adjusted:
        return not raw
    behind = _day_at(raw, len(raw) // RECORD.size - 1) - _day_at(adjusted, len(adjusted) // RECORD.size - 1)
    return behind < -_BEHIND_D or (behind <= _BEHIND_D and len(adjusted) > len(raw))


def _by_day(packed: bytes) -> dict[int, bytes]:
    size = RECORD.size
    return {_DAY.unpack_from(packed, at)[0]: packed[at : at + size] for at in range(0, len(packed), size)}


def _day_at(packed: bytes, index: int) -> int:
    number: int = _DAY.unpack_from(packed, index * RECORD.size)[0]
    return number


def _offset(packed: bytes, number: int) -> int:
    count = len(packed) // RECORD.size
    return bisect_left(range(count), number, key=lambda index: _day_at(packed, index)) * RECORD.size
