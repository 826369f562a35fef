from __future__ import annotations

from datetime import date

import pytest

from ltp.core.formats.symbol_changes import SymbolChange, newest_symbols, parse
from ltp.errors import InputError


def test_the_exchange_s_list() -> None:
    content = (
        b"SYMB_COMPANY_NAME,SM_KEY_SYMBOL,SM_NEW_SYMBOL,SM_APPLICABLE_FROM\r\n"
        b"Eternal Limited,ZOMATO,ETERNAL,09-APR-2025\r\n"
        b"Adani Energy,ADANITRANS,adaniensol,24-AUG-2023\r\n"
    )
    assert parse(content, "x.csv") == [
        SymbolChange("ADANITRANS", "ADANIENSOL", date(2023, 8, 24)),
        SymbolChange("ZOMATO", "ETERNAL", date(2025, 4, 9)),
    ]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"a,b\n1,2\n", "the columns old and new are needed"),
        (b"old,new\nA,\n", "line 2, column new"),
        (b"old,new\nA\n", "line 2, column new"),
        (b"old,new,date\nA,B,soon\n", "line 2, column date: 'SOON'"),
    ],
)
def test_a_bad_line_is_named(content: bytes, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        parse(content, "x.csv")


def test_a_share_renamed_twice_is_found_under_both() -> None:
    assert newest_symbols(parse(b"old,new,date\nB,C,2024-01-01\nA,B,2020-01-01\n", "x")) == {
        "A": ("C", date(2020, 1, 1)),
        "B": ("C", date(2024, 1, 1)),
    }


def test_a_symbol_that_another_company_took_later_does_not_follow_it() -> None:
    content = b"old,new,date\nB,C,2018-01-01\nA,B,2020-01-01\nB,D,2024-01-01\n"
    assert newest_symbols(parse(content, "x"))["A"] == ("D", date(2020, 1, 1))
    assert newest_symbols(parse(b"old,new,date\nA,B,2020-01-01\nB,A,2021-01-01\n", "x")) == {
        "B": ("A", date(2021, 1, 1))
    }
