"""The objects that all views of one web process share.

`create_app` makes them once; a view gets them from `services()`. In a request `hub.quotes`,
`known_depth` and reads with `redis` may wait for Redis; see `ltp.web.waits` for how long.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Final, cast

from flask import current_app

from ltp.core.clients.client_address import TrustedProxies
from ltp.core.history.extremes import Ends, Past
from ltp.core.market.session import Calendar
from ltp.core.screener import Run
from ltp.core.sizing import Sizing
from ltp.core.ticks.quote import Quote
from ltp.db.catalog import Catalog
from ltp.db.engine import Engine
from ltp.db.plans import Plans
from ltp.hub.hub import Hub
from ltp.hub.insets import Inset
from ltp.store.client import Client
from ltp.store.depth import Known
from ltp.web.vitals import Vitals

EXTENSION: Final = "ltp"


@dataclass(frozen=True)
class Services:
    """The shared objects of one app.

    Attributes:
        engine: for the writes of forms and the candles of charts; waits for a lock 250 ms at most.
        run: returns an older run by its id, None if it cannot be read.
        plans: the plans of the runs that open pages show.
        cell: renders a cell, also of a live column of a plan; the hub renders with the same function.
        learn_days: reads today's closes of instruments that a page is about to show as lines.
        learn_years: reads the ranges of 52 weeks of instruments that a page is about to show or to sort.
        year: returns the figures of 52 weeks that were read of an instrument, None if there are none.
        demand: requests the worker's subscription of keys, for a page of the present request's client;
            returns at once.
        demand_of_program: the same for an API request of the given client; returns whether the client's
            quota was enough.
        trusted: proxies whose X-Forwarded-For header is believed.
        source: returns the source of the prices, dhanhq or simulator.
        poll_interval_ms: time between the first polls of a page whose stream is lost; later ones are rarer.
        sizing: capital and risk of a trade that plans are sized for, unless the address has others.
        calendar: returns the trading hours, with the late changes that have been read.
        watch_depth: requests the order book of an instrument for a page of the present request's client, and
            returns its inset; None where there is none.
        watch_hours: returns the inset with the trading hours of a segment, for a page that is open.
        is_depth_late: returns whether the order book has been wanted for longer than one takes to come.
        known_depth: reads the newest order book and details of an instrument from Redis.
        past: the figures of an instrument's earlier sessions.
        bars_days: days for which one-minute bars are kept.
        longer_bars_days: days for which bars of five minutes and their multiples are kept.
        vitals: event loop lag and counter rates of this process.
        start: starts the background threads, once per process; the process must end when one of them does.
    """

    hub: Hub
    redis: Client
    engine: Engine
    catalog: Catalog
    run: Callable[[int], Run | None]
    plans: Plans
    cell: Callable[[Quote, str], str]
    learn_days: Callable[[Collection[str]], None]
    learn_years: Callable[[Collection[str]], None]
    year: Callable[[str], Ends | None]
    demand: Callable[[Collection[str]], None]
    demand_of_program: Callable[[Collection[str], str], bool]
    trusted: TrustedProxies
    source: Callable[[], str]
    poll_interval_ms: int
    sizing: Sizing
    calendar: Callable[[], Calendar]
    watch_depth: Callable[[str], Inset | None]
    watch_hours: Callable[[str], Inset]
    is_depth_late: Callable[[str], bool]
    known_depth: Callable[[str], Known]
    past: Callable[[str], Past]
    bars_days: int
    longer_bars_days: int
    vitals: Vitals
    start: Callable[[], Sequence[threading.Thread]]


def services() -> Services:
    """Return the services of the app that handles the present request."""
    return cast(Services, current_app.extensions[EXTENSION])
