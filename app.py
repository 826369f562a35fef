"""The web application: `create_app` wires settings, SQL, Redis, the hub and the views together.

`python app.py` runs everything on one machine. This is one of the few modules that may know every layer.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Collection
from functools import lru_cache, partial
from typing import Final

from flask import Flask
from redis import Redis
from sqlalchemy import Engine

from ltp.core.market.session import Calendar
from ltp.core.screener import Run
from ltp.core.sizing import Sizing
from ltp.core.ticks.quote import Quote
from ltp.core.trading_day import session_of
from ltp.db.catalog import Catalog
from ltp.db.engine import open_engine
from ltp.db.runs import fetch_run
from ltp.errors import DatabaseError
from ltp.hub.hub import Hub
from ltp.settings import Settings
from ltp.store import channel, demand, depth, forming, prices
from ltp.store.client import connect
from ltp.web import audit, errors, home, instruments, origin, security, status, swaps, templating
from ltp.web.alerts import changes as alert_changes
from ltp.web.alerts import feed as alert_feed
from ltp.web.alerts import form as alert_form
from ltp.web.alerts import index as alert_index
from ltp.web.alerts import seen as alert_notices
from ltp.web.alerts import show as alert_show
from ltp.web.api import alerts as alerts_api
from ltp.web.api import candle_coverage, candles, current_prices, health
from ltp.web.api.current_prices_fast import PricesFirst
from ltp.web.charts import live_charts
from ltp.web.charts.live_charts import LiveCharts
from ltp.web.clients import client as client_of_request
from ltp.web.history import changes, members, overview
from ltp.web.live import notices, status_line
from ltp.web.live.demand import DemandRenewer
from ltp.web.quote.live_depth import LiveDepth
from ltp.web.quote.past import PastFigures
from ltp.web.quote.range_cells import with_ranges
from ltp.web.redis_waits import bounded
from ltp.web.screens import custom, detail, evaluations, index, saved, show
from ltp.web.services import EXTENSION, Services
from ltp.web.table import cells
from ltp.web.table.day_paths import DayPaths, stored_closes
from ltp.web.table.plan_cells import PlanCells
from ltp.web.trading_hours import TradingHours
from ltp.web.vitals import Vitals

_REDIS_TIMEOUT_S: Final = 0.5  # a page answers within a second whatever Redis does
_OLDER_RUNS: Final = 8  # a run of every share takes tens of megabytes
_FORM_PATIENCE_MS: Final = 250


_PAGES: Final = (
    home,
    show,
    detail,
    custom,
    saved,
    index,
    evaluations,
    instruments,
    audit,
    overview,
    changes,
    members,
    status,
    alert_index,
    alert_form,
    alert_show,
    alert_changes,
    alert_notices,
    alert_feed,
    alerts_api,
    candle_coverage,
    candles,
    current_prices,
    health,
)


def create_app(
    settings: Settings,
    *,
    hub: Hub | None = None,
    catalog: Catalog | None = None,
    day_paths: DayPaths | None = None,
    database_may_be_away: bool = False,
) -> Flask:
    """Build the application. Opens the database and upgrades its schema; sends nothing to Redis yet.

    Args:
        hub, catalog: used instead of those made from the settings; the caller starts and stops their threads.
            The hub must render from the catalog's plans.
        day_paths: those that the hub renders from.
        database_may_be_away: accept a database that cannot be reached now, if its schema is known to be
            current.
    Raises:
        ConfigError: a setting is not accepted.
        DatabaseError: the database cannot be used.
    """
    app = Flask(__name__)
    app.extensions[EXTENSION] = services = _services(settings, hub, catalog, day_paths, database_may_be_away)
    app.extensions[live_charts.EXTENSION] = _charts(settings, services, app)
    security.install(app)
    swaps.install(app)
    templating.install(app)
    errors.install(app)
    origin.install(app, settings.hosts)
    notices.install(app)
    for module in _PAGES:
        app.register_blueprint(module.bp)
    app.wsgi_app = PricesFirst(app.wsgi_app, services, settings.hosts)  # type: ignore[method-assign]
    return app


def _services(
    settings: Settings,
    hub: Hub | None,
    catalog: Catalog | None,
    day_paths: DayPaths | None,
    may_be_away: bool,
) -> Services:
    engine = open_engine(settings.database, may_be_unreachable=may_be_away)
    client = connect(settings.secret("redis_url"), timeout_s=_REDIS_TIMEOUT_S)
    catalog = catalog or Catalog(engine)
    calendar = TradingHours(
        lambda: Calendar.named(settings.market_calendar, settings.market_calendar_overrides)
    )
    if day_paths is None:
        day_paths = DayPaths(stored_closes(engine), calendar)
    cell = cells.draw_function(
        with_ranges(PlanCells(catalog.plans.of).draw_function),
        lambda: hub.session if hub else "",
        _today,
        day_paths.draw,
    )
    hub = hub or _hub(settings, client, cell)

    def source() -> str:
        return hub.source or settings.source

    live_depth = LiveDepth(
        hub, lambda keys: bounded(depth.read, client, source(), keys), partial(depth.want, client)
    )
    renewer, vitals = _renewer(settings, client, hub, catalog), Vitals()

    def of_page(keys: Collection[str]) -> None:
        renewer.ask(demand.PAGES, client_of_request(), keys)

    hub.on_shown, hub.status = of_page, lambda: status_line.render_partial(hub)
    hub.draw_notice, hub.stored_notices = alert_notices.draw, lambda: alert_notices.stored(engine)
    return Services(
        hub=hub,
        redis=client,
        # SQLite waits inside C, where no other greenlet of the process runs.
        engine=engine.execution_options(ltp_busy_timeout_ms=_FORM_PATIENCE_MS),
        catalog=catalog,
        run=_older_runs(engine),
        plans=catalog.plans,
        cell=cell,
        learn_days=day_paths.learn,
        demand=of_page,
        demand_of_program=lambda keys, asking: renewer.ask(demand.PROGRAMS, asking, keys),
        trusted=settings.proxies,
        source=source,
        poll_interval_ms=settings.poll_interval_ms,
        sizing=Sizing(settings.capital, settings.risk_per_trade),
        watch_depth=lambda key: live_depth.watch(key, client_of_request()),
        is_depth_late=live_depth.is_late,
        known_depth=live_depth.known,
        past=PastFigures(engine, calendar),
        bars_days=settings.minute_bars_days,
        longer_bars_days=max(settings.minute_bars_days, settings.longer_bars_days),
        calendar=calendar,
        vitals=vitals,
        start=lambda: _start(catalog, hub, renewer, live_depth, vitals),
    )


def _charts(settings: Settings, shared: Services, app: Flask) -> LiveCharts:
    url = settings.secret("redis_url")
    return LiveCharts(
        shared.hub,
        subscribe=lambda: forming.subscribe(url),
        want=partial(forming.want, shared.redis),
        source=shared.source,
        context=app.app_context,
    )


def _today() -> str:
    return session_of(time.time())


def _hub(settings: Settings, client: Redis, cell: Callable[[Quote, str], str]) -> Hub:
    url = settings.secret("redis_url")
    return Hub(
        subscribe=lambda: channel.subscribe(url),
        snapshot=lambda keys: bounded(prices.read, client, keys),
        cell=cell,
        min_interval_s=settings.stream_min_interval_ms / 1000,
        stall_timeout_s=settings.stream_stall_timeout_s,
        max_streams=settings.max_streams,
    )


def _renewer(settings: Settings, client: Redis, hub: Hub, catalog: Catalog) -> DemandRenewer:
    return DemandRenewer(
        partial(demand.want, client),
        hub.ranks,
        lambda key: catalog.instrument(key) is not None,
        ttl_s=settings.demand_ttl_s,
    )


def _older_runs(engine: Engine) -> Callable[[int], Run | None]:
    @lru_cache(maxsize=_OLDER_RUNS)
    def read(run_id: int) -> Run | None:
        return fetch_run(engine, run_id)

    def run(run_id: int) -> Run | None:
        try:
            return read(run_id)
        except DatabaseError:
            return None

    return run


def _start(
    catalog: Catalog, hub: Hub, renewer: DemandRenewer, live_depth: LiveDepth, vitals: Vitals
) -> list[threading.Thread]:
    return [catalog.start(), *hub.start(), renewer.start(), live_depth.start(), vitals.start()]


if __name__ == "__main__":
    from ltp.runner import main

    sys.exit(main())
