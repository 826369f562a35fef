"""The stored closes that a file would replace, beside its own: most of a day must not change at once.

The exchange corrects single rows of a day that it has published. A file in which most closes of a stored day
differ is of another day, or was restated, and would make a true history false. So it needs the operator's
`--force`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from datetime import date
from itertools import islice
from typing import Final

from ltp.core.counted import counted
from ltp.core.history import candle
from ltp.core.history.candle import RECORD
from ltp.db import candles
from ltp.db.engine import Engine
from ltp.errors import InputError

# Closes of one day in two sources differ by less; of two days in a row they mostly differ by more.
_NEAR: Final = 0.005
_MANY: Final = 20  # as many wrong closes are no corrections, however many shares the day has
_SAMPLE: Final = 60  # if most closes of a day differed, so many equal ones would be no accident
_AT_ONCE: Final = 400
_CLOSE: Final = 4
_MONTHS: Final = 12
_DAY: Final = 4  # bytes of the day in a record


class StoredDays:
    """The candles as traded that are stored, and those of the import that will be.

    Args:
        batch: the records of the import that are not yet written, by key.
    """

    def __init__(self, engine: Engine, batch: Mapping[str, bytearray]) -> None:
        self._engine, self._batch = engine, batch
        self._stored = {session.day for session in candles.days(engine)}
        self._kept: Counter[date] = Counter()

    def keep(self, days: Mapping[date, int]) -> None:
        """Note the number of instruments in the batch by day."""
        for day, count in days.items():
            self._kept[day] = max(count, self._kept[day])

    def written(self) -> None:
        """Note that the batch is stored."""
        self._stored |= self._kept.keys()
        self._kept.clear()

    def refuse_other_prices(self, name: str, records: Mapping[str, bytes], days: Collection[date]) -> None:
        """Raise InputError where a file has very different closes for most shares of a known day."""
        self._refuse_exchanged(name, records, days)
        known = {candle.day_number(day) for day in days if day in self._stored or day in self._kept}
        if not known or self._repeats_known(records, known):
            return
        replaced, different = self._compared(records, known)
        wrong = [
            candle.day_of(number)
            for number, count in different.items()
            if self._are_too_many(number, count, replaced[number])
        ]
        if wrong:
            number = candle.day_number(min(wrong))
            more = f", and of {counted(len(wrong) - 1, 'other day')}" if len(wrong) > 1 else ""
            raise InputError(
                name,
                str(min(wrong)),
                f"the closes of {different[number]:,} of the {replaced[number]:,} shares that it replaces "
                f"differ widely{more}: the file may be of another day, or adjusted; --force replaces them",
            )

    def _refuse_exchanged(self, name: str, records: Mapping[str, bytes], days: Collection[date]) -> None:
        """Raise InputError where a file of one day has, share by share, the candles of the day with month and
        day exchanged: a spreadsheet has rewritten the dates in its rows, and its name has no date.
        """
        day = next(iter(days))
        if len(days) > 1 or day.day > _MONTHS or day.day == day.month:
            return
        other = date(day.year, day.day, day.month)
        if other not in self._stored and other not in self._kept:
            return
        number = candle.day_number(other)
        sample = list(records)[:_SAMPLE]
        stored = candles.fetch_packed(self._engine, "raw", sample, other, other)
        known = {key: _of_day(self._batch.get(key, b""), number) or stored.get(key, b"") for key in sample}
        same = [records[key][_DAY:] == old[_DAY:] for key, old in known.items() if old]
        if len(same) > 1 and all(same):
            raise InputError(
                name,
                str(day),
                f"its candles are those that are there of {other}; day and month were exchanged: "
                "download it again",
            )

    def _repeats_known(self, records: Mapping[str, bytes], known: set[int]) -> bool:
        """Return whether a sample shows that a file of one day repeats the known closes: the usual case,
        which the sample settles quickly.
        """
        sample = dict(islice(records.items(), 0, None, max(1, len(records) // _SAMPLE)))
        replaced, different = self._compared(sample, known)
        return len(known) == 1 and replaced.total() >= _SAMPLE // 2 and not different.total()

    def _compared(self, records: Mapping[str, bytes], known: set[int]) -> tuple[Counter[int], Counter[int]]:
        """Return by day the number of closes that would be replaced, and of those that differ widely."""
        replaced, different = Counter[int](), Counter[int]()
        every = list(records)
        for start in range(0, len(every), _AT_ONCE):
            keys = every[start : start + _AT_ONCE]
            days = candle.day_of(min(known)), candle.day_of(max(known))
            stored = candles.fetch_packed(self._engine, "raw", keys, *days)
            for key in keys:
                own = stored.get(key, b""), self._batch.get(key, b"") if self._kept else b""
                for number, old, close in _pairs(records[key], known, *own):
                    replaced[number] += 1
                    different[number] += abs(close - old) > _NEAR * old
        return replaced, different

    def _are_too_many(self, number: int, different: int, replaced: int) -> bool:
        if different * 2 <= replaced:
            return False
        return different >= _MANY or different * 2 > self._count(number)

    def _count(self, number: int) -> int:
        """Return the number of shares of a day, stored or in the batch."""
        day = candle.day_of(number)
        stored = candles.fetch_packed(self._engine, "raw", None, day, day)
        return max(len(stored), self._kept[day])


def _pairs(
    records: bytes, days: set[int], stored: bytes, batch: bytes | bytearray
) -> Iterator[tuple[int, int, int]]:
    """Yield day, known close and close of the file, for each day of `days` that both have."""
    for at in range(0, len(records), RECORD.size):
        one = records[at : at + RECORD.size]
        number, _, _, _, close, _ = RECORD.unpack(one)
        if number in days:
            # The same candle again is by far the most frequent case, and a search for its bytes is fastest.
            old = close if one in stored or one in batch else _close(batch, number) or _close(stored, number)
            if old:
                yield number, old, close


def _close(records: bytes | bytearray, number: int) -> int:
    """Return the last close of a day among records in any order, 0 where there is none."""
    one = _of_day(records, number)
    close: int = RECORD.unpack(one)[_CLOSE] if one else 0
    return close


def _of_day(records: bytes | bytearray, number: int) -> bytes:
    """Return the last record of a day among records in any order, b"" where there is none."""
    for at in range(len(records) - RECORD.size, -1, -RECORD.size):
        if RECORD.unpack_from(records, at)[0] == number:
            return bytes(records[at : at + RECORD.size])
    return b""
