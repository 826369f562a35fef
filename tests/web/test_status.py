"""`/status`: the worker's figures as it wrote them, those of the process, and dashes for figures that cannot be read."""

from __future__ import annotations

import json
import os
import re
import signal
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from html import unescape
from types import SimpleNamespace
from typing import Any

import pytest

from ltp import metrics
from ltp.core.clients import allotment
from ltp.store import client as store_client
from ltp.store import heartbeat
from ltp.web import status

FIELDS = {
    "feed": "live",
    "source": "simulator",
    "ticks_per_s": "123456.5",
    "ticks_written_per_s": "61728.2",
    "batches_per_s": "49.0",
    "write_ms": "1.25",
    "write_worst_ms": "14.50",
    "wanted": "5003",
    "subscribed": "5000",
    "never_ticked": "22",
    "never_ticked_keys": json.dumps([f"NSE_EQ:{n}" for n in range(20)]),
    "waiting": "1",
    "places": '{"pages": 1200, "screens": 80, "programs": 0}',
    "waiting_keys": '["BSE_EQ:500180"]',
    "mistimed": "1",
    "mistimed_keys": '["NSE_EQ:2885"]',
    "odd_ticks": '{"out_of_order": 1204, "ltt_distrusted": 12, "<b>": "7"}',
    "reconnects": "3",
    "last_error": "The broker closed <the> connection",
    "stopped": "0",
}


@pytest.fixture
def worker(site: Any, valkey: Any) -> Iterator[Any]:
    """Write the worker's status into the Redis of the site."""
    redis = store_client.connect(valkey.url, timeout_s=0.5)
    shared = site.app.extensions["ltp"]
    object.__setattr__(shared, "redis", redis)

    def write(**changes: str) -> None:
        now = datetime.now(UTC)
        times = {
            "last_tick_at": (now - timedelta(seconds=4)).isoformat(),
            "began_at": datetime(2026, 11, 23, 3, 45, tzinfo=UTC).isoformat(),
        }
        pipe = redis.pipeline(transaction=False)
        heartbeat.write(pipe, (now - timedelta(seconds=12)).isoformat())
        heartbeat.write_status(pipe, FIELDS | times | changes)
        pipe.execute()

    write()
    yield write
    redis.close()


def facts(page: str) -> dict[str, str]:
    found = re.findall(r"<dt>(.*?)</dt><dd>(.*?)</dd>", page)
    return {unescape(name): unescape(re.sub(r"<[^>]*>", "", text)) for name, text in found}


def test_the_workers_counters_are_shown(site: Any, worker: Any) -> None:
    page = site.page("/status")
    shown = facts(page)
    assert '<strong class="feed-live">Healthy</strong>' in page
    assert shown["Ticks in, a second"] == "1,23,456.5"
    assert shown["Ticks written, a second"] == "61,728.2"
    assert shown["Conflation"] == "2.00 in for 1 written"
    assert shown["Batches, a second"] == "49.0"
    assert shown["A write to Redis"] == "1.2 ms, worst 14.5 ms"
    assert (shown["Wanted"], shown["Subscribed"]) == ("5,003", "5,000")
    assert (shown["Trade time contradicts volume"], shown["Odd packets"]) == (
        "1",
        "ltt distrusted 12, out of order 1,204",
    )
    assert (shown["Never ticked"], shown["Waiting for a place"], shown["Feed reconnects"]) == ("22", "1", "3")
    assert shown["Publishing since"] == "23 Nov 2026, 09:15 IST"
    assert shown["Last heartbeat"].startswith("12.")
    assert re.search(r"Never ticked: <span[^>]*>NSE_EQ:0, .*NSE_EQ:19 and 2 more</span>", page)
    assert re.search(r"Waiting for a place: <span[^>]*>BSE_EQ:500180</span>", page)
    assert "Last error: The broker closed &lt;the&gt; connection" in page


