"""The whole feed side, sockets included, against the simulated exchange."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from ltp import metrics
from ltp.core.ticks.tick import Tick, TickFields
from ltp.feed import watch
from ltp.feed.client import FeedClient
from ltp.feed.credentials import Credentials
from ltp.feed.rest import RestClient
from ltp.feed.simulator import Simulator
from ltp.feed.supervisor import Supervisor

KEYS = ("NSE_EQ:1333", "NSE_EQ:11536", "IDX_I:13")


class Feed:
    """A supervisor with everything real around it but Redis."""

    def __init__(self, simulator: Simulator) -> None:
        self.simulator = simulator
        self.kept = ("1000", "token-1")
        self.replaced_by: tuple[str, str] | None = None  # right after the next handshake
        self.credentials = Credentials(lambda: self.kept)
        self.rest = RestClient(simulator.rest_url, self.credentials)
        self.newest: dict[str, Tick] = {}
        self.deadline = 0.0
        self.in_session = True
        self.supervisor = Supervisor(
            mode="quote",
            connect=self.connect,
            on_ticks=self.take,
            in_session=lambda: self.in_session,
            judged=frozenset,
            not_before=self,
            refresh_token=lambda: self.credentials.refresh(self.rest.renew_token),
            on_change=lambda: None,
            credentials_version=self.credentials.version,
            used_version=self.credentials.used_version,
            account_refusal=self.rest.account_refusal,
        )
        self.supervisor.set_wanted(KEYS)

    def connect(self) -> FeedClient:
        client = FeedClient()
        client.connect(self.simulator.url, *self.credentials.use(), 5.0)
        self.kept = self.replaced_by or self.kept
        return client

    def take(self, ticks: list[TickFields]) -> float:
        self.newest.update((tick.key, tick) for tick in map(Tick._make, ticks) if tick.ltp is not None)
        return 0.02

    def read(self) -> float:
        return self.deadline

    def write(self, epoch_s: float) -> None:
        self.deadline = epoch_s

    def start(self, wait_for: Callable[..., Any]) -> Feed:
        self.supervisor.set_enabled(True)
        self.supervisor.start()
        wait_for(lambda: self.supervisor.status().priced == set(KEYS))
        return self

    def shows(self, key: str, ltp: int) -> bool:
        return key in self.newest and self.newest[key].ltp == ltp


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    simulator = Simulator(rate=0, ping_s=1.0).start()
    yield simulator
    simulator.stop()


@pytest.fixture
def feed(simulator: Simulator) -> Iterator[Feed]:
    feed = Feed(simulator)
    yield feed
    feed.supervisor.stop()
    assert not feed.supervisor.is_alive() or feed.supervisor.ident is None


def test_a_price_comes_exactly_and_changes_of_the_wanted_instruments_are_followed(
    feed: Feed, simulator: Simulator, wait_for: Callable[..., Any]
):
    feed.start(wait_for)
    assert feed.supervisor.status().feed == "live"
    simulator.trade("NSE_EQ:1333", 16_503_500)
    wait_for(lambda: feed.shows("NSE_EQ:1333", 16_503_500))
    feed.supervisor.set_wanted(("NSE_EQ:1333", "NSE_EQ:1594"))
    wait_for(lambda: feed.supervisor.status().priced == {"NSE_EQ:1333", "NSE_EQ:1594"})
    assert feed.supervisor.status().sent == 2


def test_after_a_reset_everything_is_back(feed: Feed, simulator: Simulator, wait_for: Callable[..., Any]):
    feed.start(wait_for)
    since = feed.supervisor.status().since_us
    simulator.connections.drop("reset", 1001)
    wait_for(
        lambda: feed.supervisor.status().since_us > since and feed.supervisor.status().priced == set(KEYS),
        timeout_s=5,
    )
    simulator.trade("NSE_EQ:11536", 30_000_000)
    wait_for(lambda: feed.shows("NSE_EQ:11536", 30_000_000))
    assert feed.supervisor.status().reconnects == 1


@pytest.mark.parametrize("kind", ["garbage", "text", "unknown_code", "wrong_length", "truncated", "price"])
def test_damaged_messages_are_survived(
    feed: Feed, simulator: Simulator, wait_for: Callable[..., Any], kind: str
):
    feed.start(wait_for)
    simulator.faults.add(kind)
    for ltp in (16_000_000, 16_000_500, 16_001_000):
        simulator.trade("NSE_EQ:1333", ltp)
    wait_for(lambda: feed.shows("NSE_EQ:1333", 16_001_000))
    assert feed.supervisor.status().reconnects == 0


def test_half_a_message_ends_the_connection(
    feed: Feed, simulator: Simulator, wait_for: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(watch, "HALF_FRAME_S", 0.5)
    ends = metrics.value("feed_reconnects.half_frame")
    feed.start(wait_for)
    simulator.faults.add("half_frame")
    simulator.trade("NSE_EQ:1333", 16_000_000)
    wait_for(lambda: metrics.value("feed_reconnects.half_frame") == ends + 1)
    wait_for(lambda: feed.supervisor.status().priced == set(KEYS))


def test_a_refused_token_is_renewed_over_rest(feed: Feed, simulator: Simulator, wait_for: Callable[..., Any]):
    simulator.faults.add("reject", reason=807)
    feed.start(wait_for)
    assert feed.credentials.current()[1] != "token-1"
    assert feed.supervisor.status().stopped_for_good is False


def test_a_token_that_was_replaced_before_the_refusal_is_used_and_not_renewed(
    feed: Feed, simulator: Simulator, wait_for: Callable[..., Any]
):
    simulator.faults.add("reject", reason=807)
    renewals = metrics.value("feed_token_refreshes")
    feed.replaced_by = ("1000", "token-2")
    feed.start(wait_for)
    assert feed.credentials.current() == ("1000", "token-2")
    assert simulator.account.accepts("token-2")
    assert metrics.value("feed_token_refreshes") == renewals


def test_a_client_id_that_is_refused_stops_until_it_changes(
    feed: Feed, simulator: Simulator, wait_for: Callable[..., Any]
):
    simulator.faults.add("reject", reason=810)
    feed.supervisor.set_enabled(True)
    feed.supervisor.start()
    wait_for(lambda: feed.supervisor.status().stopped_for_good)
    feed.kept = ("2000", "token-1")
    wait_for(lambda: feed.supervisor.status().feed == "live")


def test_429_leaves_its_deadline(feed: Feed, simulator: Simulator, wait_for: Callable[..., Any]):
    simulator.faults.add("refuse", status=429, retry_after_s=90)
    feed.supervisor.set_enabled(True)
    feed.supervisor.start()
    before = time.time()
    wait_for(lambda: "429" in feed.supervisor.status().last_error)
    assert feed.deadline >= before + 90


def test_no_log_line_and_no_status_contains_the_token(
    feed: Feed, simulator: Simulator, wait_for: Callable[..., Any], caplog: pytest.LogCaptureFixture
):
    feed.kept = ("1000", "canary-token")
    with caplog.at_level(logging.DEBUG):
        feed.start(wait_for)
        simulator.faults.add("refuse", status=503)
        simulator.connections.drop("reset", 1001)
        wait_for(lambda: "503" in feed.supervisor.status().last_error)
        feed.supervisor.stop()
    assert "Feed ended" in caplog.text
    assert "canary" not in caplog.text + repr(feed.supervisor.status())


def test_stop_leaves_nothing_behind(feed: Feed, simulator: Simulator, wait_for: Callable[..., Any]):
    feed.start(wait_for)
    feed.supervisor.stop()
    assert not feed.supervisor.is_alive()
    assert feed.supervisor.status().feed == "off"
    wait_for(lambda: simulator.connections.report()["open"] == [])


def test_stop_does_not_wait_for_a_frozen_broker(
    feed: Feed, simulator: Simulator, wait_for: Callable[..., Any]
):
    feed.start(wait_for)
    simulator.faults.add("freeze", duration_s=30.0)
    stopper = threading.Thread(target=feed.supervisor.stop)
    stopper.start()
    wait_for(lambda: not stopper.is_alive(), timeout_s=5)
    assert not feed.supervisor.is_alive()


def test_rest_has_the_prices_of_the_feed(feed: Feed, simulator: Simulator, wait_for: Callable[..., Any]):
    feed.start(wait_for)
    simulator.trade("NSE_EQ:1333", 16_503_500)
    wait_for(lambda: feed.shows("NSE_EQ:1333", 16_503_500))
    tick, ticked = (
        feed.rest.quotes(["NSE_EQ:1333", "NSE_EQ:999999"])["NSE_EQ:1333"],
        feed.newest["NSE_EQ:1333"],
    )
    assert (tick.ltp, tick.ltt, tick.volume, tick.open, tick.prev_close) == (
        ticked.ltp,
        ticked.ltt,
        ticked.volume,
        ticked.open,
        ticked.prev_close,
    )
    assert tick.rest
    assert feed.rest.account_refusal() == ""
