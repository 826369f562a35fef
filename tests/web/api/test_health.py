"""Health: the rules of the market stream's document, and probes that answer at once in each kind of failure."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from ltp.store import client as store_client
from ltp.store import heartbeat
from ltp.store.heartbeat import StreamStatus
from ltp.web import errors
from ltp.web.api import health, health_document
from ltp.web.api.health_document import ChannelState
from ltp.web.services import EXTENSION

NOW = datetime(2026, 11, 2, 6, 0, tzinfo=UTC)
STATUS = {
    "feed": "live",
    "phases": '{"NSE_EQ": "continuous"}',
    "subscribed": "104",
    "never_ticked": "2",
    "last_tick_at": (NOW - timedelta(seconds=3)).isoformat(),
    "reconnects": "1",
    "last_error": "",
    "source": "simulator",
    "stopped": "0",
    "calendar": "Holidays of MCX are provisional.",
}
STORED = StreamStatus((NOW - timedelta(seconds=12)).isoformat(), STATUS)
CHANNEL = ChannelState(
    0.4,
    "live",
    {"NSE_EQ": "continuous", "IDX_I": "closed"},
    int((NOW - timedelta(seconds=1)).timestamp() * 1e6),
)
SILENT = CHANNEL._replace(feed="silent", last_tick_at=0)


def stored(**changes: str) -> StreamStatus:
    return STORED._replace(status=STATUS | changes)


def ago(seconds: float) -> str:
    return (NOW - timedelta(seconds=seconds)).isoformat()


def test_the_document_of_a_healthy_stream() -> None:
    assert health_document.describe(STORED, CHANNEL, now=NOW) == {
        "status": "healthy",
        "reason": "",
        "heartbeat_age_seconds": 12.0,
        "heartbeat_timestamp": "2026-11-02T05:59:48+00:00",
        "timestamp": "2026-11-02T06:00:00.000+00:00",
        "phase": {"NSE_EQ": "continuous", "IDX_I": "closed"},
        "feed": "live",
        "source": "simulator",
        "subscribed": 104,
        "last_tick_age_seconds": 1.0,
        "never_ticked": 2,
        "reconnects": 1,
        "last_error": "",
        "calendar": "Holidays of MCX are provisional.",
        "calendar_ahead": [],
        "off_sessions": {},
        "calendar_lines": "",
        "silent": [],
        "delay_s": 0,
        "lag": {},
        "clock_error_s": None,
        "channel_age_seconds": 0.4,
    }


@pytest.mark.parametrize(
    ("case", "written", "channel", "status"),
    [
        ("Redis cannot be read", None, CHANNEL, "error"),
        ("stopped for good", stored(stopped="1"), CHANNEL, "error"),
        ("stopped for good, and silent with it", stored(stopped="1", last_tick_at=ago(900)), SILENT, "error"),
        ("no heartbeat", StreamStatus(None, {}), CHANNEL, "not_running"),
        ("channel silent for more than 10 s", STORED, CHANNEL._replace(age_s=10.1), "not_running"),
        ("channel silent for just under 10 s", STORED, CHANNEL._replace(age_s=9.9), "healthy"),
        ("no batch ever", STORED, CHANNEL._replace(age_s=float("inf")), "not_running"),
        ("no packet for 15 s", stored(last_tick_at=ago(15)), SILENT, "stale"),
        ("no packet for 14 s", stored(last_tick_at=ago(14)), SILENT, "healthy"),
        ("no packet ever", stored(last_tick_at=""), SILENT, "stale"),
        ("down, no packet for 15 s", stored(last_tick_at=ago(15)), SILENT._replace(feed="down"), "stale"),
        (
            "a later tick over the channel",
            stored(last_tick_at=ago(29)),
            CHANNEL._replace(feed="silent"),
            "healthy",
        ),
        (
            "live, the status merely old",
            stored(last_tick_at=ago(29)),
            CHANNEL._replace(last_tick_at=0),
            "healthy",
        ),
        ("nothing subscribed", stored(last_tick_at=ago(99), subscribed="0"), SILENT, "healthy"),
        ("shut", stored(last_tick_at=ago(99)), SILENT._replace(phase={"NSE_EQ": "closed"}), "healthy"),
        (
            "no connection, packets expected",
            stored(last_tick_at=ago(99), subscribed="0", expected="1"),
            SILENT,
            "stale",
        ),
        (
            "no connection, none expected",
            stored(last_tick_at=ago(99), subscribed="0", expected="0"),
            SILENT,
            "healthy",
        ),
        ("expected and never came", stored(last_tick_at="", subscribed="0", expected="1"), SILENT, "stale"),
        (
            "a worker that began 14 s ago",
            stored(last_tick_at="", expected="1", began_at=ago(14)),
            SILENT,
            "healthy",
        ),
        (
            "an old packet of another worker",
            stored(last_tick_at=ago(99), expected="1", began_at=ago(14)),
            SILENT,
            "healthy",
        ),
        (
            "a worker that began 15 s ago",
            stored(last_tick_at="", expected="1", began_at=ago(15)),
            SILENT,
            "stale",
        ),
        (
            "expected, and live",
            stored(last_tick_at=ago(29), expected="1"),
            CHANNEL._replace(last_tick_at=0),
            "healthy",
        ),
        (
            "pre-open counts as open",
            stored(last_tick_at=ago(99)),
            SILENT._replace(phase={"NSE_EQ": "pre_open"}),
            "stale",
        ),
    ],
)
def test_a_rule(case: str, written: StreamStatus | None, channel: ChannelState, status: str) -> None:
    document = health_document.describe(written, channel, now=NOW)
    assert document["status"] == status, case
    assert bool(document["reason"]) is (status != "healthy")


LATE = CHANNEL._replace(doubts={"NSE_EQ": "delayed by 2 min 30 s", "MCX_COMM": ""})


def test_a_late_or_silent_segment_is_in_the_document_with_figures() -> None:
    written = stored(delay_s="150", lags='{"NSE_EQ": [151.2, 163.0]}', clock_error_s="0.3")
    document = health_document.describe(written, LATE, now=NOW)
    assert (document["status"], document["delay_s"], document["silent"]) == ("stale", 150, ["MCX_COMM"])
    assert document["lag"] == {"NSE_EQ": {"median_s": 151.2, "p99_s": 163.0}}
    assert document["reason"] == (
        "NSE shares delayed by 2 min 30 s; MCX commodities silent: no prices are coming in."
    )


def test_without_the_brokers_time_a_delay_may_be_this_hosts_clock() -> None:
    reason = health_document.describe(STORED, LATE, now=NOW)["reason"]
    assert reason.endswith("; or this host's clock is fast: the broker's time is not known yet.")


@pytest.mark.parametrize(
    ("error_s", "status"), [("9.9", "healthy"), ("-19800.2", "stale"), ("60", "stale"), ("", "healthy")]
)
def test_a_wrong_clock_is_not_healthy(error_s: str, status: str) -> None:
    document = health_document.describe(stored(clock_error_s=error_s), CHANNEL, now=NOW)
    assert document["status"] == status
    assert status == "healthy" or "this host's clock is" in document["reason"]


def test_trades_of_a_day_without_a_session_are_in_the_document_with_the_calendar_lines_for_it() -> None:
    written = stored(
        off_sessions='{"2026-12-05": ["BSE_EQ", "NSE_EQ"], "<b>": ["NSE_EQ"], "2026-12-06": ["<b>"]}'
    )
    document = health_document.describe(written, CHANNEL, now=NOW)
    assert document["off_sessions"] == {"2026-12-05": ["BSE_EQ", "NSE_EQ"]}
    assert document["calendar_lines"] == (
        '[[trading_days]]\nsegments = ["BSE_EQ", "NSE_EQ"]\ndays = [{ date = 2026-12-05, name = "Special session" }]'
    )
    assert document["status"] == "healthy"


def test_unknown_values_are_null() -> None:
    document = health_document.describe(None, ChannelState(float("inf"), "down", {}, 0), now=NOW)
    names = ("heartbeat_age_seconds", "heartbeat_timestamp", "last_tick_age_seconds", "channel_age_seconds")
    assert [document[name] for name in names] == [None] * 4
    assert document["phase"] == {}


@pytest.mark.parametrize(
    "garbage", ["", "x", "[1]", "-1", "9" * 400, "[" * 10_000, "2026-99-99", "9999-12-31T23:59:59-23:59", "१"]
)
def test_garbage_in_redis_is_no_exception(garbage: str) -> None:
    document = health_document.describe(
        StreamStatus(garbage, dict.fromkeys(STATUS, garbage)), CHANNEL._replace(age_s=60), now=NOW
    )
    assert document["status"] == "not_running"
    assert (document["subscribed"], document["phase"]) == (0, {})


@dataclass
class StubHub:
    link_age_s: float = 0.1
    feed: str = "live"
    phase: dict[str, str] = field(default_factory=lambda: {"NSE_EQ": "continuous"})
    last_tick_at: int = 0
    draining: bool = False
    doubts: dict[str, str] = field(default_factory=dict)


@dataclass
class StubServices:
    hub: StubHub
    redis: Any

    def source(self) -> str:
        return "simulator"


@dataclass
class Probe:
    client: FlaskClient
    hub: StubHub


@pytest.fixture
def probe(valkey: Any) -> Iterator[Probe]:
    redis = store_client.connect(valkey.url, timeout_s=0.5)
    app = Flask(__name__)
    app.register_blueprint(health.bp)
    errors.install(app)
    hub = StubHub()
    app.extensions[EXTENSION] = StubServices(hub, redis)
    pipe = redis.pipeline(transaction=False)
    heartbeat.write(pipe, datetime.now(UTC).isoformat())
    heartbeat.write_status(pipe, STATUS | {"last_tick_at": datetime.now(UTC).isoformat()})
    pipe.execute()
    yield Probe(app.test_client(), hub)
    redis.close()


def statuses(probe: Probe) -> tuple[int, int, int]:
    paths = ("/healthz", "/readyz", "/api/v1/health/market_stream")
    responses = [probe.client.get(path) for path in paths]
    assert {response.headers["Cache-Control"] for response in responses} == {"no-store"}
    return responses[0].status_code, responses[1].status_code, responses[2].status_code


def test_all_is_well(probe: Probe) -> None:
    assert statuses(probe) == (200, 200, 200)


def test_a_worker_whose_batches_do_not_arrive(probe: Probe) -> None:
    probe.hub.link_age_s = 11.0
    assert statuses(probe) == (200, 503, 503)
    assert probe.client.get("/readyz").get_json()["missing"] == ["no message comes from the worker"]


def test_a_process_that_is_shutting_down_is_not_ready(probe: Probe) -> None:
    probe.hub.draining = True
    assert statuses(probe) == (200, 503, 200)


def test_an_empty_redis(probe: Probe, valkey: Any) -> None:
    valkey.client.flushall()
    assert statuses(probe) == (200, 200, 503)
    assert probe.client.get("/api/v1/health/market_stream").get_json()["status"] == "not_running"


def test_the_probes_answer_while_redis_is_frozen(probe: Probe, valkey: Any) -> None:
    os.kill(valkey.pid, signal.SIGSTOP)
    try:
        response = probe.client.get("/api/v1/health/market_stream")
    finally:
        os.kill(valkey.pid, signal.SIGCONT)
    assert (response.status_code, response.get_json()["status"]) == (503, "error")
