"""The depth relay of a worker, wired to its feed, its REST client and Redis."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from functools import partial
from typing import Final, NamedTuple

from ltp.core.money import Price
from ltp.feed.rest import RestClient
from ltp.feed.supervisor import Supervisor
from ltp.store import depth
from ltp.store.client import Client
from ltp.worker.depth.relay import DepthRelay

_MAX_WISH_S: Final = 120.0  # a later end was written by a clock that is ahead


class DepthStore(NamedTuple):
    """`source`: of the prices, "dhanhq" or "simulator"."""

    client: Client
    source: str

    def wanted(self) -> list[str]:
        """Return the wanted keys. Raises StoreError."""
        now = time.time()
        return depth.wanted(self.client, now, now + _MAX_WISH_S)


def depth_relay(
    store: DepthStore,
    feed: Supervisor,
    rest: RestClient,
    subscribed: Callable[[], Collection[str]],
    *,
    tick_size: Callable[[str], Price],
    active: Callable[[], object],
) -> DepthRelay:
    """Return the relay, not started; see there for the arguments. `rest` gives it details from now on."""
    relay = DepthRelay(
        demand=store.wanted,
        subscribed=subscribed,
        set_deep=feed.set_deep,
        take=feed.take_depths,
        write=partial(depth.write, *store),
        write_details=partial(depth.write_details, *store),
        tick_size=tick_size,
        active=active,
    )
    rest.follow_details(relay.details)
    return relay
