from __future__ import annotations

import math
from datetime import date
from pathlib import Path

from ltp.batch.stored_histories import histories, market_moves, shares
from ltp.core.history.candle import Candle, day_number
from ltp.core.money import SCALE
from ltp.db import candles
from ltp.db.engine import open_engine

DAYS = date(2025, 7, 1), date(2025, 7, 2)


def test_the_market_moves_as_the_median_of_shares_and_indices_do_not_count(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path / 'ltp.sqlite3'}")
    assert (shares(engine), market_moves(engine, [])) == ([], {})

    def of(second: int) -> list[Candle]:
        return [
            Candle(day, *[price * SCALE] * 4, 1000) for day, price in zip(DAYS, (100, second), strict=True)
        ]

    stored = {f"NSE_EQ:{number}": of(50 if number == 1 else 92) for number in range(1, 41)}
    candles.upsert(engine, "raw", stored | {"IDX_I:13": of(10)})
    every = shares(engine)
    assert every == sorted(stored)
    assert [(key, history.close.tolist()) for key, history in histories(engine, ["NSE_EQ:1"])] == [
        ("NSE_EQ:1", [100.0, 50.0])
    ]
    [(day, move)] = market_moves(engine, every).items()
    assert day == day_number(DAYS[1])
    assert math.isclose(move, math.log(0.92))
