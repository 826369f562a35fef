"""Prices on the reading side: a cache entry, and the quote of an instrument that pages show."""

from __future__ import annotations

from typing import NamedTuple

from ltp.core.ticks.tick import FIRST_CONNECTION, State, Tick


class CachedTick(NamedTuple):
    """One cache read of one key.

    `tick`: the last known values, None if the cache has none. `covered`: the `ltp:` key exists, so this was
    the price and the feed was alive within the last 30 s. `connection`: the broker connection that the price
    came by.
    """

    key: str
    tick: Tick | None
    covered: bool
    connection: str = FIRST_CONNECTION


class Quote(NamedTuple):
    """One instrument on the board of a web process.

    `direction`: +1 or -1, direction of the last move of the price; 0 before the first. `moved`: this version
    is a new price, so the cell flashes; False if only the state or other values changed. `version`: rises by
    one with each change of any instrument in this process. `at`: `Batch.at` of the newest batch at the last
    change, 0 before the first batch. `doubt`: why the price is stale although the feed is live, such as
    "delayed by 2 min 30 s", empty if there is no such reason.
    """

    key: str
    tick: Tick | None
    state: State
    direction: int = 0
    moved: bool = False
    version: int = 0
    at: int = 0
    doubt: str = ""
