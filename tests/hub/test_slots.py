"""Slots: one number for each instrument, which stays valid, and the picker by which a view reads its own."""

from __future__ import annotations

from ltp.hub.slots import Slots


def test_instruments_of_several_views_have_one_slot_each() -> None:
    slots = Slots()
    first, second = slots.picker(("NSE_EQ:1", "NSE_EQ:2")), slots.picker(("NSE_EQ:2", "NSE_EQ:3"))
    assert (first.numbers, second.numbers) == ({1, 2}, {2, 3})
    assert slots.keys == ["", "NSE_EQ:1", "NSE_EQ:2", "NSE_EQ:3"]
    assert len(slots) == 4


def test_a_view_picks_its_own_slots_in_its_own_order() -> None:
    slots = Slots()
    slots.picker(("NSE_EQ:1", "NSE_EQ:2"))
    partials = [b"", b"one ", b"two ", b"three "]
    assert b"".join(slots.picker(("NSE_EQ:3", "NSE_EQ:1")).pick(partials)) == b"three one "
    assert b"".join(slots.picker(("NSE_EQ:2",)).pick(partials)) == b"two "
    assert b"".join(slots.picker(()).pick(partials)) == b""


def test_instruments_without_a_slot_are_left_out() -> None:
    slots = Slots()
    slots.picker(("NSE_EQ:1", "NSE_EQ:2"))
    assert slots.numbers_of({"NSE_EQ:2", "NSE_EQ:9"}) == {2}
    assert slots.numbers_of(()) == set()
