"""One worker process, wired: what brings prices from the broker into Redis, and the jobs beside it.

The only place that knows both the settings and every part. Plain threads: flush (Redis), feed (the broker),
rest (its quotes), schedule (the jobs), leader (the lease, which sets the others going); started in this order
and stopped in the other.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from functools import partial
from typing import Final

import redis
from sqlalchemy import Engine

from ltp import checks
from ltp.batch.master_import import last_import
from ltp.core.market import outlook
from ltp.core.market.session import Calendar
from ltp.core.ticks.off_sessions import OffSessions
from ltp.core.ticks.tick import Tick
from ltp.db.catalog import Catalog
from ltp.db.reassignments import lately
from ltp.db.runs import fetch_keys
from ltp.errors import StoreError
from ltp.feed import token_file
from ltp.feed.client import FeedClient
from ltp.feed.credentials import Credentials
from ltp.feed.dial import Dialer
from ltp.feed.rest import RestClient
from ltp.feed.status import FeedStatus
from ltp.feed.supervisor import Supervisor
from ltp.settings import Settings
from ltp.store import demand, heartbeat, prices, rights
from ltp.store.batch_publisher import BatchPublisher
from ltp.store.keys import TICK_TTL_S
from ltp.store.lease import Lease
from ltp.store.limits import NotBefore
from ltp.vital import Vital
from ltp.worker import background
from ltp.worker.background import Background
from ltp.worker.daily_import import DailyImport
from ltp.worker.doubts import Doubts
from ltp.worker.host_clock import HostClock
from ltp.worker.ingest import Ingest
from ltp.worker.known_instruments import KnownInstruments
from ltp.worker.leader import Leader, identity
from ltp.worker.market_clock import MarketClock
from ltp.worker.rest_quotes import WAIT_S, RestQuotes
from ltp.worker.schedule import Reconcile, Schedule
from ltp.worker.status_report import StatusReport
from ltp.worker.subscriptions import Subscriptions

log = logging.getLogger("worker")

CONNECT_TIMEOUT_S: Final = 5.0
_RECALL: Final = 1_000  # keys a read


class Worker:
    """Everything of one worker process, wired. `start` it, `stop` it once."""

    def __init__(self, settings: Settings, engine: Engine, client: redis.Redis) -> None:
        self._settings, self._client = settings, client
        self._credentials = Credentials(partial(checks.credentials, settings), self._store_token)
        self._dialer = Dialer()
        self._rest_client = RestClient(settings.dhanhq_rest_url, self._credentials)
        market = MarketClock(
            lambda: Calendar.named(settings.market_calendar, settings.market_calendar_overrides),
            clock=self._rest_client.true_time,
        )
        master = KnownInstruments(
            Catalog(engine, follow_plans=False),
            partial(fetch_keys, engine),
            partial(lately, engine, TICK_TTL_S),
        )
        own = identity()
        self.refusal = ""  # why this worker can never work
        self.leader = Leader(
            Lease(client, own),
            on_change=self._lease_changed,
            identity=own,
            check=partial(rights.check, client, rights.WORKER),
            on_refusal=partial(setattr, self, "refusal"),
        )
        off_sessions = OffSessions(market.is_session)
        self.ingest = self._build_ingest(market, master, off_sessions)
        self.feed = self._build_feed(market)
        self.subscriptions = self._build_subscriptions(market, master)
        self.rest = self._build_rest(market, master, off_sessions)
        self.reconcile = Reconcile(
            enabled=settings.dhanhq_ws_enabled,
            may_feed=self.leader.may_feed,
            wanted=lambda: self.subscriptions.wanted,
            market=market,
            set_enabled=self.feed.set_enabled,
        )
        self.schedule = Schedule(
            market=market,
            reconcile=self.reconcile,
            subscriptions=self.subscriptions,
            changed=self.ingest.changed,
        )
        self.chores = self._build_chores(engine, market)
        self.host_clock = HostClock(
            ingest=self.ingest,
            feed=self.feed,
            rest=self._rest_client,
            forget_wishes=partial(demand.forget_all, client),
            schedule=self.schedule,
            active=lambda: settings.dhanhq_ws_enabled and bool(self.leader.may_write()),
        )

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

    def _build_subscriptions(self, market: MarketClock, master: KnownInstruments) -> Subscriptions:
        client = self._client
        return Subscriptions(
            master=master,
            market=market,
            ingest=self.ingest,
            demand=lambda now: demand.wanted(client, now),
            drop_demand=lambda keys: demand.forget(client, keys),
            recall=self._recall,
            stored=partial(prices.stored, client),
            forget=partial(prices.forget, client),
            set_wanted=self.feed.set_wanted,
            active=self.leader.may_feed,
        )

    def _build_chores(self, engine: Engine, market: MarketClock) -> Background:
        daily_import = DailyImport(
            self._settings.master_url,
            active=lambda: bool(self.leader.may_write()),
            last_import=partial(last_import, engine),
        )
        screens = background.of_screens(
            engine,
            session_on=market.session_on,
            universe=self._settings.screener_universe,
            fetches=self._settings.dhanhq_ws_enabled,
            simulated=self._settings.source == "simulator",
            active=lambda: bool(self.leader.may_write()),
        )
        return Background(daily_import, *screens)

    def _build_feed(self, market: MarketClock) -> Supervisor:
        return Supervisor(
            mode=self._settings.dhanhq_ws_mode,
            connect=self._connect,
            on_ticks=self.ingest.on_ticks,
            in_session=market.expects_packets,
            judged=market.judged,
            not_before=NotBefore(self._client),
            refresh_token=lambda: self._credentials.refresh(self._rest_client.renew_token),
            on_change=self.ingest.changed,
            credentials_version=self._credentials.version,
            used_version=self._credentials.used_version,
            account_refusal=self._rest_client.account_refusal,
        )

    def _build_ingest(
        self, market: MarketClock, master: KnownInstruments, off_sessions: OffSessions
    ) -> Ingest:
        idle = "" if self._settings.dhanhq_ws_enabled else "DHANHQ_WS_ENABLED is not true: the worker idles"
        return Ingest(
            BatchPublisher(self._client, self._settings.source, allowed=self.leader.may_write),
            market=market,
            report=StatusReport(
                source=self._settings.source,
                idle_reason=idle,
                waiting=lambda: self.subscriptions.waiting,
                taken=lambda: self.subscriptions.taken,
                calendar=lambda: market.doubts,
                clock_error=lambda: self._rest_client.clock_error_s,
                outlook=lambda: market.outlook,
                off_sessions=lambda: off_sessions.found,
                expected=lambda: self.reconcile.up and market.expects_packets(),
            ),
            may_write=self.leader.may_write,
            status=self._feed_status,
            tick_size=master.tick_size,
            min_interval_s=self._settings.stream_min_interval_ms / 1000,
            doubts=Doubts(
                lambda: self._rest_client.clock_error_s,
                lambda: outlook.short_notice(market.outlook, off_sessions.found),
            ),
            off_sessions=off_sessions,
        )

    def _build_rest(
        self, market: MarketClock, master: KnownInstruments, off_sessions: OffSessions
    ) -> RestQuotes:
        return RestQuotes(
            fetch=self._rest_client.quotes,
            asked=lambda now: demand.take_rest(self._client, now, wait_s=WAIT_S),
            wanted=lambda: self.subscriptions.wanted,
            knows=master.knows,
            status=self.feed.status,
            deliver=self.ingest.on_rest,
            usable=lambda tick: not off_sessions.refuses(tick),
            market=market,
            active=lambda: self._settings.dhanhq_ws_enabled and bool(self.leader.may_write()),
        )

    def _store_token(self, before: str, token: str) -> str:
        path = self._settings.dhanhq_access_token_file
        return "DHANHQ_ACCESS_TOKEN is no file" if path is None else token_file.replace(path, before, token)

    def _feed_status(self) -> FeedStatus:
        return self.feed.status()

    def _connect(self) -> FeedClient:
        feed_client = FeedClient(self._dialer)
        feed_client.connect(self._settings.dhanhq_ws_url, *self._credentials.use(), CONNECT_TIMEOUT_S)
        return feed_client

    def _recall(self, keys: Sequence[str]) -> list[Tick]:
        """Return what the cache knows of `keys`, nothing while it holds the prices of another source."""
        if heartbeat.read_source(self._client) != self._settings.source:
            return []
        known = (
            entry
            for start in range(0, len(keys), _RECALL)
            for entry in prices.read(self._client, keys[start : start + _RECALL])
        )
        return [entry.tick for entry in known if entry.tick is not None]

    def _lease_changed(self) -> None:
        """Go at once, instead of at the next tick of the schedule: subscribed within five seconds of the
        start.
        """
        self.subscriptions()
        self.reconcile()
        self.ingest.changed()
