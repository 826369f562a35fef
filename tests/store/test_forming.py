"""Forming bars through a real server: only what is wanted, each batch as it was sent, nothing that is damaged."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from ltp.core.bars.bar import PARTIAL, Bar
from ltp.core.bars.forming import FormingBatch
from ltp.errors import StoreError
from ltp.store import forming
from ltp.store.client import connect

OPEN = 1_795_924_500
KEY, OTHER = "NSE_EQ:1333", "NSE_FNO:35001"
BARS = [
    Bar(OPEN, 100_0000, 110_0000, 90_0000, 105_0000, 500, None, PARTIAL),
    Bar(OPEN + 60, 105_0000, 105_0500, 104_0000, 104_5000, 20, 7_000),
]
BATCH = FormingBatch("simulator", {KEY: BARS})
MESSAGE = (
    b'{"v":1,"source":"simulator","bars":{"NSE_EQ:1333":'
    b"[[1795924500,1000000,1100000,900000,1050000,500,null,1,1],"
    b"[1795924560,1050000,1050500,1040000,1045000,20,7000,0,1]]}}"
)


@pytest.fixture
def reader(valkey: Any) -> Iterator[Iterator[FormingBatch | None]]:
    reading = forming.subscribe(valkey.url)
    assert next(reading) is None  # subscribed
    yield reading
    reading.close()  # type: ignore[attr-defined]


def received(reader: Iterator[FormingBatch | None], wait_for: Callable[..., Any]) -> Any:
    return wait_for(lambda: next(reader))


def test_a_batch_arrives_as_it_was_sent(valkey: Any, reader: Any, wait_for: Callable[..., Any]) -> None:
    raw = valkey.client.pubsub()
    raw.subscribe("live_bar_updates")
    forming.publish(valkey.client, BATCH)
    assert received(reader, wait_for) == BATCH
    message = wait_for(lambda: raw.get_message(ignore_subscribe_messages=True))
    assert message["data"] == MESSAGE
    raw.close()


def test_the_newest_bars_are_kept_for_fifteen_seconds(valkey: Any) -> None:
    forming.publish(valkey.client, BATCH)
    assert forming.read(valkey.client, KEY, "simulator") == BARS
    assert forming.read(valkey.client, OTHER, "simulator") == []
    assert forming.wanted(valkey.client, 1.5) == []  # a page that is loaded asks for nothing
    assert 10 < valkey.client.ttl(f"bars:{KEY}") <= 15


def test_bars_of_another_source_are_not_read(valkey: Any) -> None:
    forming.publish(valkey.client, BATCH)
    assert forming.read(valkey.client, KEY, "dhanhq") == []


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no json",
        b"\xff\xfe",
        b"[]",
        b'{"source":"simulator"}',
        b'{"source":"simulator","bars":[[1]]}',
        b'{"source":"simulator","bars":[[1795924500,1,1,1,1,true,null,0,1]]}',
        b'{"source":"simulator","bars":[[1795924500,1,2,3,1,5,null,0,1]]}',
        b'{"source":"simulator","bars":' + b"[" * 5_000,
    ],
)
def test_a_damaged_key_is_none(valkey: Any, content: bytes) -> None:
    valkey.client.set(f"bars:{KEY}", content)
    assert forming.read(valkey.client, KEY, "simulator") == []


@pytest.mark.parametrize(
    "message", [b"", b"{", b"\xff", b"3", b'{"v":2,"source":"x","bars":{}}', b'{"v":1,"bars":{}}']
)
def test_a_message_that_is_no_batch_is_skipped(message: bytes) -> None:
    assert forming.decode(message) is None


def test_a_damaged_instrument_does_not_cost_the_others(valkey: Any) -> None:
    plain = json.loads(MESSAGE)
    absurd = [*plain["bars"][KEY][0]]
    absurd[2] = 1  # a high below the low
    plain["bars"] |= {OTHER: [absurd], "no key": plain["bars"][KEY]}
    assert forming.decode(json.dumps(plain).encode()) == BATCH


def test_what_is_wanted_until_when(valkey: Any) -> None:
    forming.want(valkey.client, [KEY], 100.0, 130.0)
    forming.want(valkey.client, [OTHER], 100.0, 140.0)
    forming.want(valkey.client, [OTHER], 100.0, 120.0)  # never shorter
    forming.want(valkey.client, [], 100.0, 120.0)
    assert sorted(forming.wanted(valkey.client, 129.0)) == [KEY, OTHER]
    assert forming.wanted(valkey.client, 131.0) == [OTHER]
    assert valkey.client.zrange("demand:bars", 0, -1) == [OTHER.encode()]


def test_wishes_of_other_programs_are_bounded_and_checked(valkey: Any) -> None:
    valkey.client.zadd("demand:bars", {f"NSE_EQ:{id_}": 100 + id_ / 100 for id_ in range(1, 1_001)})
    valkey.client.zadd("demand:bars", {b"\xff\xfe": 150, "NSE_EQ:0": 150, KEY: 1e12})
    served = forming.wanted(valkey.client, 100.0)
    assert len(served) == forming.MOST - 2
    assert "NSE_EQ:1000" in served  # renewed last
    assert not {KEY, "NSE_EQ:1"} & set(served)
    assert valkey.client.zcard("demand:bars") == forming.MOST


def test_the_wishes_that_were_renewed_last_are_kept(valkey: Any) -> None:
    forming.want(valkey.client, [f"NSE_EQ:{id_}" for id_ in range(1, 401)], 100.0, 130.0)
    forming.want(valkey.client, [f"NSE_EQ:{id_}" for id_ in range(1_001, 1_201)], 102.0, 132.0)
    found = forming.wanted(valkey.client, 103.0)
    assert len(found) == 500
    assert {f"NSE_EQ:{id_}" for id_ in range(1_001, 1_201)} <= set(found)


def test_a_wish_of_a_clock_that_is_ahead_is_removed(valkey: Any) -> None:
    forming.want(valkey.client, [KEY], 100.0, 221.0)
    forming.want(valkey.client, [OTHER], 100.0, 220.0)
    assert forming.wanted(valkey.client, 100.0) == [OTHER]
    assert valkey.client.zcard("demand:bars") == 1


def test_a_server_that_is_away_is_named() -> None:
    client = connect("redis://127.0.0.1:1/0", timeout_s=0.5, retries=0)
    for action in (
        lambda: forming.want(client, [KEY], 1.0, 2.0),
        lambda: forming.wanted(client, 1.0),
        lambda: forming.publish(client, BATCH),
        lambda: forming.read(client, KEY, "simulator"),
    ):
        with pytest.raises(StoreError, match="forming bars failed"):
            action()
