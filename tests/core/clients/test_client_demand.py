"""A client's demand stays within its quota, and its first keys stay."""

from __future__ import annotations

from ltp.core.clients.client_demand import ClientDemand


def test_past_the_quota_the_first_keys_stay_until_they_end() -> None:
    demand = ClientDemand(3)
    assert demand.want("c", ["a", "b"], 0, 60) == {"a": 0, "b": 1}
    assert demand.want("c", ["c", "d", "a"], 10, 70) == {"c": 2, "a": 0}
    assert demand.want("c", ["d", "e"], 61, 121) == {"d": 2}


def test_each_client_has_its_own_quota_and_this_machine_none() -> None:
    demand = ClientDemand(2)
    assert len(demand.want("one", ["a", "b", "c"], 0, 60)) == 2
    assert len(demand.want("other", ["c", "d"], 0, 60)) == 2
    assert len(demand.want("", ["a", "b", "c"], 0, 60)) == 3


def test_past_50_000_keys_of_all_clients_the_least_recent_clients_are_dropped() -> None:
    demand, keys = ClientDemand(1_000), [f"NSE_EQ:{n}" for n in range(1_000)]
    clients = [f"2001:db8:{number}::/64" for number in range(100)]
    for client in clients:
        demand.want(client, keys, 0, 60)
    assert demand.want(clients[50], keys[-1:], 0, 60) == {"NSE_EQ:999": 10}, "still the last of its 1,000"
    assert demand.want(clients[49], keys[-1:], 0, 60) == {"NSE_EQ:999": 0}, "the first of a new list"


def test_the_clients_of_an_instrument_are_counted_while_they_want_it() -> None:
    demand = ClientDemand(3)
    demand.want("one", ["a", "b"], 0, 60)
    demand.want("other", ["a"], 0, 90)
    assert demand.clients(60) == {"a": 2, "b": 1}
    assert demand.clients(61) == {"a": 1}
