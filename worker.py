"""The worker: one feed connection, prices into Redis, until SIGTERM. `python worker.py` needs nothing but the settings.

Plain threads, never patched. Started in this order and stopped in the other: flush (Redis), feed (the broker), rest (its
quotes), schedule (the jobs), leader (the lease, which sets the others going). Every wait is bounded.
"""

from __future__ import annotations

import gc
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Sequence
from functools import partial
from typing import Final

import redis
from sqlalchemy import Engine

from ltp import logs
from ltp import settings as settings_module
from ltp.core.session import Calendar
from ltp.core.tick import Tick
from ltp.db import instruments
from ltp.db.catalog import Catalog
from ltp.db.engine import open_engine, reading
from ltp.db.screeners import fetch_keys
from ltp.errors import ConfigError, DatabaseError, LTPError, StoreError
from ltp.feed.client import FeedClient
from ltp.feed.credentials import Credentials
from ltp.feed.rest import RestClient
from ltp.feed.status import FeedStatus
from ltp.feed.supervisor import Supervisor
from ltp.jobs import chores, shipped
from ltp.jobs.chores import Chores
from ltp.jobs.daily_import import DailyImport
from ltp.jobs.ingest import Ingest
from ltp.jobs.instruments import last_import
from ltp.jobs.leader import Leader, identity
from ltp.jobs.market import Market
from ltp.jobs.master import Master
from ltp.jobs.report import Report
from ltp.jobs.rest_quotes import WAIT_S, RestQuotes
from ltp.jobs.schedule import Reconcile, Schedule
from ltp.jobs.subscriptions import Subscriptions
from ltp.settings import Settings
from ltp.store import demand, heartbeat, prices
from ltp.store.client import connect
from ltp.store.lease import Lease
from ltp.store.limits import NotBefore
from ltp.store.outlet import Outlet
from ltp.vital import ENDED, Vital

log = logging.getLogger("worker")

CONNECT_TIMEOUT_S: Final = 5.0
_REDIS_TIMEOUT_S: Final = 2.0
_RECALL: Final = 1_000  # keys a read
_DATABASE_RETRY_S: Final = 2.0
_EXIT_WITHIN_S: Final = 4.0
_COLLECT_AFTER: Final = 20_000  # new objects: a chunk of ticks is hundreds of them, and none is ever part of a ring
_LOOK_EVERY_S: Final = 0.5


