"""What a page knows of one instrument at one moment: the newest tick, the state it is shown in, which way it
last moved.
"""

from __future__ import annotations

from typing import NamedTuple

from ltp.core.ticks.tick import State, Tick


class CachedTick(NamedTuple):
    """What the cache says of one key.

    `tick`: the last known values, None when never seen. `covered`: its `ltp:` key is there, so the feed was
    alive within the last 30 s and this was the price.
    """

    key: str
    tick: Tick | None
    covered: bool


class Quote(NamedTuple):
    """One instrument as the board of a web process holds it.

    `direction`: +1 or -1, which way the price last moved; 0 before it moved. `moved`: this version is a new
    price, so the cell flashes; false when only state or side values changed. `version`: rises by one with
    each change of any instrument in this process. `at`: the batch instant (microseconds) of the last change,
    0 when it came from the cache. `doubt`: why it is stale although the feed is alive, such as "delayed by 2
    min 30 s", empty when there is no more to say.
    """

    key: str
    tick: Tick | None
    state: State
    direction: int = 0
    moved: bool = False
    version: int = 0
    at: int = 0
    doubt: str = ""
