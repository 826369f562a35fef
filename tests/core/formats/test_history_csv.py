from __future__ import annotations

from datetime import date

import pytest

from ltp.core.formats import history_csv
from ltp.core.formats.exchange_csv import read_table
from ltp.core.formats.history_csv import HistoryFile, ShareName
from ltp.core.history import candle
from ltp.core.history.candle import Candle
from ltp.errors import InputError

HEADER = "date,symbol,open,high,low,close,volume\n"
FIRST, SECOND = (
    "2023-01-23,hdfcbank,1650,1660,1640,1655.5,100\n",
    "2023-01-24,HDFCBANK,1655,1661,1650,1651,90\n",
)
HDFC = ShareName("HDFCBANK", "", "", None)


def parse(text: str, name: str = "x.csv") -> HistoryFile:
    source = read_table(text.encode(), name)
    assert history_csv.is_history(source.columns)
    return history_csv.parse(source)


def test_every_day_of_every_share_is_read() -> None:
    read = parse(HEADER + FIRST + "2023-01-23,TCS,3000,3001,2999,3000,5\n" + SECOND)
    assert set(read.shares) == {HDFC, HDFC._replace(symbol="TCS")}
    assert candle.unpack(bytes(read.shares[HDFC])) == [
        Candle(date(2023, 1, 23), 1650_0000, 1660_0000, 1640_0000, 1655_5000, 100),
        Candle(date(2023, 1, 24), 1655_0000, 1661_0000, 1650_0000, 1651_0000, 90),
    ]


def test_a_file_without_symbols_is_of_the_share_it_is_named_after() -> None:
    read = parse(
        "Date,Open,High,Low,Close,Adj Close,Volume\n2023-01-23 00:00:00+05:30,1,2,1,2,2,5\n",
        "all.zip/reliance.csv",
    )
    assert list(read.shares) == [ShareName("RELIANCE", "", "", None)]


def test_series_isin_and_id_of_a_share_are_kept() -> None:
    read = parse(
        HEADER.replace("\n", ",series,ISIN,security_id\n") + FIRST.replace("\n", ",EQ,INE040A01034,1333\n")
    )
    assert list(read.shares) == [ShareName("HDFCBANK", "EQ", "INE040A01034", 1333)]


def test_a_damaged_row_is_left_out() -> None:
    read = parse(
        HEADER
        + FIRST
        + "2023-01-25,HDFCBANK,1650,1640,1660,1655,5\nsoon,HDFCBANK,1,1,1,1,1\n2023-01-26,HDFCBANK\n"
    )
    assert len(read.shares[HDFC]) == candle.RECORD.size
    assert read.damaged == 3


def test_a_row_that_comes_twice_is_one() -> None:
    read = parse(HEADER + FIRST + FIRST)
    assert len(candle.unpack(candle.merge(b"", bytes(read.shares[HDFC])))) == 1
    assert read.damaged == 0


def test_minutes_are_refused() -> None:
    minutes = "".join(
        f"2023-01-23 09:{minute:02},A,{minute + 1},{minute + 1},{minute + 1},{minute + 1},5\n"
        for minute in range(15, 30)
    )
    with pytest.raises(InputError, match="a share has one candle a day"):
        parse(HEADER + minutes)


@pytest.mark.parametrize("text", [HEADER, HEADER + "2023-01-23,A,-,-,-,-,-\n"])
def test_a_file_without_candles_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="holds no candle"):
        parse(text)


@pytest.mark.parametrize("columns", ["date,symbol,open,high,low,close", "symbol,open,high,low,close,volume"])
def test_another_file_is_no_history(columns: str) -> None:
    assert not history_csv.is_history(read_table(f"{columns}\n".encode(), "x").columns)


def test_the_exchange_s_file_of_its_indices() -> None:
    header = (
        "Index Name,Index Date,Open Index Value,High Index Value,Low Index Value,Closing Index Value,"
        "Points Change,Change(%),Volume\n"
    )
    rows = (
        "Nifty 50,01-07-2025,25551.35,25593.40,25501.80,25541.80,24.75,.1,233123456\n"
        "Nifty GS 10Yr,01-07-2025,-,-,-,2500.1,1,.1,-\n"
        "India VIX,01-07-2025,12.785,12.895,12.3725,12.525,-.26,-2.04,-\n"
    )
    read = parse(header + rows)
    assert {share.symbol: candle.unpack(bytes(records)) for share, records in read.shares.items()} == {
        "NIFTY 50": [Candle(date(2025, 7, 1), 25551_3500, 25593_4000, 25501_8000, 25541_8000, 233_123_456)],
        "INDIA VIX": [Candle(date(2025, 7, 1), 12_7850, 12_8950, 12_3725, 12_5250, 0)],
    }


def test_a_file_that_was_cut_off_is_refused() -> None:
    with pytest.raises(
        InputError, match=r"x\.csv, last line: '2023-01-24,HDFCBANK,16' is not accepted; the file ends"
    ):
        parse(HEADER + FIRST + SECOND[:22])
    assert parse(HEADER + FIRST + SECOND.rstrip("\n")) == parse(HEADER + FIRST + SECOND)