class Worker:
    """Everything of one worker process, wired. `start` it, `stop` it once."""

    def __init__(self, settings: Settings, engine: Engine, client: redis.Redis) -> None:
        self._settings, self._client = settings, client
        market = Market(lambda: Calendar.named(settings.market_calendar, settings.market_calendar_overrides))
        master = Master(Catalog(engine, follow_plans=False), partial(fetch_keys, engine))
        self._credentials = Credentials(self._read_credentials)
        self._rest_client = RestClient(settings.dhanhq_rest_url, self._credentials)
        own = identity()
        self.leader = Leader(Lease(client, own), on_change=self._lease_changed, identity=own)
        self.ingest = self._build_ingest(market, master)
        self.feed = self._build_feed(market)
        self.subscriptions = Subscriptions(
            master=master,
            market=market,
            ingest=self.ingest,
            demand=lambda now: demand.wanted(client, now),
            drop_demand=lambda keys: demand.forget(client, keys),
            recall=self._recall,
            set_wanted=self.feed.set_wanted,
            active=self.leader.may_feed,
        )
        self.rest = self._build_rest(market, master)
        self.reconcile = Reconcile(
            enabled=settings.dhanhq_ws_enabled,
            may_feed=self.leader.may_feed,
            wanted=lambda: self.subscriptions.wanted,
            market=market,
            set_enabled=self.feed.set_enabled,
        )
        self.schedule = Schedule(
            market=market, reconcile=self.reconcile, subscriptions=self.subscriptions, changed=self.ingest.changed
        )
        daily_import = DailyImport(
            settings.master_url, active=lambda: bool(self.leader.may_write()), last_import=partial(last_import, engine)
        )
        screens = chores.of_screens(
            engine,
            session_on=market.session_on,
            universe=settings.screener_universe,
            fetches=settings.dhanhq_ws_enabled,
            simulated=settings.source == "simulator",
            active=lambda: bool(self.leader.may_write()),
        )
        self.chores = Chores(daily_import, *screens)
        self._account_probed = False

    def start(self) -> Vital:
        """Start every thread; return the watch over them."""
        vital = Vital(self.ingest, self.feed, self.rest, self.chores, self.leader)
        for thread in (self.ingest, self.feed, self.rest, self.chores):
            thread.start()
        self.schedule.start()
        vital.add([self.schedule.thread])
        self.leader.start()
        return vital

    def stop(self) -> None:
        """Unsubscribe, disconnect, write what is left, give the lease back."""
        self.schedule.stop()
        self.chores.stop()
        self.feed.stop()
        self.rest.stop()
        self.ingest.stop()
        if self.leader.may_write():
            try:
                heartbeat.remove(self._client)
            except StoreError as error:
                log.warning("%s", error)
        self.leader.stop()

    def _build_feed(self, market: Market) -> Supervisor:
        return Supervisor(
            mode=self._settings.dhanhq_ws_mode,
            connect=self._connect,
            on_ticks=self.ingest.on_ticks,
            in_session=market.expects_packets,
            not_before=NotBefore(self._client),
            refresh_token=lambda: self._credentials.refresh(self._rest_client.renew_token),
            on_change=self.ingest.changed,
            credentials_version=self._credentials.version,
            account_refusal=self._rest_client.account_refusal,
        )

    def _build_ingest(self, market: Market, master: Master) -> Ingest:
        idle = "" if self._settings.dhanhq_ws_enabled else "DHANHQ_WS_ENABLED is not true: the worker idles"
        return Ingest(
            Outlet(self._client, self._settings.source, allowed=self.leader.may_write),
            market=market,
            report=Report(
                source=self._settings.source,
                idle_reason=idle,
                waiting=lambda: self.subscriptions.waiting,
                taken=lambda: self.subscriptions.taken,
                calendar=lambda: market.doubts,
                expected=lambda: self.reconcile.up and market.expects_packets(time.time()),
            ),
            may_write=self.leader.may_write,
            status=self._feed_status,
            tick_size=master.tick_size,
            min_interval_s=self._settings.stream_min_interval_ms / 1000,
        )

    def _build_rest(self, market: Market, master: Master) -> RestQuotes:
        return RestQuotes(
            fetch=self._rest_client.quotes,
            asked=lambda now: demand.take_rest(self._client, now, wait_s=WAIT_S),
            wanted=lambda: self.subscriptions.wanted,
            knows=master.knows,
            status=self.feed.status,
            deliver=self.ingest.on_rest,
            market=market,
            active=lambda: self._settings.dhanhq_ws_enabled and bool(self.leader.may_write()),
        )

    def _read_credentials(self) -> tuple[str, str]:
        """Return client id and token as they are kept now; the broker is not asked with empty ones.

        Raises:
            ConfigError: one is missing or its file cannot be read.
        """
        for name in ("dhanhq_client_id", "dhanhq_access_token"):
            if not self._settings.secret(name):
                raise ConfigError(name.upper(), "", f"it (or {name.upper()}_FILE) must be set while DHANHQ_WS_ENABLED is true")
        return self._settings.secret("dhanhq_client_id"), self._settings.secret("dhanhq_access_token")

    def _feed_status(self) -> FeedStatus:
        return self.feed.status()

    def _connect(self) -> FeedClient:
        client_id, token = self._credentials.current()
        feed_client = FeedClient()
        feed_client.connect(self._settings.dhanhq_ws_url, client_id, token, CONNECT_TIMEOUT_S)
        return feed_client

    def _recall(self, keys: Sequence[str]) -> list[Tick]:
        """Return what the cache knows of `keys`, nothing while it holds the prices of another source."""
        if heartbeat.read_source(self._client) != self._settings.source:
            return []
        known = (
            entry for start in range(0, len(keys), _RECALL) for entry in prices.read(self._client, keys[start : start + _RECALL])
        )
        return [entry.tick for entry in known if entry.tick is not None]

    def _lease_changed(self) -> None:
        """Go at once, instead of at the next tick of the schedule: subscribed within five seconds of the start."""
        self.subscriptions()
        self.reconcile()
        self.ingest.changed()
        if self._settings.dhanhq_ws_enabled and self.leader.may_write() and not self._account_probed:
            self._account_probed = True
            threading.Thread(target=self._probe_account, name="account", daemon=True).start()

    def _probe_account(self) -> None:
        """Say in the log what the broker thinks of the account. It decides nothing: the feed may work where this does not."""
        try:
            profile = self._rest_client.profile()
        except LTPError as error:
            log.warning("The broker's profile of this account could not be read: %s", error)
            return
        log.info(
            "Account: data plan %s, token valid until %s",
            profile.get("dataPlan", "unknown"),
            profile.get("tokenValidity", "unknown"),
        )