def test_the_answering_process_shows_its_id_and_lag(site: Any, worker: Any, wait_for: Any) -> None:
    site.app.extensions["ltp"].vitals.start()
    wait_for(site.app.extensions["ltp"].vitals.lag)
    page = site.page("/status")
    shown = facts(page)
    assert f"Process {os.getpid()}, since <time" in page
    assert "does not know how many" in page
    assert shown["Browsers"] == "0 of 5"
    assert re.fullmatch(r"p50 [\d.]+, p99 [\d.]+, worst [\d.]+", shown["Loop lag, ms"])
    assert shown["Behind now"] == "0"
    assert shown["Redis answered in"].endswith(" ms")
    assert shown["Last batch from the worker"].endswith(" s ago")


def test_open_streams_are_browsers(site: Any, worker: Any) -> None:
    response = site.client.get("/screeners/swing/stream", buffered=False)
    next(iter(response.response))
    assert facts(site.page("/status"))["Browsers"] == "1 of 5"
    response.close()
    assert facts(site.page("/status"))["Browsers"] == "0 of 5"


def test_a_slow_browser_is_counted_while_it_is_behind(site: Any, worker: Any) -> None:
    site.hub.sockets.slow_browsers[-1] = SimpleNamespace(since_s=float("inf"))
    assert facts(site.page("/status"))["Behind now"] == "1"
    del site.hub.sockets.slow_browsers[-1]
    assert facts(site.page("/status"))["Behind now"] == "0"


def test_counters_are_shown_by_kind(site: Any) -> None:
    counts = {
        "stream_ends.stalled": 2,
        "stream_ends.drain_cut": 1,
        "stream_ends.left": 1_234,
        "stream_ends_of_another": 9,
        "streams_fell_behind": 7,
        "relay_rereads.subscribed": 1,
        "relay_rereads.lost": 4,
    }
    shown = dict(status.process_figures(site.app.extensions["ltp"], counts, None))
    assert shown["Cut as too slow"] == "drain cut 1, stalled 2"
    assert shown["Ended otherwise"] == "left 1,234"
    assert shown["Fell behind"] == "7"
    assert shown["Gaps in the worker's batches"] == "lost 4"
    assert (shown["Refused"], shown["Subscription made again"]) == ("0", "0")
    assert shown["Redis answered in"] == "no answer"


def test_events_of_streams_that_stay_in_their_request_are_counted(site: Any) -> None:
    response = site.client.get("/screeners/swing/stream", buffered=False)
    events = iter(response.response)
    next(events)
    before = metrics.value("stream_writes")
    site.market.price("NSE_EQ:1333", 16_510_000)
    site.market.publish(["NSE_EQ:1333"])
    next(events)
    assert metrics.value("stream_writes") > before
    response.close()


def test_the_page_renews_itself_with_and_without_scripts_unless_it_is_paused(site: Any, worker: Any) -> None:
    page = site.page("/status")
    assert '<noscript><meta http-equiv="refresh" content="15"></noscript>' in page.partition("</head>")[0]
    assert re.search(r'hx-get="/status/poll" hx-trigger="every 3s" hx-target="#figures"', page)
    assert "hx-sse:connect" not in page
    assert '<p id="beat" role="status"><i>not live</i></p>' in page
    paused = site.page("/status?live=0")
    assert "refresh" not in paused.partition("</head>")[0]
    assert "every 3s" not in paused
    assert "Paused at" in paused


def test_a_refresh_has_the_same_figures_and_renews_status_line_and_beat(site: Any, worker: Any) -> None:
    answer = site.page("/status/poll")
    page = site.page("/status")
    assert facts(answer).keys() == facts(page).keys()
    assert "<html" not in answer
    assert (
        '<hx-partial id="status"><span class="feed-live">Feed live</span> · NSE open</hx-partial>' in answer
    )
    assert '<hx-partial id="beat"><i>not live</i></hx-partial>' in answer


def test_a_wrong_parameter_is_refused(site: Any) -> None:
    site.page("/status?live=2", 400)


@pytest.mark.parametrize("url", ["/status", "/status/poll"])
def test_without_redis_the_page_shows_its_process_and_the_failure(site: Any, url: str) -> None:
    page = site.page(url)
    assert "Redis does not answer this web process" in page
    assert "Error</strong>: Redis cannot be read." in page
    shown = facts(page)
    assert "Ticks in, a second" not in shown
    assert shown["Redis answered in"] == "no answer"
    assert shown["Browsers"] == "0 of 5"


