"""A small market in a database: shares, their universes, and daily candles as after an import."""

from __future__ import annotations

import random
from datetime import date, timedelta

from sqlalchemy import Engine

from ltp.core.history.candle import Candle
from ltp.core.instrument import Instrument
from ltp.db import candles, instruments, universes
from ltp.db.candles import Basis
from ltp.db.engine import writing

LAST = date(2026, 11, 20)  # a Friday
NIFTY = "IDX_I:13"


def sessions(count: int, last: date = LAST) -> list[date]:
    days = [last - timedelta(days=back) for back in range(count * 2)]
    return [day for day in reversed(days) if day.weekday() < 5][-count:]


def walk(
    count: int, seed: int, *, start: float = 500.0, last: date = LAST, volume: int = 300_000
) -> list[Candle]:
    chance, close, found = random.Random(seed), start, []
    for day in sessions(count, last):
        opened, close = close, close * (1 + chance.gauss(0.0006, 0.018))
        prices = [
            round(price * 10_000)
            for price in (opened, max(opened, close) * 1.004, min(opened, close) * 0.996, close)
        ]
        found.append(Candle(day, *prices, chance.randint(volume // 2, volume)))
    return found


def open_market(engine: Engine, shares: int = 12, count: int = 300, basis: Basis = "raw") -> list[str]:
    """Store shares of universe `all`, the first five of `nifty50` too, each with its walk, and the index.
    Returns their keys.
    """
    numbers = range(1, shares + 1)
    named = [
        Instrument("NSE_EQ", n, f"SHARE{n}", f"Share {n} Limited", "", 1, 500, "EQ", "Banks") for n in numbers
    ]
    instruments.seed(engine, [*named, Instrument("IDX_I", 13, "NIFTY", "NIFTY 50", "", 1, 5)])
    keys = [each.key for each in named]
    universes.replace(engine, "all", "All", "test", keys)
    universes.replace(engine, "nifty50", "NIFTY 50", "test", keys[:5])
    candles.upsert(engine, basis, {key: walk(count, seed) for seed, key in enumerate([*keys, NIFTY])})
    note(engine, LAST)
    return keys


def note(engine: Engine, day: date) -> None:
    with writing(engine) as connection:
        candles.note_day(connection, day, "test", 1)
