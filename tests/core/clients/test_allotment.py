"""The allotment of places on the feed, and its rule on the status page and the operations page."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ltp.core.clients.allotment import (
    CONNECTIONS,
    LIMIT,
    PAGES_EACH,
    PROGRAMS_EACH,
    RULE,
    FeedPlaces,
    client_limit,
    rank_of,
)
from ltp.core.clients.allotment import allot as allot_places
from ltp.dhan import codes


def keys(name: str, n: int) -> list[str]:
    return [f"{name}{number}" for number in range(n)]


def allot(
    probes: Sequence[str], pages: Sequence[str], screens: Sequence[str], programs: Sequence[str], **more: int
) -> FeedPlaces:
    return allot_places(probes, {"pages": pages, "screens": screens, "programs": programs}, **more)


def taken(**places: int) -> dict[str, int]:
    return {"pinned": 0, "alerts": 0, "pages": 0, "screens": 0, "programs": 0, **places}


def test_while_everything_fits_everything_has_a_place_in_order_of_kind() -> None:
    places = allot(["P"], ["a", "b"], ["b", "r"], ["x", "r"], limit=10)
    assert places.wanted == ["P", "a", "b", "r", "x"]
    assert (places.waiting, places.taken) == ([], taken(pages=2, screens=1, programs=1))


def test_pages_come_before_screens_and_screens_before_programs() -> None:
    places = allot(["P"], keys("page", 40), keys("screen", 40), keys("program", 40), limit=100)
    assert places.taken == taken(pages=40, screens=40, programs=19)
    assert set(places.wanted) >= {"P", *keys("page", 40), *keys("screen", 40)}
    assert len(places.waiting) == 21
    assert all(key.startswith("program") for key in places.waiting)


def test_a_tenth_is_kept_for_pages_that_are_opened_next() -> None:
    places = allot([], keys("page", 3), keys("screen", 50), keys("program", 6_000), limit=5_000)
    assert len(places.wanted) == 4_503
    assert allot([], keys("page", 600), [], keys("program", 6_000), limit=5_000).taken["programs"] == 4_400


def test_pinned_instruments_and_those_of_alerts_come_before_everything_but_the_probes() -> None:
    wishes = {
        "programs": ["f"],
        "screens": ["e", "a"],
        "pages": ["d"],
        "alerts": ["c", "P"],
        "pinned": ["b", "a"],
    }
    places = allot_places(["P"], wishes, limit=20)
    assert places.wanted == ["P", "b", "a", "c", "d", "e", "f"]
    assert places.taken == taken(pinned=2, alerts=1, pages=1, screens=1, programs=1)


def test_the_instruments_with_the_last_places_lose_theirs_first() -> None:
    """The page says so. Each smaller feed has the beginning of what a larger one has."""
    counts = {"pinned": 1, "alerts": 2, "pages": 1, "screens": 2, "programs": 2}
    kinds = {kind: keys(kind, n) for kind, n in counts.items()}
    order = allot_places(["P"], kinds, limit=100).wanted
    assert order == ["P", *(key for kind in kinds.values() for key in kind)]
    for limit in range(1, 10):  # of so few places none is kept for pages
        places = allot_places(["P"], kinds, limit=limit)
        assert (places.wanted, places.waiting) == (order[:limit], order[limit:])


def test_a_feed_full_of_alerts_keeps_room_for_pages_too() -> None:
    alerts, one = keys("alert", 6_000), ["a"]
    places = allot_places([], {"alerts": alerts, "pages": one, "screens": ["b"]})
    assert places.taken == taken(alerts=4_500, pages=1)


def test_instruments_past_the_limit_take_turns_and_each_is_served() -> None:
    served: set[str] = set()
    for turn in range(5):
        places = allot([], [], [], keys("program", 50), limit=20, turn=turn)
        assert places.taken == taken(programs=18)
        assert set(keys("program", 9)) <= set(places.wanted)
        assert set(places.waiting) == set(keys("program", 50)) - set(places.wanted)
        served |= set(places.wanted)
    assert served == set(keys("program", 50))


def test_a_short_list_comes_before_the_end_of_a_long_one() -> None:
    assert [rank_of(place) for place in (0, 1, 2, 3, 4, 999)] == [0, 1, 2, 2, 3, 10]


def test_direct_requests_of_this_machine_have_no_quota_but_the_connections() -> None:
    assert (client_limit("", 1_000), client_limit("203.0.113.9", 1_000)) == (5_000, 1_000)


def test_the_limits_are_those_of_the_broker() -> None:
    assert (LIMIT, CONNECTIONS) == (codes.MAX_PER_CONNECTION, codes.MAX_CONNECTIONS)


def test_the_rule_is_written_down_where_operators_read() -> None:
    assert RULE in (Path(__file__).resolve().parents[3] / "docs" / "operations.md").read_text(
        encoding="utf-8"
    ).replace("\n", " ")
    assert all(f"{figure:,}" in RULE for figure in (PAGES_EACH, PROGRAMS_EACH))
