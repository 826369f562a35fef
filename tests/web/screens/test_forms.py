from __future__ import annotations

import pytest

from ltp.core.criteria.spec import Spec
from ltp.web.screens import forms

UNIVERSES = ("nifty50", "all")


def read(*pairs: tuple[str, str]) -> forms.Form:
    return forms.parse(pairs, UNIVERSES)


def test_what_was_typed_becomes_a_screen() -> None:
    form = read(
        ("c", "RSI(14)>60"),
        ("c", "close > ema50"),
        ("universe", "nifty50"),
        ("min_price", "12.50"),
        ("sort", "-rsi"),
    )
    assert form.spec == Spec(("rsi14 > 60", "close > ema50"), "nifty50", 125_000, 0)
    assert form.clean
    assert [field.value for field in form.criteria] == ["RSI(14)>60", "close > ema50"]


def test_fields_that_were_left_empty_say_nothing_but_are_no_clean_address() -> None:
    form = read(
        ("c", "rsi > 60"),
        ("c", " "),
        ("universe", ""),
        ("fact", ""),
        ("is", ">"),
        ("number", ""),
        ("other", ""),
    )
    assert form.spec == Spec(("rsi14 > 60",))
    assert not form.clean
    assert not form.builder.used


def test_each_criterion_that_is_not_accepted_points_at_its_character() -> None:
    form = read(("c", "rsi > 60"), ("c", "close > emaa50"), ("c", "close >"))
    assert form.spec is None
    assert form.criteria[0].error == ""
    assert form.criteria[1].error.startswith("Criterion 2, character 9: 'emaa50' is not accepted")
    assert form.criteria[1].error.endswith("did you mean ema50?")
    assert form.criteria[1].caret == "close > emaa50\n        ^"
    assert form.criteria[2].error.startswith("Criterion 3, character 8: 'the end'")


@pytest.mark.parametrize(
    ("pairs", "field", "said"),
    [
        ([("universe", "nifty9")], "universe", "There is no such universe"),
        ([("universe", "<b>")], "universe", "small letters"),
        ([("universe", "all"), ("universe", "nifty50")], "universe", "comes once"),
        ([("min_price", "-1")], "min_price", "rupees from 0"),
        ([("min_price", "1e9")], "min_price", "rupees from 0"),
        ([("min_turnover", "9" * 30)], "min_turnover", "whole rupees a day"),
    ],
)
def test_what_is_wrong_is_said_at_its_field(pairs: list[tuple[str, str]], field: str, said: str) -> None:
    form = forms.parse([("c", "rsi > 60"), *pairs], UNIVERSES)
    assert form.spec is None
    assert said in getattr(form, field).error
    others = {"universe", "min_price", "min_turnover"} - {field}
    assert not any(getattr(form, other).error for other in others)


def test_too_many_criteria_are_one_sentence_and_not_a_page_of_fields() -> None:
    form = forms.parse([("c", f"rsi > {n}") for n in range(500)], UNIVERSES)
    assert form.spec is None
    assert "at most 20 criteria" in form.error
    assert len(form.criteria) == 20


@pytest.mark.parametrize(
    ("fact", "sign", "number", "other", "criterion"),
    [
        ("rsi", ">", "60", "", "rsi14 > 60"),
        ("close", "<=", "", "ema50", "close <= ema50"),
        ("trend", "==", "", "up", "trend == up"),
        ("close", "crosses_above", "", "ema200", "crosses_above(close, ema200)"),
        ("pct_from_high52", "<", "2.5", "", "pct_from_high52 < 2.5"),
    ],
)
def test_the_builder_puts_a_criterion_together(
    fact: str, sign: str, number: str, other: str, criterion: str
) -> None:
    form = read(("c", "adx > 20"), ("fact", fact), ("is", sign), ("number", number), ("other", other))
    assert form.spec == Spec(("adx14 > 20", criterion))
    assert not form.clean


@pytest.mark.parametrize(
    ("fact", "sign", "number", "other", "said"),
    [
        ("", ">", "60", "", "Choose what is compared"),
        ("rsi", ">", "", "", "one of the two"),
        ("rsi", ">", "60", "adx", "one of the two"),
        ("rsi", "~", "60", "", "It is one of >"),
        ("rsi", ">", "6O", "", "a number is digits"),
        ("trend", ">", "", "up", "compared by == or !="),
        ("relvol", "crosses_above", "2", "", "takes prices"),
    ],
)
def test_what_the_builder_cannot_put_together_is_said_beside_it(
    fact: str, sign: str, number: str, other: str, said: str
) -> None:
    form = read(("c", "adx > 20"), ("fact", fact), ("is", sign), ("number", number), ("other", other))
    assert form.spec is None
    assert said in form.builder.error
    assert form.criteria[0].error == ""
