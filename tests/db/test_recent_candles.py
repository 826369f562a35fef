from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

from ltp.core.history import candle
from ltp.core.history.candle import Candle
from ltp.db import candles, recent_candles
from ltp.db.engine import open_engine


def test_the_sessions_since_a_day_come_without_earlier_ones(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path / 'ltp.sqlite3'}")
    history = [Candle(date(2025, 12, 1) + timedelta(days=back), 5, 6, 4, 5, back) for back in range(60)]
    candles.upsert(engine, "raw", {"NSE_EQ:1": history, "NSE_EQ:2": history[:3], "IDX_I:1": history})
    found = recent_candles.fetch_since(
        engine, "raw", ["NSE_EQ:1", "NSE_EQ:2"], date(2025, 12, 28), history[-1].day
    )
    assert {key: candle.unpack(packed) for key, packed in found.items()} == {"NSE_EQ:1": history[27:]}
    assert (
        recent_candles.fetch_since(engine, "adjusted", ["NSE_EQ:1"], date(2025, 12, 28), history[-1].day)
        == {}
    )
