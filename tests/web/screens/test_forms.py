from __future__ import annotations

import pytest

from ltp.core.criteria.spec import Spec
from ltp.web.screens import forms

UNIVERSES = ("nifty50", "all")


def read(*pairs: tuple[str, str]) -> forms.Form:
    return forms.parse(pairs, UNIVERSES)


def test_accepted_fields_become_a_spec() -> None:
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


def test_empty_fields_are_accepted_but_are_no_clean_address() -> None:
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


def test_each_refused_criterion_points_at_its_character() -> None:
    form = read(("c", "rsi > 60"), ("c", "close > emaa50"), ("c", "close >"))
    assert form.spec is None
    assert form.criteria[0].error == ""
    assert form.criteria[1].error.startswith("Criterion 2, character 9: 'emaa50' is not accepted")
    assert form.criteria[1].error.endswith("did you mean ema50?")
    assert form.criteria[1].caret == "close > emaa50\n        ^"
    assert form.criteria[2].error.startswith("Criterion 3, character 8: 'the end'")


@pytest.mark.parametrize(
    ("pairs", "field", "error"),
    [
        ([("universe", "nifty9")], "universe", "There is no such universe"),
        ([("universe", "<b>")], "universe", "small letters"),
        ([("universe", "all"), ("universe", "nifty50")], "universe", "comes once"),
        ([("min_price", "-1")], "min_price", "rupees from 0"),
        ([("min_price", "1e9")], "min_price", "rupees from 0"),
        ([("min_turnover", "9" * 30)], "min_turnover", "whole rupees a day"),
    ],
)
def test_each_error_is_at_its_field(pairs: list[tuple[str, str]], field: str, error: str) -> None:
    form = forms.parse([("c", "rsi > 60"), *pairs], UNIVERSES)
    assert form.spec is None
    assert error in getattr(form, field).error
    others = {"universe", "min_price", "min_turnover"} - {field}
    assert not any(getattr(form, other).error for other in others)


def test_too_many_criteria_are_one_error_of_the_form() -> None:
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
def test_the_builder_composes_a_criterion(
    fact: str, sign: str, number: str, other: str, criterion: str
) -> None:
    form = read(("c", "adx > 20"), ("fact", fact), ("is", sign), ("number", number), ("other", other))
    assert form.spec == Spec(("adx14 > 20", criterion))
    assert not form.clean


@pytest.mark.parametrize(
    ("fact", "sign", "number", "other", "error"),
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
def test_an_incomplete_choice_is_an_error_of_the_builder(
    fact: str, sign: str, number: str, other: str, error: str
) -> None:
    form = read(("c", "adx > 20"), ("fact", fact), ("is", sign), ("number", number), ("other", other))
    assert form.spec is None
    assert error in form.builder.error
    assert form.criteria[0].error == ""
