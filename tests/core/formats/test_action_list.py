from __future__ import annotations

from datetime import date
from fractions import Fraction

import pytest

from ltp.core.formats.action_list import ActionRow, combined_ratio, parse
from ltp.errors import InputError

DAY = date(2025, 6, 16)
HALF, FIFTH = ("bonus", Fraction(2)), ("split", Fraction(5))


def test_a_file_of_our_own() -> None:
    content = b"symbol,ex_date,ratio\nbajfinance,2025-06-16,10:1\nHDFCBANK,26-Aug-2025,bonus 1:1\n"
    assert parse(content, "x.csv") == [
        ActionRow(2, "BAJFINANCE", DAY, "10:1", (("ratio", Fraction(10)),)),
        ActionRow(3, "HDFCBANK", date(2025, 8, 26), "bonus 1:1", (HALF,)),
    ]


def test_of_nse_s_list_every_row_about_the_number_of_shares_is_returned_with_its_line() -> None:
    content = (
        b'\xef\xbb\xbf"SYMBOL","COMPANY NAME","SERIES","PURPOSE","FACE VALUE","EX-DATE","RECORD DATE"\r\n'
        b'"WIPRO","Wipro Limited","EQ","Bonus 1:1","2","03-Dec-2024","03-Dec-2024"\r\n'
        b'"ITC","ITC Limited","EQ","Dividend - Rs 6.50 Per Share","1","12-Feb-2025","-"\r\n'
        b'"ITC","ITC Limited","EQ","Demerger","1","06-Jan-2025","-"\r\n'
        b'"IFCI","IFCI","N1","Bonus 1:1","1","06-Jan-2025","-"\r\n'
        b'"CAMS","CAMS","BE","Face Value Split (Sub-Division) - From Rs 10/- Per Share To Rs 2/- Per Share",'
        b'"10",'
        b'"05-Dec-2025","-"\r\n'
    )
    wipro, itc, ifci, cams = parse(content, "ca.csv")
    assert wipro == ActionRow(2, "WIPRO", date(2024, 12, 3), "Bonus 1:1", (HALF,))
    assert (itc.line, itc.symbol, itc.parts) == (4, "ITC", ())
    assert itc.refusal == "'demerger' gives no ratio of equity shares"
    assert (ifci.line, ifci.refusal, ifci.other_series) == (
        5,
        "the series N1 is none of equity shares (EQ, BE, BZ, SM, ST)",
        True,
    )
    assert (cams.line, cams.ex_day, cams.parts, cams.refusal) == (6, date(2025, 12, 5), (FIFTH,), "")


def test_the_lists_within_nse_s_daily_archives_are_read_too() -> None:
    content = b"SERIES,SYMBOL,SECURITY,RECORD_DT,BC_STRT_DT,BC_END_DT,EX_DT,ND_STRT_DT,ND_END_DT,PURPOSE\n"
    content += b"EQ,BAJFINANCE,BAJAJ FINANCE LIMITED,16/06/2025, , ,16/06/2025, , ,FVSPLT FRM RS 2 TO RE 1\n"
    assert parse(content, "Bc160625.csv") == [
        ActionRow(2, "BAJFINANCE", DAY, "FVSPLT FRM RS 2 TO RE 1", (("split", Fraction(2)),))
    ]


def test_a_suggestion_without_a_ratio_is_refused() -> None:
    content = (
        b"symbol,ex_date,ratio,suggested,evidence\nITC,2025-01-06,,unexplained: demerger? 482:455.6,split "
        b"10:2\n"
    )
    [row] = parse(content, "x.csv")
    assert (row.parts, row.refusal) == ((), "a suggestion alone confirms nothing; fill in the column ratio")


def test_a_row_with_a_ratio_against_its_purpose_is_refused() -> None:
    content = (
        b"symbol,ex_date,ratio,purpose\nA,2025-06-16,5:1,Bonus 4:1\nB,2025-06-16,5:1,Bonus 1:1\nC,"
        b"2025-06-16,1.2:1,Demerger\n"
    )
    assert [row.refusal for row in parse(content, "x.csv")] == [
        "",
        "the column ratio has 5:1, but its purpose is 'Bonus 1:1'",
        "",
    ]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"symbol,ratio\nA,2:1\n", "x.csv, line 1: .*the columns symbol, ex_date and ratio are needed"),
        (b"symbol,ex_date,ratio\nA,2025-01-01,\n", "x.csv, line 2, column ratio: ''"),
        (
            b"symbol,ex_date,ratio\nA,2025-01-01,bonus ncrps 4:1\n",
            "x.csv, line 2, column ratio: 'bonus ncrps 4:1'",
        ),
        (b"symbol,ex_date,ratio\nA,soon,2:1\n", "x.csv, line 2, column ex_date: 'soon'"),
        (b"symbol,ex_date,ratio\n,2025-01-01,2:1\n", "x.csv, line 2, column symbol: ''"),
    ],
)
def test_a_bad_line_is_named(content: bytes, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        parse(content, "x.csv")


def row(line: int, *parts: tuple[str, Fraction], refusal: str = "") -> ActionRow:
    return ActionRow(line, "A", DAY, "", parts, refusal)


@pytest.mark.parametrize(
    ("rows", "ratio"),
    [
        ([row(2, HALF), row(3, FIFTH)], 10),
        ([row(2, HALF, FIFTH), row(3, FIFTH)], 10),
        ([row(2, HALF), row(3, HALF)], 2),
        ([row(2, ("ratio", Fraction(2))), row(3, ("ratio", Fraction(5)))], 10),
        ([row(2, HALF), row(3, FIFTH), row(4, ("ratio", Fraction(10)))], 10),
    ],
)
def test_rows_of_one_day_multiply_and_the_same_twice_counts_once(rows: list[ActionRow], ratio: int) -> None:
    assert combined_ratio(rows) == (ratio, "")


@pytest.mark.parametrize(
    ("rows", "sentence"),
    [
        ([row(2, HALF), row(3, refusal="it is odd")], "line 3 of the same day cannot be used: it is odd"),
        (
            [row(2, HALF), row(3, ("bonus", Fraction(3)))],
            "lines 2 and 3 announce a different bonus for the same day",
        ),
        ([row(2, ("bonus", Fraction(2)), ("split", Fraction(1, 2)))], "a ratio of 1:1 cannot be"),
    ],
)
def test_rows_that_contradict_each_other_are_refused(rows: list[ActionRow], sentence: str) -> None:
    assert combined_ratio(rows)[1] == sentence
