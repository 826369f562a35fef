from __future__ import annotations

import pytest

from ltp.core.watchlists.pasted import MAX_LINES, BadLine, Named, lines_of, parse
from ltp.core.watchlists.watchlist import Line
from ltp.errors import InputError

KNOWN = {
    "HDFCBANK": "NSE_EQ:1333", "INE040A01034": "NSE_EQ:1333", "HDFC Bank Limited": "NSE_EQ:1333",
    "TCS": "NSE_EQ:11536", "IDX_I:13": "IDX_I:13",
}  # fmt: skip


def pasted(text: str) -> tuple[list[Line], list[BadLine]]:
    lines, bad = lines_of(parse(text), KNOWN.get)
    return list(lines), list(bad)


@pytest.mark.parametrize(
    "text",
    [
        "HDFCBANK\nTCS\n",
        "\ufeffHDFCBANK, TCS",
        "HDFCBANK;TCS",
        "HDFCBANK\tTCS",
        "# mine\r\n\r\nHDFCBANK\r\n  TCS  \r\n",
        "Symbol,Note\nHDFCBANK,\nTCS,",
        "name;isin\n;INE040A01034\nTCS;",
        '"symbol","name"\n"NOPE","HDFC Bank Limited"\n"TCS","x"',
    ],
)
def test_symbols_isins_names_and_heads(text: str) -> None:
    assert pasted(text) == ([Line("NSE_EQ:1333"), Line("NSE_EQ:11536")], [])


def test_sections_notes_and_flags() -> None:
    lines, bad = pasted(
        "[Banks]\nkey,symbol,note,flag\n,HDFCBANK,my reason,Red\n[IT & more]\n,TCS,,\nIDX_I:13,,x,"
    )
    assert lines == [
        Line("SECTION:1", "Banks"), Line("NSE_EQ:1333", "", "my reason", "red"), Line("SECTION:2", "IT & more"),
        Line("NSE_EQ:11536"), Line("IDX_I:13", "", "x"),
    ]  # fmt: skip
    assert bad == []


def test_bad_lines_are_named_by_number() -> None:
    lines, bad = pasted("HDFCBANK\n\n<img onerror=x>\nINE040A01034\nNOPE,TCS\n[\x01]")
    assert [line.key for line in lines] == ["NSE_EQ:1333", "NSE_EQ:11536"]
    assert [(each.number, each.text) for each in bad] == [
        (3, "<img onerror=x>"), (4, "INE040A01034"), (5, "NOPE"), (6, "\x01"),
    ]  # fmt: skip
    assert bad[0].reason == "no instrument is called so"
    assert bad[1].reason == "it is there already, further up"
    assert pasted("symbol,flag\nTCS,pink")[1] == [
        BadLine(2, "pink", "it is empty or one of red, orange, green, blue, violet")
    ]


def test_no_line_and_too_many() -> None:
    for text in ("", "\n # only a comment \n"):
        with pytest.raises(InputError, match="paste at least one"):
            parse(text)
    with pytest.raises(InputError, match="at most 5,000 lines"):
        parse("\n".join(["TCS"] * (MAX_LINES + 1)))
    assert parse('"unclosed') == [Named(1, ("unclosed",))]
    assert parse("x" * 300)[0].texts == ("x" * 300,)
    assert lines_of(parse("x" * 300), lambda _: "NSE_EQ:1").lines == ()


@pytest.mark.parametrize(
    ("cell", "note"),
    [
        ("'=1+2", "=1+2"),
        ("'-3% or more", "-3% or more"),
        ("'tis", "'tis"),
        ("a '=b", "a '=b"),
        ("''=", "''="),
    ],
)
def test_a_note_of_the_tables_csv_comes_back_as_it_was(cell: str, note: str) -> None:
    [line] = parse(f"key,note\nNSE_EQ:1333,{cell}")
    assert line.note == note
