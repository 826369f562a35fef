from __future__ import annotations

from datetime import date, timedelta

import pytest

from ltp.core.history.candle import Candle, last_day, pack, prefers_adjusted
from ltp.core.history.corporate_action import Action
from ltp.core.history.price_history import candles_of, ema

FIRST = date(2026, 3, 2)


def packed(*rupees: int, first: date = FIRST) -> bytes:
    return pack(
        Candle(first + timedelta(days=at), *[price * 10_000] * 4, 1) for at, price in enumerate(rupees)
    )


def action(days: int, state: str, ratio: tuple[int, int] = (5, 1)) -> Action:
    return Action("NSE_EQ:1", FIRST + timedelta(days=days), *ratio, state)  # type: ignore[arg-type]


def test_an_average_starts_with_the_plain_one() -> None:
    assert ema((1.0, 2.0, 6.0, 5.0, 9.0), 3) == (None, None, 3.0, 4.0, 6.5)
    assert ema((1.0, 2.0), 3) == (None, None)
    assert ema((), 3) == ()


def test_one_basis_is_taken() -> None:
    short, long = packed(*[5] * 10), packed(*[5] * 20, first=FIRST - timedelta(days=10))
    assert [prefers_adjusted(*pair) for pair in ((short, long), (long, short), (short, short))] == [
        True,
        False,
        False,
    ]
    assert [prefers_adjusted(*pair) for pair in ((b"", short), (short, b""), (b"", b""))] == [
        True,
        False,
        True,
    ]
    ended = packed(*[5] * 30, first=FIRST - timedelta(days=40))
    assert [prefers_adjusted(*pair) for pair in ((short, ended), (ended, short))] == [False, True]


def test_the_newest_day() -> None:
    assert (last_day(packed(1, 2, 3)), last_day(b"")) == (FIRST + timedelta(days=2), None)


def test_a_confirmed_split_is_taken_out_and_a_suspected_one_cuts() -> None:
    records = packed(500, 510, 100, 102)
    assert closes(records, [action(2, "confirmed")]) == [100, 102, 100, 102]
    assert closes(records, [action(2, "detected")]) == [100, 102]
    assert closes(records, [action(2, "dismissed")]) == [500, 510, 100, 102]
    assert closes(records, [action(1, "confirmed", (2, 1)), action(2, "confirmed")]) == [50, 102, 100, 102]


def closes(records: bytes, actions: list[Action]) -> list[float]:
    return [each.close / 10_000 for each in candles_of(records, actions)]


def test_candles_are_adjusted_with_their_volumes() -> None:
    records = pack(
        Candle(FIRST + timedelta(days=at), 500_0000, 510_0000, 490_0000, 505_0000, 100) for at in range(2)
    )
    before, after = candles_of(records, [action(1, "confirmed")])
    assert before == Candle(FIRST, 100_0000, 102_0000, 98_0000, 101_0000, 500)
    assert after == Candle(FIRST + timedelta(days=1), 500_0000, 510_0000, 490_0000, 505_0000, 100)
    assert candles_of(records, [action(1, "detected")]) == [after]
    assert candles_of(records, [action(1, "dismissed")])[0].open == 500_0000
    assert candles_of(b"") == []


@pytest.mark.parametrize("damaged", [packed(100)[:-1], packed(100, 0)])
def test_damaged_candles_are_refused(damaged: bytes) -> None:
    with pytest.raises(ValueError, match=r"a torn record|prices not above 0"):
        candles_of(damaged)
