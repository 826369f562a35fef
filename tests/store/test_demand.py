from __future__ import annotations

from typing import Any

import pytest

from ltp.errors import StoreError
from ltp.store import demand

NOW = 1_795_408_200.0


def test_a_wish_is_wanted_until_its_time(valkey: Any) -> None:
    demand.want(valkey.client, ["NSE_EQ:1333", "NSE_EQ:11536"], NOW + 60)
    demand.want(valkey.client, ["NSE_EQ:2885"], NOW + 5)
    assert set(demand.wanted(valkey.client, NOW + 5)) == {"NSE_EQ:1333", "NSE_EQ:11536", "NSE_EQ:2885"}
    assert set(demand.wanted(valkey.client, NOW + 6)) == {"NSE_EQ:1333", "NSE_EQ:11536"}


def test_what_is_over_is_forgotten(valkey: Any) -> None:
    demand.want(valkey.client, ["NSE_EQ:1333"], NOW)
    assert demand.wanted(valkey.client, NOW + 1) == {}
    assert not valkey.client.exists("demand:instruments")


def test_a_wish_is_never_shortened(valkey: Any) -> None:
    """Web processes renew at their own times, and their clocks may differ."""
    demand.want(valkey.client, ["NSE_EQ:1333"], NOW + 60)
    demand.want(valkey.client, ["NSE_EQ:1333"], NOW + 5)
    assert demand.wanted(valkey.client, NOW + 30) == {"NSE_EQ:1333": NOW + 60}


def test_a_thousand_wishes_are_one_command(valkey: Any) -> None:
    valkey.client.config_resetstat()
    demand.want(valkey.client, (f"NSE_EQ:{number}" for number in range(1, 1_001)), NOW)
    demand.want(valkey.client, [], NOW)
    assert valkey.client.info("commandstats")["cmdstat_zadd"]["calls"] == 1
    assert valkey.client.zcard("demand:instruments") == 1_000


def test_a_rest_request_is_taken_once_and_only_in_time(valkey: Any) -> None:
    demand.want_rest(valkey.client, ["NSE_EQ:1"], NOW - 1)
    demand.want_rest(valkey.client, ["NSE_EQ:2"], NOW + 1)
    assert demand.take_rest(valkey.client, NOW) == ["NSE_EQ:2"]
    assert demand.take_rest(valkey.client, NOW) == []
    assert not valkey.client.exists("demand:rest")


def test_members_that_are_no_text_do_not_end_the_reading(valkey: Any) -> None:
    valkey.client.zadd("demand:instruments", {b"\xff\xfe": NOW + 9, "NSE_EQ:1": NOW + 5})
    assert next(iter(demand.wanted(valkey.client, NOW))) == "NSE_EQ:1"


def test_a_key_of_another_type_is_a_store_error(valkey: Any) -> None:
    valkey.client.set("demand:instruments", "x")
    with pytest.raises(StoreError):
        demand.wanted(valkey.client, NOW)
    with pytest.raises(StoreError):
        demand.want(valkey.client, ["NSE_EQ:1"], NOW)
