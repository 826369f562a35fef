from __future__ import annotations

from typing import Any

import pytest

from ltp.errors import StoreError
from ltp.store import heartbeat
from ltp.store.heartbeat import StreamStatus

AT = "2026-11-23T10:00:00.000+05:30"


def write(valkey: Any, **status: str) -> None:
    pipe = valkey.client.pipeline()
    heartbeat.write(pipe, AT)
    heartbeat.write_status(pipe, status)
    pipe.execute()


def test_what_was_written_is_read_back(valkey: Any) -> None:
    write(valkey, feed="live", last_error="")
    assert heartbeat.read(valkey.client) == StreamStatus(AT, {"feed": "live", "last_error": ""})


def test_both_keys_live_a_minute(valkey: Any) -> None:
    write(valkey, feed="live")
    assert 55 <= valkey.client.ttl("market_stream:heartbeat") <= 60
    assert 55 <= valkey.client.ttl("market_stream:status") <= 60


def test_no_worker_is_no_heartbeat(valkey: Any) -> None:
    assert heartbeat.read(valkey.client) == StreamStatus(None, {})


def test_a_worker_that_ends_says_so_at_once(valkey: Any) -> None:
    write(valkey, feed="off")
    heartbeat.remove(valkey.client)
    assert heartbeat.read(valkey.client) == StreamStatus(None, {"feed": "off"})


def test_keys_of_another_type_are_a_store_error(valkey: Any) -> None:
    valkey.client.lpush("market_stream:heartbeat", "x")
    with pytest.raises(StoreError):
        heartbeat.read(valkey.client)


def test_the_source_is_kept(valkey: Any) -> None:
    assert heartbeat.read_source(valkey.client) is None
    heartbeat.write_source(valkey.client, "simulator")
    assert heartbeat.read_source(valkey.client) == "simulator"
