"""Small files with the exchange's real headers; prices of some real days."""

from __future__ import annotations

from datetime import date

import pytest

from ltp.core.formats import bhavcopy
from ltp.core.formats.bhavcopy import BhavRow
from ltp.core.formats.exchange_csv import read_table
from ltp.core.history.candle import Candle
from ltp.errors import InputError

UDIFF = (
    "TradDt,BizDt,Sgmt,Src,FinInstrmTp,FinInstrmId,ISIN,TckrSymb,SctySrs,XpryDt,FininstrmActlXpryDt,"
    "StrkPric,OptnTp,FinInstrmNm,"
    "OpnPric,HghPric,LwPric,ClsPric,LastPric,PrvsClsgPric,UndrlygPric,SttlmPric,OpnIntrst,ChngInOpnIntrst,"
    "TtlTradgVol,TtlTrfVal,"
    "TtlNbOfTxsExctd,SsnId,NewBrdLotQty,Rmks,Rsvd1,Rsvd2,Rsvd3,Rsvd4\n"
)
UDIFF_ROW = (
    "2025-06-20,2025-06-20,CM,NSE,STK,16921,INE144J01027,20MICRONS,EQ,,,,,20 MICRONS LTD,225.29,227.99,"
    "221.17,224.00,224.65,"
    "225.29,,224.00,,,98100,22004616.78,3060,F1,1,,,,,\n"
)
CM = "SYMBOL,SERIES,OPEN,HIGH,LOW,CLOSE,LAST,PREVCLOSE,TOTTRDQTY,TOTTRDVAL,TIMESTAMP,TOTALTRADES,ISIN,\n"
CM_ROW = "20MICRONS,EQ,33.6,37.4,33.1,35.2,35.25,33.1,242285,8636712.9,31-DEC-2019,2089,INE144J01027,\n"
FULL = (
    "SYMBOL, SERIES, DATE1, PREV_CLOSE, OPEN_PRICE, HIGH_PRICE, LOW_PRICE, LAST_PRICE, CLOSE_PRICE, "
    "AVG_PRICE, TTL_TRD_QNTY,"
    " TURNOVER_LACS, NO_OF_TRADES, DELIV_QTY, DELIV_PER\n"
)
FULL_ROW = (
    "20MICRONS, EQ, 01-Jul-2025, 231.28, 233.60, 235.85, 228.74, 233.26, 231.94, 231.68, 81262, 188.27, "
    "1906, -, -\n"
)


def parse(text: str) -> bhavcopy.Bhavcopy:
    return bhavcopy.parse(read_table(text.encode(), "x.csv"))


def full(
    symbol: str, *, series: str = "EQ", day: str = "01-Jul-2025", low: str = "228.74", volume: str = "81262"
) -> str:
    prices = f"231.28, 233.60, 235.85, {low}, 233.26, 231.94, 231.68"
    return f"{symbol}, {series}, {day}, {prices}, {volume}, 188.27, 1906, 34403, 42.34\n"


def test_udiff() -> None:
    copy = parse(UDIFF + UDIFF_ROW)
    candle = Candle(date(2025, 6, 20), 225_2900, 227_9900, 221_1700, 224_0000, 98_100)
    assert copy == (
        date(2025, 6, 20),
        "udiff",
        [BhavRow("20MICRONS", "EQ", "INE144J01027", 16921, candle)],
        0,
        (),
        {},
    )


def test_the_older_format_with_its_trailing_comma() -> None:
    copy = parse(CM + CM_ROW)
    candle = Candle(date(2019, 12, 31), 33_6000, 37_4000, 33_1000, 35_2000, 242_285)
    assert copy == (
        date(2019, 12, 31),
        "cm_bhav",
        [BhavRow("20MICRONS", "EQ", "INE144J01027", None, candle)],
        0,
        (),
        {},
    )


