"""CSV files of many days with the columns date, symbol, open, high, low, close, volume, as packed records.

For histories in other formats than the exchange's bhavcopies, and for NSE's daily file of its indices. A file
without a symbol column is of the one share in its name. The importer decides whether prices are as traded.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from operator import itemgetter
from pathlib import PurePath
from typing import Final, NamedTuple

from ltp.core.formats.exchange_csv import PRICES, CsvTable, DamagedRows, parse_day, read_candle
from ltp.core.history.candle import RECORD, day_of, record
from ltp.errors import InputError

# The spellings of each column, as `CsvTable` has column names.
_SPELLINGS: Final[Mapping[str, tuple[str, ...]]] = {
    "date": ("date", "timestamp", "datetime", "day", "tradedate", "time", "indexdate"),
    "symbol": ("symbol", "ticker", "tradingsymbol", "name", "indexname"),
    "open": ("open", "openprice", "openindexvalue"),
    "high": ("high", "highprice", "highindexvalue"),
    "low": ("low", "lowprice", "lowindexvalue"),
    "close": ("close", "closeprice", "closingindexvalue"),
    "volume": ("volume", "totaltradedquantity", "vol", "qty"),
    "series": ("series",),
    "isin": ("isin",),
    "security_id": ("securityid",),
}
_NEEDED: Final = ("date", *PRICES, "volume")


class ShareName(NamedTuple):
    """The share of a row as in the file. `series` and `isin` are empty, `security_id` None if missing."""

    symbol: str
    series: str
    isin: str
    security_id: int | None


class HistoryFile(NamedTuple):
    """`shares`: records (`core.history.candle`) in the order of the file. `damaged`: the number of rows left
    out; `sentences`: the errors of the first of them.
    """

    shares: dict[ShareName, bytearray]
    damaged: int
    sentences: tuple[str, ...]

    def days(self) -> set[date]:
        """Return the days with a candle."""
        numbers = {number for records in self.shares.values() for number, *_ in RECORD.iter_unpack(records)}
        return set(map(day_of, numbers))


def is_history(columns: Mapping[str, int]) -> bool:
    return all(any(name in columns for name in _SPELLINGS[word]) for word in _NEEDED)


def parse(source: CsvTable) -> HistoryFile:
    """Parse one file. Two different candles of a share on one day, as in a file of minutes, are damaged rows.

    Raises:
        InputError: it ends in the middle of a row, has no candle, or too many rows are damaged
            (`DamagedRows`).
    """
    source.refuse_truncated()
    places = {
        word: source.columns[name]
        for word, names in _SPELLINGS.items()
        for name in names
        if name in source.columns
    }
    damaged, shares, count = DamagedRows(source.name), dict[ShareName, bytearray](), 0
    share_of = _share_reader(places, source.name)
    date_at, numbers_of = places["date"], itemgetter(*(places[word] for word in (*PRICES, "volume")))
    for line, cells in source.rows:
        count += 1
        where = f"{source.name}, line {line}"
        try:
            day = parse_day(cells[date_at])
            if day is None:
                raise InputError(f"{where}, column date", cells[date_at].strip(), "a date such as 2025-07-01")
            candle = read_candle(day, numbers_of(cells), where)
            if candle is not None:
                shares.setdefault(share_of(cells), bytearray()).extend(record(candle))
        except IndexError:
            damaged.add(
                InputError(
                    where, ",".join(cells), f"{len(source.columns)} columns are named, {len(cells)} are here"
                )
            )
        except InputError as error:
            damaged.add(error)
    for share, records in shares.items():
        _count_doubled(share, records, source.name, damaged)
    damaged.refuse_many(count)
    if not shares:
        raise InputError(source.name, "", "the file holds no candle")
    return HistoryFile(shares, damaged.count, tuple(damaged.sentences))


def _share_reader(places: Mapping[str, int], name: str) -> Callable[[list[str]], ShareName]:
    """Return a function from cells to the share.

    It caches the shares, because a file has the same few thousand names in a million rows.
    """
    words = [word for word in ("symbol", "series", "isin", "security_id") if word in places]
    of_file = PurePath(name).name.partition(".")[0].upper()
    cache: dict[tuple[str, ...], ShareName] = {}

    def read(cells: list[str]) -> ShareName:
        texts = tuple(cells[places[word]] for word in words)
        share = cache.get(texts)
        if share is None:
            fields = {word: text.strip().upper() for word, text in zip(words, texts, strict=True)}
            security_id = fields.get("security_id", "")
            share = cache[texts] = ShareName(
                fields.get("symbol") or of_file,
                fields.get("series", ""),
                fields.get("isin", ""),
                int(security_id)
                if security_id.isascii() and security_id.isdigit() and len(security_id) < 10
                else None,
            )
        return share

    return read


def _count_doubled(share: ShareName, records: bytearray, name: str, damaged: DamagedRows) -> None:
    """Add an error for each further candle of a day that differs from the first, as in a file of minutes."""
    distinct = {bytes(records[at : at + RECORD.size]) for at in range(0, len(records), RECORD.size)}
    days: set[int] = set()
    for each in sorted(distinct):
        number = RECORD.unpack(each)[0]
        if number in days:
            damaged.add(
                InputError(name, f"{share.symbol} on {day_of(number)}", "a share has one candle a day")
            )
        days.add(number)
