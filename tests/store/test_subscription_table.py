"""The table of subscriptions and the numbers of viewers through a real server."""

from __future__ import annotations

import zlib
from typing import Any

import pytest

from ltp.core.subscriptions.table import Reason, Subscription, SubscriptionTable
from ltp.errors import StoreError
from ltp.store import subscription_table
from ltp.store.client import connect
from ltp.store.subscription_table import Counts

NOW = 1_795_408_200.0
TABLE = SubscriptionTable(
    int(NOW * 1e6),
    "simulator",
    "live",
    5_000,
    1,
    [Reason("probe"), Reason("saved", "mine", 'Mine <b>"&')],
    [
        Subscription("NSE_EQ:1333", 1, "ticking", "quote", int(NOW * 1e6), 60, 2, 1, (0, 1)),
        Subscription("NSE_EQ:11536", 0, "waiting", "", 0, None, 0, 0, ()),
    ],
)


def test_a_table_is_read_as_it_was_written_for_a_quarter_of_a_minute(valkey: Any) -> None:
    assert subscription_table.decode(subscription_table.read(valkey.client)) is None
    subscription_table.write(valkey.client, TABLE)
    assert subscription_table.decode(subscription_table.read(valkey.client)) == TABLE
    assert 0 < valkey.client.ttl("market_stream:subscriptions") <= 15


def test_looking_lasts_a_quarter_of_a_minute(valkey: Any) -> None:
    assert not subscription_table.is_looked_at(valkey.client)
    subscription_table.look(valkey.client)
    assert subscription_table.is_looked_at(valkey.client)
    assert 0 < valkey.client.ttl("demand:subscriptions") <= 15


@pytest.mark.parametrize(
    "content",
    [
        b"2" + zlib.compress(b"{}"),
        b"1",
        b"1rubbish",
        b"1" + zlib.compress(b"[]"),
        b"1" + zlib.compress(b"0" * (9 << 20)),
        b"1" + zlib.compress(b'[1,"s","live",1,0,[["probe","",""]],[["NSE_EQ:1",1,"odd","",0,null,0,0,[]]]]'),
        b"1"
        + zlib.compress(b'[1,"s","live",1,0,[["probe","",""]],[["NSE_EQ:1",1,"sent","",0,null,0,0,[1]]]]'),
        b"1" + zlib.compress(b'[1,"s","live",1,0,[["other","",""]],[]]'),
        b"1" + zlib.compress(b'[1,"s","live",1,0,[["saved","a","%s"]],[]]' % (b"x" * 201)),
    ],
)
def test_a_damaged_table_is_none(content: bytes) -> None:
    assert subscription_table.decode(content) is None


def test_viewers_are_added_up_over_the_processes_that_told_lately(valkey: Any) -> None:
    client = valkey.client
    subscription_table.write_counts(client, "a", Counts({"NSE_EQ:1333": 2}, {"NSE_EQ:1": 1}), NOW)
    subscription_table.write_counts(client, "b", Counts({"NSE_EQ:1333": 3}, {}), NOW - 59)
    subscription_table.write_counts(client, "ended", Counts({"NSE_EQ:1333": 9}, {}), NOW - 61)
    client.hset("demand:viewers", "odd", b'{"at":"x"}')
    assert subscription_table.read_counts(client, NOW) == ({"NSE_EQ:1333": 5}, {"NSE_EQ:1": 1})
    assert sorted(client.hkeys("demand:viewers")) == [b"a", b"b"]
    assert 0 < client.ttl("demand:viewers") <= 60


def test_waiting_asks_and_ends(valkey: Any) -> None:
    assert subscription_table.wait_for(valkey.client, 0.0) is None
    assert subscription_table.is_looked_at(valkey.client)
    subscription_table.write(valkey.client, TABLE)
    assert subscription_table.wait_for(valkey.client, 10.0) == TABLE


def test_a_server_that_is_away_is_said(free_port: Any) -> None:
    client = connect(f"redis://127.0.0.1:{free_port()}/0", timeout_s=0.5)
    with pytest.raises(StoreError):
        subscription_table.look(client)
    with pytest.raises(StoreError):
        subscription_table.read(client)