def test_the_full_format_with_its_spaces_and_dashes() -> None:
    copy = parse(FULL + FULL_ROW)
    candle = Candle(date(2025, 7, 1), 233_6000, 235_8500, 228_7400, 231_9400, 81_262)
    assert copy == (date(2025, 7, 1), "sec_full", [BhavRow("20MICRONS", "EQ", "", None, candle)], 0, (), {})


@pytest.mark.parametrize(
    "text",
    [
        "\ufeff" + CM.lower() + CM_ROW.lower(),
        (CM + CM_ROW).replace("\n", "\r\n") + "\r\n\r\n",
        "\n" + CM.replace(",", " , ") + CM_ROW.replace(",", " , "),
        CM.replace(",\n", ",NEW\n") + CM_ROW.replace(",\n", ",7\n"),
        CM.replace(",\n", "\n") + CM_ROW,
        CM.replace(",\n", ",$\n") + CM_ROW,
        CM + CM_ROW.replace("31-DEC-2019", "2019-12-31"),
        CM + CM_ROW.replace("242285", '"2,42,285"'),
        CM + CM_ROW + CM_ROW,
        ",".join(reversed(CM.strip(",\n").split(",")))
        + "\n"
        + ",".join(reversed(CM_ROW.strip(",\n").split(",")))
        + "\n",
    ],
)
def test_harmless_differences_of_a_file_do_not_matter(text: str) -> None:
    assert parse(text) == parse(CM + CM_ROW)


def test_an_isin_may_be_missing() -> None:
    without = CM.replace(",ISIN", "") + CM_ROW.replace(",INE144J01027", "")
    dashed = CM + CM_ROW.replace("INE144J01027", "-")
    assert [parse(text).rows[0].isin for text in (without, dashed)] == ["", ""]


def test_only_shares_that_were_traded_are_kept() -> None:
    text = FULL + "".join(
        full(f"S{series}", series=series)
        for series in ("EQ", "BE", "BZ", "SM", "ST", "GS", "GB", "N2", "E1", "IV")
    )
    text += full("IDLE", volume="0") + FULL_ROW.replace("20MICRONS", "NONE").replace("81262", "-").replace(
        "233.60, 235.85, 228.74, 233.26, 231.94", "-, -, -, -, -"
    )
    copy = parse(text)
    assert [row.symbol for row in copy.rows] == ["SEQ", "SBE", "SBZ"]
    assert copy.series == {"SM": 1, "ST": 1, "GS": 1, "GB": 1, "N2": 1, "E1": 1, "IV": 1}
    assert copy.damaged == 0


@pytest.mark.parametrize("order", [("EQ", "BE"), ("BE", "EQ")])
def test_of_two_rows_of_a_symbol_eq_counts(order: tuple[str, str]) -> None:
    copy = parse(
        FULL + "".join(full("A", series=series, volume="7" if series == "EQ" else "900") for series in order)
    )
    assert [(row.series, row.candle.volume) for row in copy.rows] == [("EQ", 7)]


def test_of_two_rows_of_a_series_the_later_counts() -> None:
    assert [
        row.candle.volume for row in parse(FULL + full("A", volume="1") + full("A", volume="2")).rows
    ] == [2]


def test_a_damaged_row_is_left_out_counted_and_listed() -> None:
    copy = parse(
        FULL + full("GOOD") + full("BAD", low="240") + full("OTHER") + full("LATE", day="02-Jul-2025")
    )
    assert [row.symbol for row in copy.rows] == ["GOOD", "OTHER"]
    assert copy.damaged == 2
    assert "x.csv, line 3" in copy.sentences[0]
    assert "the high is below the low" in copy.sentences[0]
    assert (
        copy.sentences[1] == "x.csv, line 5: '2025-07-02' is not accepted; the other rows are of 2025-07-01"
    )


