from __future__ import annotations

import itertools
import json
import logging
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest

from ltp import metrics
from ltp.core.market.session import Calendar
from ltp.core.ticks.lag import Lag
from ltp.core.ticks.tick import Tick, TickFields
from ltp.feed.status import FeedStatus
from ltp.store.batch_publisher import BatchPublisher
from ltp.store.client import connect
from ltp.worker.ingest import Ingest
from ltp.worker.market_clock import MarketClock
from ltp.worker.status_report import StatusReport
from ltp.worker.tap import Tap

HDFC, TCS = "NSE_EQ:1333", "NSE_EQ:11536"


class Bench:
    """An Ingest that writes to a real server; the test sets the feed's status and the lease."""

    def __init__(
        self,
        valkey: Any,
        wait_for: Callable[..., Any],
        event_interval_s: float = 0.2,
        tap: Tap | None = None,
    ) -> None:
        self.valkey, self.wait_for = valkey, wait_for
        self.fence = 1
        self.status = FeedStatus("live", since_us=1, sent=2)
        self.ingest = Ingest(
            BatchPublisher(connect(valkey.url, timeout_s=2), "simulator", allowed=lambda: self.fence),
            market=MarketClock(Calendar.always_open),
            report=StatusReport(source="simulator", idle_reason="", waiting=list),
            may_write=lambda: self.fence,
            status=lambda: self.status,
            tick_size=lambda _: 0,
            event_interval_s=event_interval_s,
            tap=tap,
        )
        self.listener = self.listen()
        self.messages: list[dict[str, Any]] = []

    def listen(self) -> Any:
        pubsub = self.valkey.client.pubsub(ignore_subscribe_messages=True)
        pubsub.subscribe("live_ltp_updates")
        pubsub.get_message(timeout=2)
        return pubsub

    def start(self) -> Bench:
        self.ingest.follow([HDFC, TCS], [])
        self.ingest.start()
        self.message(lambda message: message["seq"] == 1)
        self.wait_for(lambda: self.ingest._writer.fence)  # set a moment after the message is out
        return self

    def message(self, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """Return the next message that is `wanted`."""

        def arrived() -> dict[str, Any] | None:
            raw = self.listener.get_message(timeout=0.05)
            if raw is None:
                return None
            self.messages.append(json.loads(raw["data"]))
            return self.messages[-1] if wanted(self.messages[-1]) else None

        found: dict[str, Any] = self.wait_for(arrived)
        return found

    def with_key(self, key: str) -> dict[str, Any]:
        return self.message(lambda message: any(tick["k"] == key for tick in message["ticks"]))


@pytest.fixture
def bench(request: pytest.FixtureRequest, valkey: Any, wait_for: Callable[..., Any]) -> Iterator[Bench]:
    """The parameter, if a test gives one, is the least seconds between two events of a page."""
    made = Bench(valkey, wait_for, getattr(request, "param", 0.2))
    yield made
    made.ingest.stop()
    made.listener.close()


def tick(key: str = HDFC, ltp: int = 14_021_000, **fields: Any) -> Tick:
    now = time.time()
    return Tick(key, ltp, int(now), int(now * 1e6), **fields)


def test_a_tick_is_in_the_cache_when_it_is_published(bench: Bench) -> None:
    bench.start()
    bench.ingest.on_ticks([tick(volume=5), tick(TCS, 30_231_000)])
    message = bench.with_key(HDFC)
    assert [one["k"] for one in message["ticks"]] == [HDFC, TCS]
    assert (message["feed"], message["since"], message["phase"]["NSE_EQ"]) == ("live", 1, "continuous")
    assert bench.valkey.client.mget("ltp:NSE_EQ:1333", "ltp:NSE_EQ:11536") == [b"1402.10", b"3023.10"]
    assert json.loads(bench.valkey.client.get("tick:NSE_EQ:1333"))["volume"] == 5


def test_it_tells_when_each_instrument_ticked_last(bench: Bench) -> None:
    ticks = [tick(), tick(TCS)]
    bench.ingest.follow([HDFC, TCS], [])
    bench.ingest.on_ticks(ticks)
    asked = [*(f"NSE_FNO:{number}" for number in range(1, 600)), HDFC, TCS]
    assert bench.ingest.received_at(asked) == {each.key: each.received_at for each in ticks}


def test_ticks_are_sent_on_the_feeds_own_thread(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.start()
    halted, go_on = threading.Event(), threading.Event()
    monkeypatch.setattr(bench.ingest, "_wait_for_work", lambda: halted.set() or go_on.wait(30))
    assert halted.wait(30)  # the flush thread writes nothing from here on
    volumes = itertools.count(1)

    def arrived() -> bool:
        bench.ingest.on_ticks([tick(volume=next(volumes))])
        raw = bench.listener.get_message(timeout=0.05)
        return raw is not None and HDFC in raw["data"].decode()

    bench.wait_for(arrived)
    go_on.set()
    assert bench.valkey.client.get("ltp:NSE_EQ:1333") == b"1402.10"


def test_a_refused_batch_that_was_sent_ahead_begins_an_epoch_with_everything(bench: Bench) -> None:
    bench.start()
    bench.ingest.on_ticks([tick()])
    first = bench.with_key(HDFC)
    bench.valkey.client.config_set("maxmemory", 1)
    volumes = itertools.count(1)
    bench.wait_for(
        lambda: bench.ingest.on_ticks([tick(volume=next(volumes))]) and not bench.ingest._writer.fence
    )
    bench.valkey.client.config_set("maxmemory", 0)
    bench.message(lambda message: message["epoch"] != first["epoch"])
    assert json.loads(bench.valkey.client.get("tick:NSE_EQ:1333"))["volume"] == next(volumes) - 1


def test_a_batch_is_published_once_a_second_also_without_ticks(bench: Bench) -> None:
    bench.start()
    first = bench.message(lambda message: not message["ticks"])
    second = bench.message(lambda message: not message["ticks"])
    assert second["seq"] == first["seq"] + 1
    assert 0.1e6 < second["at"] - first["at"] < 10e6


def test_the_start_writes_heartbeat_and_status(bench: Bench) -> None:
    bench.start()
    assert 30 <= bench.valkey.client.ttl("market_stream:heartbeat") <= 60
    status = bench.valkey.client.hgetall("market_stream:status")
    assert (status[b"feed"], status[b"subscribed"], status[b"source"]) == (b"live", b"2", b"simulator")


def test_nothing_is_written_without_the_lease(bench: Bench) -> None:
    bench.fence = 0
    bench.ingest.follow([HDFC], [])
    bench.ingest.start()
    bench.ingest.on_ticks([tick()])
    bench.ingest.request_beat()
    assert bench.listener.get_message(timeout=1.2) is None
    assert bench.valkey.client.keys("*") == []


def test_winning_the_lease_begins_an_epoch_with_everything_known(bench: Bench) -> None:
    bench.start()
    bench.ingest.on_ticks([tick()])
    first = bench.with_key(HDFC)
    bench.fence = 0
    bench.ingest.request_beat()
    bench.ingest.on_ticks([tick(TCS)])
    bench.fence = 2
    second = bench.message(lambda message: message["epoch"] != first["epoch"])
    assert (second["seq"], second["ticks"]) == (1, [])
    assert bench.valkey.client.exists("ltp:NSE_EQ:1333", "ltp:NSE_EQ:11536", "tick:NSE_EQ:11536") == 3


def test_prices_of_a_dead_feed_get_no_30_second_key(bench: Bench) -> None:
    bench.status = FeedStatus("silent", since_us=1)
    bench.start()
    bench.ingest.on_ticks([tick()])
    assert bench.with_key(HDFC)["feed"] == "silent"
    assert not bench.valkey.client.exists("ltp:NSE_EQ:1333")
    assert bench.valkey.client.exists("tick:NSE_EQ:1333")


def test_a_feed_that_comes_alive_covers_its_prices_at_once(bench: Bench) -> None:
    bench.status = FeedStatus("down")
    bench.start()
    bench.ingest.on_ticks([tick()])
    bench.with_key(HDFC)
    bench.status = FeedStatus("live", since_us=int(time.time() * 1e6) - 60_000_000)
    bench.ingest.request_beat()
    assert bench.with_key(HDFC)["feed"] == "live"
    assert bench.valkey.client.exists("ltp:NSE_EQ:1333")


def test_a_new_connection_does_not_cover_prices_of_the_old_one(bench: Bench) -> None:
    bench.start()
    bench.ingest.on_ticks([tick()])
    bench.with_key(HDFC)
    bench.valkey.client.delete("ltp:NSE_EQ:1333")
    since = int(time.time() * 1e6) + 1
    bench.status = FeedStatus("live", since_us=since)
    bench.ingest.request_beat()
    bench.message(lambda message: message["since"] == since)
    assert not bench.valkey.client.exists("ltp:NSE_EQ:1333")


def test_an_instrument_that_is_no_longer_wanted_loses_its_30_second_key(bench: Bench) -> None:
    bench.start()
    bench.ingest.on_ticks([tick(), tick(TCS)])
    bench.with_key(HDFC)
    bench.ingest.follow([TCS], [])
    bench.wait_for(lambda: not bench.valkey.client.exists("ltp:NSE_EQ:1333"))
    assert bench.valkey.client.exists("ltp:NSE_EQ:11536", "tick:NSE_EQ:1333") == 2


def test_a_rest_price_of_a_shut_market_is_stored_and_not_covered(bench: Bench) -> None:
    bench.status = FeedStatus("off")
    bench.start()
    bench.ingest.on_rest(["NSE_EQ:3045"], [tick("NSE_EQ:3045", rest=True)])
    assert bench.with_key("NSE_EQ:3045")["ticks"][0]["rest"] is True
    assert not bench.valkey.client.exists("ltp:NSE_EQ:3045")


def test_a_packet_without_a_price_blanks_no_cached_price(bench: Bench) -> None:
    bench.ingest.follow([HDFC], [tick(volume=5, session="2026-11-23")])
    bench.start()
    bench.ingest.on_ticks([Tick(HDFC, oi=7, received_at=int(time.time() * 1e6))])
    (item,) = bench.message(lambda message: bool(message["ticks"]))["ticks"]
    assert (item["ltp"], item["volume"], item["oi"]) == (1402.1, 5, 7)


def test_an_emptied_server_is_noticed_and_filled_again(bench: Bench) -> None:
    bench.start()
    bench.ingest.on_ticks([tick(), tick(TCS)])
    epoch = bench.with_key(HDFC)["epoch"]
    bench.valkey.client.flushall()
    bench.message(lambda message: message["epoch"] != epoch)
    assert bench.valkey.client.exists("ltp:NSE_EQ:1333", "tick:NSE_EQ:11536", "market_stream:heartbeat") == 3


def test_a_frozen_server_does_not_stop_the_feed_and_finds_everything_afterwards(bench: Bench) -> None:
    bench.start()
    bench.ingest.on_ticks([tick()])
    epoch = bench.with_key(HDFC)["epoch"]
    os.kill(bench.valkey.pid, signal.SIGSTOP)
    try:
        for step in range(200):
            bench.ingest.on_ticks([tick(ltp=15_000_000 + step * 100)])
        bench.wait_for(lambda: bench.ingest._writer.fence == 0)
    finally:
        os.kill(bench.valkey.pid, signal.SIGCONT)
    bench.message(lambda message: message["epoch"] != epoch)
    assert bench.valkey.client.get("ltp:NSE_EQ:1333") == b"1501.99"


def test_a_server_out_of_memory_publishes_no_tick_and_recovers(bench: Bench) -> None:
    bench.start()
    bench.valkey.client.config_set("maxmemory", "1")
    try:
        bench.ingest.on_ticks([tick()])
        bench.wait_for(lambda: bench.ingest._writer.fence == 0)
    finally:
        bench.valkey.client.config_set("maxmemory", "0")
    bench.message(lambda message: message["seq"] == 1)
    assert all(not message["ticks"] for message in bench.messages)
    assert bench.valkey.client.get("ltp:NSE_EQ:1333") == b"1402.10"


def test_the_end_writes_the_last_ticks_and_the_last_state_of_the_feed(bench: Bench) -> None:
    bench.start()
    bench.status = FeedStatus("off")
    bench.ingest.on_ticks([tick()])
    bench.ingest.stop()
    bench.wait_for(lambda: not bench.ingest.is_alive())
    bench.message(lambda message: message["feed"] == "off")
    assert bench.valkey.client.exists("tick:NSE_EQ:1333")
    assert bench.valkey.client.hget("market_stream:status", "feed") == b"off"


def test_many_ticks_are_conflated_into_few_writes(bench: Bench) -> None:
    bench.start()
    for step in range(2_000):
        bench.ingest.on_ticks([tick(ltp=15_000_000 + step * 100)])
    bench.message(lambda message: bool(message["ticks"]) and message["ticks"][0]["ltp"] == 1519.99)
    assert len(bench.messages) < 500
    assert [message["seq"] for message in bench.messages] == list(range(1, len(bench.messages) + 1))


@pytest.mark.parametrize(
    ("bench", "floor_s"),
    [(1.0, 0.02), (0.2, 0.02), (0.1, 0.01), (0.02, 0.002), (0.001, 0.002), (0.0, 0.02)],
    indirect=["bench"],
)
def test_the_worker_writes_ten_times_in_the_interval_of_a_page_within_bounds(
    bench: Bench, floor_s: float
) -> None:
    assert bench.ingest.on_ticks([]) == pytest.approx(floor_s * 1.1)


def test_a_segment_in_doubt_loses_its_30_second_keys_at_once_and_gets_them_back(bench: Bench) -> None:
    bench.start()
    bench.ingest.on_ticks([tick(volume=5)])
    bench.with_key(HDFC)
    bench.status = bench.status._replace(lags={"NSE_EQ": Lag(150.2, 151.0, 2, 150)})
    bench.ingest.request_beat()
    assert bench.message(lambda message: "doubts" in message)["doubts"] == {"NSE_EQ": "delayed by 2 min 30 s"}
    bench.ingest.on_ticks([tick(ltp=14_022_000, volume=6)])
    bench.with_key(HDFC)
    assert bench.valkey.client.get("ltp:NSE_EQ:1333") is None
    assert json.loads(bench.valkey.client.get("tick:NSE_EQ:1333"))["ltp"] == 1402.2
    bench.status = bench.status._replace(lags={})
    bench.ingest.request_beat()
    bench.message(lambda message: "doubts" not in message)
    assert bench.valkey.client.get("ltp:NSE_EQ:1333") == b"1402.20"


def test_late_packets_of_a_closed_segment_are_no_delay(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    phases = {"NSE_EQ": "closed", "MCX_COMM": "continuous"}
    monkeypatch.setattr(bench.ingest._beats._market, "phases", lambda: phases)
    bench.status = bench.status._replace(
        lags={"NSE_EQ": Lag(900.0, 900.0, 2, 900), "MCX_COMM": Lag(40.0, 40.0, 1, 40)}
    )
    bench.start()
    assert bench.messages[0]["doubts"] == {"MCX_COMM": "delayed by 40 s"}
    assert bench.valkey.client.hget("market_stream:status", "delay_s") == b"40"


def test_a_silent_segment_is_in_every_batch(bench: Bench) -> None:
    bench.status = bench.status._replace(silent=("NSE_EQ",))
    bench.start()
    bench.ingest.on_ticks([tick(volume=5)])
    assert bench.with_key(HDFC)["doubts"] == {"NSE_EQ": ""}
    assert bench.valkey.client.get("ltp:NSE_EQ:1333") is None


@pytest.mark.parametrize("back_s", [60, 19_800])
def test_after_the_clock_was_set_back_no_older_price_counts_as_confirmed(bench: Bench, back_s: int) -> None:
    """A new connection is subscribed by the new clock, before everything that was received by the old one."""
    bench.start()
    bench.ingest.on_ticks([tick(volume=5), tick(TCS, 30_231_000, volume=5)])
    first = bench.with_key(TCS)
    real = bench.ingest._clock
    bench.ingest._clock = bench.ingest._beats._clock = lambda: real() - back_s
    bench.valkey.client.expire("ltp:NSE_EQ:999", back_s)
    bench.valkey.client.set("ltp:NSE_EQ:999", "1.00", ex=back_s)  # this worker does not know that instrument
    bench.status = bench.status._replace(since_us=int((time.time() - back_s) * 1e6))
    bench.ingest.clock_was_set(-float(back_s))
    bench.message(lambda message: message["epoch"] != first["epoch"] and message["seq"] == 1)
    assert bench.valkey.client.keys("ltp:*") == []
    at = time.time() - back_s
    assert json.loads(bench.valkey.client.get("tick:NSE_EQ:1333"))["received_at"] < at * 1e6
    bench.ingest.on_ticks([Tick(HDFC, 14_022_000, int(time.time()), int((at + 0.1) * 1e6), 6)])
    bench.with_key(HDFC)
    assert [key.decode() for key in bench.valkey.client.keys("ltp:*")] == ["ltp:NSE_EQ:1333"]
    assert 0 < bench.valkey.client.ttl("ltp:NSE_EQ:1333") <= 30


def test_a_server_whose_clock_was_set_back_is_written_anew(bench: Bench) -> None:
    """Its keys live for too long then, which shows in the heartbeat's life; the test sets that."""
    bench.start()
    bench.ingest.on_ticks([tick(volume=5)])
    first = bench.with_key(HDFC)
    bench.valkey.client.set("ltp:NSE_EQ:999", "1.00", ex=19_800)
    bench.valkey.client.expire("market_stream:heartbeat", 19_800)
    bench.message(lambda message: message["epoch"] != first["epoch"])
    bench.wait_for(lambda: [key.decode() for key in bench.valkey.client.keys("ltp:*")] == ["ltp:NSE_EQ:1333"])
    assert bench.valkey.client.ttl("market_stream:heartbeat") <= 60


def test_a_thread_without_a_success_for_half_a_minute_ends(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else it would hold the lease for ever, and no standby could lead."""
    now = iter([1_000.0, 1_029.9, 1_030.0])
    monkeypatch.setattr(bench.ingest._writer, "_write", lambda: {}["a fault of ours"])
    monkeypatch.setattr(bench.ingest._writer, "_monotonic", lambda: next(now))
    bench.ingest._writer.write()
    bench.ingest._writer.write()
    with pytest.raises(KeyError):
        bench.ingest._writer.write()


def test_every_tick_reaches_the_tap_in_order_also_those_that_conflation_merges(
    valkey: Any, wait_for: Callable[..., Any]
) -> None:
    batches: list[Sequence[TickFields]] = []
    bench = Bench(valkey, wait_for, tap=batches.append)
    bench.start()
    first = [tick(volume=5), tick(ltp=14_022_000, volume=6), tick(TCS), tick(ltp=14_023_000, volume=7)]
    second = [tick(ltp=14_023_000, volume=7), tick("NSE_EQ:3045"), Tick(HDFC, oi=7, received_at=1)]
    bench.ingest.on_ticks(first)
    bench.ingest.on_ticks(second)
    bench.message(lambda message: any(item["ltp"] == 1402.3 for item in message["ticks"]))
    bench.ingest.on_rest(["NSE_EQ:3045"], [tick("NSE_EQ:3045", rest=True)])
    bench.with_key("NSE_EQ:3045")
    bench.ingest.stop()
    bench.listener.close()
    assert [list(batch) for batch in batches] == [first, second], "REST quotes do not pass the tap"
    published = [item["ltp"] for message in bench.messages for item in message["ticks"] if item["k"] == HDFC]
    assert 1402.1 not in published


def test_an_exception_in_the_tap_loses_no_price_and_is_logged_once_for_each_class(
    valkey: Any, wait_for: Callable[..., Any], caplog: pytest.LogCaptureFixture
) -> None:
    raised = itertools.cycle([ValueError("a fault"), ValueError("a fault"), KeyError("another")])

    def fail(_: Sequence[TickFields]) -> None:
        raise next(raised)

    before = metrics.value("tap_faults.ValueError"), metrics.value("tap_faults.KeyError")
    bench = Bench(valkey, wait_for, tap=fail)
    bench.start()
    with caplog.at_level(logging.ERROR):
        for number in range(6):
            bench.ingest.on_ticks([tick(ltp=14_021_000 + number * 100, volume=number + 1)])
    bench.message(lambda message: any(item["ltp"] == 1402.15 for item in message["ticks"]))
    bench.ingest.stop()
    bench.listener.close()
    messages = [each.getMessage() for each in caplog.records if each.name == "ltp.worker.tap"]
    assert messages == ["The tap failed on 1 tick; prices go on"] * 2
    after = metrics.value("tap_faults.ValueError"), metrics.value("tap_faults.KeyError")
    assert (after[0] - before[0], after[1] - before[1]) == (4, 2)
