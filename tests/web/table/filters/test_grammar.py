from __future__ import annotations

import pytest

from ltp.errors import InputError
from ltp.web.table.filters.grammar import COLUMNS, MAX_FILTERS, Filter, parse, parse_all


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("rsi>60", "rsi>60"),
        (" RSI  >  60 ", "rsi>60"),
        ("change_pct<-2", "change_pct<-2"),
        ("chgp <= −1.50 %", "chgp<=-1.50"),
        ("ltp>=1,650.5", "ltp>=1650.5"),
        ("ltp != ₹1650", "ltp!=1650"),
        ("turnover>10cr", "turnover>100000000"),
        ("turnover > 2.5 lakh", "turnover>250000"),
        ("r>=.5", "r>=0.5"),
        ("rsi==-0", "rsi=0"),
        ("sector=IT", "sector=IT"),
        ("name~M&M <Ltd>", "name~M&M <Ltd>"),
        ("symbol != a=b", "symbol!=a=b"),
        ("state=in entry zone", "state=in entry zone"),
    ],
)
def test_a_filter_has_one_spelling_in_addresses(typed: str, expected: str) -> None:
    assert str(parse(typed)) == expected
    assert parse(expected) == parse(typed)


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("rsii>60", "there is no such column; did you mean rsi?"),
        ("52w high>3", "there is no such column; did you mean high52?"),
        ("qqqqq>3", "there is no column 'qqqqq'; a filter is a column, a sign and a value"),
        ("zone>3", "zone is a pair of prices; filter by entry"),
        ("rsi>abc", "rsi is compared with a number, such as rsi>60 or rsi<=2.5"),
        ("rsi>", "rsi is compared with a number, such as rsi>60"),
        ("rsi>nan", "rsi is compared with a number"),
        ("rsi>1e3", "rsi is compared with a number"),
        ("rsi>²", "rsi is compared with a number"),
        ("rsi>" + "9" * 16, "rsi is compared with a number"),
        ("rsi~6", "rsi is compared with a number"),
        ("sector>IT", "sector is a text: write sector=…, sector!=… or sector~… (contains)"),
        ("sector=", "sector is a text"),
        ("rsi", "a filter is a column, a sign and a value, such as rsi>60, sector=IT or name~bank"),
        (">60", "a filter is a column"),
        ("", "a filter is a column"),
        ("name=a\tb", "a filter is a column"),
        ("name=" + "a" * 200, "a filter is a column"),
    ],
)
def test_a_bad_filter_is_one_sentence_about_its_column(typed: str, sentence: str) -> None:
    with pytest.raises(InputError) as refused:
        parse(typed)
    assert refused.value.where == "f"
    assert refused.value.accepted.startswith(sentence)


def test_every_column_but_the_pair_of_prices_can_be_filtered_by() -> None:
    for name, column in COLUMNS.items():
        assert parse(f"{name}{'~' if column.text else '<'}1").column == name
    assert "zone" not in COLUMNS


def test_empty_filters_are_absent_and_equal_ones_count_once() -> None:
    assert parse_all(["", "rsi > 60", " ", "rsi>60"]) == (Filter("rsi", ">", "60"),)
    many = [f"rsi>{number}" for number in range(MAX_FILTERS + 1)]
    assert len(parse_all(many[1:])) == MAX_FILTERS
    with pytest.raises(InputError, match="up to 10 filters"):
        parse_all(many)


def test_readers_see_labels_and_words() -> None:
    labels = [parse(text).label for text in ("rsi>=60", "sector=IT", "sector!=IT", "name~bank", "rank!=3")]
    assert labels == ["RSI ≥ 60", "Sector is IT", "Sector is not IT", "Name has bank", "Rank ≠ 3"]
    assert [parse(text).is_live for text in ("rsi>1", "ltp>1", "state=waiting")] == [False, True, True]
