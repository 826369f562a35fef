"""The master as DhanHQ writes it: both layouts with their headers, odd rows and damaged files."""

from __future__ import annotations

import io
import random

import pytest

from ltp.core.instrument import Instrument
from ltp.dhan.scrip_master import ScripMaster, ScripRow
from ltp.errors import InputError

COMPACT = (
    "SEM_EXM_EXCH_ID,SEM_SEGMENT,SEM_SMST_SECURITY_ID,SEM_INSTRUMENT_NAME,SEM_EXPIRY_CODE,SEM_TRADING_SYMBOL,SEM_LOT_UNITS,"
    "SEM_CUSTOM_SYMBOL,SEM_EXPIRY_DATE,SEM_STRIKE_PRICE,SEM_OPTION_TYPE,SEM_TICK_SIZE,SEM_EXPIRY_FLAG,"
    "SEM_EXCH_INSTRUMENT_TYPE,SEM_SERIES,SM_SYMBOL_NAME"
)
DETAILED = (
    "EXCH_ID,SEGMENT,SECURITY_ID,ISIN,INSTRUMENT,UNDERLYING_SECURITY_ID,UNDERLYING_SYMBOL,SYMBOL_NAME,DISPLAY_NAME,"
    "INSTRUMENT_TYPE,SERIES,LOT_SIZE,SM_EXPIRY_DATE,STRIKE_PRICE,OPTION_TYPE,TICK_SIZE,EXPIRY_FLAG,BRACKET_FLAG,COVER_FLAG,"
    "ASM_GSM_FLAG,ASM_GSM_CATEGORY,BUY_SELL_INDICATOR,BUY_CO_MIN_MARGIN_PER,MTF_LEVERAGE,SM_UPPER_LIMIT,SM_LOWER_LIMIT,"
    "SM_FREEZE_QTY,"
)
OLDER = (
    "EXCH_ID,SEGMENT,SECURITY_ID,ISIN,INSTRUMENT,UNDERLYING_SECURITY_ID,UNDERLYING_SYMBOL,SYMBOL_NAME,DISPLAY_NAME,"
    "INSTRUMENT_TYPE,SERIES,LOT_SIZE,SM_EXPIRY_DATE,STRIKE_PRICE,OPTION_TYPE,TICK_SIZE,EXPIRY_FLAG,BRACKET_FLAG,COVER_FLAG,"
    "ASM_GSM_FLAG,ASM_GSM_CATEGORY,BUY_SELL_INDICATOR,BUY_CO_MIN_MARGIN_PER,SELL_CO_MIN_MARGIN_PER,BUY_CO_SL_RANGE_MAX_PERC,"
    "SELL_CO_SL_RANGE_MAX_PERC,BUY_CO_SL_RANGE_MIN_PERC,SELL_CO_SL_RANGE_MIN_PERC,BUY_BO_MIN_MARGIN_PER,"
    "SELL_BO_MIN_MARGIN_PER,BUY_BO_SL_RANGE_MAX_PERC,SELL_BO_SL_RANGE_MAX_PERC,BUY_BO_SL_RANGE_MIN_PERC,SELL_BO_SL_MIN_RANGE,"
    "BUY_BO_PROFIT_RANGE_MAX_PERC,SELL_BO_PROFIT_RANGE_MAX_PERC,BUY_BO_PROFIT_RANGE_MIN_PERC,SELL_BO_PROFIT_RANGE_MIN_PERC,"
    "MTF_LEVERAGE"
)
HDFC = "NSE,E,1333,INE040A01034,EQUITY,,HDFCBANK,HDFC BANK LTD,HDFC Bank,ES,EQ,1,,,,5,NA,N,N,N,NA,A,0,4.5,874.15,715.25,9999,"
NIFTY = "NSE,I,13,NA,INDEX,13,NIFTY,NIFTY,Nifty 50,INDEX,NA,1,0001-01-01,,XX,0.05,N,N,N,N,NA,A,0,0,0,0,0,"


def read(*lines: str, end: str = "\n") -> list[ScripRow]:
    return list(ScripMaster(io.StringIO("\n".join(lines) + end)))


def one(line: str, header: str = DETAILED) -> ScripRow:
    [listed] = read(header, line)
    return listed


def test_the_detailed_layout() -> None:
    share, index, abb = read(DETAILED, HDFC, NIFTY, HDFC.replace("1333", "13").replace("HDFCBANK", "ABB"))
    assert share == ScripRow(
        Instrument("NSE_EQ", 1333, "HDFCBANK", "HDFC Bank", "INE040A01034", 1, 500, "EQ"),
        kind="EQUITY",
        share=True,
    )
    assert index == ScripRow(
        Instrument("IDX_I", 13, "NIFTY", "Nifty 50", "", 1, 500), kind="INDEX", share=False
    )
    assert abb.instrument.key == "NSE_EQ:13"


