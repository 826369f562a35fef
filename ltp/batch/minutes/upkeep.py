"""The upkeep of one-minute bars: sessions that are over packed into one block each, old ones deleted.

Each transaction is small, so the worker that stores today's bars never waits for long.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from ltp.batch.minutes.roll_up import keep_fives
from ltp.batch.progress import Progress
from ltp.core.market.session import Calendar
from ltp.core.trading_day import DAY_S
from ltp.db import minute_bars
from ltp.db.bars import coverage, five_minute_bars
from ltp.db.engine import Engine

_AT_ONCE: Final = 1_000  # blocks
_ROWS_AT_ONCE: Final = 5_000


def pack_sessions(engine: Engine, before: int, progress: Progress = lambda *_: None) -> int:
    """Pack the sessions before a midnight that lie in several blocks; return how many, of all instruments.

    Raises:
        DatabaseError: part of it may be done; the rest is for the next time.
    """
    loose = minute_bars.loose_sessions(engine, before)
    for number, (key, midnight) in enumerate(loose):
        progress("packing", number, len(loose))
        minute_bars.pack(engine, key, midnight, midnight + DAY_S)
    return len(loose)


def delete_old(
    engine: Engine,
    calendar: Calendar,
    before: int,
    fives_before: int,
    progress: Progress = lambda *_: None,
) -> tuple[int, int]:
    """Put five-minute bars in the place of the one-minute bars of sessions before a midnight, with the coverage of these
    days, and delete all bars of minutes before another.

    Returns:
        How many blocks of each were deleted.
    Raises:
        DatabaseError: as `pack_sessions`.
    """
    ones = keep_fives(engine, calendar, fives_before, before, progress)
    ones += _prune(minute_bars.prune, engine, min(before, fives_before), progress)
    minute_bars.drop_empty(engine, before)
    while coverage.prune(engine, before, most=_ROWS_AT_ONCE) == _ROWS_AT_ONCE:
        progress("pruning", ones, 0)
    return ones, _prune(five_minute_bars.prune, engine, fives_before, progress)


def _prune(prune: Callable[..., int], engine: Engine, before: int, progress: Progress) -> int:
    deleted, last = 0, _AT_ONCE
    while last >= _AT_ONCE:  # more where whole months were dropped besides
        progress("pruning", deleted, 0)
        last = prune(engine, before, most=_AT_ONCE)
        deleted += last
    return deleted
