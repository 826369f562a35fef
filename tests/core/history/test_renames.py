from __future__ import annotations

from datetime import date, timedelta

import pytest

from ltp.core.history import candle
from ltp.core.history.candle import Candle
from ltp.core.history.renames import Rename, Span, span, suspected

DAY = date(2025, 4, 8)
SESSIONS = [DAY + timedelta(days=number) for number in range(-10, 10)]
NEXT = SESSIONS[11]


def of(
    symbol: str, first: date, last: date, *, opened: int = 216, closed: int = 215, volume: float = 1000
) -> Span:
    whole = Candle(first, opened * 10_000, 300_0000, 100_0000, closed * 10_000, 5)
    return Span(symbol, whole, whole._replace(day=last), volume, volume)


ZOMATO = of("ZOMATO", SESSIONS[0], DAY)
ETERNAL = of("ETERNAL", NEXT, SESSIONS[-1])


def test_one_ends_and_another_begins_at_its_price_and_volume() -> None:
    assert suspected([ZOMATO], [ETERNAL], SESSIONS) == [
        Rename(
            "ZOMATO",
            "ETERNAL",
            NEXT,
            "ZOMATO closed at 215.00 and ETERNAL opened at 216.00 in the next session; 1.0 times the volume",
        )
    ]


@pytest.mark.parametrize(
    "begun",
    [
        of("ETERNAL", SESSIONS[12], SESSIONS[-1]),  # a session later
        of("ETERNAL", DAY, SESSIONS[-1]),  # the same session
        of("ETERNAL", NEXT, SESSIONS[-1], opened=240),
        of("ETERNAL", NEXT, SESSIONS[-1], opened=190),
        of("ETERNAL", NEXT, SESSIONS[-1], volume=99),
        of("ETERNAL", NEXT, SESSIONS[-1], volume=10_001),
        of("ETERNAL", NEXT, SESSIONS[-1], volume=0),
    ],
)
def test_a_symbol_that_begins_at_another_price_is_another_share(begun: Span) -> None:
    assert suspected([ZOMATO], [begun], SESSIONS) == []


def test_a_symbol_of_the_last_session_has_not_ended() -> None:
    assert suspected([of("ZOMATO", SESSIONS[0], SESSIONS[-1])], [ETERNAL], SESSIONS) == []
    assert suspected([], [ETERNAL], SESSIONS) == []


def test_of_several_at_a_price_the_nearest_is_taken() -> None:
    near, far = of("NEAR", NEXT, SESSIONS[-1], opened=216), of("FAR", NEXT, SESSIONS[-1], opened=220)
    other = of("OTHER", SESSIONS[0], DAY, closed=219)
    assert [(each.old, each.new) for each in suspected([other, ZOMATO], [far, near], SESSIONS)] == [
        ("OTHER", "FAR"),
        ("ZOMATO", "NEAR"),
    ]
    assert [(each.old, each.new) for each in suspected([other, ZOMATO], [near], SESSIONS)] == [
        ("ZOMATO", "NEAR")
    ]


def test_a_share_that_was_renamed_twice_is_followed_to_the_name_of_now() -> None:
    first = of("LTI", SESSIONS[0], SESSIONS[5])
    second = of("LTIM", SESSIONS[6], DAY)
    assert [(each.old, each.new, each.day) for each in suspected([second, first], [ETERNAL], SESSIONS)] == [
        ("LTI", "ETERNAL", SESSIONS[6]),
        ("LTIM", "ETERNAL", NEXT),
    ]
    assert suspected([second, first], [], SESSIONS) == [], "no listed share continues them"


def test_the_span_of_records() -> None:
    days = [
        Candle(DAY + timedelta(days=number), 10, 12, 9, 11, volume)
        for number, volume in enumerate([9, 1, 2, *[50] * 12, 7])
    ]
    found = span("A", candle.pack(days))
    assert found == Span("A", days[0], days[-1], 50, 50)
    assert span("A", candle.pack(days[:3])) == Span("A", days[0], days[2], 2, 2)
