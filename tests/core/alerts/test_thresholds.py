"""Thresholds: between them a rule of several parts need not be evaluated."""

from __future__ import annotations

from random import Random

import pytest

from ltp.core.alerts import reading
from ltp.core.alerts.rule import parse_rule
from ltp.core.alerts.thresholds import thresholds_of
from tests.core.alerts.test_book import Market, watch

RULES = (
    "ltp > 101 and ltp < 103",
    "ltp > day_low * 1.02 or day_volume >= 1500",
    "change_pct > 1.5 and not day_volume > 2300",
    "crosses_above(ltp, day_open + 1) and ltp >= 101",
    "ltp >= 102.05 or ltp <= 98.05",
    "day_high - day_low > 3 and ltp < 101.5",
    "ltp == 101.5 or ltp != 103",
)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("ltp > 101 and day_volume < 5", [("ltp", 101.0), ("day_volume", 5.0)]),
        ("not 3 < change_pct", [("change_pct", 3.0)]),
        ("day_high > 3 or ltp > high52", [("ltp", None)]),
        ("crosses_below(ltp, 7 - 2) and rsi14 > 5", [("ltp", 5.0)]),
        ("ltp > day_volume", None),
        ("abs(ltp - 5) > 1", None),
        ('ltp > of("NSE_EQ:1", ltp)', None),
        ('of("NSE_EQ:1", day_open) > 5', None),
    ],
)
def test_the_thresholds_of_a_rule(text: str, found: list[tuple[str, float | None]] | None) -> None:
    tree = parse_rule(text).tree
    assert tree is not None
    each = thresholds_of(tree, {}, lambda _key, _name: lambda: None)
    assert (each and [(one.name, one.value()) for one in each]) == found


def test_they_leave_out_no_packet_that_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    rules = [watch(text, number) for number, text in enumerate(RULES, 1)]
    quick = Market(*rules)
    monkeypatch.setattr(reading, "thresholds_of", lambda *_: None)
    careful = Market(*rules)
    random, price, fired = Random(5), 100.0, 0
    for at in range(1, 3_000):
        price = round(min(106.0, max(95.0, price + random.choice((-0.5, -0.05, 0, 0.05, 0.5)))), 2)
        if at % 400 == 0:
            quick.reconnect()
            careful.reconnect()
        hits = quick.trade(price, at)
        assert hits == careful.trade(price, at)
        fired += len(hits)
    assert fired > 100
    assert {each.thresholds is None for each in quick.book._watched.values()} == {False}
