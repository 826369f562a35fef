"""Which alerts watch which instruments, within a bound."""

from __future__ import annotations

import pytest

from ltp.core.alerts.rule import Rule, parse_rule
from ltp.db import universes
from ltp.worker.alerts import roster, sources
from ltp.worker.alerts.splits import has_fixed_price
from tests.worker.alerts.desk import KEY, Desk


def test_watches_beyond_the_bound_are_left_out_and_counted(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(roster, "MAX_WATCHES", 3)
    universes.replace(desk.engine, "list-a", "A", "", [f"NSE_EQ:{n}" for n in range(1, 5)])
    desk.add("ltp > 1650")
    desk.add("ltp > 1650", target="universe", name="list-a")
    desk.look()
    assert desk.thread.keys() == (KEY, "NSE_EQ:1", "NSE_EQ:2")
    assert (desk.thread.counts["watches"], desk.thread.counts["left_out"]) == (3, 2)
    desk.add("ltp > 1")
    desk.look()
    assert caplog.text.count("watches of alerts are left out") == 1


@pytest.mark.parametrize(
    ("rule", "fixed"),
    [
        ("ltp > 1650", True),
        ("1650 < ltp", True),
        ("crosses_above(ltp, 1650)", True),
        ("ltp - day_open > 20", True),
        ("rsi > 60 and not ltp < 2 * 800", True),
        ('of("NSE_EQ:5", ltp) > 100', True),
        ('ltp / of("NSE_EQ:5", ltp) > 1.2', True),
        ("change_pct < -3", False),
        ("ltp > high52", False),
        ("ltp > day_open * 1.02", False),
        ("ltp < plan(swing, stop)", False),
        ("day_volume > 1000000", False),
        ("day_volume > 3 * sma(volume, 20) and price > 100", False),
        ("enters(swing)", False),
    ],
)
def test_a_fixed_price_is_one_that_a_split_makes_wrong(rule: str, fixed: bool) -> None:
    assert has_fixed_price(parse_rule(rule)) is fixed


def test_a_rule_that_was_read_before_is_not_parsed_again(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    parsed: list[str] = []

    def noted(text: str) -> Rule:
        parsed.append(text)
        return parse_rule(text)

    monkeypatch.setattr(sources, "parse_rule", noted)
    desk.add("ltp > 1650")
    desk.look()
    id_ = desk.add("ltp > 1700")
    desk.look()
    assert parsed == ["ltp > 1650", "ltp > 1700"]
    desk.change(id_, rule="ltp > 1800", version=2)
    desk.look()
    assert parsed == ["ltp > 1650", "ltp > 1700", "ltp > 1800"]
    desk.trade(1640)
    desk.trade(1750)
    assert [each[0] for each in desk.fired()] == [1]
