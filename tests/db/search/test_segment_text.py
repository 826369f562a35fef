from __future__ import annotations

from ltp.core.instrument import Instrument
from ltp.db.search import segment_text
from ltp.db.search.segment_text import SegmentText


def text_of(*symbols: str, first: int = 7) -> SegmentText:
    text = SegmentText(first)
    for number, symbol in enumerate(symbols):
        text.add(
            Instrument("NSE_FNO", number + 1, symbol, f"{symbol} name", "", 1, 5), ["OLD"] * (number == 1)
        )
    return text


def test_a_literal_is_found_in_every_line_and_at_starts_alone() -> None:
    text = text_of("NIFTY-Sep", "BANKNIFTY-Sep", "NIFTY-Oct")
    assert list(text.matches("\nnifty")) == [7, 9]
    assert sorted(set(text.matches("nifty"))) == [7, 8, 9]
    assert list(text.matches("old")) == [8]
    assert list(text.matches(".*")) == []
    assert text.line(8) == "banknifty-sep\x1fbanknifty-sep name\x1fold"


def test_lines_at_the_border_of_two_parts_are_found_once() -> None:
    count = segment_text._LINES * 2 + 3
    text, pauses = text_of(*(f"A{number}" for number in range(count)), first=0), []
    border = segment_text._LINES
    for row in (0, border - 1, border, border + 1, 2 * border, count - 1):
        assert list(text.matches(f"\na{row}\x1f")) == [row]
        assert set(text.matches(f"a{row} name")) == {row}
    assert list(text.matches("\nzzz", lambda: pauses.append(1))) == []
    assert len(pauses) == 3


def test_a_symbol_may_start_with_the_words_only_where_an_underlying_does() -> None:
    text = text_of("NIFTY-Sep2026-FUT", "GOLD-Oct2026-FUT")
    assert [
        each for each in ("g", "gold", "gold-oct", "golds", "old", "nifty", "") if text.may_start(each)
    ] == [
        "g",
        "gold",
        "gold-oct",
        "nifty",
        "",
    ]
