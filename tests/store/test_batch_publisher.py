from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from ltp import metrics
from ltp.core.ticks.tick import Tick
from ltp.errors import StoreError
from ltp.store.batch_publisher import BatchHeader, BatchPublisher, Beat
from ltp.store.client import connect
from ltp.store.encode import NOTHING, Coverage

NOW = 1_795_408_200_000_000
PHASE = {"NSE_EQ": "continuous"}


def moment(now_us: int = NOW) -> BatchHeader:
    return BatchHeader(now_us, "live", NOW - 5, PHASE)


def beat(*covered: Tick, heartbeat_at: str = "2026-11-23T10:00:00+05:30") -> Beat:
    return Beat({"feed": "live"}, heartbeat_at, covered)


def tick(number: int = 1, ltp: int = 1_000_000) -> Tick:
    return Tick(f"NSE_EQ:{number}", ltp, None, NOW)


class Listener:
    def __init__(self, valkey: Any) -> None:
        self.pubsub = valkey.client.pubsub(ignore_subscribe_messages=True)
        self.pubsub.subscribe("live_ltp_updates")
        self.pubsub.get_message(timeout=2)

    def all(self) -> list[dict[str, Any]]:
        """Return what is there; a message sent before the last command of the test has arrived."""
        messages = []
        while (message := self.pubsub.get_message(timeout=0.2)) is not None:
            messages.append(json.loads(message["data"]))
        return messages


@pytest.fixture
def listener(valkey: Any) -> Iterator[Listener]:
    listening = Listener(valkey)
    yield listening
    listening.pubsub.close()


@pytest.fixture
def outlet(valkey: Any) -> BatchPublisher:
    return BatchPublisher(valkey.client, "simulator", allowed=lambda: True)


def test_an_epoch_begins_with_everything_written_and_then_said(
    valkey: Any, outlet: BatchPublisher, listener: Listener
) -> None:
    """A reader that sees the new epoch reads the cache: it must be whole by then."""
    outlet.begin(moment(), [tick(number) for number in range(1, 1_001)], beat(tick(1)))
    assert len(valkey.client.keys("tick:*")) == 1_000
    assert valkey.client.keys("ltp:*") == [b"ltp:NSE_EQ:1"]
    assert valkey.client.get("market_stream:heartbeat") == b"2026-11-23T10:00:00+05:30"
    (message,) = listener.all()
    assert (message["seq"], message["ticks"], message["source"], message["since"]) == (
        1,
        [],
        "simulator",
        NOW - 5,
    )


def test_seq_rises_by_one_and_at_always(outlet: BatchPublisher, listener: Listener) -> None:
    outlet.begin(moment(), [], beat())
    outlet.send(moment(NOW - 1_000_000), [tick()], NOTHING)
    outlet.send(moment(NOW + 7), [tick(number) for number in range(1, 1_702)], NOTHING)
    messages = listener.all()
    assert [message["seq"] for message in messages] == [1, 2, 3, 4, 5]
    assert [message["at"] for message in messages] == [NOW, NOW + 1, NOW + 7, NOW + 8, NOW + 9]
    assert len({message["epoch"] for message in messages}) == 1
    assert sum(len(message["ticks"]) for message in messages) == 1_702


def test_what_was_written_is_counted_and_what_was_refused_is_not(valkey: Any, outlet: BatchPublisher) -> None:
    before = metrics.value("ticks_written"), metrics.value("batches_written")
    outlet.begin(moment(), [tick(number) for number in range(1, 1_001)], beat())
    outlet.send(moment(NOW + 7), [tick(number) for number in range(1, 901)], NOTHING)
    refused = BatchPublisher(valkey.client, "simulator", allowed=lambda: False)
    with pytest.raises(StoreError):
        refused.send(moment(NOW + 8), [tick()], NOTHING)
    assert (metrics.value("ticks_written") - before[0], metrics.value("batches_written") - before[1]) == (
        1_900,
        3,
    )


def test_a_batch_and_its_ticks_are_of_the_connection_in_the_header(
    valkey: Any, outlet: BatchPublisher, listener: Listener
) -> None:
    outlet.begin(moment()._replace(connection="2"), [tick(1)], beat())
    outlet.send(moment()._replace(connection="2"), [tick(2)], NOTHING)
    outlet.send(moment(), [tick(3)], NOTHING)
    messages = listener.all()
    assert [message["connection"] for message in messages] == ["2", "2", "0"]
    ticks = [json.loads(valkey.client.get(f"tick:NSE_EQ:{number}")) for number in (1, 2, 3)]
    assert [each.get("connection") for each in ticks] == ["2", "2", None]
    assert [message["ticks"] for message in messages] == [[], ticks[1:2], ticks[2:]]


