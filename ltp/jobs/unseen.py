"""What the candles of one share cannot tell, for an operator who looks at that share alone."""

from __future__ import annotations

from datetime import date
from typing import Final

from ltp.db import actions, candles
from ltp.db.engine import Engine
from ltp.jobs.candle_keys import SHARES
from ltp.screen.history import History, from_packed
from ltp.screen.steps import market
from ltp.screen.unseen import Fall, falls

_MARKET_OF: Final = 100  # shares are enough to know the market's step by


def unseen(engine: Engine, key: str) -> list[Fall]:
    """Return the falls of a share that a small bonus or a demerger may have made, but for those around known actions."""
    history = _histories(engine, [key])
    if not history:
        return []
    others = sorted(each for each in candles.last_days(engine, "raw") if each.startswith(SHARES))
    moves = market(_histories(engine, others[:: max(1, len(others) // _MARKET_OF)]))
    return falls(history[0], [each.ex_day for each in actions.fetch(engine, key)], moves)


def _histories(engine: Engine, keys: list[str]) -> list[History]:
    found = []
    for packed in candles.fetch_packed(engine, "raw", keys, date.min, date.max).values():
        try:
            found.append(from_packed(packed))
        except ValueError:
            continue  # damaged long before; a run says so
    return found
