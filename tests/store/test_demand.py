from __future__ import annotations

from threading import Timer
from types import SimpleNamespace
from typing import Any

import fakeredis
import pytest

from ltp.core.clients.allotment import Demand
from ltp.errors import StoreError
from ltp.store import demand
from ltp.store.client import connect

NOW = 1_795_408_200.0


@pytest.fixture(params=["valkey", "fakeredis"])
def server(request: pytest.FixtureRequest, valkey: Any) -> Any:
    """One suite over two servers: only what any Redis does may be relied on here."""
    return valkey if request.param == "valkey" else SimpleNamespace(client=fakeredis.FakeRedis())


def want(client: Any, keys: list[str], until: float, kind: str = demand.PAGES) -> None:
    demand.want(client, {kind: dict.fromkeys(keys, 3)}, NOW, until)


def test_a_wish_is_wanted_until_its_time(server: Any) -> None:
    want(server.client, ["NSE_EQ:1333", "NSE_EQ:11536"], NOW + 60)
    want(server.client, ["NSE_EQ:2885"], NOW + 5, demand.PROGRAMS)
    assert demand.wanted(server.client, NOW + 5) == {
        "demand:pages": {"NSE_EQ:11536": Demand(3, NOW + 60), "NSE_EQ:1333": Demand(3, NOW + 60)},
        "demand:programs": {"NSE_EQ:2885": Demand(3, NOW + 5)},
        "demand:instruments": {
            "NSE_EQ:2885": Demand(99, NOW + 5), "NSE_EQ:11536": Demand(99, NOW + 60), "NSE_EQ:1333": Demand(99, NOW + 60)
        },
    }  # fmt: skip
    wanted = demand.wanted(server.client, NOW + 6)
    assert wanted["demand:programs"] == {}
    assert set(wanted["demand:instruments"]) == {"NSE_EQ:1333", "NSE_EQ:11536"}


def test_what_is_over_is_forgotten(server: Any) -> None:
    want(server.client, ["NSE_EQ:1333"], NOW)
    assert not any(demand.wanted(server.client, NOW + 1).values())
    assert not server.client.exists("demand:instruments", "demand:pages")


def test_what_is_over_is_forgotten_by_who_writes_too(server: Any) -> None:
    """Without a worker nobody reads."""
    want(server.client, ["NSE_EQ:1333"], NOW - 1)
    want(server.client, ["NSE_EQ:11536"], NOW + 60)
    assert server.client.zrange("demand:instruments", 0, -1) == [b"NSE_EQ:11536"]
    assert server.client.zrange("demand:pages", 0, -1) == [b"3 NSE_EQ:11536"]


def test_a_wish_is_never_shortened(server: Any) -> None:
    """Web processes renew at their own times, and their clocks may differ."""
    want(server.client, ["NSE_EQ:1333"], NOW + 60)
    want(server.client, ["NSE_EQ:1333"], NOW + 5)
    wanted = demand.wanted(server.client, NOW + 30)
    assert wanted["demand:pages"] == {"NSE_EQ:1333": Demand(3, NOW + 60)}
    assert wanted["demand:instruments"] == {"NSE_EQ:1333": Demand(99, NOW + 60)}


def test_of_several_ranks_the_lowest_counts_and_what_is_none_is_passed_over(server: Any) -> None:
    for rank, until in ((7, NOW + 9), (2, NOW + 5), (4, NOW + 60)):
        demand.want(server.client, {demand.PAGES: {"NSE_EQ:1": rank}, demand.PROGRAMS: {}}, NOW, until)
    server.client.zadd(
        "demand:pages", {"x NSE_EQ:2": NOW + 9, "NSE_EQ:3": NOW + 9, "999 NSE_EQ:4": NOW + 9, "": NOW + 9}
    )
    assert demand.wanted(server.client, NOW)["demand:pages"] == {"NSE_EQ:1": Demand(2, NOW + 60)}
    assert demand.wanted(server.client, NOW + 6)["demand:pages"] == {"NSE_EQ:1": Demand(4, NOW + 60)}


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
    assert next(iter(demand.wanted(server.client, NOW)["demand:instruments"])) == "NSE_EQ:1"


def test_a_key_of_another_type_is_a_store_error(server: Any) -> None:
    server.client.set("demand:instruments", "x")
    with pytest.raises(StoreError):
        demand.wanted(server.client, NOW)
    with pytest.raises(StoreError):
        want(server.client, ["NSE_EQ:1"], NOW)


def test_forgetting_leaves_no_wish(server: Any) -> None:
    want(server.client, ["NSE_EQ:1"], 9e9)
    demand.want_rest(server.client, ["NSE_EQ:1"], 9e9)
    demand.forget_all(server.client)
    assert not any(demand.wanted(server.client, 1.0).values())
    assert demand.take_rest(server.client, 1.0) == []


def test_what_a_hostile_writer_put_there_is_read_and_kept_up_to_a_bound(server: Any) -> None:
    for start in range(0, 25_000, 5_000):
        server.client.zadd("demand:instruments", {f"x{n}": NOW + 90 + n for n in range(start, start + 5_000)})
        server.client.zadd("demand:rest", {f"x{n}": NOW + 90 + n for n in range(start, start + 5_000)})
    want(server.client, ["NSE_EQ:1333"], NOW + 60)
    demand.want_rest(server.client, ["NSE_EQ:1333"], NOW + 10)
    assert len(wanted := demand.wanted(server.client, NOW)["demand:instruments"]) == 10_000
    assert wanted["NSE_EQ:1333"] == Demand(99, NOW + 60)
    assert server.client.zcard("demand:instruments") == 10_000
    assert len(taken := demand.take_rest(server.client, NOW)) == 10_000
    assert taken[0] == "NSE_EQ:1333"
    assert not server.client.exists("demand:rest")


def test_what_is_no_instrument_is_removed_also_where_it_is_no_text(server: Any) -> None:
    server.client.zadd("demand:instruments", {b"\xff\xfe": NOW + 9, "NSE_EQ:0": NOW + 5, "NSE_EQ:1": NOW + 5})
    found = list(demand.wanted(server.client, NOW)["demand:instruments"])
    demand.forget(server.client, [key for key in found if key != "NSE_EQ:1"])
    assert server.client.zrange("demand:instruments", 0, -1) == [b"NSE_EQ:1"]
    demand.forget(server.client, [])
