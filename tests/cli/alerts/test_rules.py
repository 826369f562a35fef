"""`python -m ltp alerts list`, `add`, `test` and `history`: the same alerts and the same errors as the pages have."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import Engine, insert

from ltp.cli.alerts import rules as alert_rules
from ltp.cli.main import main
from ltp.core.instrument import Instrument
from ltp.core.screener import Row
from ltp.core.ticks.quote import CachedTick
from ltp.core.ticks.tick import Tick
from ltp.db import instruments, runs, universes
from ltp.db.alerts import rules
from ltp.db.alerts.tables import alert_firings
from ltp.db.engine import open_engine, writing

HDFC = "NSE_EQ:1333"
AT = datetime(2026, 12, 1, 5, 11, 7, tzinfo=UTC)


@pytest.fixture
def engine(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Engine:
    engine = open_engine(database_url)
    instruments.seed(engine, [Instrument("NSE_EQ", 1333, "HDFCBANK", "HDFC Bank", "INE040A01034", 1, 500)])
    tick = Tick(HDFC, 16_123_500, high=16_600_000, low=15_900_000, prev_close=16_000_000)
    monkeypatch.setattr(
        alert_rules.prices, "read", lambda _, keys: [CachedTick(key, tick, True) for key in keys]
    )
    return engine


def run(capsys: pytest.CaptureFixture[str], *arguments: str, status: int = 0) -> str:
    assert main(["alerts", *arguments]) == status
    printed = capsys.readouterr()
    return printed.err if status else printed.out


def test_an_alert_is_made_and_listed(engine: Engine, capsys: Any) -> None:
    made = run(capsys, "add", HDFC, "ltp>1650", "--repeat", "each", "--cool-down", "15", "--note", "sell")
    assert made == "Alert 1: NSE_EQ:1333, price above ₹1,650\n"
    universes.replace(engine, "nifty50", "NIFTY 50", "test", [HDFC])
    run(capsys, "add", "universe:nifty50", "change_pct < -3", "--expires", "2099-12-31")
    run(capsys, "add", "market", "enters(swing)")
    assert run(capsys, "list") == (
        "3  on  market  enters(swing)  once\n"
        "2  on  universe:nifty50  change_pct < -3  once\n"
        "1  on  NSE_EQ:1333  ltp > 1650  each time, at most every 15 min  # sell\n"
    )
    rules.mute(engine, 2, muted=True)
    assert [
        each["id"] for each in json.loads(run(capsys, "list", "--state", "muted", "--json"))["alerts"]
    ] == [2]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("HDFC", "ltp > 5"), "key: 'HDFC' is not accepted"),
        (("NSE_EQ:9", "ltp > 5"), "the instrument master has no such instrument"),
        ((HDFC, "ltp >> 5"), "rule, character 6: '> 5' is not accepted"),
        (
            (HDFC, "ltp > 5", "--repeat", "often"),
            "repeat: 'often' is not accepted; it is one of once, daily, each",
        ),
        ((HDFC, "ltp > 5", "--expires", "soon"), "--expires: 'soon' is not accepted"),
        ((HDFC, "ltp > 5", "--cool-down", "nan", "--repeat", "each"), "--cool-down: 'nan' is not accepted"),
        (("universe:nobody", "ltp > 5"), "there is no such list or index"),
        (("screen:nobody", "ltp > 5"), "there is no such screen"),
        ((HDFC, "feed_trouble()"), "its target is market"),
    ],
)
def test_a_refusal_is_one_sentence(
    engine: Engine, capsys: Any, arguments: tuple[str, ...], words: str
) -> None:
    error = run(capsys, "add", *arguments, status=2)
    assert words in error
    assert error.count("\n") == 1
    assert rules.counts(engine) == {}


def test_a_rule_is_tried_against_the_cache(engine: Engine, capsys: Any) -> None:
    assert run(capsys, "test", "ltp > 1700", HDFC) == (
        "ltp > 1700: price above ₹1,700\n₹1,700 is 5.44% above the last price, ₹1,612.35.\n"
    )
    assert "holds this level already" in run(capsys, "test", "ltp > 1650", HDFC)
    found = json.loads(run(capsys, "test", "ltp > 1600", HDFC, "--json"))
    assert (found["met"], found["distance"]) == (True, 0)
    runs.insert_run(engine, "swing", [Row(HDFC, 1, "HDFCBANK", stop=15_900_000)], sample=False)
    assert "₹1,590 is 1.39% below" in run(capsys, "test", "ltp < plan(swing, stop)", HDFC)
    assert "is not known yet" in run(capsys, "test", "ltp > sma50", HDFC)
    assert "It fires on an event" in run(capsys, "test", "enters(swing)", HDFC)
    assert "rule, character 6" in run(capsys, "test", "ltp >> 1", HDFC, status=2)


def test_the_history(engine: Engine, capsys: Any) -> None:
    assert run(capsys, "history") == ""
    assert "There is no alert called '7'" in run(capsys, "history", "7", status=2)
    row = {
        "alert_id": 3,
        "version": 1,
        "token": "1",
        "segment": "NSE_EQ",
        "security_id": 1333,
        "symbol": "HDFCBANK",
    }
    row |= {
        "rule": "ltp > 1650",
        "note": "",
        "at": AT,
        "noticed_at": AT,
        "ltp": 16_505_000,
        "how": "gap_at_open",
    }
    with writing(engine) as connection:
        connection.execute(insert(alert_firings).values(row | {"detail": "", "fence": 1}))
    line = "2026-12-01 10:41:07 IST  alert 3  HDFCBANK ₹1,650.50  gap at the open  ltp > 1650\n"
    assert run(capsys, "history") == run(capsys, "history", "3") == line
    [fired] = json.loads(run(capsys, "history", "--json"))["firings"]
    assert (fired["ltp"], fired["how"], fired["deliveries"]) == (1650.5, "gap_at_open", [])
    assert "--limit" in run(capsys, "history", "--limit", "0", status=2)
    for id_ in ("0", "-5", str(10**30)):
        assert run(capsys, "history", id_, status=2) == f"There is no alert called '{id_}'\n"


@pytest.mark.parametrize(
    ("option", "value", "accepted"),
    [
        ("--cool-down", "nan", "'nan' is not accepted; it is 0 to 10080 minutes"),
        ("--cool-down", "inf", "'inf' is not accepted; it is 0 to 10080 minutes"),
        ("--cool-down", "1e300", "'1e+300' is not accepted; it is 0 to 10080 minutes"),
        ("--expires", "20991231", "'20991231' is not accepted; it is a day such as 2026-12-31"),
        ("--expires", "9999-12-31", "'9999-12-31' is not accepted; it is a day such as 2026-12-31"),
    ],
)
def test_a_value_that_the_api_refuses_is_refused(
    engine: Engine, capsys: Any, option: str, value: str, accepted: str
) -> None:
    options = ("--repeat", "each", option, value)
    assert run(capsys, "add", HDFC, "ltp > 1650", *options, status=2) == f"{option}: {accepted}\n"
    assert rules.listed(engine).total == 0