@pytest.mark.parametrize(
    "row",
    [
        FULL_ROW.replace("231.94", "nan"),
        FULL_ROW.replace("228.74", "-228.74"),
        "A, EQ, 01-Jul-2025\n",
        full(""),
    ],
)
def test_a_row_with_bad_values_is_damaged(row: str) -> None:
    copy = parse(FULL + full("GOOD") + row)
    assert [row.symbol for row in copy.rows] == ["GOOD"]
    assert copy.damaged == 1


def test_a_file_of_many_damaged_rows_is_refused() -> None:
    text = FULL + full("GOOD") * 100 + "".join(full(f"B{number}", low="240") for number in range(6))
    with pytest.raises(InputError, match="too many are damaged; the first is line 102"):
        parse(text)


def test_a_file_of_several_days_is_refused() -> None:
    text = FULL + "".join(full(f"A{number}") + full(f"B{number}", day="02-Jul-2025") for number in range(6))
    with pytest.raises(
        InputError, match="'2025-07-01, 2025-07-02' is not accepted; the rows of a bhavcopy are of one day"
    ):
        parse(text)


def test_a_row_that_states_two_days_is_left_out() -> None:
    other = UDIFF_ROW.replace("20MICRONS", "OTHER")
    copy = parse(
        UDIFF + UDIFF_ROW.replace(",2025-06-20,", ",20-Jun-2025,", 1) + other.replace(",2025-06-20,", ",,", 1)
    )
    assert (len(copy.rows), copy.damaged) == (2, 0)
    copy = parse(UDIFF + UDIFF_ROW + other.replace(",2025-06-20,", ",2025-06-19,", 1))
    assert [row.symbol for row in copy.rows] == ["20MICRONS"]
    assert copy.sentences == (
        "x.csv, line 3, date: '2025-06-20 and 2025-06-19' is not accepted; TradDt and BizDt are the same day",
    )


def test_a_derivatives_file_is_refused_with_a_sentence() -> None:
    row = (
        "2025-02-04,2025-02-04,FO,NSE,STO,105044,,DMART,,2025-03-27,2025-03-27,3450.00,PE,DMART25MAR3450PE"
        + ",1" * 20
    )
    with pytest.raises(InputError) as caught:
        parse(UDIFF + row + "\n")
    assert str(caught.value) == (
        "x.csv: 'NSE FO' is not accepted; "
        "a derivatives file has no candles of shares; give the cash market's, BhavCopy_NSE_CM_..."
    )


def test_another_exchange_is_refused() -> None:
    with pytest.raises(InputError, match="'BSE CM' is not accepted; only the NSE's cash market"):
        parse(UDIFF + UDIFF_ROW.replace("CM,NSE", "CM,BSE"))


def test_another_exchange_s_rows_beside_ours_are_passed_over() -> None:
    assert (
        len(
            parse(
                UDIFF + UDIFF_ROW + UDIFF_ROW.replace("CM,NSE", "CM,BSE").replace("20MICRONS", "OTHER")
            ).rows
        )
        == 1
    )


def test_a_missing_column_is_named() -> None:
    with pytest.raises(InputError, match=r"line 1: .*the column clspric is missing"):
        parse(UDIFF.replace("ClsPric", "Closing") + UDIFF_ROW)


@pytest.mark.parametrize("text", ["hello\n", "a,b,c\n1,2,3\n", "<html><body>Not found</body></html>\n"])
def test_another_file_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="is accepted, or a CSV file with the columns date, symbol"):
        parse(text)


@pytest.mark.parametrize("text", [FULL, FULL + full("A", series="GS")])
def test_a_file_without_a_share_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="no share of the series EQ, BE or BZ was traded"):
        parse(text)


@pytest.mark.parametrize("text", [CM + 2 * CM_ROW, FULL + 2 * FULL_ROW, UDIFF + 2 * UDIFF_ROW])
def test_a_file_that_was_cut_off_is_refused(text: str) -> None:
    for cut in (9, 20, 60):
        with pytest.raises(InputError, match=r"x\.csv, last line: .* the file ends in the midst of this row"):
            parse(text[:-cut])
    assert parse(text.rstrip("\n")) == parse(text)
