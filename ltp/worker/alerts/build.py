"""The alerts of one feed, wired with SQL, Redis and the market."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Final, NamedTuple, Protocol

from ltp.core.alerts.book import RuleBook
from ltp.core.market.kinds import USUAL
from ltp.core.money import Price
from ltp.core.ticks.tick import Tick
from ltp.db import minute_bars
from ltp.db.engine import Engine
from ltp.db.runs import fetch_keys
from ltp.errors import StoreError
from ltp.feed.status import FeedStatus
from ltp.store import alerts as channel
from ltp.store import depth, prices
from ltp.store.client import Client
from ltp.worker.alerts.decider import Decider, Surroundings
from ltp.worker.alerts.decision_log import DecisionLog
from ltp.worker.alerts.events import Events
from ltp.worker.alerts.inbox import AlertTap, Inbox
from ltp.worker.alerts.past import PastTouches
from ltp.worker.alerts.remembered import Remembered
from ltp.worker.alerts.thread import Alerts, Parts
from ltp.worker.alerts.turn_lock import TurnLock

log = logging.getLogger(__name__)
_WITHOUT_LIMITS_S: Final = 30.0  # after Redis did not answer: a firing waits for it once


class Feed(Protocol):
    """As `feed.supervisor.Supervisor`."""

    @property
    def since_us(self) -> int: ...
    def status(self) -> FeedStatus: ...


class AlertParts(NamedTuple):
    """`tap`: for every tick. `thread`: to be started and stopped."""

    tap: AlertTap
    thread: Alerts
    book: RuleBook
    past: PastTouches
    phase: Callable[[str, int], str]

    def blind_keys(self) -> list[str]:
        """Return the instruments that trade now and whose touches may show in the broker's bars alone."""
        now = int(time.time())
        return [key for key in self.past.blind_keys if self.phase(key.partition(":")[0], now) in USUAL]

    def forgetting_too(
        self, forget: Callable[[Mapping[str, int]], None]
    ) -> Callable[[Mapping[str, int]], None]:
        """Return a function that forgets keys of other instruments here as well, see `Subscriptions`."""

        def both(reassigned: Mapping[str, int]) -> None:
            self.book.forget(reassigned)
            forget(reassigned)

        return both


def alerts_of(
    feed: Callable[[], Feed],
    engine: Engine,
    client: Client,
    *,
    source: str,
    phase: Callable[[str, int], str],
    expected: Callable[[], bool],
    symbol: Callable[[str], str],
    lease: Callable[[], int],
) -> AlertParts:
    """Return the alerts of a feed.

    Args:
        feed: returns the feed, which may be built later.
        source: of its prices, as in the cache.
        phase: of a segment's market at a second since the epoch.
        expected: returns whether silence of the feed would be a fault now.
        symbol: of a key.
        lease: see Alerts.
    """
    book, inbox = RuleBook(Counter(), phase=phase, lock=TurnLock()), Inbox()
    seen, decisions = Remembered(), DecisionLog()
    around = Surroundings(
        phase=phase,
        symbol=symbol,
        limits=CircuitLimits(client, source),
        delays=lambda: feed().status().delay_s,
        publish=partial(channel.publish, client),
        clock=time.time,
    )
    decider = Decider(engine, book, around, seen, decisions)
    past = PastTouches(partial(minute_bars.fetch, engine), seen, decisions)
    keys = partial(fetch_keys, engine)
    events = Events(decider, seen, keys, lambda: trouble(feed().status()) if expected() else "", symbol)
    parts = Parts(decider, seen, decisions, past, events)
    thread = Alerts(
        engine,
        book,
        inbox,
        parts,
        lease=lease,
        simulated=source == "simulator",
        last=partial(last_packets, client),
    )
    return AlertParts(AlertTap(book, inbox, lambda: feed().since_us), thread, book, past, phase)


def last_packets(client: Client, keys: Sequence[str]) -> list[Tick]:
    """Return the newest ticks of those `keys` that were on the feed within the last 30 s.

    Raises:
        StoreError: Redis cannot be read.
    """
    return [
        cached.tick
        for begin in range(0, len(keys), prices.CHUNK)
        for cached in prices.read(client, keys[begin : begin + prices.CHUNK])
        if cached.covered and cached.tick is not None
    ]


def trouble(status: FeedStatus) -> str:
    """Return why the feed brings no prices, "" while it does."""
    if status.feed == "live":
        return ""
    return f"the feed is {status.feed}{f': {status.last_error}' if status.last_error else ''}"


class CircuitLimits:
    """The day's limits of instruments where Redis has them: of those on open quote pages."""

    def __init__(self, client: Client, source: str, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._client, self._source, self._monotonic = client, source, monotonic
        self._not_before = float("-inf")

    def __call__(self, keys: Sequence[str]) -> Mapping[str, tuple[Price | None, Price | None]]:
        if self._monotonic() < self._not_before:
            return {}
        try:
            known = depth.read(self._client, self._source, keys)
        except StoreError as error:
            log.warning("%s. Firings go on without circuit limits.", error)
            self._not_before = self._monotonic() + _WITHOUT_LIMITS_S
            return {}
        return {
            key: (each.details.lower, each.details.upper)
            for key, each in zip(keys, known, strict=True)
            if each.details is not None
        }