def test_the_compact_layout() -> None:
    share, index, option, rupee = read(
        COMPACT,
        "NSE,E,2885,EQUITY,0,RELIANCE,1.0,Reliance Industries,,,,10.0000,NA,ES,EQ,RELIANCE INDUSTRIES LTD",
        "NSE,I,13,INDEX,0,NIFTY,1.0,Nifty 50,0001-01-01 00:00:00,,XX,0.0500,N,INDEX,X,NIFTY",
        "NSE,D,45001,OPTSTK,1,TCS-Sep2026-3000-CE,175.0,TCS 29 SEP 3000 CALL,2026-09-29 14:30:00,3000.00000,CE,5.0000,M,OP,NA,",
        "NSE,C,9001,FUTCUR,1,USDINR-Sep2026-FUT,1.0,USDINR SEP FUT,2026-09-28 12:30:00,-0.01000,XX,0.2500,M,FUT,NA,USDINR",
    )
    assert share.instrument == Instrument(
        "NSE_EQ", 2885, "RELIANCE", "Reliance Industries", "", 1, 1000, "EQ"
    )
    assert share.share
    assert index.instrument == Instrument("IDX_I", 13, "NIFTY", "Nifty 50", "", 1, 500)
    assert option.instrument == Instrument(
        "NSE_FNO", 45001, "TCS-Sep2026-3000-CE", "TCS 29 SEP 3000 CALL", "", 175, 500
    )
    assert (rupee.instrument.segment, rupee.instrument.tick_size) == ("NSE_CURRENCY", 25)


def test_the_older_layout_with_a_two_digit_year_names_the_underlying_of_a_future() -> None:
    cells = "NSE,D,53175,NA,FUTSTK,1363,HINDALCO,HINDALCO-Sep2025-FUT,HINDALCO SEP FUT,FUT,NA,1400,30/09/25,-0.01,XX,5,M,N,N,N,NA,A"
    assert len(OLDER.split(",")) == 39
    listed = one(cells + ",0" * 17, OLDER)
    assert listed.instrument == Instrument(
        "NSE_FNO", 53175, "HINDALCO-Sep2025-FUT", "HINDALCO SEP FUT", "", 1400, 500
    )
    assert (listed.kind, listed.underlying, listed.underlying_id) == ("FUTSTK", "HINDALCO", 1363)


def test_a_compact_future_names_its_underlying_too() -> None:
    row = "NSE,D,7,FUTSTK,1,BAJAJ-AUTO-Sep2026-FUT,75.0,BAJAJ-AUTO SEP FUT,2026-09-29 14:30:00,-0.01,XX,100.0,M,FUT,NA,BAJAJ"
    listed = one(row, COMPACT)
    assert (listed.underlying, listed.underlying_id) == ("BAJAJ-AUTO", 0)


def test_columns_in_any_order_with_others_between_them() -> None:
    names, cells = DETAILED.rstrip(",").split(","), HDFC.rstrip(",").split(",")
    pairs = [*zip(names, cells, strict=True), ("NEW_COLUMN", "x"), ("ANOTHER", "")]
    random.Random(4).shuffle(pairs)
    header, line = (",".join(column) for column in zip(*pairs, strict=True))
    assert one(line, header.lower()) == one(HDFC)


@pytest.mark.parametrize(
    ("header", "line"), [(DETAILED, HDFC.rstrip(",")), (DETAILED.rstrip(","), HDFC), (DETAILED, HDFC + ",")]
)
def test_a_trailing_comma_in_one_of_both_is_no_difference(header: str, line: str) -> None:
    assert one(line, header) == one(HDFC)


@pytest.mark.parametrize(
    ("type_", "series", "isin", "share"),
    [
        ("ES", "EQ", "INE040A01034", True),
        ("ES", "BE", "INE040A01034", True),
        ("ETF", "EQ", "INF179KC1965", False),
        ("DEB", "D1", "INE775A08105", False),
        ("Other", "EQ", "INE945H01021", True),
        ("Other", "EQ", "INF754K01VX0", False),
        ("Other", "EQ", "DUMMYSAN001", False),
        ("", "EQ", "", False),
    ],
)
def test_not_everything_that_trades_as_equity_is_a_share(
    type_: str, series: str, isin: str, share: bool
) -> None:
    listed = one(HDFC.replace("ES,EQ", f"{type_},{series}").replace("INE040A01034", isin))
    assert (listed.share, listed.instrument.series) == (share, series)


