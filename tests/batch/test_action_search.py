from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine

from ltp.batch.action_search import unseen_falls
from ltp.core.history.candle import Candle
from ltp.core.history.corporate_action import Action
from ltp.core.money import SCALE
from ltp.db import candles, corporate_actions
from ltp.db.engine import open_engine

KEY, DAY = "NSE_EQ:1660", date(2025, 7, 23)
FIRST = DAY - timedelta(days=40)


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    return open_engine(f"sqlite:///{tmp_path / 'ltp.sqlite3'}")


def share(fall: float) -> list[Candle]:
    """Eighty sessions at 480, lower by `fall` from DAY on."""
    found = []
    for number in range(80):
        price = round((480 + number % 2) * SCALE * (1 - fall if number >= 40 else 1))
        found.append(Candle(FIRST + timedelta(days=number), price, price, price, price, 1000))
    return found


def test_a_share_that_fell_with_the_market_did_not_fall_by_itself(engine: Engine) -> None:
    candles.upsert(engine, "raw", {KEY: share(0.054)})
    assert [fall.day for fall in unseen_falls(engine, KEY)] == [DAY]
    candles.upsert(engine, "raw", {f"NSE_EQ:{number}": share(0.054) for number in range(1, 60)})
    assert unseen_falls(engine, KEY) == []


def test_a_known_action_explains_its_fall(engine: Engine) -> None:
    candles.upsert(engine, "raw", {KEY: share(0.054)})
    corporate_actions.confirm(engine, [Action(KEY, DAY, 4816, 4556, "confirmed")])
    assert unseen_falls(engine, KEY) == []


def test_a_share_without_candles_as_traded_has_no_falls(engine: Engine) -> None:
    candles.upsert(engine, "adjusted", {KEY: share(0.054)})
    assert unseen_falls(engine, KEY) == []