def open_database(url: str, stopping: threading.Event) -> Engine | None:
    """Open it, waiting for as long as it is away; seed an empty instrument master. None when stopped before.

    Raises:
        DatabaseError: waiting cannot help.
    """
    told = False
    while not stopping.is_set():
        try:
            engine = open_engine(url)
            with reading(engine) as connection:
                empty = instruments.changed_at(connection) is None
            shipped.ensure(engine)
            if empty:
                log.info("The instrument master was empty; seeded it with the shipped universe")
            return engine
        except DatabaseError as error:
            if error.permanent:
                raise
            if not told:
                log.warning("%s. The worker waits for it.", error)
            told = True
            stopping.wait(_DATABASE_RETRY_S)
    return None


def main() -> int:
    """Run until SIGTERM or SIGINT. Returns the exit status: 0; 1 when a thread ended; 2 with one sentence on stderr."""
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    try:
        settings = settings_module.load()
        logs.configure("worker", settings.log_level)
        client = connect(settings.secret("redis_url"), timeout_s=_REDIS_TIMEOUT_S)
        engine = open_database(settings.database, stopping)
        if engine is None:
            return 0
        worker = Worker(settings, engine, client)
    except LTPError as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 2
    return _run(worker, settings, stopping)


def _run(worker: Worker, settings: Settings, stopping: threading.Event) -> int:
    if settings.dhanhq_ws_enabled:
        log.info("Worker started; prices are from %s", settings.source)
    else:
        log.info("DHANHQ_WS_ENABLED is not true: the worker idles. Set it to true to connect to the feed.")
    gc.set_threshold(_COLLECT_AFTER, 10, 10)
    status = 0
    try:
        vital = worker.start()
        # A signal that the kernel gave to another thread is acted on only when this one wakes.
        while not status and not stopping.wait(_LOOK_EVERY_S):
            status = ENDED if vital.ended() else 0
    except Exception:
        log.critical("The worker cannot go on and ends with status %d", status := ENDED, exc_info=True)
    log.info("Stopping")
    _stop(worker, status)
    return status


def _stop(worker: Worker, status: int) -> None:
    """Stop it in order, or end the process with `status`: at the latest after four seconds, and whatever stopping raises."""
    # Redis or the broker may hang in any of the calls that end things; nobody is served by an end that takes longer.
    latest = threading.Timer(_EXIT_WITHIN_S, os._exit, (status,))
    latest.daemon = True
    latest.start()
    try:
        worker.stop()
    except Exception:
        log.critical("The worker could not be stopped in order", exc_info=True)
        os._exit(status or ENDED)
    log.info("Stopped")


if __name__ == "__main__":
    sys.exit(main())
