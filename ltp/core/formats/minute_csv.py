"""CSV files of one-minute bars, read and written: columns by name, one row a minute of an instrument.

Rows are read one by one, because a file of a year has tens of millions. A time without an offset is that of
India. Other timeframes look the same in a row; the importer notices them by their distances.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any, Final, NamedTuple

from ltp.core.bars.bar import FILE, MARKS, MINUTE_S, Bar, mark_names, source_name
from ltp.core.bars.faults import fault
from ltp.core.formats.exchange_csv import PRICES, DamagedRows, parse_day, table_of_lines
from ltp.core.money import MAX_PRICE, SCALE, rupees
from ltp.core.trading_day import IST
from ltp.errors import InputError

# The columns of a file that is written, those of `/api/v1/candles.csv` behind the instrument's key.
COLUMNS: Final = ("key", "start", *PRICES, "volume", "oi", "source", "marks", "session")
# The spellings of each column, as `CsvTable` has column names. Of several in a file the first counts.
_SPELLINGS: Final[Mapping[str, tuple[str, ...]]] = {
    "name": ("key", "symbol", "ticker", "tradingsymbol", "instrument", "name"),
    "at": ("start", "datetime", "timestamp", "ts", "epoch"),
    "date": ("date", "day", "tradedate"),
    "time": ("time",),
    "open": ("open", "o"),
    "high": ("high", "h"),
    "low": ("low", "l"),
    "close": ("close", "c"),
    "volume": ("volume", "vol", "v", "qty"),
    "oi": ("oi", "openinterest"),
    "marks": ("marks",),
}
_NEEDED: Final = (*PRICES, "volume")
_ACCEPTED_COLUMNS: Final = "its first line names the columns open, high, low, close, volume, and datetime, timestamp or date with time"
_ACCEPTED_TIME: Final = (
    "the start of a minute such as 2026-11-30T09:15:00+05:30, 2026-11-30 09:15 (India time), 30-11-2026 09:15 "
    "or 1796010300"
)
_EPOCH: Final = re.compile(r"[0-9]{9,10}", re.ASCII)
_FIRST, _END = 631_152_000, 4_102_444_800  # 1990 and 2100: the clock of another time is damage
_DIGITS: Final = re.compile(r"[0-9]{1,18}", re.ASCII)
_CLOCK: Final = re.compile(r"([01]?[0-9]|2[0-3]):([0-5][0-9])(?::([0-5][0-9])(?:\.0+)?)?", re.ASCII)
_CACHED_TIMES: Final = 1 << 16  # a file by symbols repeats the minutes of its sessions for each of them
_MARK_BITS: Final = {name: bit for bit, name in MARKS.items()}


class MinuteRow(NamedTuple):
    """`name`: key or symbol as in the file, "" without such a column."""

    line: int
    name: str
    bar: Bar


class MinuteCsv:
    """One file. `named`: whether its rows name their instrument. `damaged`: the rows left out so far."""

    def __init__(self, lines: Iterable[str], name: str) -> None:
        """Args:
            lines: of the file with their ends, read while `rows` is iterated.
        Raises:
            InputError: a column is missing.
        """
        self._name, self._last = name, ""
        table = table_of_lines(self._noting_last(lines), name)
        self._rows = table.rows
        self._places = {
            word: table.columns[next(name for name in names if name in table.columns)]
            for word, names in _SPELLINGS.items()
            if any(name in table.columns for name in names)
        }
        self._columns = len(table.columns)
        timed = self._places.keys() & {"at", "date", "time"}
        if not timed or not self._places.keys() >= set(_NEEDED):
            raise InputError(f"{name}, line 1", ",".join(table.columns), _ACCEPTED_COLUMNS)
        self.named = "name" in self._places
        self.damaged = DamagedRows(name)

    def rows(self) -> Iterator[MinuteRow]:
        """Yield the rows that can be read, in the order of the file.

        Raises:
            InputError: at the end: too many rows are damaged, the last one is cut, or there is none. Rows
                that were yielded are not to be stored then.
        """
        count, cut, cells = 0, False, list[str]()
        read_bar, name_at = self._bar_reader(), self._places.get("name")
        for line, cells in self._rows:
            count += 1
            cut = len(cells) < self._columns
            try:
                bar = read_bar(cells)
                yield MinuteRow(line, "" if name_at is None else cells[name_at].strip(), bar)
            except IndexError:
                accepted = f"{self._columns} columns are named, {len(cells)} are here"
                self.damaged.add(InputError(f"{self._name}, line {line}", ",".join(cells), accepted))
            except InputError as error:
                where = f"{self._name}, line {line}, {error.where}"
                self.damaged.add(InputError(where, error.value, error.accepted))
        if cut and not self._last.endswith(("\n", "\r")):
            accepted = "the file ends in the midst of this row; fetch it again"
            raise InputError(f"{self._name}, last line", ",".join(cells), accepted)
        self.damaged.refuse_many(count)
        if not count:
            raise InputError(self._name, "", "the file holds no bar")

    def _noting_last(self, lines: Iterable[str]) -> Iterator[str]:
        for line in lines:
            self._last = line
            yield line

    def _bar_reader(self) -> Callable[[list[str]], Bar]:
        places = self._places
        time_of = _time_reader(places)
        open_at, high_at, low_at, close_at, volume_at = (places[word] for word in _NEEDED)
        oi_at, marks_at = places.get("oi"), places.get("marks")

        def read(cells: list[str]) -> Bar:
            marks = 0 if marks_at is None else _marks(cells[marks_at])
            bar = Bar(
                time_of(cells),
                _price("open", cells[open_at]),
                _price("high", cells[high_at]),
                _price("low", cells[low_at]),
                _price("close", cells[close_at]),
                _whole("volume", cells[volume_at]) or 0,
                None if oi_at is None else _whole("oi", cells[oi_at]),
                marks,
                FILE,
            )
            reason = fault(bar)
            if reason:
                prices = " ".join(cells[at] for at in (open_at, high_at, low_at, close_at))
                raise InputError("open, high, low, close", prices, reason)
            return bar

        return read


def written(key: str, bar: Bar, session: str) -> tuple[Any, ...]:
    """Return the cells of COLUMNS. `session`: the phase of the market in which the bar starts."""
    prices = (rupees(price) for price in (bar.open, bar.high, bar.low, bar.close))
    at, oi = datetime.fromtimestamp(bar.start, IST).isoformat(), "" if bar.oi is None else bar.oi
    return (
        key,
        at,
        *prices,
        bar.volume,
        oi,
        source_name(bar.sources),
        " ".join(mark_names(bar.marks)),
        session,
    )


def _time_reader(places: Mapping[str, int]) -> Callable[[list[str]], int]:
    if "at" in places:
        at = places["at"]
        return lambda cells: parse_minute(cells[at])
    if "date" in places and "time" in places:
        date_at, time_at = places["date"], places["time"]
        return lambda cells: parse_minute(f"{cells[date_at].strip()} {cells[time_at].strip()}")
    alone = places["date"] if "date" in places else places["time"]
    return lambda cells: parse_minute(cells[alone])


@lru_cache(maxsize=_CACHED_TIMES)
def parse_minute(text: str) -> int:
    """Return the start of a minute in seconds since the epoch.

    Raises:
        InputError: the text has no time of day, or is not the start of a minute.
    """
    stripped = text.strip()
    start = int(stripped) if _EPOCH.fullmatch(stripped) else _iso(stripped)
    if start is None:
        start = _day_and_time(stripped)
    if start is None or start % MINUTE_S or not _FIRST <= start < _END:
        raise InputError("time", text, _ACCEPTED_TIME)
    return start


def _iso(text: str) -> int | None:
    if ":" not in text:  # a day alone would count as its midnight
        return None
    try:
        at = datetime.fromisoformat(text)
        stamp = (at if at.tzinfo else at.replace(tzinfo=IST)).timestamp()
    except (ValueError, OverflowError):
        return None
    return int(stamp) if stamp == int(stamp) and stamp > 0 else None


def _day_and_time(text: str) -> int | None:
    """Parse a day in a form of the exchange's files and a time of day, India time."""
    date_text, _, clock_text = text.rpartition(" ")
    day, clock = parse_day(date_text), _CLOCK.fullmatch(clock_text)
    if day is None or clock is None:
        return None
    hour, minute, second = (int(part or 0) for part in clock.groups())
    return int(datetime(day.year, day.month, day.day, hour, minute, second, tzinfo=IST).timestamp())


def _price(column: str, text: str) -> int:
    try:
        price = round(_number(text) * SCALE)
    except (ValueError, OverflowError):
        raise InputError(f"column {column}", text, "a price in rupees") from None
    if not 0 < price <= MAX_PRICE:
        raise InputError(f"column {column}", text, "a price above 0, at most 1,00,00,000 rupees")
    return price


def _whole(column: str, text: str) -> int | None:
    """Return a number of units, None for an empty cell."""
    if _DIGITS.fullmatch(text):
        return int(text)
    if not text.strip():
        return None
    try:
        number = _number(text)
        if number == int(number):
            return int(number)
    except (ValueError, OverflowError):
        pass
    raise InputError(f"column {column}", text, "a whole number")


def _number(text: str) -> float:
    """Parse a number; raises ValueError, also for Python's own `1_000`."""
    if "_" in text:
        raise ValueError
    return float(text)


def _marks(text: str) -> int:
    marks = 0
    for name in text.split():
        if name not in _MARK_BITS:
            raise InputError("column marks", text, f"names of {', '.join(_MARK_BITS)}")
        marks |= _MARK_BITS[name]
    return marks
