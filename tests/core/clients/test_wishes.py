"""A client's wishes: within its quota, the ones made first stay."""

from __future__ import annotations

from ltp.core.clients.wishes import Wishes


def test_past_the_quota_the_first_wishes_stay_until_they_end() -> None:
    wishes = Wishes(3)
    assert wishes.ask("c", ["a", "b"], 0, 60) == {"a": 0, "b": 1}
    assert wishes.ask("c", ["c", "d", "a"], 10, 70) == {"c": 2, "a": 0}
    assert wishes.ask("c", ["d", "e"], 61, 121) == {"d": 2}


def test_each_client_has_its_own_quota_and_this_machine_none() -> None:
    wishes = Wishes(2)
    assert len(wishes.ask("one", ["a", "b", "c"], 0, 60)) == 2
    assert len(wishes.ask("other", ["c", "d"], 0, 60)) == 2
    assert len(wishes.ask("", ["a", "b", "c"], 0, 60)) == 3


def test_any_number_of_clients_takes_no_more_memory_than_so_much() -> None:
    wishes = Wishes(1_000)
    for number in range(100):
        wishes.ask(f"2001:db8:{number}::/64", [f"NSE_EQ:{n}" for n in range(1_000)], 0, 60)
    assert sum(map(len, wishes._of.values())) == wishes._kept == 50_000
