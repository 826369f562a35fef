"""The file of results: variants of spreadsheets are read, and errors name line and column."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ltp.core.formats.screener_csv import InstrumentNames, parse
from ltp.core.instrument import Instrument
from ltp.core.screener import Row
from ltp.errors import InputError

HDFC = Instrument("NSE_EQ", 1333, "HDFCBANK", "HDFC Bank", "INE040A01034", 1, 500)
TCS = Instrument("NSE_EQ", 11536, "TCS", "Tata Consultancy Services", "INE467B01029", 1, 1000)
MM = Instrument("NSE_EQ", 2031, "M&M", "Mahindra & Mahindra", "INE101A01026", 1, 500)
NIFTY = Instrument("IDX_I", 13, "NIFTY", "Nifty 50", "", 1, 0)
MASTER = InstrumentNames.of([HDFC, TCS, MM, NIFTY])


def read(text: str | bytes) -> list[Row]:
    return parse(text if isinstance(text, bytes) else text.encode(), MASTER)


def refusal(text: str | bytes) -> str:
    with pytest.raises(InputError) as caught:
        read(text)
    return str(caught.value)


def test_every_column() -> None:
    assert read(
        "segment,security_id,symbol,name,sector,rank,score,setup,entry,stop,target,why\n"
        "NSE_EQ,1333,HDFCBANK,HDFC Bank Ltd,Banks,2,91.5,Breakout,1650.35,1600,1800.5,high volume\n"
        "IDX_I,13,NIFTY,,,1,,,,,,\n"
    ) == [
        Row("IDX_I:13", 1, "NIFTY", "Nifty 50"),
        Row(
            "NSE_EQ:1333",
            2,
            "HDFCBANK",
            "HDFC Bank Ltd",
            "Banks",
            91.5,
            "Breakout",
            16_503_500,
            16_000_000,
            18_005_000,
            "high volume",
        ),
    ]


def test_a_symbol_is_enough() -> None:
    assert read("symbol\ntcs\nHDFCBANK\n") == [
        Row("NSE_EQ:11536", 1, "TCS", "Tata Consultancy Services"),
        Row("NSE_EQ:1333", 2, "HDFCBANK", "HDFC Bank"),
    ]


def test_an_id_is_enough_where_the_master_knows_it() -> None:
    assert [row.symbol for row in read("security_id\n1333\n")] == ["HDFCBANK"]
    assert [row.symbol for row in read("segment,security_id\nidx_i,13\n")] == ["NIFTY"]


def test_an_unknown_instrument_needs_id_and_symbol() -> None:
    assert read("security_id,symbol\n99,NEWCO\n") == [Row("NSE_EQ:99", 1, "NEWCO")]


@pytest.mark.parametrize(
    "content",
    [
        b"\xef\xbb\xbfsymbol,score\r\nTCS,5\r\n",
        b"symbol,score\rTCS,5\r",
        b'"symbol","score"\n"TCS","5"',
        b"\n\n Symbol , SCORE \n\n TCS , 5 \n,\n\n",
    ],
    ids=["byte order mark and CRLF", "CR", "quoted, no last line end", "blank lines and spaces"],
)
def test_the_variants_of_spreadsheets_are_read(content: bytes) -> None:
    assert read(content) == [Row("NSE_EQ:11536", 1, "TCS", TCS.name, score=5.0)]


@pytest.mark.parametrize(
    ("written", "price"),
    [
        ("1650.35", 16_503_500),
        ('"1,23,456.50"', 1_234_565_000),
        ("₹99", 990_000),
        ("83.2475", 832_475),
        ("", None),
    ],
)
def test_a_price(written: str, price: int | None) -> None:
    assert read(f"symbol,entry\nTCS,{written}\n")[0].entry == price


@pytest.mark.parametrize(
    "written", ["-1", "0", "nan", "inf", "1e3", "abc", "1.23456", "10000000.01", "1_000", "१", "1.", "+1"]
)
def test_a_bad_price_is_named(written: str) -> None:
    assert refusal(f"symbol,score,stop\nHDFCBANK,1,5\nTCS,1,{written}\n").startswith(
        f"line 3, column stop: {written!r} is not accepted; a price"
    )


def test_text_is_kept_as_it_is() -> None:
    hostile = '=HYPERLINK("http://x") <b>&amp; {{7*7}} +1 😀'
    quoted = hostile.replace('"', '""')
    assert read(f'symbol,why\nM&M,"{quoted}"\n')[0].why == hostile


def test_a_line_end_inside_a_cell_counts_as_a_space_and_keeps_the_line_numbers_true() -> None:
    content = 'symbol,why,score\nTCS,"two\r\nlines",1\nHDFCBANK,x,many\n'
    assert refusal(content).startswith("line 4, column score: 'many'")
    assert read(content.replace("many", "2"))[0].why == "two lines"


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("", "line 1: '' is not accepted; the first line names the columns"),
        ("\n\n", "line 1: '' is not accepted; the first line names the columns"),
        ("symbol,score\n", "line 2: '' is not accepted; a file holds at least one result"),
        (
            "symbol,colour\nTCS,red\n",
            "line 1, column 2: 'colour' is not accepted; a column is one of rank, segment",
        ),
        ("symbol;score\nTCS;1\n", "line 1, column 1: 'symbol;score' is not accepted; a column is one of"),
        (
            "symbol,score,Score\nTCS,1,1\n",
            "line 1, column 3: 'score' is not accepted; each column comes once",
        ),
        (
            "score,entry\n1,1\n",
            "line 1: 'score,entry' is not accepted; there must be a column symbol or security_id",
        ),
        (
            "symbol,score\nTCS,1\nHDFCBANK\n",
            "line 3: 'HDFCBANK' is not accepted; 2 columns are named, 1 are here",
        ),
        ("symbol,score\nTCS,1,2\n", "line 2: 'TCS,1,2' is not accepted; 2 columns are named, 3 are here"),
        (
            "symbol\nTCS\nNOBODY\n",
            "line 3, column symbol: 'NOBODY' is not accepted; the instrument master has none of that name "
            "in NSE_EQ",
        ),
        ("symbol,score\n,1\n", "line 2, column symbol: ''"),
        (
            "segment,symbol\nNASDAQ,TCS\n",
            "line 2, column segment: 'NASDAQ' is not accepted; a segment is one of IDX_I",
        ),
        (
            "segment,symbol\nBSE_EQ,TCS\n",
            "line 2, column symbol: 'TCS' is not accepted; the instrument master has none of that name in "
            "BSE_EQ",
        ),
        ("security_id\n12x\n", "line 2, column security_id: 'NSE_EQ:12x' is not accepted; a key is"),
        (
            "security_id\n99\n",
            "line 2, column security_id: 'NSE_EQ:99' is not accepted; the instrument master does not know it",
        ),
        (
            "security_id,symbol\n1333,TCS\n",
            "line 2, column symbol: 'TCS' is not accepted; NSE_EQ:1333 is HDFCBANK",
        ),
        (
            "symbol\nTCS\nHDFCBANK\ntcs\n",
            "line 4, column security_id: 'NSE_EQ:11536' is not accepted; each instrument comes once; line 2",
        ),
        (
            "symbol,rank\nTCS,1\nHDFCBANK,1\n",
            "line 3, column rank: '1' is not accepted; each rank comes once; line 2",
        ),
        ("symbol,rank\nTCS,0\n", "line 2, column rank: '0' is not accepted; a whole number from 1"),
        ("symbol,rank\nTCS,\n", "line 2, column rank: '' is not accepted; a whole number from 1"),
        ("symbol,score\nTCS,nan\n", "line 2, column score: 'nan' is not accepted; a number such as 87.5"),
        ("symbol,score\nTCS," + "9" * 400 + "\n", "line 2, column score: '999"),
        ("symbol,name\nTCS," + "x" * 201 + "\n", "line 2, column name: 'xxx"),
        ("symbol,name\nTCS,a\x00b\n", "line 2"),
        (
            "symbol,name\nTCS,a\u202eb\n",
            "line 2, column name: 'a\\u202eb' is not accepted; a text of at most 200 characters",
        ),
        ('symbol,name\nTCS,"open\n', "line 2: '' is not accepted; the line must be CSV"),
        ('symbol,name\nTCS,"a"b\n', "line 2: '' is not accepted; the line must be CSV"),
        (b"symbol\nTCS\nM\xe9\n", "line 3: 'e9' is not accepted; the file must be UTF-8 text"),
        ("symbol\nTCS\n".encode("utf-16"), "line 1: 'ff' is not accepted; the file must be UTF-8 text"),
    ],
)
def test_a_bad_file_is_one_sentence(content: str | bytes, sentence: str) -> None:
    assert refusal(content).startswith(sentence)


def test_five_thousand_results_and_not_one_more() -> None:
    lines = "".join(f"{id_},S{id_}\n" for id_ in range(100_001, 105_001))
    assert len(read(f"security_id,symbol\n{lines}")) == 5_000
    assert refusal(f"security_id,symbol\n{lines}7,ONE\n").startswith(
        "line 5002: 'NSE_EQ:7' is not accepted; a file holds at most 5,000 results"
    )


@given(
    st.binary(max_size=300)
    | st.text(max_size=300).map(lambda text: f"symbol,why,score,entry\nTCS,{text}".encode())
)
def test_any_content_gives_rows_or_a_sentence(content: bytes) -> None:
    sentence, rows = "", []
    try:
        rows = parse(content, MASTER)
    except InputError as error:
        sentence = str(error)
    assert bool(rows) is not bool(sentence)
    assert len(sentence) < 500
