"""Rules: their grammar, canonical texts and what has to be known for them."""

from __future__ import annotations

import pytest

from ltp.core.alerts.grammar import Event
from ltp.core.alerts.rule import parse_rule
from ltp.core.criteria.parser import parse
from ltp.errors import CriterionError

RULES = {
    "ltp > 1650": "ltp > 1650",
    "LTP>=1650.50": "ltp >= 1650.5",
    "crosses_above(ltp, 1650)": "crosses_above(ltp, 1650)",
    "crosses_below(ltp, ema(close, 50))": "crosses_below(ltp, ema50)",
    "change_pct < -3": "change_pct < -3",
    "ltp < plan(swing, stop)": "ltp < plan(swing, stop)",
    'ltp < plan("my-screen", target)': 'ltp < plan("my-screen", target)',
    "day_volume > 3 * sma(volume, 20)": "day_volume > 3 * sma(volume, 20)",
    "ltp > high52": "ltp > high52",
    'ltp / of("NSE_EQ:2885", ltp) > 1.2': 'ltp / of("NSE_EQ:2885", ltp) > 1.2',
    "ltp > day_open and not (rsi14 > 70)": "ltp > day_open and not rsi14 > 70",
    "abs(ltp - close) > 2 * atr14 or trend == up": "abs(ltp - close) > 2 * atr14 or trend == up",
    "price < ltp": "close < ltp",
}


@pytest.mark.parametrize(("text", "canonical"), RULES.items())
def test_a_rule_has_one_canonical_text(text: str, canonical: str) -> None:
    rule = parse_rule(text)
    assert rule.text == canonical
    assert parse_rule(canonical) == rule


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("ltp > 1650", ()),
        ("ltp > 1600 + 50", ()),
        ("day_volume > 3 * sma(volume, 20)", ("3 * sma(volume, 20)",)),
        ("ltp > high52 and rsi14 > 60", ("high52", "rsi14 > 60")),
        ("ltp > high52 or trend == up", ("high52", "trend == up")),
        ("ltp - close > atr14", ("close", "atr14")),
        ("crosses_above(ltp, plan(swing, entry) + atr14)", ("atr14",)),
    ],
)
def test_terms_are_the_largest_parts_without_a_live_value(text: str, terms: tuple[str, ...]) -> None:
    assert parse_rule(text).terms == terms
    for term in terms:  # they are numbers or criteria of a screen
        parse(term if ">" in term or "==" in term else f"{term} > 0")


def test_plans_and_other_instruments_are_named() -> None:
    rule = parse_rule('ltp < plan(swing, stop) or of("IDX_I:13", change_pct) < -1')
    assert rule.plans == (("swing", "stop"),)
    assert rule.others == ("IDX_I:13",)
    assert rule.terms == ()


@pytest.mark.parametrize(
    ("text", "event"),
    [
        ("enters(swing)", Event("enters", "swing")),
        ('leaves("my-screen")', Event("leaves", "my-screen")),
        ("feed_trouble()", Event("feed_trouble")),
    ],
)
def test_events_are_rules_of_their_own(text: str, event: Event) -> None:
    rule = parse_rule(text)
    assert (rule.event, rule.tree) == (event, None)
    assert parse_rule(rule.text) == rule


_KEY = 'the key of an instrument in quotes is expected, as in of("NSE_EQ:2885", ltp)'


@pytest.mark.parametrize(
    ("text", "at", "accepted"),
    [
        ("", 0, "a criterion is expected, such as rsi14 > 60"),
        ("rsi14 > 60", 0, "a rule has a live value such as ltp, change_pct or day_volume"),
        ("ltp", 3, "a comparison is expected, such as > 60"),
        ("sma(ltp, 5) > 10", 4, "sma takes prices, volume or a function of them, as in sma(volume, 20)"),
        ("weekly(ltp) > 10", 7, "weekly() takes prices of sessions; ltp is live"),
        ("plan(swing, soon) > ltp", 12, "a plan has the levels entry, stop, target"),
        ("of(1333, ltp) > ltp", 3, _KEY),
        ('of("NSE_EQ:0", ltp) > 1', 3, _KEY),
        (
            'of("NSE_EQ:1", ltpp) > 1',
            15,
            "of() takes one of ltp, change_pct, day_open, day_high, day_low, day_volume; did you mean ltp?",
        ),
        ("enters(swing) and ltp > 1", 14, "enters() is a rule of its own: nothing follows it"),
        ("ltp > 1 and enters(swing)", 12, "enters() is a rule of its own and no part of one"),
        ("enters()", 7, 'the short name of a screen is expected, such as swing or "my-screen" in quotes'),
        (
            "crosses_above(weekly(rsi14), 50) and ltp > 1",
            13,
            "crosses_above compares series of sessions, or a live value such as ltp",
        ),
        ('ltp > "1650"', 6, "a number, a name such as close, or an opening parenthesis is expected here"),
    ],
)
def test_an_error_names_the_character_and_what_is_accepted(text: str, at: int, accepted: str) -> None:
    with pytest.raises(CriterionError) as caught:
        parse_rule(text)
    assert caught.value.at == at
    assert str(caught.value).endswith(accepted)


@pytest.mark.parametrize("text", ["ltp > 5", "plan(swing, stop) > 1", 'of("NSE_EQ:1", ltp) > 1'])
def test_the_criteria_of_a_screen_have_no_live_values(text: str) -> None:
    with pytest.raises(CriterionError):
        parse(text)
