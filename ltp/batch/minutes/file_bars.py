"""The bars of one file while it is read, in a bounded part of memory and a temporary file."""

from __future__ import annotations

import io
import tempfile
from collections import Counter, defaultdict
from datetime import date, datetime
from typing import Final

from ltp.batch.minutes.hours import Hours
from ltp.core.bars.bar import MINUTE_S, Bar
from ltp.core.bars.block import merged, packed, unpacked
from ltp.core.bars.faults import inside
from ltp.core.formats.minute_csv import MinuteRow
from ltp.core.instrument import split_key
from ltp.core.trading_day import DAY_S, IST, date_of, midnight_of
from ltp.errors import DatabaseError, InputError

MOST_IN_MEMORY: Final = 100_000  # bars; some 35 MB
_SURE: Final = 20  # so many distances between bars show the timeframe of a file


class FileBars:
    """The bars of one file by day and instrument: the newest ones in memory, the others in a temporary file.
    A context manager, because that file is to be deleted.
    """

    def __init__(self, hours: Hours, now: int) -> None:
        self._hours, self._now = hours, now
        self.unknown: Counter[str] = Counter()
        self.outside: Counter[date] = Counter()
        self.damaged, self.sentences = 0, list[str]()
        self._bars: dict[tuple[int, str], list[Bar]] = {}  # by midnight and key
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 (`__exit__` closes it)
        self._spilled: dict[tuple[int, str], list[tuple[int, int]]] = defaultdict(list)  # place and length
        self._in_memory = self._distances = 0
        self._shortest = DAY_S
        self._last: dict[str, int] = {}

    def __enter__(self) -> FileBars:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def add(self, name: str, key: str, row: MinuteRow) -> None:
        """Add a bar, or count it where it lies outside of the trading hours.

        Raises:
            InputError: it is of the future.
        """
        start = row.bar.start
        if start > self._now:
            at = datetime.fromtimestamp(start, IST).isoformat()
            raise InputError(f"{name}, line {row.line}", at, "a bar of the future cannot be")
        if not inside(start, self._hours.windows(split_key(key)[0], start)):
            self.outside[date_of(start)] += 1
            return
        self._note_distance(key, start)
        self._bars.setdefault((midnight_of(start), key), []).append(row.bar)
        self._in_memory += 1
        if self._in_memory >= MOST_IN_MEMORY:
            self._spill()

    def refuse(self, name: str) -> None:
        """Raise InputError unless the file has bars of one minute."""
        if not self._bars and not self._spilled:
            if self.outside:
                accepted = (
                    "none of its bars lies in the trading hours of its day; docs/calendar.md names them"
                )
                raise InputError(name, f"{min(self.outside)} to {max(self.outside)}", accepted)
            names = ", ".join(list(self.unknown)[:3])
            raise InputError(
                name,
                names,
                "the instrument master knows no instrument of the file; give --key NSE_EQ:1333, or run "
                "`python -m ltp instruments import`",
            )
        if self._distances >= _SURE and self._shortest > MINUTE_S:
            apart = f"{self._shortest // MINUTE_S} minutes apart"
            raise InputError(name, apart, "bars of one minute are imported; longer ones are made from them")

    def keys_by_day(self) -> dict[int, list[str]]:
        """Return the keys with bars of each day, both in order."""
        keys = defaultdict[int, list[str]](list)
        for midnight, key in sorted({*self._bars, *self._spilled}):
            keys[midnight].append(key)
        return keys

    def of(self, midnight: int, key: str) -> list[Bar]:
        """Return the bars of an instrument of a day, each minute once."""
        bars: list[Bar] = []
        for place, length in self._spilled.get((midnight, key), ()):
            self._file.seek(place)
            bars += unpacked(self._file.read(length), midnight)
        return merged(bars, self._bars.get((midnight, key), ()))

    def _spill(self) -> None:
        try:
            for place, bars in self._bars.items():
                at = self._file.seek(0, io.SEEK_END)
                self._spilled[place].append((at, self._file.write(packed(bars, place[0]))))
            self._file.flush()
        except OSError as error:
            raise DatabaseError(
                f"The temporary file of the import cannot be written: {error.strerror}"
            ) from None
        self._bars.clear()
        self._in_memory = 0

    def _note_distance(self, key: str, start: int) -> None:
        distance = start - self._last.get(key, start)
        if distance > 0:
            self._distances += 1
            self._shortest = min(self._shortest, distance)
        self._last[key] = start
