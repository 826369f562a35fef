from __future__ import annotations

from threading import Timer
from types import SimpleNamespace
from typing import Any

import fakeredis
import pytest

from ltp.errors import StoreError
from ltp.store import demand
from ltp.store.client import connect

NOW = 1_795_408_200.0


@pytest.fixture(params=["valkey", "fakeredis"])
def server(request: pytest.FixtureRequest, valkey: Any) -> Any:
    """One suite over two servers: only what any Redis does may be relied on here."""
    return valkey if request.param == "valkey" else SimpleNamespace(client=fakeredis.FakeRedis())


def test_a_wish_is_wanted_until_its_time(server: Any) -> None:
    demand.want(server.client, ["NSE_EQ:1333", "NSE_EQ:11536"], NOW + 60)
    demand.want(server.client, ["NSE_EQ:2885"], NOW + 5)
    assert set(demand.wanted(server.client, NOW + 5)) == {"NSE_EQ:1333", "NSE_EQ:11536", "NSE_EQ:2885"}
    assert set(demand.wanted(server.client, NOW + 6)) == {"NSE_EQ:1333", "NSE_EQ:11536"}


def test_what_is_over_is_forgotten(server: Any) -> None:
    demand.want(server.client, ["NSE_EQ:1333"], NOW)
    assert demand.wanted(server.client, NOW + 1) == {}
    assert not server.client.exists("demand:instruments")


def test_a_wish_is_never_shortened(server: Any) -> None:
    """Web processes renew at their own times, and their clocks may differ."""
    demand.want(server.client, ["NSE_EQ:1333"], NOW + 60)
    demand.want(server.client, ["NSE_EQ:1333"], NOW + 5)
    assert demand.wanted(server.client, NOW + 30) == {"NSE_EQ:1333": NOW + 60}


def test_a_thousand_wishes_are_one_command(valkey: Any) -> None:
    valkey.client.config_resetstat()
    demand.want(valkey.client, (f"NSE_EQ:{number}" for number in range(1, 1_001)), NOW)
    demand.want(valkey.client, [], NOW)
    assert valkey.client.info("commandstats")["cmdstat_zadd"]["calls"] == 1
    assert valkey.client.zcard("demand:instruments") == 1_000


def test_a_rest_request_is_taken_once_and_only_in_time(server: Any) -> None:
    demand.want_rest(server.client, ["NSE_EQ:1"], NOW - 1)
    demand.want_rest(server.client, ["NSE_EQ:2"], NOW + 1)
    assert demand.take_rest(server.client, NOW) == ["NSE_EQ:2"]
    assert demand.take_rest(server.client, NOW) == []
    assert not server.client.exists("demand:rest")


def test_a_rest_request_is_waited_for_by_the_server(valkey: Any) -> None:
    client = connect(valkey.url, timeout_s=2)
    assert demand.take_rest(client, NOW, wait_s=0.05) == []
    demand.want_rest(valkey.client, ["NSE_EQ:1", "NSE_EQ:2"], NOW + 1)
    demand.want_rest(valkey.client, ["NSE_EQ:3"], NOW - 1)
    asker = Timer(0.1, demand.want_rest, (valkey.client, ["NSE_EQ:4"], NOW + 1))
    assert demand.take_rest(client, NOW, wait_s=0.05) == ["NSE_EQ:1", "NSE_EQ:2"]
    asker.start()
    assert demand.take_rest(client, NOW, wait_s=1.5) == ["NSE_EQ:4"]
    asker.join()
    client.close()


def test_members_that_are_no_text_do_not_end_the_reading(server: Any) -> None:
    server.client.zadd("demand:instruments", {b"\xff\xfe": NOW + 9, "NSE_EQ:1": NOW + 5})
    assert next(iter(demand.wanted(server.client, NOW))) == "NSE_EQ:1"


def test_a_key_of_another_type_is_a_store_error(server: Any) -> None:
    server.client.set("demand:instruments", "x")
    with pytest.raises(StoreError):
        demand.wanted(server.client, NOW)
    with pytest.raises(StoreError):
        demand.want(server.client, ["NSE_EQ:1"], NOW)


def test_what_a_hostile_writer_put_there_is_read_and_kept_up_to_a_bound(server: Any) -> None:
    for start in range(0, 25_000, 5_000):
        server.client.zadd("demand:instruments", {f"x{n}": NOW + 90 + n for n in range(start, start + 5_000)})
        server.client.zadd("demand:rest", {f"x{n}": NOW + 90 + n for n in range(start, start + 5_000)})
    demand.want(server.client, ["NSE_EQ:1333"], NOW + 60)
    demand.want_rest(server.client, ["NSE_EQ:1333"], NOW + 10)
    assert len(wanted := demand.wanted(server.client, NOW)) == 10_000
    assert wanted["NSE_EQ:1333"] == NOW + 60
    assert server.client.zcard("demand:instruments") == 10_000
    assert len(taken := demand.take_rest(server.client, NOW)) == 10_000
    assert taken[0] == "NSE_EQ:1333"
    assert not server.client.exists("demand:rest")


def test_what_is_no_instrument_is_removed_also_where_it_is_no_text(server: Any) -> None:
    server.client.zadd("demand:instruments", {b"\xff\xfe": NOW + 9, "NSE_EQ:0": NOW + 5, "NSE_EQ:1": NOW + 5})
    found = list(demand.wanted(server.client, NOW))
    demand.forget(server.client, [key for key in found if key != "NSE_EQ:1"])
    assert server.client.zrange("demand:instruments", 0, -1) == [b"NSE_EQ:1"]
    demand.forget(server.client, [])
