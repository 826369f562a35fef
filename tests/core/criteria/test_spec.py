"""A screen in a URL, as stored text, and as the name of its runs."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest

from ltp.core.criteria import spec
from ltp.core.criteria.spec import BUILT_IN, Spec
from ltp.errors import CriterionError, InputError

GIVEN = [
    ("c", "rsi > 60"),
    ("c", "  "),
    ("c", "close>ema50"),
    ("c", "RSI(14) > 60"),
    ("universe", "nifty100"),
    ("min_price", "12.5"),
    ("min_turnover", "10000000"),
    ("sort", "score"),
]
SPEC = Spec(("rsi14 > 60", "close > ema50"), "nifty100", 125_000, 10_000_000)


def test_parameters_become_a_screen_and_the_screen_its_parameters():
    assert spec.from_params(GIVEN) == SPEC
    assert spec.params(SPEC) == [
        ("c", "rsi14 > 60"), ("c", "close > ema50"),
        ("universe", "nifty100"), ("min_price", "12.50"), ("min_turnover", "10000000"),
    ]  # fmt: skip
    assert spec.from_params(spec.params(SPEC)) == SPEC


def test_nothing_given_is_nothing_set():
    assert spec.from_params([("c", ""), ("universe", " "), ("page", "2")]) == Spec()
    assert spec.params(Spec()) == []
    assert spec.text_of(Spec()) == ""
    assert spec.from_text("") == Spec()


@pytest.mark.parametrize(
    "given", [SPEC, BUILT_IN, Spec(("close > 1",)), Spec(universe="list-mine"), Spec(min_price=100)]
)
def test_a_stored_screen_is_read_back(given):
    assert spec.from_text(spec.text_of(given)) == given


@pytest.mark.parametrize(
    "text",
    [
        "x",
        "[]",
        "1",
        '"c"',
        '{"who": 1}',
        '{"criteria": 5}',
        '{"min_price": "x"}',
        '{"criteria": ["close >"]}',
        '{"universe": {}}',
    ],
)
def test_stored_text_that_is_none_of_ours_is_refused(text):
    with pytest.raises(InputError):
        spec.from_text(text)


def test_screens_that_mean_the_same_have_one_digest():
    turned = SPEC._replace(criteria=tuple(reversed(SPEC.criteria)))
    assert spec.digest(turned) == spec.digest(SPEC)
    assert spec.kind_of(SPEC) == f"custom-{spec.digest(SPEC)}"
    assert len(spec.digest(SPEC)) == 12
    others = [
        SPEC._replace(universe="all"),
        SPEC._replace(min_price=0),
        SPEC._replace(criteria=SPEC.criteria[:1]),
    ]
    assert len({spec.digest(each) for each in [SPEC, *others]}) == 4


@pytest.mark.parametrize(
    ("pairs", "sentence"),
    [
        (
            [("universe", "nifty50"), ("universe", "all")],
            "universe: 'all' is not accepted; universe comes once",
        ),
        ([("min_price", "1"), ("min_price", "1")], "min_price: '1' is not accepted; min_price comes once"),
        ([("universe", "../etc")], "universe: '../etc' is not accepted; a universe's name is small letters"),
        ([("universe", "х" * 5)], "a universe's name is small letters"),
        ([("min_price", "-1")], "rupees from 0"),
        ([("min_price", "1e9")], "rupees from 0"),
        ([("min_price", "١٢")], "rupees from 0"),
        ([("min_price", "10000001")], "rupees from 0"),
        ([("min_price", "12.345")], "rupees from 0"),
        ([("min_turnover", "1.5")], "whole rupees"),
        ([("min_turnover", "9" * 5_000)], "whole rupees"),
        ([("min_turnover", "1000000000001")], "whole rupees"),
        ([("c", f"close > {n}") for n in range(21)], "at most 20 criteria, this has 21"),
    ],
)
def test_a_bad_parameter_is_one_sentence(pairs, sentence):
    with pytest.raises(InputError) as caught:
        spec.from_params(pairs)
    assert sentence in str(caught.value)
    assert len(str(caught.value)) < 400


def test_a_bad_criterion_of_several_is_named_by_its_number():
    with pytest.raises(CriterionError, match="c number 2, character 7"):
        spec.from_params([("c", "close > 1"), ("c", "close @ 1")])
    with pytest.raises(CriterionError, match=r"^c, character 7"):
        spec.from_params([("c", "close @ 1")])


LONG = [
    ("c", f"close > {number}" + " and pct_from_high52 > 123456.25" * 14)
    for number in range(spec.MAX_CRITERIA)
]


def test_the_criteria_of_a_screen_fit_into_an_address():
    accepted = r"criteria: '9,[0-9]{3} characters' is not accepted; together the criteria have at most 2,000"
    with pytest.raises(InputError, match=accepted):
        spec.from_params(LONG)
    dense = [("c", f"{number} >= 1" + " or not 1 * 1 != 1 / 1" * 12) for number in range(7)]
    longest = spec.params(spec.from_params(dense))
    assert len(urlencode(longest, safe=",()")) < 4_100


def test_a_screen_that_was_saved_before_the_bound_is_read_back():
    stored = Spec(tuple(spec.canonical(text) for _, text in LONG))
    assert spec.from_text(spec.text_of(stored)) == stored
