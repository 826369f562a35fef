"""One worker process, wired: from the broker to Redis, and the jobs beside it.

The only module that knows both the settings and every part. Each part is built from those above it; where it
needs one below, it is given a function that reads it later.

Plain threads, named bars (`MinuteBars`) and alerts (`Alerts`), into SQL, flush (`Ingest`, into Redis), feed
(`Supervisor`, from the broker; with it capture), rest (`RestQuotes`), depth (`DepthRelay`) and forming bars
(`FormingBars`), into Redis, background (`Background`, slow jobs), APScheduler (`Schedule`) and leader (`Leader`).
Leader starts last and stops last: without the lease the others do nothing.
"""

from __future__ import annotations

import logging
from functools import partial

import redis
from sqlalchemy import Engine

from ltp import checks
from ltp.core.market import outlook
from ltp.core.market.session import Calendar
from ltp.core.ticks.off_sessions import OffSessions
from ltp.db.catalog import Catalog
from ltp.db.reassignments import lately
from ltp.db.runs import fetch_keys
from ltp.errors import StoreError
from ltp.feed import token_file
from ltp.feed.capture.recorder import recorder_into
from ltp.feed.client import open_client
from ltp.feed.credentials import Credentials
from ltp.feed.dial import Dialer
from ltp.feed.rest import RestClient
from ltp.feed.supervisor import Supervisor
from ltp.settings import Settings
from ltp.store import demand, heartbeat, prices, rights
from ltp.store.batch_publisher import BatchPublisher
from ltp.store.keys import TICK_TTL_S
from ltp.store.lease import Lease
from ltp.store.limits import NotBefore
from ltp.store.recall import recall
from ltp.vital import Vital
from ltp.worker import background
from ltp.worker.alerts.build import AlertParts, alerts_of
from ltp.worker.background import Background
from ltp.worker.bars.feed_bars import bars_of, forming_of
from ltp.worker.bars.minute_bars import MinuteBars
from ltp.worker.depth.build import DepthStore, depth_relay
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
from ltp.worker.tap import Taps

log = logging.getLogger("worker")


