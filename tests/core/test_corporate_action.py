from __future__ import annotations

from datetime import date

import pytest

from ltp.core.corporate_action import Announced, parse_file, parse_ratio
from ltp.errors import InputError


@pytest.mark.parametrize(
    ("text", "ratio"),
    [
        ("5:1", (5, 1)),
        ("10/2", (5, 1)),
        (" 3:2 ", (3, 2)),
        ("1:10", (1, 10)),
        ("bonus 1:1", (2, 1)),
        ("Bonus Issue 1:4", (5, 4)),
        ("split 10:2", (5, 1)),
        ("split 10 to 1", (10, 1)),
        ("Face Value Split (Sub-Division) - From Rs 10/- Per Share To Rs 2/- Per Share", (5, 1)),
        ("Face Value Split From Re 1/- To Re 0.5/-", (2, 1)),
        ("Bonus 4:1 / Face Value Split (Sub-Division) - From Rs 2/- Per Share To Re 1/- Per Share", (10, 1)),
        ("Consolidation From Re 1/- Per Share To Rs 10/- Per Share", (1, 10)),
    ],
)
def test_a_ratio_is_read_as_people_write_it(text: str, ratio: tuple[int, int]) -> None:
    assert parse_ratio(text) == ratio


@pytest.mark.parametrize(
    "text", ["", "2", "1:1", "0:1", "1:0", "bonus", "bonus 1:0", "split 2:0", "-2:1", "Dividend Rs 5", "99999:1"]
)
def test_what_is_no_ratio_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="new shares for old ones such as 5:1"):
        parse_ratio(text)


def test_a_file_of_our_own() -> None:
    content = b"symbol,ex_date,ratio\nbajfinance,2025-06-16,10:1\nHDFCBANK,26-Aug-2025,bonus 1:1\n"
    assert parse_file(content, "x.csv") == [
        Announced("BAJFINANCE", date(2025, 6, 16), 10, 1),
        Announced("HDFCBANK", date(2025, 8, 26), 2, 1),
    ]


def test_nse_s_list_is_read_for_its_splits_and_bonuses_alone() -> None:
    content = (
        b'\xef\xbb\xbf"SYMBOL","COMPANY NAME","SERIES","PURPOSE","FACE VALUE","EX-DATE","RECORD DATE"\r\n'
        b'"WIPRO","Wipro Limited","EQ","Bonus 1:1","2","03-Dec-2024","03-Dec-2024"\r\n'
        b'"ITC","ITC Limited","EQ","Dividend - Rs 6.50 Per Share","1","12-Feb-2025","-"\r\n'
        b'"CAMS","CAMS","EQ","Face Value Split (Sub-Division) - From Rs 10/- Per Share To Rs 2/- Per Share","10",'
        b'"05-Dec-2025","-"\r\n'
    )
    assert parse_file(content, "ca.csv") == [
        Announced("WIPRO", date(2024, 12, 3), 2, 1),
        Announced("CAMS", date(2025, 12, 5), 5, 1),
    ]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"symbol,ratio\nA,2:1\n", "x.csv, line 1: .*the columns symbol, ex_date and ratio are needed"),
        (b"symbol,ex_date,ratio\nA,2025-01-01,\n", "x.csv, line 2, column ratio: ''"),
        (b"symbol,ex_date,ratio\nA,soon,2:1\n", "x.csv, line 2, column ex_date: 'soon'"),
        (b"symbol,ex_date,ratio\n,2025-01-01,2:1\n", "x.csv, line 2, column symbol: ''"),
    ],
)
def test_a_bad_line_is_named(content: bytes, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        parse_file(content, "x.csv")
