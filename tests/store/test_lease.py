from __future__ import annotations

from typing import Any

import pytest

from ltp.errors import LeaseLost
from ltp.store.lease import Lease


def test_one_holds_it_and_the_other_learns_who(valkey: Any) -> None:
    first, second = Lease(valkey.client, "one"), Lease(valkey.client, "two")
    assert first.acquire() == 1
    with pytest.raises(LeaseLost) as lost:
        second.acquire()
    assert lost.value.holder == "one 1"
    assert 9_000 <= valkey.client.pttl("market_stream:lease") <= 10_000


def test_renewing_holds_it_for_another_term(valkey: Any) -> None:
    lease = Lease(valkey.client, "one")
    lease.acquire()
    valkey.client.pexpire("market_stream:lease", 1_000)
    lease.renew()
    assert valkey.client.pttl("market_stream:lease") > 9_000


def test_the_next_holder_has_a_higher_number_and_the_old_one_cannot_renew(valkey: Any) -> None:
    first, second = Lease(valkey.client, "one"), Lease(valkey.client, "one")
    first.acquire()
    valkey.client.delete("market_stream:lease")
    assert second.acquire() == 2
    with pytest.raises(LeaseLost):
        first.renew()
    first.release()
    assert valkey.client.get("market_stream:lease") == b"one 2"


def test_releasing_lets_the_next_in_at_once(valkey: Any) -> None:
    first, second = Lease(valkey.client, "one"), Lease(valkey.client, "two")
    first.acquire()
    first.release()
    assert second.acquire() == 2


def test_only_the_named_holder_is_removed(valkey: Any) -> None:
    lease = Lease(valkey.client, "one")
    lease.acquire()
    assert not lease.remove("two 1")
    assert lease.remove("one 1")
    assert not valkey.client.exists("market_stream:lease")
