"""The bars and the coverage of one feed, wired with their tables and with Redis."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import Protocol

from ltp.core.money import Price
from ltp.db import minute_bars
from ltp.db.bars import coverage
from ltp.db.engine import Engine
from ltp.feed.status import FeedStatus
from ltp.store import forming
from ltp.store.client import Client
from ltp.worker.bars.coverage_log import CoverageLog
from ltp.worker.bars.forming_bars import FormingBars
from ltp.worker.bars.minute_bars import MinuteBars


class Feed(Protocol):
    """As `feed.supervisor.Supervisor`."""

    @property
    def since_us(self) -> int: ...
    def status(self) -> FeedStatus: ...


def bars_of(
    feed: Callable[[], Feed],
    engine: Engine,
    *,
    simulated: bool,
    is_open: Callable[[str, int], bool],
    tick_size: Callable[[str], Price],
    may_write: Callable[[], object],
) -> MinuteBars:
    """Return the thread that stores a feed's bars and coverage; for the arguments see MinuteBars.

    Args:
        feed: returns the feed, which may be built later.
        simulated: the feed is the simulated exchange.
    """
    return MinuteBars(
        partial(minute_bars.upsert, engine, simulated=simulated),
        since=lambda: feed().since_us,
        silent=lambda: feed().status().feed != "live",
        is_open=is_open,
        tick_size=tick_size,
        may_write=may_write,
        coverage=CoverageLog(partial(coverage.store, engine, simulated=simulated), time.time),
    )


def forming_of(client: Client, bars: MinuteBars, source: str, may_write: Callable[[], object]) -> FormingBars:
    """Return the thread that publishes the forming bars of open charts. `source`: of the prices, as in the cache."""
    return FormingBars(
        wanted=partial(forming.wanted, client),
        recent=bars.recent,
        publish=partial(forming.publish, client),
        source=source,
        may_write=may_write,
    )
