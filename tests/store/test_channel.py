from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from ltp import metrics
from ltp.core.alerts.notice import Notice
from ltp.core.ticks.tick import Tick
from ltp.core.ticks.wire import Batch
from ltp.core.ticks.wire_tick import tick_of
from ltp.errors import StoreError
from ltp.store import alerts, channel
from ltp.store.encode import NOTHING, texts
from ltp.store.keys import ALERTS, CHANNEL
from ltp.store.transaction import RedisLine, Transaction

AT = datetime(2026, 12, 1, 5, 11, 7, tzinfo=UTC)
BATCH = Batch(
    "7f3a",
    1,
    1_795_408_200_000_000,
    "live",
    5,
    "simulator",
    {"NSE_EQ": "continuous"},
    [Tick("NSE_EQ:1333", 14_021_000, None, 7)],
)


@pytest.fixture
def stream(valkey: Any) -> Iterator[Iterator[Batch | None]]:
    reader = channel.subscribe(valkey.url)
    yield reader
    reader.close()


def publish(valkey: Any, batch: Batch) -> None:
    transaction = Transaction(RedisLine(valkey.client))
    channel.publish(transaction, batch, texts(batch.ticks, NOTHING).items)
    transaction.execute()


def heard(stream: Iterator[Batch | None]) -> Batch | None:
    """The next batch with its ticks as such."""
    batch = next(stream)
    return batch and batch._replace(ticks=[tick_of(tick) for tick in batch.ticks])


def subscribers(valkey: Any) -> int:
    return int(valkey.client.pubsub_numsub(CHANNEL)[0][1])


def test_nothing_is_sent_before_the_first_value_is_asked_for(
    valkey: Any, stream: Iterator[Batch | None]
) -> None:
    assert subscribers(valkey) == 0
    assert next(stream) is None
    assert subscribers(valkey) == 1


def test_a_batch_arrives_as_it_was_sent(valkey: Any, stream: Iterator[Batch | None]) -> None:
    next(stream)
    publish(valkey, BATCH)
    assert heard(stream) == BATCH


def test_the_message_is_what_the_contract_says(valkey: Any) -> None:
    listener = valkey.client.pubsub(ignore_subscribe_messages=True)
    listener.subscribe("live_ltp_updates")
    listener.get_message(timeout=2)
    publish(valkey, BATCH)
    message = json.loads(listener.get_message(timeout=2)["data"])
    listener.close()
    assert {name: message[name] for name in ("v", "connection", "epoch", "seq", "at", "feed", "phase")} == {
        "v": 2,
        "connection": "0",
        "epoch": "7f3a",
        "seq": 1,
        "at": 1_795_408_200_000_000,
        "feed": "live",
        "phase": {"NSE_EQ": "continuous"},
    }
    assert message["ticks"][0]["k"] == "NSE_EQ:1333"
    assert message["ticks"][0]["ltp"] == 1402.1


def test_silence_is_said_once_a_second(stream: Iterator[Batch | None]) -> None:
    assert [next(stream), next(stream)] == [None, None]


@pytest.mark.parametrize(
    "poison",
    [
        b"",
        b"garbage",
        b"\xff\xfe\x00",
        b"[" * 100_000,
        b"x" * 1_000_000,
        b'{"v":2}',
        b'{"v":1}',
        b"null",
        b"<script>",
        b"z" * (5 << 20),
    ],
)
def test_what_is_no_batch_is_skipped_and_counted(
    valkey: Any, stream: Iterator[Batch | None], poison: bytes
) -> None:
    next(stream)
    before = metrics.value("store_skipped_messages")
    valkey.client.publish(CHANNEL, poison)
    publish(valkey, BATCH)
    assert [next(stream), heard(stream)] == [None, BATCH]
    assert metrics.value("store_skipped_messages") == before + 1


def test_a_cut_is_an_error_and_not_a_silent_new_subscription(
    valkey: Any, stream: Iterator[Batch | None]
) -> None:
    """What was published in between is lost, so the reader must read the cache again."""
    next(stream)
    valkey.client.execute_command("CLIENT", "KILL", "TYPE", "pubsub")
    with pytest.raises(StoreError):
        list(stream)


def test_nobody_listening_is_an_error_at_the_first_value(free_port: Callable[[], int]) -> None:
    with pytest.raises(StoreError):
        next(channel.subscribe(f"redis://127.0.0.1:{free_port()}/0"))


def test_a_finished_reader_leaves_no_connection(valkey: Any, wait_for: Callable[..., Any]) -> None:
    stream = channel.subscribe(valkey.url)
    next(stream)
    stream.close()  # type: ignore[attr-defined]
    wait_for(lambda: subscribers(valkey) == 0)


def test_firings_come_by_the_same_connection(valkey: Any, stream: Iterator[Any]) -> None:
    assert next(stream) is None
    notice = Notice(41, 3, "NSE_EQ:1333", "HDFCBANK", "ltp > 1650", "<b>", AT, 16_505_000, "trade")
    alerts.publish(valkey.client, notice)
    publish(valkey, BATCH)
    valkey.client.publish(ALERTS, "{")
    assert next(stream) == notice
    assert heard(stream) == BATCH
    assert next(stream) is None
    assert len(valkey.client.client_list(_type="pubsub")) == 1
