"""Places: a number for each instrument that stays good, and what a view picks out of a row by them."""

from __future__ import annotations

from ltp.hub.slots import Slots


def test_instruments_of_several_views_have_one_place_each() -> None:
    places = Slots()
    first, second = places.seat(("NSE_EQ:1", "NSE_EQ:2")), places.seat(("NSE_EQ:2", "NSE_EQ:3"))
    assert (first.numbers, second.numbers) == ({1, 2}, {2, 3})
    assert len(places) == 4
    assert [places.keys[number] for number in (1, 2, 3)] == ["NSE_EQ:1", "NSE_EQ:2", "NSE_EQ:3"]


def test_a_view_picks_what_is_its_own_in_its_own_order() -> None:
    places = Slots()
    places.seat(("NSE_EQ:1", "NSE_EQ:2"))
    row = [b"", b"one ", b"two ", b"three "]
    assert b"".join(places.seat(("NSE_EQ:3", "NSE_EQ:1")).pick(row)) == b"three one "
    assert b"".join(places.seat(("NSE_EQ:2",)).pick(row)) == b"two "
    assert b"".join(places.seat(()).pick(row)) == b""


def test_the_places_of_what_nobody_shows_are_left_out() -> None:
    places = Slots()
    places.seat(("NSE_EQ:1", "NSE_EQ:2"))
    assert places.of({"NSE_EQ:2", "NSE_EQ:9"}) == {2}
    assert places.of(()) == set()
