"""NSE's bhavcopy, the daily file of the candles of all shares, in its three formats.

UDiFF (`BhavCopy_NSE_CM_0_0_0_YYYYMMDD_F_0000.csv`, since July 2024), the older `cmDDMMMYYYYbhav.csv`, and
`sec_bhavdata_full_DDMMYYYY.csv`, which has no ISIN. Columns are found by name. The previous close of all
three is not used: it is as traded, and not adjusted on the day of a split.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import date
from operator import itemgetter
from typing import Final, NamedTuple

from ltp.core.formats.exchange_csv import (
    CsvTable,
    DamagedRows,
    parse_day,
    plain_candle,
    read_candle,
)
from ltp.core.history.candle import Candle
from ltp.errors import InputError

# EQ: ordinary; BE, BZ: delivery only, where the exchange may put a share for a while. The SME boards (SM, ST)
# trade in lots, and bonds and bills are no shares. Funds in the series EQ look like shares in these files.
SERIES: Final = ("EQ", "BE", "BZ")


class BhavRow(NamedTuple):
    """A share's day. Symbol and series in capitals; `isin` is empty and `security_id` None if missing."""

    symbol: str
    series: str
    isin: str
    security_id: int | None
    candle: Candle


class Bhavcopy(NamedTuple):
    """One session.

    `format`: udiff, cm_bhav or sec_full. `rows`: each symbol once. `damaged`: the number of rows left out;
    `sentences`: the errors of the first of them. `series`: the number of rows of each series that is not
    read.
    """

    day: date
    format: str
    rows: list[BhavRow]
    damaged: int
    sentences: tuple[str, ...]
    series: Counter[str]


class _Layout(NamedTuple):
    """Column names as in `CsvTable`; only this format has the column `mark`."""

    format: str
    mark: str
    symbol: str
    series: str
    day: str
    candle: tuple[str, str, str, str, str]
    isin: str = "isin"
    security_id: str = "fininstrmid"

    def needed(self) -> tuple[str, ...]:
        return (self.symbol, self.series, self.day, *self.candle)


_LAYOUTS: Final = (
    _Layout(
        "udiff", "tckrsymb", "tckrsymb", "sctysrs", "traddt",
        ("opnpric", "hghpric", "lwpric", "clspric", "ttltradgvol"),
    ),
    _Layout(
        "sec_full", "ttltrdqnty", "symbol", "series", "date1",
        ("openprice", "highprice", "lowprice", "closeprice", "ttltrdqnty"),
    ),
    _Layout(
        "cm_bhav", "tottrdqty", "symbol", "series", "timestamp",
        ("open", "high", "low", "close", "tottrdqty"),
    ),
)  # fmt: skip
_CASH: Final = frozenset({"", "NSE CM", "NSE", "CM"})  # a file may leave either column out
_MAX_SYMBOL: Final = 50
_ISIN_LENGTH: Final = 12
_ID_DIGITS: Final = 10
_FORMATS: Final = (
    "NSE's cash market bhavcopy in the UDiFF (BhavCopy_NSE_CM_...), cm...bhav or sec_bhavdata_full format "
    "is accepted, or a CSV file with the columns date, symbol, open, high, low, close, volume"
)


def is_bhavcopy(columns: Mapping[str, int]) -> bool:
    """Return whether a header is that of a bhavcopy."""
    return any(layout.mark in columns for layout in _LAYOUTS)


def parse(source: CsvTable) -> Bhavcopy:
    """Parse one file.

    Only traded shares of the series EQ, BE and BZ are kept. Of two rows of a symbol EQ counts before BE
    before BZ, then the later one. A damaged row (the high below the low, another day than the file's) is left
    out and counted.

    Raises:
        InputError: it is no such file, ends in the middle of a row, lacks a column, has no share, or more
            than five rows and more than 2% are damaged.
    """
    layout = next((layout for layout in _LAYOUTS if layout.mark in source.columns), None)
    if layout is None:
        raise InputError(f"{source.name}, line 1", ", ".join(source.columns), _FORMATS)
    _check_columns(source, layout)
    source.refuse_truncated()
    damaged = DamagedRows(source.name)
    reader = _Reader(source.name, source.columns, layout)
    read = _read(source, reader, damaged)
    days = Counter(row.candle.day for _, row in read)
    if not days:
        damaged.refuse_many(damaged.count)
        raise _no_share(source.name, reader.others)
    [(day, most)] = days.most_common(1)
    if most * 2 <= days.total():
        raise InputError(
            source.name, ", ".join(map(str, sorted(days)[:3])), "the rows of a bhavcopy are of one day"
        )
    rows: dict[str, BhavRow] = {}
    for line, row in read:
        if row.candle.day != day:
            where = f"{source.name}, line {line}"
            damaged.add(InputError(where, row.candle.day.isoformat(), f"the other rows are of {day}"))
        elif row.symbol not in rows or SERIES.index(row.series) <= SERIES.index(rows[row.symbol].series):
            rows[row.symbol] = row
    damaged.refuse_many(len(rows) + damaged.count)
    return Bhavcopy(
        day, layout.format, list(rows.values()), damaged.count, tuple(damaged.sentences), reader.series
    )


