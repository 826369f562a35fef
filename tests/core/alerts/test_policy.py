"""What an alert's owner decided: state, expiry, phases, repetition and cool-down."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest

from ltp.core.alerts import policy
from ltp.core.alerts.alert import Alert, Target, Terms
from ltp.core.alerts.rule import parse_rule
from ltp.core.alerts.watch import Hit
from ltp.core.trading_day import IST

NOW = datetime(2026, 11, 30, 10, 41, tzinfo=IST)
TERMS = Terms(Target("key", "NSE_EQ:1333"), "ltp > 1650")
ALERT = Alert(7, 3, TERMS, "on", None, NOW, NOW)


def judged(alert: Alert = ALERT, fired_at: datetime | None = None, phase: str | None = "continuous") -> str:
    return policy.judge(alert, fired_at, NOW, phase, NOW)


def test_an_alert_that_is_on_fires() -> None:
    assert judged() == "fired"
    assert judged(phase="closing_auction") == "fired"
    assert judged(phase=None) == "fired"


@pytest.mark.parametrize(
    ("alert", "reason"),
    [
        (ALERT._replace(state="muted"), "muted"),
        (ALERT._replace(state="ended"), "off"),
        (ALERT._replace(state="invalid"), "off"),
        (ALERT._replace(snoozed_until=NOW + timedelta(minutes=1)), "muted"),
        (ALERT._replace(snoozed_until=NOW), "fired"),
        (ALERT._replace(terms=TERMS._replace(expires=date(2026, 11, 29))), "off"),
        (ALERT._replace(terms=TERMS._replace(expires=date(2026, 11, 30))), "fired"),
    ],
)
def test_its_state_and_its_last_day(alert: Alert, reason: str) -> None:
    assert judged(alert) == reason


def test_it_fires_in_its_phases_alone() -> None:
    assert judged(phase="pre_open") == "phase"
    assert judged(phase="closed") == "phase"
    chosen = ALERT._replace(terms=TERMS._replace(phases=("pre_open",)))
    assert judged(chosen, phase="pre_open") == "fired"
    assert judged(chosen) == "phase"


def test_once_is_once() -> None:
    assert judged(fired_at=NOW - timedelta(days=9)) == "cool-down"


def test_daily_is_once_a_day_of_india() -> None:
    daily = ALERT._replace(terms=TERMS._replace(repeat="daily"))
    assert judged(daily, NOW - timedelta(hours=1)) == "cool-down"
    assert judged(daily, NOW.replace(hour=0, minute=1)) == "cool-down"
    assert judged(daily, NOW.replace(hour=0, minute=0) - timedelta(minutes=1)) == "fired"


def test_each_waits_for_its_cool_down() -> None:
    each = ALERT._replace(terms=TERMS._replace(repeat="each", cool_down_s=60))
    assert judged(each, NOW - timedelta(seconds=59)) == "cool-down"
    assert judged(each, NOW - timedelta(seconds=60)) == "fired"


def test_two_workers_give_an_occasion_the_same_name() -> None:
    hit = Hit(7, 3, "NSE_EQ:1333", int(NOW.timestamp() * 1e6) + 7, 1651_0000, "trade", 1650.0, volume=900)
    later = hit._replace(at=hit.at + 60_000_000, volume=950)
    assert policy.token(ALERT, hit) == policy.token(ALERT, later) == "3 NSE_EQ:1333"
    daily = ALERT._replace(terms=TERMS._replace(repeat="daily"))
    assert policy.token(daily, hit) == policy.token(daily, later) == "3 NSE_EQ:1333 2026-11-30"
    each = ALERT._replace(terms=TERMS._replace(repeat="each"))
    assert policy.token(each, hit) == policy.token(each, hit._replace(at=hit.at + 3))
    assert policy.token(each, hit) != policy.token(each, later)
    assert policy.token(ALERT._replace(version=4), hit) != policy.token(ALERT, hit)


def test_the_distance_is_in_per_cent_of_the_price() -> None:
    rule = parse_rule("ltp >= 1650")
    assert policy.distance(rule, {}, 1600_0000, None) == pytest.approx(3.125)
    assert policy.distance(rule, {}, 1650_0000, None) == 0
    assert policy.distance(parse_rule("ltp <= 1500"), {}, 1600_0000, None) == pytest.approx(-6.25)
    assert policy.distance(rule, {}, None, None) is None
    assert policy.distance(parse_rule("ltp > day_open"), {}, 1600_0000, None) is None
