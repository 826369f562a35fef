"""What the views of one web process share, and the thread that tells the worker what is being shown.

Built once by `create_app`, found by a view through `services()`. Nothing here waits for Redis inside a
request.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Final, cast

from flask import current_app

from ltp.core.clients.client_address import TrustedProxies
from ltp.core.market.session import Calendar
from ltp.core.screener import Run
from ltp.core.sizing import Sizing
from ltp.core.ticks.quote import Quote
from ltp.db.catalog import Catalog
from ltp.db.engine import Engine
from ltp.db.plans import Plans
from ltp.hub.hub import Hub
from ltp.store.client import Client
from ltp.web.vitals import Vitals

logger = logging.getLogger(__name__)
EXTENSION: Final = "ltp"


@dataclass(frozen=True)
class Services:
    """`engine`: for what a form writes, and nothing else; it waits for a lock but a moment. `run` finds an
    older run, None when it cannot. `demand` asks the worker to subscribe keys for a page of the present
    request's client; `demand_of_program` does for an API call of the client named, and tells whether its
    quota is enough. Both return at once. `trusted`: proxies that may name a client. `plans`: those of the
    runs that pages show. `cell` draws a cell, live columns of plans included; the hub draws with it too.
    `sizing`: what plans are sized for unless a view says otherwise. `source` says whose prices are shown:
    dhanhq, simulator. `vitals`: of this process. `start` begins the background threads, once per process, and
    returns them: the process depends on each.
    """

    hub: Hub
    redis: Client
    engine: Engine
    catalog: Catalog
    run: Callable[[int], Run | None]
    plans: Plans
    cell: Callable[[Quote, str], str]
    demand: Callable[[Collection[str]], None]
    demand_of_program: Callable[[Collection[str], str], bool]
    trusted: TrustedProxies
    source: Callable[[], str]
    poll_interval_ms: int
    sizing: Sizing
    calendar: Callable[[], Calendar]
    vitals: Vitals
    start: Callable[[], Sequence[threading.Thread]]


def services() -> Services:
    """Return the services of the app that handles the present request."""
    return cast(Services, current_app.extensions[EXTENSION])
