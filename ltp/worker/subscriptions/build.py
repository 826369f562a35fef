"""The subscriptions of a worker and their table, wired to its feed, to Redis and to SQL."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Final, NamedTuple

from ltp.core.subscriptions.table import LONGEST_TITLE, MOST_ROWS, SubscriptionTable
from ltp.db import universes
from ltp.db.engine import Engine
from ltp.db.pins import pins
from ltp.feed.supervisor import Supervisor
from ltp.store import demand, prices, subscription_table
from ltp.store.client import Client
from ltp.store.recall import recall
from ltp.worker.ingest import Ingest
from ltp.worker.known_instruments import KnownInstruments
from ltp.worker.leader import Leader
from ltp.worker.market_clock import MarketClock
from ltp.worker.subscriptions.known_pins import KnownPins
from ltp.worker.subscriptions.known_watchlists import KnownWatchlists
from ltp.worker.subscriptions.reporter import TableReporter
from ltp.worker.subscriptions.subscriptions import Subscriptions
from ltp.worker.subscriptions.table import Known, rows
from ltp.worker.subscriptions.tick_counts import TickCounts

_BUSY_TIMEOUT_MS: Final = 50  # the next look is half a second away


class Stores(NamedTuple):
    """`source`: of the prices, "dhanhq" or "simulator"."""

    client: Client
    engine: Engine
    source: str


class Line(NamedTuple):
    """The parts of the worker between the broker and Redis."""

    market: MarketClock
    instruments: KnownInstruments
    ingest: Ingest
    feed: Supervisor
    leader: Leader


def subscriptions_of(
    stores: Stores,
    line: Line,
    *,
    on_reassigned: Callable[[Mapping[str, int]], None],
    on_wanted: Callable[[Sequence[str]], None],
    alerts: Callable[[], Sequence[str]] = tuple,
) -> Subscriptions:
    """Return the subscriptions; for the arguments see there."""
    client, engine, source = stores
    return Subscriptions(
        instruments=line.instruments,
        pins=KnownPins(
            partial(pins.version, engine, busy_timeout_ms=_BUSY_TIMEOUT_MS),
            partial(pins.fetch, engine, busy_timeout_ms=_BUSY_TIMEOUT_MS),
        ),
        watchlists=KnownWatchlists(
            line.instruments.universes, partial(universes.keys, engine, busy_timeout_ms=_BUSY_TIMEOUT_MS)
        ),
        market=line.market,
        ingest=line.ingest,
        demand=partial(demand.wanted, client),
        drop_demand=partial(demand.forget, client),
        recall=partial(recall, client, source),
        stored=partial(prices.stored, client),
        forget=partial(prices.forget, client),
        set_wanted=line.feed.set_wanted,
        set_modes=line.feed.set_modes,
        active=line.leader.may_feed,
        alerts=alerts,
        on_reassigned=on_reassigned,
        on_wanted=on_wanted,
    )


def reporter_of(
    stores: Stores, line: Line, subscriptions: Subscriptions, counts: TickCounts
) -> TableReporter:
    """Return the thread that writes the table, not started. `counts`: those beside the feed's ticks."""
    return TableReporter(
        is_looked_at=partial(subscription_table.is_looked_at, stores.client),
        make=partial(_write, stores, line, subscriptions, counts),
        rest=counts.stop,
        active=line.leader.may_write,
    )


def _write(stores: Stores, line: Line, subscriptions: Subscriptions, counts: TickCounts) -> None:
    now, status = time.time(), line.feed.status()
    wanted, waiting = subscriptions.wanted, subscriptions.waiting
    shown = waiting[: MOST_ROWS - len(wanted)]
    told, sent = subscription_table.read_counts(stores.client, now), line.feed.subscribed()
    reasons = subscriptions.reasons()
    known = Known(
        now_us=int(now * 1e6),
        wanted=wanted,
        waiting=shown,
        modes=sent.modes,
        seen=sent.seen,
        never_ticked=frozenset(status.never_ticked),
        last_us=line.ingest.received_at([*wanted, *shown]),
        per_min=counts.per_min(),
        viewers=told.viewers,
        clients=told.clients,
    )
    table = SubscriptionTable(
        known.now_us,
        stores.source,
        status.feed,
        subscriptions.limit,
        len(waiting),
        [reason._replace(title=reason.title[:LONGEST_TITLE]) for reason, _ in reasons],
        rows(known, reasons),
    )
    subscription_table.write(stores.client, table)
