"""A database with so many shares of so many sessions, as imports leave one: random walks, the same every
time.
"""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Final

import numpy as np

from ltp.batch.histories import INDEX
from ltp.core.history.candle import day_number
from ltp.core.instrument import Instrument
from ltp.db import candles, instruments, universes
from ltp.db.engine import open_engine, writing
from ltp.screen.history import RECORD

LAST: Final = date(2026, 11, 20)


def write(file: Path, shares: int, sessions: int) -> str:
    """Return the address of the database."""
    address = f"sqlite:///{file}"
    engine = open_engine(address)
    named = [
        Instrument("NSE_EQ", n, f"SHARE{n}", f"Share {n} Limited", "", 1, 500, "EQ", "Banks")
        for n in range(1, shares + 1)
    ]
    instruments.seed(engine, named)
    keys = [each.key for each in named]
    universes.replace(engine, "all", "All", "bench", keys)
    chance, days = np.random.default_rng(1), _days(sessions)
    with writing(engine) as connection:
        candles.upsert_packed(connection, "raw", {key: _walk(chance, days) for key in [*keys, INDEX]})
        candles.note_day(connection, LAST, "bench", shares)
    engine.dispose()
    return address


def _days(count: int) -> np.ndarray:
    days = [LAST - timedelta(days=back) for back in range(count * 2)]
    return np.array([day_number(day) for day in reversed(days) if day.weekday() < 5][-count:])


def _walk(chance: np.random.Generator, days: np.ndarray) -> bytes:
    close = chance.uniform(80, 3_000) * np.exp(np.cumsum(chance.normal(0.0006, 0.018, days.size)))
    opened = close * np.exp(chance.normal(0, 0.006, days.size))
    records = np.zeros(days.size, RECORD)
    records["day"], records["volume"] = days, chance.integers(100_000, 2_000_000, days.size)
    prices = (opened, np.maximum(opened, close) * 1.006, np.minimum(opened, close) * 0.994, close)
    for name, price in zip(("open", "high", "low", "close"), prices, strict=True):
        records[name] = price * 10_000
    return records.tobytes()
