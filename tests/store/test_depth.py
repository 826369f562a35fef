"""Depth and details in a real server: as written, damaged, and of another source."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson
import pytest

from ltp.core.ticks.depth import Depth, Level, QuoteDetails
from ltp.store import client as store_client
from ltp.store import depth
from ltp.store.depth import Known

KEY, OTHER = "NSE_EQ:1333", "NSE_CURRENCY:1"
AT = 1_795_408_200_123_456
BOOK = Depth(
    KEY,
    AT,
    (Level(14_020_000, 100, 3), Level(14_019_000, 200, 4)),
    (Level(14_021_000, 120, 4),),
    13_998_712,
    645_321,
    812_345,
)
DETAILS = QuoteDetails(KEY, AT, 12_514_000, 15_294_000, 13_998_700, 5, 9)


@pytest.fixture
def redis(valkey: Any) -> Iterator[Any]:
    client = store_client.connect(valkey.url, timeout_s=0.5)
    client.flushall()
    yield client
    client.close()


def test_values_come_back_as_they_were_written(redis: Any) -> None:
    empty = Depth(OTHER, AT)
    depth.write(redis, "simulator", [BOOK, empty])
    depth.write_details(redis, "simulator", [DETAILS, QuoteDetails(OTHER, AT)])
    assert depth.read(redis, "simulator", [KEY, "NSE_EQ:1", OTHER]) == [
        Known(BOOK, DETAILS),
        Known(),
        Known(empty, QuoteDetails(OTHER, AT)),
    ]
    assert depth.read(redis, "simulator", []) == []


def test_values_have_lives_of_their_own(redis: Any) -> None:
    depth.write(redis, "simulator", [BOOK])
    depth.write_details(redis, "simulator", [DETAILS])
    assert (redis.ttl("depth:NSE_EQ:1333"), redis.ttl("details:NSE_EQ:1333")) == (30, 900)
    assert orjson.loads(redis.get("depth:NSE_EQ:1333")) == {
        "at": AT,
        "source": "simulator",
        "bids": [[1402.0, 100, 3], [1401.9, 200, 4]],
        "asks": [[1402.1, 120, 4]],
        "average": 1399.8712,
        "buy": 645_321,
        "sell": 812_345,
    }


def test_values_of_another_source_are_none(redis: Any) -> None:
    depth.write(redis, "simulator", [BOOK])
    depth.write_details(redis, "simulator", [DETAILS])
    assert depth.read(redis, "dhanhq", [KEY]) == [Known()]


GOOD = {"at": AT, "source": "simulator", "bids": [[1402.0, 100, 3]], "asks": []}


@pytest.mark.parametrize(
    "changes",
    [
        {"at": None},
        {"at": -1},
        {"at": 1.5},
        {"bids": None},
        {"bids": [[1402.0, 100]]},
        {"bids": [[1402.0, -1, 3]]},
        {"bids": [["1402", 100, 3]]},
        {"bids": [[0, 100, 3]]},
        {"bids": [[1e12, 100, 3]]},
        {"bids": [[1402.0, 100, 3]] * 6},
        {"bids": [{"price": 5}]},
        {"asks": [[True, 100, 3]]},
        {"filler": "x" * 5_000},
    ],
)
def test_a_damaged_depth_is_none(redis: Any, changes: dict[str, Any]) -> None:
    redis.set("depth:NSE_EQ:1333", orjson.dumps(GOOD))
    assert depth.read(redis, "simulator", [KEY])[0].depth == Depth(KEY, AT, (Level(14_020_000, 100, 3),))
    redis.set("depth:NSE_EQ:1333", orjson.dumps(GOOD | changes))
    assert depth.read(redis, "simulator", [KEY]) == [Known()]


@pytest.mark.parametrize("value", [b"", b"{", b"[]", b"7", b"\xff"])
def test_garbage_is_none(redis: Any, value: bytes) -> None:
    redis.set("depth:NSE_EQ:1333", value)
    redis.set("details:NSE_EQ:1333", value)
    assert depth.read(redis, "simulator", [KEY]) == [Known()]


def test_a_key_of_another_type_is_none(redis: Any) -> None:
    redis.rpush("depth:NSE_EQ:1333", "x")
    assert depth.read(redis, "simulator", [KEY]) == [Known()]


def test_a_damaged_detail_is_unknown_and_the_others_stand(redis: Any) -> None:
    value = {"at": AT, "source": "simulator", "lower": "5", "upper": 1529.4, "average": -1, "oi_high": True}
    redis.set("details:NSE_EQ:1333", orjson.dumps(value))
    assert depth.read(redis, "simulator", [KEY])[0].details == QuoteDetails(KEY, AT, upper=15_294_000)


def test_demand_ends_and_is_bounded(redis: Any) -> None:
    depth.want(redis, [], 100.0)
    depth.want(redis, [KEY], 100.0)
    depth.want(redis, [KEY, OTHER], 90.0)
    assert sorted(depth.wanted(redis, 50.0, 200.0)) == sorted([KEY, OTHER])
    assert depth.wanted(redis, 95.0, 200.0) == [KEY]
    assert depth.wanted(redis, 100.5, 200.0) == []


def test_the_wishes_that_were_renewed_last_are_kept(redis: Any) -> None:
    depth.want(redis, [f"NSE_EQ:{number}" for number in range(1, 901)], 150.0)
    depth.want(redis, [f"NSE_EQ:{number}" for number in range(2_001, 2_201)], 152.0)
    depth.want(redis, ["NSE_EQ:7", "NSE_EQ:8"], 155.0)
    found = depth.wanted(redis, 101.0, 200.0)
    assert len(found) == redis.zcard("demand:depth") == 1_000
    assert sorted(found[:2]) == ["NSE_EQ:7", "NSE_EQ:8"]
    assert set(found[2:202]) == {f"NSE_EQ:{number}" for number in range(2_001, 2_201)}


def test_a_wish_of_a_clock_that_is_ahead_is_removed(redis: Any) -> None:
    depth.want(redis, [KEY], 9_999.0)
    assert depth.wanted(redis, 50.0, 200.0) == []
    assert redis.zcard("demand:depth") == 0
