"""Viewers and API clients of a process are told while somebody looks, and only then."""

from __future__ import annotations

import time
from types import SimpleNamespace
from typing import Any

from ltp.store import subscription_table
from ltp.store.client import connect
from ltp.web.live.viewers import ViewerCounts

VIEWS: Any = [
    SimpleNamespace(keys=("NSE_EQ:1333", "NSE_EQ:2031"), streams=2),
    SimpleNamespace(keys=("NSE_EQ:1333",), streams=1),
    SimpleNamespace(keys=("NSE_EQ:11536",), streams=0),
]


def told(valkey: Any) -> Any:
    return subscription_table.read_counts(valkey.client, time.time())


def test_numbers_are_told_while_somebody_looks_at_most_every_three_seconds(valkey: Any) -> None:
    now, clients = [0.0], {"NSE_EQ:1": 1}
    counts = ViewerCounts(valkey.client, VIEWS, lambda: clients, lambda: now[0])
    counts.tell()
    assert told(valkey) == ({}, {})
    subscription_table.look(valkey.client)
    counts.tell()
    assert told(valkey) == ({}, {})
    now[0] += 3
    counts.tell()
    assert told(valkey) == ({"NSE_EQ:1333": 3, "NSE_EQ:2031": 2}, {"NSE_EQ:1": 1})
    other = ViewerCounts(valkey.client, VIEWS[1:2], dict, lambda: now[0])
    other.tell()
    assert told(valkey).viewers["NSE_EQ:1333"] == 4


def test_a_server_that_is_away_costs_nothing_else(valkey: Any, free_port: Any) -> None:
    ViewerCounts(connect(f"redis://127.0.0.1:{free_port()}/0", timeout_s=0.5), VIEWS, dict).tell()
