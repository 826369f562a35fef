from __future__ import annotations

import pytest

from ltp.db.search import words
from ltp.db.search.words import WordIndex, is_near, words_of

INDEX = WordIndex([(3, "reliance industries"), (4, "reliance power"), (9, "bajaj-auto"), (5, "24500 m&m")])


def test_words_are_runs_of_letters_and_digits() -> None:
    assert words_of("m&m bajaj-auto\x1fété 50_x") == ["m", "m", "bajaj", "auto", "été", "50", "x"]


def test_rows_of_a_beginning_are_those_of_all_its_words() -> None:
    assert sorted(INDEX.starting("rel")) == [3, 4]
    assert list(INDEX.starting("a")) == [9]
    assert list(INDEX.starting("reliances")) == list(INDEX.starting("zz")) == []
    assert list(WordIndex().starting("a")) == []


@pytest.mark.parametrize(
    ("typed", "near"),
    [
        ("relaince", ["reliance"]),  # two neighbours exchanged
        ("relience", ["reliance"]),  # one wrong
        ("relance", ["reliance"]),  # one missing
        ("relliance", ["reliance"]),  # one too many
        ("eliance", ["reliance"]),  # the first missing
        ("relai", ["reliance"]),  # still being typed
        ("raliense", []),  # two wrong
        ("powr", ["power"]),
        ("atuo", ["auto"]),
        ("atu", []),  # too short
        ("24501", []),  # another number
    ],
)
def test_one_typo_is_forgiven_and_not_two(typed: str, near: list[str]) -> None:
    assert INDEX.near(typed) == near


def test_the_nearest_words_come_first_and_their_number_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(words, "MOST_NEAR", 2)
    index = WordIndex([(1, "tatas"), (2, "tatra tate tatesx")])
    assert index.near("tata") == ["tatas", "tate"]


def test_other_work_gets_its_turn_between_the_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(words, "_WORDS", 2)
    pauses: list[int] = []
    index = WordIndex([(number, f"word{number}") for number in range(5)])
    assert len(index.near("wrod4", lambda: pauses.append(1))) == 1
    assert len(pauses) == 3


def test_a_text_is_near_within_one_typo() -> None:
    assert [is_near("tsla", each) for each in ("tsla", "tlsa", "tala", "tls")] == [True, True, True, False]
