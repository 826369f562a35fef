"""A client's wishes: within its quota, the ones made first stay."""

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


def test_any_number_of_clients_takes_no_more_memory_than_so_much() -> None:
    demand = ClientDemand(1_000)
    for number in range(100):
        demand.want(f"2001:db8:{number}::/64", [f"NSE_EQ:{n}" for n in range(1_000)], 0, 60)
    assert sum(map(len, demand._of.values())) == demand._kept == 50_000
