"""One CSV file of the exchange to candles by instrument, in any of its formats."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import date
from types import MappingProxyType
from typing import NamedTuple

from ltp.batch.candle_keys import INDICES, CandleKeys
from ltp.core.formats import bhavcopy, history_csv
from ltp.core.formats.exchange_csv import read_table
from ltp.core.formats.file_name_day import refuse_other_day
from ltp.core.history import candle
from ltp.core.history.candle import RECORD
from ltp.db.candles import Basis
from ltp.errors import InputError


class CandleFile(NamedTuple):
    """The content of one CSV file.

    `records`: by key; `unknown`: by symbol, of symbols without a key. `days`: number of instruments by day.
    `damaged`: rows left out; `sentences`: about the first of them. `series`: rows of series that are not
    read, by series. `of_market`: the file should have every share of its day.
    """

    name: str
    records: dict[str, bytes]
    unknown: dict[str, bytes]
    days: Counter[date]
    damaged: int
    sentences: tuple[str, ...]
    series: Mapping[str, int] = MappingProxyType({})
    of_market: bool = False


class CandleReader:
    """`today`: the last day a candle may have."""

    def __init__(self, keys: CandleKeys, basis: Basis, today: date) -> None:
        self._keys, self._basis, self._today = keys, basis, today

    def read(self, name: str, content: bytes) -> CandleFile:
        """Read a bhavcopy or a history.

        Raises:
            InputError: it is neither, or is not accepted.
        """
        source = read_table(content, name)
        if history_csv.is_history(source.columns) and not bhavcopy.is_bhavcopy(source.columns):
            return self._of_history(name, history_csv.parse(source))
        if self._basis != "raw":
            raise InputError(
                name, "a bhavcopy", "only histories can be adjusted; the exchange's files are as traded"
            )
        return self._of_bhavcopy(name, bhavcopy.parse(source))

    def _of_bhavcopy(self, name: str, copy: bhavcopy.Bhavcopy) -> CandleFile:
        refuse_other_day(name, [copy.day])
        self._refuse_future(name, copy.day)
        records, unknown = dict[str, bytes](), dict[str, bytes]()
        number = candle.day_number(copy.day)
        for symbol, series, isin, security_id, (_, *prices) in copy.rows:
            key = self._keys.find(symbol, series, isin, security_id, copy.day)
            record = RECORD.pack(number, *prices)
            if key is None:
                unknown[symbol] = record
            else:
                records[key] = record
        days = Counter({copy.day: len(records)})
        return CandleFile(
            name, records, unknown, days, copy.damaged, copy.sentences, copy.series, of_market=True
        )

    def _of_history(self, name: str, history: history_csv.HistoryFile) -> CandleFile:
        records, unknown = dict[str, bytes](), dict[str, bytes]()
        days: Counter[date] = Counter()
        refuse_other_day(name, history.days())
        for share, packed in history.shares.items():
            each = candle.merge(b"", bytes(packed))
            last = candle.day_of(RECORD.unpack_from(each, len(each) - RECORD.size)[0])
            self._refuse_future(name, last)
            key = self._keys.find(share.symbol, share.series, share.isin, share.security_id, last)
            # A share's day without volume is a day without trade, and no candle. An index has no volume.
            unpacked = [one for one in candle.unpack(each) if one.volume or (key or "").startswith(INDICES)]
            if key is None:
                unknown[share.symbol] = unknown.get(share.symbol, b"") + candle.pack(unpacked)
                continue
            days.update(one.day for one in unpacked)
            records[key] = candle.merge(records.get(key, b""), candle.pack(unpacked))
        return CandleFile(name, records, unknown, days, history.damaged, history.sentences)

    def _refuse_future(self, name: str, day: date) -> None:
        if day > self._today:
            raise InputError(
                name, day.isoformat(), f"a candle of a day after {self._today}, which is today, cannot be"
            )
