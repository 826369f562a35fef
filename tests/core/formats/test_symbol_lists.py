from __future__ import annotations

import pytest

from ltp.core.formats.symbol_lists import Constituent, parse, parse_name
from ltp.errors import InputError

HEADER = b"Company Name,Industry,Symbol,Series,ISIN Code\n"


def test_a_list_of_the_exchange() -> None:
    content = (
        HEADER
        + b'"Larsen & Toubro, Ltd.",Construction,LT,EQ,INE018A01030\nBajaj Auto Ltd.,Automobile,BAJAJ-AUTO,'
        b"EQ,INE917I01010\n"
    )
    assert parse(content) == [
        Constituent("LT", "Larsen & Toubro, Ltd.", "Construction", "EQ", "INE018A01030"),
        Constituent("BAJAJ-AUTO", "Bajaj Auto Ltd.", "Automobile", "EQ", "INE917I01010"),
    ]


def test_byte_order_mark_other_order_extra_columns_blank_lines_and_repetition() -> None:
    content = b"\xef\xbb\xbfSymbol, Weight ,INDUSTRY\r\nLT,4.1,Construction\r\n\r\nlt,4.1,\r\nTCS,3\r\n"
    assert parse(content) == [Constituent("LT", industry="Construction"), Constituent("TCS")]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "line 1: '' is not accepted; the first line names the columns"),
        (HEADER, "line 2: '' is not accepted; there is no member"),
        (b"<html>\n", "line 1: '<html>' is not accepted; the first line names"),
        (HEADER + b"A,B,,EQ,X\n", "line 2, column Symbol: '' is not accepted"),
        (HEADER + b"A,B,<b>,EQ,X\n", "line 2, column Symbol: '<b>' is not accepted"),
        (HEADER + b"A,B,\xff,EQ,X\n", "line 2: 'ff' is not accepted; the file must be UTF-8 text"),
        (
            b"Symbol\n" + b"\n".join(b"S%d" % n for n in range(10_001)),
            "line 10002: 'S10000' is not accepted; a list has at most 10,000",
        ),
    ],
)
def test_a_bad_line_is_named(content: bytes, sentence: str) -> None:
    with pytest.raises(InputError) as caught:
        parse(content)
    assert str(caught.value).startswith(sentence)


def test_a_name_is_fit_for_an_address() -> None:
    assert parse_name("nifty-midcap-150") == "nifty-midcap-150"
    for text in ("", "Nifty50", "a b", "-a", "a--b", "../x", "a" * 60, "é"):
        with pytest.raises(InputError, match="small letters"):
            parse_name(text)
