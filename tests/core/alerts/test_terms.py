from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from ltp.core.alerts.alert import DAILY, EACH, KEY, MARKET, SCREEN, UNIVERSE, Target, Terms
from ltp.core.alerts.terms import Known, checked, note_of, target_of
from ltp.errors import CriterionError, InputError

TODAY = date(2026, 12, 1)
KNOWN = Known(
    {"NSE_EQ:1333", "NSE_EQ:2885"}.__contains__, {"nifty50"}.__contains__, {"swing"}.__contains__, {1, 2}
)
PLAIN = Terms(Target(KEY, "NSE_EQ:1333"), "ltp > 1650")


def test_the_rule_and_the_note_have_one_form() -> None:
    typed = PLAIN._replace(rule="LTP>1650.0", note="  Breakout\n of the\tweek ", channels=(2, 1, 2))
    kept = checked(typed._replace(phases=("closing_auction", "continuous")), TODAY, KNOWN)
    assert (kept.rule, kept.note, kept.channels) == ("ltp > 1650", "Breakout of the week", (2, 1))
    assert kept.phases == ("continuous", "closing_auction")


@pytest.mark.parametrize(
    "changed",
    [
        {"target": Target(UNIVERSE, "nifty50")},
        {"target": Target(SCREEN, "swing"), "rule": "ltp < plan(swing, stop)"},
        {"target": Target(MARKET, ""), "rule": "enters(swing)"},
        {"target": Target(MARKET, ""), "rule": "feed_trouble()"},
        {"rule": 'ltp / of("NSE_EQ:2885", ltp) > 1.2'},
        {"repeat": EACH, "cool_down_s": 900, "hysteresis": 0.5, "expires": TODAY},
    ],
)
def test_accepted(changed: dict[str, Any]) -> None:
    assert checked(PLAIN._replace(**changed), TODAY, KNOWN) == PLAIN._replace(**changed)


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        (
            {"target": Target(KEY, "NSE_EQ:9")},
            "key: 'NSE_EQ:9' is not accepted; the instrument master has no such",
        ),
        (
            {"target": Target(UNIVERSE, "nifty51")},
            "universe: 'nifty51' is not accepted; there is no such list",
        ),
        ({"target": Target(SCREEN, "mine")}, "screen: 'mine' is not accepted; there is no such screen"),
        ({"rule": "ltp < plan(mine, stop)"}, "rule: 'mine' is not accepted; there is no such screen"),
        ({"rule": 'ltp > of("NSE_EQ:9", ltp)'}, "rule: 'NSE_EQ:9' is not accepted; the instrument master"),
        ({"rule": "enters(swing)"}, "target: 'key' is not accepted; enters(swing) watches no instrument"),
        ({"target": Target(MARKET, "")}, "target: 'market' is not accepted; a rule on prices watches"),
        ({"target": Target(MARKET, ""), "rule": "leaves(mine)"}, "rule: 'mine' is not accepted"),
        ({"repeat": "often"}, "repeat: 'often' is not accepted; it is one of once, daily, each"),
        (
            {"repeat": EACH, "cool_down_s": 691_200},
            "cool_down: '11520 minutes' is not accepted; it is 0 to 10080",
        ),
        ({"repeat": EACH, "cool_down_s": -1}, "cool_down"),
        (
            {"repeat": DAILY, "cool_down_s": 60},
            "cool_down: '1 minutes' is not accepted; only an alert that repeats",
        ),
        ({"hysteresis": 10.5}, "hysteresis: '10.5' is not accepted; it is 0 to 10 per cent"),
        ({"hysteresis": float("nan")}, "hysteresis"),
        (
            {"expires": date(2026, 11, 30)},
            "expires: '2026-11-30' is not accepted; it is today, 2026-12-01, or a",
        ),
        ({"phases": ("lunch",)}, "phases: 'lunch' is not accepted; each is one of pre_open, continuous"),
        ({"channels": (3,)}, "channels: '3' is not accepted; there is no such channel"),
        ({"note": "x" * 501}, "at most 500 characters; it has 501"),
    ],
)
def test_refused_with_one_sentence(changed: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InputError) as caught:
        checked(PLAIN._replace(**changed), TODAY, KNOWN)
    assert sentence in str(caught.value)


def test_a_wrong_rule_names_its_character() -> None:
    with pytest.raises(CriterionError, match="rule, character 5") as caught:
        checked(PLAIN._replace(rule="ltp !> 1650"), TODAY, KNOWN)
    assert caught.value.caret() == "ltp !> 1650\n    ^"


@pytest.mark.parametrize("note", ["", "<img src=x onerror=alert(1)>", "=cmd|' /C calc'!A0", "क्\u200dष"])
def test_a_note_is_any_visible_text(note: str) -> None:
    assert note_of(note) == note


@pytest.mark.parametrize("hidden", ["\u202e", "\u0007", "\ufeff", "\u2066", "\ud800"])
def test_a_note_has_no_character_that_hides_or_turns_text(hidden: str) -> None:
    with pytest.raises(InputError, match="invisible character U"):
        note_of(f"up{hidden}down")


@pytest.mark.parametrize(
    ("kind", "name", "target"),
    [
        (KEY, "NSE_EQ:1333", Target(KEY, "NSE_EQ:1333")),
        (UNIVERSE, "nifty50", Target(UNIVERSE, "nifty50")),
        (MARKET, "anything", Target(MARKET, "")),
    ],
)
def test_targets(kind: str, name: str, target: Target) -> None:
    assert target_of(kind, name) == target


@pytest.mark.parametrize(
    ("kind", "name"), [("shares", "x"), (KEY, "HDFC"), (UNIVERSE, ""), (SCREEN, "x" * 65)]
)
def test_targets_that_are_none(kind: str, name: str) -> None:
    with pytest.raises(InputError):
        target_of(kind, name)
