"""Each kind of the form makes one rule; what was typed stays beside a refusal."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest
from werkzeug.datastructures import MultiDict

from ltp.core.alerts.alert import EACH, KEY, MARKET, ON, SCREEN, UNIVERSE, Alert, Target, Terms
from ltp.errors import CriterionError, InputError
from ltp.web.alerts import fields
from ltp.web.alerts.fields import Typed

NOW = datetime(2026, 12, 1, 5, 0, tzinfo=UTC)
KEYS = {"HDFCBANK": "NSE_EQ:1333", "NSE_EQ:1333": "NSE_EQ:1333", "RELIANCE": "NSE_EQ:2885"}


def key_of(text: str, field: str) -> str:
    if text not in KEYS:
        raise InputError(field, text, "the instrument master has no such symbol or key")
    return KEYS[text]


@pytest.mark.parametrize(
    ("changed", "rule"),
    [
        ({"level": "1,650.50"}, "ltp > 1650.5"),
        ({"level": "₹ 1650", "price_sign": "<="}, "ltp <= 1650"),
        ({"level": "1650", "price_sign": "crosses"}, "crosses_above(ltp, 1650) or crosses_below(ltp, 1650)"),
        ({"level": "1650", "price_sign": "crosses_below"}, "crosses_below(ltp, 1650)"),
        ({"kind": "change", "pct": "−3%"}, "change_pct < -3"),
        ({"kind": "plan"}, "ltp < plan(swing, stop)"),
        (
            {"kind": "plan", "plan_screen": "my-screen", "plan_level": "entry"},
            'ltp < plan("my-screen", entry)',
        ),
        ({"kind": "volume"}, "day_volume > 3 * sma(volume, 20)"),
        ({"kind": "year"}, "ltp > high52"),
        ({"kind": "year", "extreme": "low52"}, "ltp < low52"),
        ({"kind": "ratio", "other": "RELIANCE", "ratio": "1.2"}, 'ltp / of("NSE_EQ:2885", ltp) > 1.2'),
        ({"kind": "screen", "event": "leaves", "event_screen": "longterm"}, "leaves(longterm)"),
        ({"kind": "feed"}, "feed_trouble()"),
        ({"kind": "rule", "rule": "ltp > 1 and rsi14 > 60"}, "ltp > 1 and rsi14 > 60"),
    ],
)
def test_each_kind_makes_one_rule(changed: dict[str, Any], rule: str) -> None:
    form = Typed(key="HDFCBANK")._replace(**changed)
    terms = fields.terms(form, key_of)
    assert terms.rule == rule
    assert terms.target == (
        Target(MARKET, "") if changed.get("kind") in ("screen", "feed") else Target(KEY, "NSE_EQ:1333")
    )


@pytest.mark.parametrize(
    ("watch", "target"),
    [("universe nifty50", Target(UNIVERSE, "nifty50")), ("screen my-screen", Target(SCREEN, "my-screen"))],
)
def test_a_list_or_a_screen_is_watched(watch: str, target: Target) -> None:
    assert fields.terms(Typed(watch=watch, level="5"), key_of).target == target


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"level": ""}, "level"),
        ({"level": "abc"}, "level"),
        ({"level": "nan"}, "level"),
        ({"level": "1_650"}, "level"),
        ({"level": "-5"}, "level"),
        ({"level": "1e99"}, "level"),
        ({"kind": "change", "pct": "much"}, "pct"),
        ({"kind": "volume", "days": "2.5"}, "days"),
        ({"kind": "ratio", "other": "WHAT", "ratio": "1"}, "other"),
        ({"kind": "plan", "plan_level": "exit"}, "plan_level"),
        ({"kind": "dream"}, "kind"),
        ({"level": "5", "price_sign": "="}, "price_sign"),
        ({"level": "5", "key": "WHAT"}, "key"),
        ({"level": "5", "watch": "all"}, "watch"),
        ({"level": "5", "expires": "tomorrow"}, "expires"),
        ({"level": "5", "channels": ("x",)}, "channels"),
        ({"level": "5", "repeat": EACH, "cool_down": "often"}, "cool_down"),
        ({"level": "5", "hysteresis": "-1"}, "hysteresis"),
    ],
)
def test_a_refusal_names_its_field(changed: dict[str, Any], field: str) -> None:
    form = Typed(key="HDFCBANK")._replace(**changed)
    with pytest.raises(InputError) as caught:
        fields.terms(form, key_of)
    refused = form.refused(caught.value)
    assert refused.field == field
    assert refused._replace(error="", field="", caret="") == form


def test_a_wrong_rule_is_shown_with_its_character() -> None:
    form = Typed(kind="rule", key="HDFCBANK", rule="ltp >> 5")
    with pytest.raises(CriterionError) as caught:
        fields.terms(form, key_of)
    assert (form.refused(caught.value).field, form.refused(caught.value).caret) == (
        "rule",
        "ltp >> 5\n     ^",
    )


def test_the_fields_of_a_request() -> None:
    given = MultiDict([("kind", "change"), ("pct", " -3 "), ("phases", "continuous"), ("phases", "closing_auction"),
                       ("channels", "3"), ("error", "<b>"), ("note", "n" * 900)])  # fmt: skip
    form = fields.typed(given)
    assert (form.kind, form.pct, form.phases, form.channels) == (
        "change",
        "-3",
        ("continuous", "closing_auction"),
        ("3",),
    )
    assert (form.error, len(form.note)) == ("", 600)


def test_how_often_and_until_when() -> None:
    form = Typed(
        key="HDFCBANK",
        level="5",
        repeat=EACH,
        cool_down="15",
        hysteresis="0.5",
        expires="2026-12-31",
        channels=("2",),
    )
    terms = fields.terms(form, key_of)
    assert (terms.cool_down_s, terms.hysteresis, terms.expires, terms.channels) == (
        900,
        0.5,
        date(2026, 12, 31),
        (2,),
    )
    assert fields.terms(form._replace(repeat="once"), key_of).cool_down_s == 0, (
        "the hidden field of another choice"
    )


@pytest.mark.parametrize(
    ("rule", "shown"),
    [
        ("ltp >= 1650.5", {"kind": "price", "price_sign": ">=", "level": "1650.5", "rule": ""}),
        ("crosses_above(ltp, 1650)", {"kind": "price", "price_sign": "crosses_above", "level": "1650"}),
        ("change_pct < -3", {"kind": "change", "change_sign": "<", "pct": "-3"}),
        ("ltp > high52", {"kind": "rule", "rule": "ltp > high52"}),
        ("of another version", {"kind": "rule", "rule": "of another version"}),
    ],
)
def test_an_alert_is_edited_as_it_was_made(rule: str, shown: dict[str, str]) -> None:
    terms = Terms(
        Target(KEY, "NSE_EQ:1333"), rule, EACH, 900, 0.5, date(2026, 12, 31), ("continuous",), "n", (2,)
    )
    form = fields.of_alert(Alert(3, 7, terms, ON, None, NOW, NOW), lambda _: "HDFCBANK")
    assert {name: getattr(form, name) for name in shown} == shown
    assert form.version == "7"
    if rule != "of another version":
        assert fields.terms(form, key_of) == terms