@pytest.mark.parametrize(
    ("letter", "tick", "units"),
    [
        ("E", "5", 500),
        ("E", "10.0000", 1000),
        ("E", "0.05", 500),
        ("I", "0.05", 500),
        ("I", "5", 500),
        ("I", "0", 0),
        ("E", "", 0),
        ("E", "NA", 0),
        ("E", "-1", 0),
        ("C", "0.2500", 25),
        ("C", "0.0025", 25),
    ],
)
def test_ticks_come_in_paise_or_rupees(letter: str, tick: str, units: int) -> None:
    listed = one(f"NSE,{letter},7,NA,X,,SYM,SYM,Sym,X,NA,1,,,,{tick},NA,N,N,N,NA,A,0,0,0,0,0,")
    assert listed.instrument.tick_size == units


def test_blank_cells_and_reformatted_numbers() -> None:
    listed = one("NSE,E,1333.0,,EQUITY,,HDFCBANK,,,ES,,,,,,,,,,,,,,,,,,")
    assert listed.instrument == Instrument("NSE_EQ", 1333, "HDFCBANK", "HDFCBANK", "", 1, 0, "")


def test_a_name_is_fit_for_a_page() -> None:
    listed = one(HDFC.replace("HDFC Bank,", '"  HDFC\u202e\tBank,  Ltd ",'))
    assert listed.instrument.name == "HDFC Bank, Ltd"


def test_every_segment_by_its_letters_and_the_rest_is_counted() -> None:
    master = ScripMaster(
        [DETAILED + "\n"]
        + [
            HDFC.replace("NSE,E", pair) + "\n"
            for pair in ("BSE,E", "BSE,D", "BSE,C", "MCX,M", "BSE,I", "NSE,M", "NCDEX,M", "NSE,M")
        ]
    )
    assert [listed.instrument.segment for listed in master] == [
        "BSE_EQ",
        "BSE_FNO",
        "BSE_CURRENCY",
        "MCX_COMM",
        "IDX_I",
    ]
    assert master.elsewhere == {"NSE M": 2, "NCDEX M": 1}
    assert (master.rows, master.unreadable) == (8, 0)


@pytest.mark.parametrize(
    "line",
    [
        "NSE,E,0,x",
        HDFC.replace("1333", "abc"),
        HDFC.replace("1333", "99999999999"),
        "NSE,E",
        ",,5,,,,,,,,,,,,,,,",
    ],
)
def test_one_odd_row_is_left_out_and_described(line: str) -> None:
    master = ScripMaster([DETAILED + "\n", HDFC + "\n", line + "\n", NIFTY + "\n"])
    assert [listed.instrument.key for listed in master] == ["NSE_EQ:1333", "IDX_I:13"]
    assert master.unreadable == 1
    assert master.first_unreadable.startswith("line 3 (")


def test_a_file_of_odd_rows_is_refused() -> None:
    rows = [HDFC.replace("1333", "abc")] * 12 + [HDFC] * 100
    with pytest.raises(
        InputError, match=r"12 of 112 unreadable.*at most one row in 100.*line 2 .*'abc' is no whole number"
    ):
        read(DETAILED, *rows)
    with pytest.raises(InputError, match="1 of 1 unreadable"):
        read(DETAILED, HDFC.replace("1333", "abc"))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "<!DOCTYPE html>\n<html><body>Service Unavailable</body></html>\n",
        '{"errorCode": "DH-901"}\n',
        "Company Name,Industry,Symbol,Series,ISIN Code\n",
        "EXCH_ID,SEGMENT,SECURITY_ID\nNSE,E,1\n",
        "\x00\x01\x02\n",
    ],
)
def test_another_kind_of_file_is_refused_by_its_first_line(text: str) -> None:
    with pytest.raises(
        InputError, match=r"line 1: .* is not accepted; the first line names the columns: EXCH_ID"
    ):
        ScripMaster(io.StringIO(text))


def test_a_file_that_ends_in_the_middle_of_a_row_is_refused() -> None:
    with pytest.raises(
        InputError,
        match="line 3: 'NSE,I,13,NA,INDEX' is not accepted; the file ends in the middle of this row",
    ):
        read(DETAILED, HDFC, "NSE,I,13,NA,INDEX", end="")
    assert len(read(DETAILED, HDFC, NIFTY, end="")) == 2


def test_a_file_of_a_header_alone_is_refused() -> None:
    with pytest.raises(InputError, match="at least one row"):
        read(DETAILED)