def _check_columns(source: CsvTable, layout: _Layout) -> None:
    missing = [column for column in layout.needed() if column not in source.columns]
    if missing:
        raise InputError(
            f"{source.name}, line 1", ", ".join(source.columns), f"the column {missing[0]} is missing"
        )


class _Reader:
    """Parses rows. Counts skipped rows in `others` by exchange and segment, and in `series` by series."""

    def __init__(self, name: str, columns: Mapping[str, int], layout: _Layout) -> None:
        self._name = name
        self.others: Counter[str] = Counter()
        self.series: Counter[str] = Counter()
        self._venue = [columns[name] for name in ("src", "sgmt") if name in columns]
        self._names = itemgetter(*(columns[name] for name in (layout.symbol, layout.series, layout.day)))
        self._numbers = itemgetter(*(columns[name] for name in layout.candle))
        self._optional = [columns.get(name) for name in (layout.isin, layout.security_id)]
        self._second_day = columns.get("bizdt")
        self._read_day: tuple[str, date] = ("", date.min)

    def row(self, cells: list[str], line: int) -> BhavRow | None:
        """Return the share's day, None if the row is of no share or of one that was not traded.

        Raises:
            InputError: a cell is wrong.
            IndexError: the row is too short.
        """
        if self._venue and self._elsewhere(cells):
            return None
        symbol, series, text = self._names(cells)
        if series not in SERIES:
            series = series.strip().upper()
            if series not in SERIES:
                self.series[series] += 1
                return None
        day = self._day(text, cells, line)
        numbers = self._numbers(cells)
        candle = plain_candle(day, numbers) or read_candle(day, numbers, f"{self._name}, line {line}")
        if candle is None or not candle.volume:
            return None
        symbol = symbol.strip().upper()
        if not 0 < len(symbol) <= _MAX_SYMBOL:
            raise InputError(
                f"{self._name}, line {line}, symbol", symbol, "an exchange symbol such as HDFCBANK"
            )
        isin, security_id = self._identity(cells)
        return BhavRow(symbol, series, isin, security_id, candle)

    def _elsewhere(self, cells: list[str]) -> bool:
        market = " ".join([cells[place].strip().upper() for place in self._venue])
        if market in _CASH:
            return False
        self.others[market] += 1
        return True

    def _day(self, text: str, cells: list[str], line: int) -> date:
        if text != self._read_day[0]:  # cached, because all rows of a file have one day
            self._read_day = text, _day(text, f"{self._name}, line {line}")
        day = self._read_day[1]
        if self._second_day is not None and cells[self._second_day] != text:
            _check_second_day(day, text, cells[self._second_day], f"{self._name}, line {line}")
        return day

    def _identity(self, cells: list[str]) -> tuple[str, int | None]:
        if self._optional == [None, None]:
            return "", None
        isin, id_ = (
            cells[place].strip() if place is not None and place < len(cells) else ""
            for place in self._optional
        )
        security_id = int(id_) if id_.isascii() and id_.isdigit() and len(id_) < _ID_DIGITS else None
        return (isin.upper() if len(isin) == _ISIN_LENGTH else ""), security_id


def _read(source: CsvTable, reader: _Reader, damaged: DamagedRows) -> list[tuple[int, BhavRow]]:
    """Return the rows of shares with their line numbers."""
    rows = []
    for line, cells in source.rows:
        try:
            row = reader.row(cells, line)
        except IndexError:
            where = f"{source.name}, line {line}"
            damaged.add(
                InputError(
                    where, ",".join(cells), f"{len(source.columns)} columns are named, {len(cells)} are here"
                )
            )
        except InputError as error:
            damaged.add(error)
        else:
            if row is not None:
                rows.append((line, row))
    return rows


def _day(text: str, where: str) -> date:
    day = parse_day(text)
    if day is None:
        raise InputError(f"{where}, date", text.strip(), "a date such as 2025-07-01 or 01-JUL-2025")
    return day


def _check_second_day(day: date, text: str, second: str, where: str) -> None:
    """Raise InputError if TradDt and BizDt of a UDiFF row differ: neither can be trusted then."""
    if second.strip() and _day(second, where) != day:
        raise InputError(
            f"{where}, date", f"{text.strip()} and {second.strip()}", "TradDt and BizDt are the same day"
        )


def _no_share(name: str, others: Counter[str]) -> InputError:
    if not others:
        return InputError(name, "", "no share of the series EQ, BE or BZ was traded in it")
    [(market, _)] = others.most_common(1)
    if market.endswith(" FO"):
        return InputError(
            name,
            market,
            "a derivatives file has no candles of shares; give the cash market's, BhavCopy_NSE_CM_...",
        )
    return InputError(name, market, "only the NSE's cash market (NSE CM) is imported")