def test_a_frozen_redis_is_waited_for_once(site: Any, worker: Any, valkey: Any) -> None:
    site.page("/status")
    os.kill(valkey.pid, signal.SIGSTOP)
    try:
        page = site.page("/status")
    finally:
        os.kill(valkey.pid, signal.SIGCONT)
    assert "Redis does not answer this web process" in page


def test_a_worker_that_has_ended_is_not_shown_as_running(site: Any, worker: Any, valkey: Any) -> None:
    valkey.client.delete("market_stream:heartbeat")
    page = site.page("/status")
    assert "Not running</strong>: The worker has left no heartbeat." in page
    assert "These are the last figures that it wrote." in page
    valkey.client.flushall()
    page = site.page("/status")
    assert "Not running</strong>: The worker has left no heartbeat." in page
    assert "last figures" not in page
    assert "Ticks in, a second" not in facts(page)


@pytest.mark.parametrize(
    "garbage",
    [
        "",
        "x",
        "-1",
        "nan",
        "inf",
        "1e400",
        "9" * 400,
        "[" * 10_000,
        "<b>",
        "[1, null]",
        '{"a": 1}',
        "9999-12-31T23:59-23:59",
    ],
)
def test_garbage_in_redis_is_shown_as_a_dash(site: Any, worker: Any, garbage: str) -> None:
    worker(**dict.fromkeys([*FIELDS, "last_tick_at", "began_at"], garbage))
    page = site.page("/status")
    assert facts(page)["Ticks in, a second"] == "–"
    assert facts(page)["Conflation"] == "–"
    assert "<b>" not in page


def test_unknown_fields_and_redis_addresses_are_not_shown(site: Any, worker: Any) -> None:
    worker(token="hush-hush", last_error="x" * 5_000)
    page = site.page("/status")
    assert "hush-hush" not in page
    assert "x" * 501 not in page
    assert "redis://" not in page


def test_missing_fields_of_the_worker_are_dashes(site: Any, worker: Any, valkey: Any) -> None:
    valkey.client.hdel(
        "market_stream:status", "ticks_written_per_s", "write_ms", "waiting", "waiting_keys", "began_at"
    )
    shown = facts(site.page("/status"))
    names = (
        "Ticks written, a second",
        "Conflation",
        "A write to Redis",
        "Waiting for a place",
        "Publishing since",
    )
    assert [shown[name] for name in names] == ["–"] * 5


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (None, "never"),
        (float("inf"), "never"),
        (0.04, "0.0 s ago"),
        (119.9, "119.9 s ago"),
        (600, "10 min ago"),
        (90_000, "25 h ago"),
    ],
)
def test_ages_in_words(seconds: float | None, words: str) -> None:
    assert status.ago(seconds) == words


def test_every_page_links_to_the_status(site: Any) -> None:
    for url in ("/", "/screeners/swing", "/instruments/NSE_EQ/1333", "/instruments", "/nowhere"):
        assert '<a href="/status"' in site.client.get(url).text
    assert 'href="/status"' in site.page("/").partition('id="h-market"')[2]


def test_a_refresh_sends_redis_one_pipeline(site: Any, worker: Any, valkey: Any) -> None:
    """Each open page refreshes every 3 s."""
    before = valkey.client.info("commandstats")
    site.page("/status/poll")
    after = valkey.client.info("commandstats")
    calls = {name: after[name]["calls"] - before.get(name, {"calls": 0})["calls"] for name in after}
    assert {name for name, n in calls.items() if n} - {"cmdstat_client|setinfo", "cmdstat_select"} == {
        "cmdstat_get",
        "cmdstat_hgetall",
        "cmdstat_info",
    }


def test_the_rule_of_places_is_shown_with_the_places_taken(site: Any, worker: Any) -> None:
    page = site.page("/status")
    assert facts(page)["Places of pins, alerts, pages, screens, programs"] == "0, 0, 1,200, 80, 0"
    assert allotment.RULE in page


@pytest.mark.parametrize("places", ["", "[]", "{", '{"pages": "x"}', '{"pages": null}', "9" * 5_000])
def test_malformed_places_break_no_page(places: str) -> None:
    assert status._places({"places": places}) in ("–", "0, 0, 0")