def test_each_beginning_is_another_epoch_and_at_still_rises(
    outlet: BatchPublisher, listener: Listener
) -> None:
    outlet.begin(moment(), [], beat())
    outlet.begin(moment(), [], beat())
    first, second = listener.all()
    assert first["epoch"] != second["epoch"]
    assert second["at"] > first["at"]
    assert second["seq"] == 1


def test_only_covered_ticks_get_a_30_second_key(valkey: Any, outlet: BatchPublisher) -> None:
    outlet.begin(moment(), [], beat())
    outlet.send(moment(), [tick(1), tick(2)], Coverage(NOW, frozenset({"NSE_EQ:1"})))
    assert valkey.client.keys("ltp:*") == [b"ltp:NSE_EQ:2"]
    outlet.send(moment(), [], NOTHING, dropped=["NSE_EQ:2"])
    assert valkey.client.keys("ltp:*") == []


def test_a_beat_renews_and_tells_whether_the_heartbeat_was_there(valkey: Any, outlet: BatchPublisher) -> None:
    outlet.begin(moment(), [], beat())
    assert outlet.send(moment(), [], NOTHING, beat=beat(tick(3), heartbeat_at=""))
    assert valkey.client.get("ltp:NSE_EQ:3") == b"100.00"
    valkey.client.flushall()
    assert outlet.send(moment(), [], NOTHING)
    assert not outlet.send(moment(), [], NOTHING, beat=beat(heartbeat_at=""))


@pytest.mark.parametrize("before", ["dhanhq", None])
def test_prices_of_another_source_are_gone_before_the_first_of_ours(
    valkey: Any, outlet: BatchPublisher, before: str | None
) -> None:
    valkey.client.mset({"ltp:NSE_EQ:9": "1.00", "tick:NSE_EQ:9": "{}"})
    if before:
        valkey.client.set("market_stream:source", before)
    outlet.begin(moment(), [tick()], beat())
    assert valkey.client.keys("tick:*") == [b"tick:NSE_EQ:1"]
    assert not valkey.client.exists("ltp:NSE_EQ:9")
    assert valkey.client.get("market_stream:source") == b"simulator"


def test_prices_of_our_own_source_stay(valkey: Any, outlet: BatchPublisher) -> None:
    valkey.client.mset({"market_stream:source": "simulator", "tick:NSE_EQ:9": "{}"})
    outlet.begin(moment(), [], beat())
    assert valkey.client.exists("tick:NSE_EQ:9")


def test_a_server_without_msetex_gets_the_same_keys(valkey: Any, listener: Listener) -> None:
    valkey.client.execute_command("ACL", "SETUSER", "plain", "on", ">hush", "~*", "&*", "+@all", "-msetex")
    try:
        outlet = BatchPublisher(
            connect(valkey.url.replace("//", "//plain:hush@"), timeout_s=1), "simulator", allowed=lambda: True
        )
        outlet.begin(moment(), [tick(1)], beat())
        outlet.send(moment(), [tick(2)], Coverage(NOW))
        assert valkey.client.get("ltp:NSE_EQ:2") == b"100.00"
        assert sorted(valkey.client.keys("tick:*")) == [b"tick:NSE_EQ:1", b"tick:NSE_EQ:2"]
        assert [message["seq"] for message in listener.all()] == [1, 2]
    finally:
        valkey.client.execute_command("ACL", "DELUSER", "plain")


def test_nothing_leaves_once_the_lease_ran_out(valkey: Any, listener: Listener) -> None:
    leads = [True, True, False]
    outlet = BatchPublisher(valkey.client, "simulator", allowed=lambda: leads.pop(0))
    outlet.begin(moment(), [tick(1)], beat())
    with pytest.raises(StoreError, match="lease"):
        outlet.send(moment(), [tick(2)], Coverage(NOW))
    assert valkey.client.keys("*:NSE_EQ:*") == [b"tick:NSE_EQ:1"]
    assert len(listener.all()) == 1


def test_a_refused_write_publishes_nothing(valkey: Any, outlet: BatchPublisher, listener: Listener) -> None:
    outlet.begin(moment(), [], beat())
    valkey.client.config_set("maxmemory", "1mb")
    try:
        with pytest.raises(StoreError):
            outlet.send(moment(), [tick()], NOTHING)
    finally:
        valkey.client.config_set("maxmemory", "0")
    assert len(listener.all()) == 1
