"""Stored histories as traded, and the market's own moves by them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Final

from ltp.batch.candle_keys import SHARES
from ltp.db import candles
from ltp.db.engine import Engine
from ltp.screen.history import History, from_packed
from ltp.screen.steps import market_steps

# Shares that make the market's moves: half of them would be enough for a median, and an import of all shares
# reads each of these twice.
_MARKET_OF: Final = 400


def shares(engine: Engine) -> list[str]:
    """Return the keys of all shares with candles as traded, in order."""
    return sorted(key for key in candles.last_days(engine, "raw") if key.startswith(SHARES))


def histories(engine: Engine, keys: Sequence[str]) -> Iterator[tuple[str, History]]:
    """Yield each history as traded that is not damaged; the notes of a run name damaged ones."""
    for key, packed in candles.fetch_packed(engine, "raw", keys, date.min, date.max).items():
        try:
            yield key, from_packed(packed)
        except ValueError:
            continue


def market_moves(engine: Engine, every: Sequence[str]) -> dict[int, float]:
    """Return the market's step by day, from a fixed part of all shares: the same whichever share is judged.

    Args:
        every: the keys of `shares`.
    """
    some = every[:: -(-len(every) // _MARKET_OF)] if every else []
    return market_steps(history for _, history in histories(engine, some))
