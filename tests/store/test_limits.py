from __future__ import annotations

import time
from typing import Any

import pytest

from ltp.errors import StoreError
from ltp.store.limits import NotBefore


def test_a_deadline_outlives_the_process_that_wrote_it(valkey: Any) -> None:
    deadline = round(time.time() + 60, 3)
    NotBefore(valkey.client).write(deadline)
    assert NotBefore(valkey.client).read() == deadline
    assert 55 <= valkey.client.ttl("market_stream:not_before") <= 61


def test_none_is_zero(valkey: Any) -> None:
    assert NotBefore(valkey.client).read() == 0


def test_a_deadline_that_has_passed_leaves_no_key(valkey: Any) -> None:
    NotBefore(valkey.client).write(time.time() - 5)
    assert NotBefore(valkey.client).read() == 0


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("1795408200", 1_795_408_200.0),
        ("2026-11-23T10:00:00+05:30", 1_795_408_200.0),
        ("soon", 0.0),
        ("nan", 0.0),
        (b"\xff", 0.0),
    ],
)
def test_an_operator_may_set_it_by_hand(valkey: Any, written: str, read: float) -> None:
    valkey.client.set("market_stream:not_before", written)
    assert NotBefore(valkey.client).read() == read


def test_a_key_of_another_type_is_a_store_error(valkey: Any) -> None:
    valkey.client.lpush("market_stream:not_before", "x")
    with pytest.raises(StoreError):
        NotBefore(valkey.client).read()
