"""The upkeep of one-minute bars: sessions that are over packed into one block each, old ones deleted.

Each transaction is small, so the worker that stores today's bars never waits for long.
"""

from __future__ import annotations

from typing import Final

from ltp.batch.progress import Progress
from ltp.core.trading_day import DAY_S
from ltp.db import minute_bars
from ltp.db.engine import Engine
from ltp.db.minutes import coverage

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


def delete_old(engine: Engine, before: int, progress: Progress = lambda *_: None) -> int:
    """Delete the blocks that start before a midnight, and the coverage of those days; return the number of blocks.

    Raises:
        DatabaseError: as `pack_sessions`.
    """
    deleted, last = 0, _AT_ONCE
    while last == _AT_ONCE:
        progress("pruning", deleted, 0)
        last = minute_bars.prune(engine, before, most=_AT_ONCE)
        deleted += last
    while coverage.prune(engine, before, most=_ROWS_AT_ONCE) == _ROWS_AT_ONCE:
        progress("pruning", deleted, 0)
    return deleted
