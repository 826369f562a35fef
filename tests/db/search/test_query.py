"""The rows that match, and how well; the order of instruments is tested in tests/db/test_instrument_index.py."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from ltp.core.instrument import Instrument
from ltp.db.search import query as module
from ltp.db.search.query import Query, Tier, may_be_isin
from ltp.db.search.segment_text import SegmentText
from ltp.db.search.words import WordIndex

SHARES = ("HDFCBANK HDFC Bank", "TATASTEEL Tata Steel", "BANKBARODA Bank of Baroda", "M&M Mahindra")
CONTRACTS = ("BANKNIFTY-Sep2026-24500-CE", "BANKNIFTY-Sep2026-24500-PE", "NIFTY-Sep2026-FUT")


def run(text: str, enough: int = 9, pause: Callable[[], object] = lambda: None) -> Query:
    shares, contracts = SegmentText(0), SegmentText(len(SHARES))
    for number, line in enumerate(SHARES):
        symbol, _, name = line.partition(" ")
        shares.add(Instrument("NSE_EQ", number + 1, symbol, name, "", 1, 5))
    for number, symbol in enumerate(CONTRACTS):
        contracts.add(Instrument("NSE_FNO", number + 1, symbol, symbol.replace("-", " "), "", 1, 5))
    words = WordIndex((row, shares.line(row)) for row in range(len(SHARES)))
    query = Query(text, {"NSE_EQ": shares, "NSE_FNO": contracts}, words, enough, pause)
    query.run()
    return query


def test_each_way_of_matching_has_its_tier() -> None:
    assert run("bank").rows == {
        2: Tier.SYMBOL,
        0: Tier.WORDS,
        4: Tier.CONTRACT,
        5: Tier.CONTRACT,
    }
    assert run("ank").rows == dict.fromkeys((0, 2, 4, 5), Tier.WITHIN)
    assert run("steal").rows == {1: Tier.TYPO}
    assert run("m&m").rows == {3: Tier.SYMBOL}
    assert run("?").rows == {}


def test_every_word_must_match_in_any_order() -> None:
    assert run("bank hdfc").rows == {0: Tier.WORDS}
    assert run("24500 nifty pe").rows == {5: Tier.CONTRACT}
    assert run("tata bank").rows == {}


def test_one_word_may_have_a_typo_and_the_others_may_not() -> None:
    assert run("hdfc bnak").rows == {0: Tier.TYPO}
    assert run("hfdc bnak").rows == {}
    assert run("tata bnak").rows == {}


def test_less_good_matches_are_looked_for_only_while_there_is_not_enough() -> None:
    assert run("b", enough=1).rows.keys() == {2, 0, 4, 5}
    query = run("bank", enough=4)
    assert query.more
    assert not run("bank", enough=5).more


def test_what_is_ranked_and_looked_into_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_ROWS", 2)
    assert (len(run("bank").rows), run("bank").more) == (2, True)
    monkeypatch.setattr(module, "MOST_LINES", 1)
    assert run("24500 pe").more


def test_other_work_gets_its_turn() -> None:
    pauses: list[int] = []
    run("zzzz", pause=lambda: pauses.append(1))
    assert len(pauses) >= 4


def test_an_isin_has_a_digit_after_its_two_letters() -> None:
    assert [
        each
        for each in ("ine0", "ine040a01034", "in9", "india", "hdfc1bank12345", "ine-1")
        if may_be_isin(each)
    ] == [
        "ine0",
        "ine040a01034",
    ]
