"""The commands about the instruments on the feed."""

from __future__ import annotations

import time
from typing import Any

import pytest
from sqlalchemy import Engine

from ltp.cli.main import main
from ltp.core.subscriptions.table import Reason, Subscription, SubscriptionTable
from ltp.db.engine import open_engine
from ltp.db.pins import pins
from ltp.store import subscription_table


@pytest.fixture(autouse=True)
def engine(database_url: str) -> Engine:
    return open_engine(database_url)


def test_instruments_are_pinned_listed_and_unpinned(
    engine: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["subscriptions", "pin", "HDFCBANK", "IDX_I:13", "--mode", "full", "--note", "mine"]) == 0
    assert capsys.readouterr().out == "2 instruments pinned: NSE_EQ:1333, IDX_I:13\n"
    assert main(["subscriptions", "list", "--pins"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split()[:3] == ["NSE_EQ:1333", "HDFCBANK", "full"]
    assert lines[0].endswith("  mine")
    assert lines[2] == "2 of 500 pins taken."
    assert main(["subscriptions", "unpin", "HDFCBANK"]) == 0
    assert [pin.key for pin in pins.fetch(engine)] == ["IDX_I:13"]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["pin", "NOSUCH"], "SYMBOL: 'NOSUCH' is not accepted"),
        (["pin", "NSE_EQ:999999"], "SYMBOL: 'NSE_EQ:999999' is not accepted"),
        (["pin", "ODD:1"], "keys: 'ODD:1' is not accepted"),
        (["pin", "HDFCBANK", "--mode", "depth"], "mode: 'depth' is not accepted"),
        (["unpin", "HDFCBANK"], "There is no pinned instrument called 'NSE_EQ:1333'"),
        (["list", "--state", "odd"], "--state: 'odd' is not accepted; it is one of waiting"),
        (["list", "--reason", "odd"], "--reason: 'odd' is not accepted; it is one of probe"),
    ],
)
def test_what_is_not_accepted_is_named_and_nothing_changes(
    engine: Engine, capsys: pytest.CaptureFixture[str], arguments: list[str], sentence: str
) -> None:
    assert main(["subscriptions", *arguments]) == 2
    assert sentence in capsys.readouterr().err
    assert pins.fetch(engine) == []


def test_the_table_of_the_worker_is_printed(
    valkey: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("REDIS_URL", valkey.url)
    assert main(["subscriptions", "list"]) == 1
    assert "No worker has written its subscriptions" in capsys.readouterr().err
    at_us = int(time.time() * 1e6)
    rows = [
        Subscription("NSE_EQ:1333", 1, "ticking", "quote", at_us - 1_500_000, 60, 2, 0, (0, 1)),
        Subscription("IDX_I:13", 0, "waiting", "", 0, None, 0, 0, (1,)),
    ]
    reasons = [Reason("page"), Reason("saved", "mine", "Mine")]
    subscription_table.write(
        valkey.client, SubscriptionTable(at_us, "simulator", "live", 1, 1, reasons, rows)
    )
    valkey.client.set("market_stream:heartbeat", "2026-11-23T04:00:00+00:00")
    assert main(["subscriptions", "list"]) == 0
    first, second, summary = capsys.readouterr().out.splitlines()
    assert first.split() == [
        "1",
        "NSE_EQ:1333",
        "HDFCBANK",
        "ticking",
        "quote",
        "1.5",
        "s",
        "page,",
        "saved",
        "Mine",
    ]
    assert second.split() == ["-", "IDX_I:13", "NIFTY", "waiting", "-", "never", "saved", "Mine"]
    assert summary == "2 instruments; 1 of 1 places taken, feed live."
    assert main(["subscriptions", "list", "--reason", "page", "--state", "waiting"]) == 0
    assert capsys.readouterr().out == "0 instruments; 1 of 1 places taken, feed live.\n"
