"""The web application: `create_app` wires settings, SQL, Redis, the hub and the views together.

`python app.py` runs everything on one machine. This is one of the few modules that may know every layer.
"""

from __future__ import annotations

import sys
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
from ltp.web import errors, origin, security, swaps, templating
from ltp.web.alerts import channels as alert_channels
from ltp.web.alerts import seen as alert_notices
from ltp.web.api.current_prices_fast import PricesFirst
from ltp.web.charts import live_charts
from ltp.web.charts.live_charts import LiveCharts
from ltp.web.clients import client as client_of_request
from ltp.web.live import notices, status_line
from ltp.web.live.demand import DemandRenewer
from ltp.web.live.viewers import ViewerCounts
from ltp.web.pages import PAGES
from ltp.web.quote.live_depth import LiveDepth
from ltp.web.quote.live_hours import LiveHours
from ltp.web.quote.past import PastFigures
from ltp.web.quote.range_cells import with_ranges
from ltp.web.services import EXTENSION, Services
from ltp.web.table import cells
from ltp.web.table.past.day_paths import DayPaths, stored_closes
from ltp.web.table.past.year_ranges import YearRanges, stored_years
from ltp.web.table.plan_cells import PlanCells
from ltp.web.table.range_bars import with_bars
from ltp.web.trading_hours import TradingHours
from ltp.web.vitals import Vitals
from ltp.web.waits import WRITE_MS, bounded
from ltp.web.watchlists import lists as watchlists

_REDIS_TIMEOUT_S: Final = 0.5  # a page answers within a second whatever Redis does
_OLDER_RUNS: Final = 8  # a run of every share takes tens of megabytes


def create_app(
    settings: Settings,
    *,
    hub: Hub | None = None,
    catalog: Catalog | None = None,
    day_paths: DayPaths | None = None,
    years: YearRanges | None = None,
    database_may_be_away: bool = False,
) -> Flask:
    """Build the application. Opens the database and upgrades its schema; sends nothing to Redis yet.

    Args:
        hub, catalog: used instead of those made from the settings; the caller starts and stops their threads.
            The hub must render from the catalog's plans.
        day_paths, years: those that the hub renders from.
        database_may_be_away: accept a database that cannot be reached now, if its schema is known to be
            current.
    Raises:
        ConfigError: a setting is not accepted.
        DatabaseError: the database cannot be used.
    """
    app = Flask(__name__)
    engine = open_engine(settings.database, may_be_unreachable=database_may_be_away)
    calendar = _calendar(settings)
    if day_paths is None:  # empty ones are false
        day_paths = DayPaths(stored_closes(engine), calendar)
    years = YearRanges(stored_years(engine)) if years is None else years
    services = _services(settings, engine, hub, catalog or Catalog(engine), day_paths, years, calendar)
    app.extensions[EXTENSION] = services
    app.extensions[watchlists.EXTENSION] = watchlists.Lists(services.engine)
    app.extensions[live_charts.EXTENSION] = _charts(settings, services, app)
    alert_channels.install(app, _alert_rules(settings))
    security.install(app)
    swaps.install(app)
    templating.install(app)
    errors.install(app)
    origin.install(app, settings.hosts)
    notices.install(app)
    for module in PAGES:
        app.register_blueprint(module.bp)
    app.wsgi_app = PricesFirst(app.wsgi_app, services, settings.hosts)  # type: ignore[method-assign]
    return app


def _alert_rules(settings: Settings) -> alert_channels.Rules:
    has_mail_server = bool(settings.smtp_url_file or settings.secret("smtp_url"))
    return alert_channels.Rules(settings.alerts_allow_internal, has_mail_server)


def _services(
    settings: Settings,
    engine: Engine,
    hub: Hub | None,
    catalog: Catalog,
    day_paths: DayPaths,
    years: YearRanges,
    calendar: TradingHours,
) -> Services:
    client = connect(settings.secret("redis_url"), timeout_s=_REDIS_TIMEOUT_S)
    cell = _cell(catalog, day_paths, years, lambda: hub.session if hub else "")
    hub = hub or _hub(settings, client, cell)
    source = partial(_source, hub, settings.source)
    live_depth = _live_depth(hub, client, source)
    live_hours = LiveHours(hub, calendar)
    renewer, vitals = _renewer(settings, client, hub, catalog), Vitals()
    of_page = partial(_ask_for_page, renewer)
    _show_beside_prices(hub, engine, of_page)
    beside = (renewer, live_depth, live_hours, vitals)
    return Services(
        hub=hub,
        redis=client,
        # SQLite waits inside C, where no other greenlet of the process runs.
        engine=engine.execution_options(ltp_busy_timeout_ms=WRITE_MS),
        catalog=catalog,
        run=_older_runs(engine),
        plans=catalog.plans,
        cell=cell,
        learn_days=day_paths.learn,
        learn_years=years.learn,
        year=years.get,
        demand=of_page,
        demand_of_program=lambda keys, asking: renewer.ask(demand.PROGRAMS, asking, keys),
        trusted=settings.proxies,
        source=source,
        poll_interval_ms=settings.poll_interval_ms,
        sizing=Sizing(settings.capital, settings.risk_per_trade),
        watch_depth=lambda key: live_depth.watch(key, client_of_request()),
        watch_hours=live_hours.watch,
        is_depth_late=live_depth.is_late,
        known_depth=live_depth.known,
        past=PastFigures(engine, calendar),
        bars_days=settings.minute_bars_days,
        longer_bars_days=max(settings.minute_bars_days, settings.longer_bars_days),
        calendar=calendar,
        vitals=vitals,
        start=lambda: [catalog.start(), *hub.start(), *(each.start() for each in beside)],
    )


def _show_beside_prices(hub: Hub, engine: Engine, of_page: Callable[[Collection[str]], None]) -> None:
    """Give the hub what it draws and asks for beside the cells of its views."""
    hub.on_shown, hub.status = of_page, lambda: status_line.render_partial(hub)
    hub.draw_notice, hub.stored_notices = alert_notices.draw, lambda: alert_notices.stored(engine)


def _calendar(settings: Settings) -> TradingHours:
    return TradingHours(lambda: Calendar.named(settings.market_calendar, settings.market_calendar_overrides))


def _cell(
    catalog: Catalog, day_paths: DayPaths, years: YearRanges, session: Callable[[], str]
) -> Callable[[Quote, str], str]:
    """`session`: that of the newest prices, "" without any."""
    plans = catalog.plans.of
    draw = with_ranges(with_bars(PlanCells(plans).draw_function, plans, years.get))
    return cells.draw_function(draw, session, _today, day_paths.draw)


def _source(hub: Hub, configured: str) -> str:
    """Return where prices come from: as the newest batch says, before it as the settings do."""
    return hub.source or configured


def _live_depth(hub: Hub, client: Redis, source: Callable[[], str]) -> LiveDepth:
    return LiveDepth(
        hub, lambda keys: bounded(depth.read, client, source(), keys), partial(depth.want, client)
    )


def _ask_for_page(renewer: DemandRenewer, keys: Collection[str]) -> None:
    renewer.ask(demand.PAGES, client_of_request(), keys)


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
    renewer = DemandRenewer(
        partial(demand.want, client),
        hub.ranks,
        lambda key: catalog.instrument(key) is not None,
        ttl_s=settings.demand_ttl_s,
        tell=lambda: viewers.tell(),  # noqa: PLW0108 (made below)
    )
    viewers = ViewerCounts(client, hub.views, renewer.clients)
    return renewer


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


if __name__ == "__main__":
    from ltp.runner import main

    sys.exit(main())