class Worker:
    """Everything of one worker process. `start` it, `stop` it once.

    `refusal`: the reason why this worker can never work, "" while it may.
    """

    def __init__(self, settings: Settings, engine: Engine, client: redis.Redis) -> None:
        self._settings, self._engine, self._client = settings, engine, client
        self._credentials = Credentials(partial(checks.credentials, settings), self._store_token)
        self._rest_client = RestClient(settings.rest_url, self._credentials)
        self._market = MarketClock(
            lambda: Calendar.named(settings.market_calendar, settings.market_calendar_overrides),
            clock=self._rest_client.true_time,
        )
        self._off_sessions = OffSessions(self._market.is_session)
        catalog, reassigned = Catalog(engine, follow_plans=False), partial(lately, engine, TICK_TTL_S)
        self._instruments = KnownInstruments(catalog, partial(fetch_keys, engine), reassigned)
        self.refusal = ""
        self.leader = self._build_leader()
        self.minute_bars = self._build_minute_bars()
        self.forming_bars = forming_of(client, self.minute_bars, settings.source, self.leader.may_write)
        self.alerts = self._build_alerts()
        self.ingest = self._build_ingest()
        self.feed = self._build_feed()
        self.subscriptions = self._build_subscriptions()
        self.depth = depth_relay(
            DepthStore(client, settings.source),
            self.feed,
            self._rest_client,
            lambda: self.subscriptions.wanted,
            tick_size=self._instruments.tick_size,
            active=self.leader.may_write,
        )
        self.rest = self._build_rest()
        self.reconcile = self._build_reconcile()
        self.schedule = Schedule(
            market=self._market,
            reconcile=self.reconcile,
            subscriptions=self.subscriptions,
            request_beat=self.ingest.request_beat,
        )
        self.background = self._build_background()
        self.host_clock = self._build_host_clock()

    def start(self) -> Vital:
        """Start every thread; return the watch over them."""
        vital = Vital(self.ingest, self.feed, self.rest, self.background, self.leader)
        prices = (self.ingest, self.feed, self.rest, self.background)
        for thread in (self.minute_bars, self.alerts.thread, self.forming_bars, self.depth, *prices):
            thread.start()
        self.schedule.start()
        vital.add([self.schedule.thread])
        self.leader.start()
        return vital

    def stop(self) -> None:
        """Unsubscribe, disconnect, write all that is left, give the lease back."""
        for reader in (self.schedule, self.forming_bars, self.depth, self.background, self.feed, self.rest):
            reader.stop()
        for writer in (self.ingest, self.minute_bars, self.alerts.thread):
            writer.stop()
        if self.leader.may_write():
            try:
                heartbeat.remove(self._client)
            except StoreError as error:
                log.warning("%s", error)
        self.leader.stop()

    # The lease: whether this worker may do anything.

    def _build_leader(self) -> Leader:
        own = identity()
        return Leader(
            Lease(self._client, own),
            on_change=self._lease_changed,
            identity=own,
            check=partial(rights.check, self._client, rights.WORKER),
            on_refusal=partial(setattr, self, "refusal"),
        )

    def _lease_changed(self) -> None:
        """Act before the schedule does, so that the feed is subscribed within five seconds of the start."""
        self.alerts.thread.wake()
        self.subscriptions()
        self.reconcile()
        self.ingest.request_beat()

    def _leads(self) -> bool:
        return bool(self.leader.may_write())

    # From the feed to Redis.

    def _build_minute_bars(self) -> MinuteBars:
        return bars_of(
            lambda: self.feed,
            self._engine,
            simulated=self._settings.source == "simulator",
            is_open=self._market.trades_at,
            tick_size=self._instruments.tick_size,
            may_write=self.leader.may_write,
        )

    def _build_alerts(self) -> AlertParts:
        return alerts_of(
            lambda: self.feed,
            self._engine,
            self._client,
            source=self._settings.source,
            phase=self._market.phase_at,
            expected=lambda: self.reconcile.up and self._market.expects_packets(),
            symbol=self._instruments.symbol,
            lease=self.leader.may_write,
        )

    def _build_ingest(self) -> Ingest:
        return Ingest(
            BatchPublisher(self._client, self._settings.source, allowed=self.leader.may_write),
            market=self._market,
            report=self._build_report(),
            may_write=self.leader.may_write,
            status=lambda: self.feed.status(),  # noqa: PLW0108 (the feed is built later)
            tick_size=self._instruments.tick_size,
            event_interval_s=self._settings.stream_min_interval_ms / 1000,
            doubts=Doubts(
                clock_error=lambda: self._rest_client.clock_error_s,
                notice=lambda: outlook.short_notice(self._market.outlook, self._off_sessions.found),
            ),
            off_sessions=self._off_sessions,
            tap=Taps(self.minute_bars.on_ticks, self.alerts.tap),
        )

    def _build_report(self) -> StatusReport:
        idle = "" if self._settings.feed_enabled else "DHANHQ_WS_ENABLED is not true: the worker idles"
        return StatusReport(
            source=self._settings.source,
            idle_reason=idle,
            waiting=lambda: self.subscriptions.waiting,
            taken=lambda: self.subscriptions.taken,
            calendar=lambda: self._market.provisional,
            clock_error=lambda: self._rest_client.clock_error_s,
            outlook=lambda: self._market.outlook,
            off_sessions=lambda: self._off_sessions.found,
            parts=lambda: {"bars": self.minute_bars.counts, "alerts": self.alerts.thread.counts},
            expected=lambda: self.reconcile.up and self._market.expects_packets(),
        )

    def _build_feed(self) -> Supervisor:
        settings = self._settings
        return Supervisor(
            mode=settings.feed_mode,
            connect=partial(open_client, Dialer(), settings.feed_url, self._credentials),
            on_ticks=self.ingest.on_ticks,
            in_session=self._market.expects_packets,
            judged=self._market.trading_segments,
            not_before=NotBefore(self._client),
            refresh_token=lambda: self._credentials.refresh(self._rest_client.renew_token),
            on_change=self.ingest.request_beat,
            credentials_version=self._credentials.version,
            used_version=self._credentials.used_version,
            account_refusal=self._rest_client.account_refusal,
            recorder=recorder_into(settings.capture_dir, source=settings.source, mode=settings.feed_mode),
        )

    def _store_token(self, before: str, token: str) -> str:
        path = self._settings.access_token_file
        return "DHANHQ_ACCESS_TOKEN is no file" if path is None else token_file.replace(path, before, token)

    # From the demand in Redis to the feed and to REST.

    def _build_subscriptions(self) -> Subscriptions:
        client = self._client
        return Subscriptions(
            instruments=self._instruments,
            market=self._market,
            ingest=self.ingest,
            demand=lambda now: demand.wanted(client, now),
            drop_demand=lambda keys: demand.forget(client, keys),
            recall=partial(recall, client, self._settings.source),
            stored=partial(prices.stored, client),
            forget=partial(prices.forget, client),
            set_wanted=self.feed.set_wanted,
            active=self.leader.may_feed,
            on_reassigned=self.alerts.forgetting_too(self.minute_bars.forget),
            alerts=self.alerts.thread.keys,
            on_wanted=self.minute_bars.follow,
        )

    def _build_rest(self) -> RestQuotes:
        return RestQuotes(
            fetch=self._rest_client.quotes,
            take_requested=self.depth.details.beside(partial(demand.take_rest, self._client, wait_s=WAIT_S)),
            wanted=lambda: self.subscriptions.wanted,
            knows=self._instruments.knows,
            status=self.feed.status,
            deliver=self.ingest.on_rest,
            usable=lambda tick: not self._off_sessions.refuses(tick),
            market=self._market,
            active=self._may_call_rest,
        )

    def _may_call_rest(self) -> bool:
        return self._settings.feed_enabled and self._leads()

    # Beside prices: the hours of the feed, slow jobs, the clock.

    def _build_reconcile(self) -> Reconcile:
        return Reconcile(
            enabled=self._settings.feed_enabled,
            may_feed=self.leader.may_feed,
            wanted=lambda: self.subscriptions.wanted,
            market=self._market,
            set_enabled=self.feed.set_enabled,
        )

    def _build_background(self) -> Background:
        jobs = background.all_jobs(
            self._engine,
            master_url=self._settings.master_url,
            session_on=self._market.session_on,
            universe=self._settings.screener_universe,
            fetches=self._settings.feed_enabled,
            simulated=self._settings.source == "simulator",
            active=self._leads,
            gap_ends=lambda: self.minute_bars.coverage.changes,
            blind=self.alerts.blind_keys,
        )
        return Background(*jobs)

    def _build_host_clock(self) -> HostClock:
        return HostClock(
            ingest=self.ingest,
            feed=self.feed,
            rest=self._rest_client,
            schedule=self.schedule,
            forget_demand=partial(demand.forget_all, self._client),
            active=self._may_call_rest,
        )
