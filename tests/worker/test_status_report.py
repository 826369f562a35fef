from __future__ import annotations

import json

from ltp.core.ticks.lag import Lag
from ltp.feed.status import FeedStatus
from ltp.worker.status_report import StatusReport


def test_every_field_is_text_and_long_lists_are_counted_and_cut() -> None:
    silent = tuple(f"NSE_EQ:{number}" for number in range(1, 31))
    lags = {"NSE_EQ": Lag(151.2, 163.0, 9, 150)}
    feed = FeedStatus(
        "live",
        silent=("MCX_COMM",),
        lags=lags,
        since_us=5,
        sent=100,
        never_ticked=silent,
        reconnects=3,
        failures=2,
        last_packet_at=1_795_408_200.5,
    )
    report = StatusReport(
        source="dhanhq",
        idle_reason="",
        waiting=lambda: ["NSE_EQ:9"],
        taken=lambda: {"pages": 3},
        calendar=lambda: "provisional",
        parts=lambda: {"bars": {"stored": 2}, "alerts": {}},
        counts=dict,
    )
    report.begin(1_795_408_100.25)
    status = report.status(
        feed,
        {"NSE_EQ": "continuous"},
        0,
        120,
        0.0,
        mistimed=["NSE_EQ:8"],
        odd={"duplicate": 7, "out_of_order": 2},
    )
    assert all(isinstance(value, str) for value in status.values())
    assert json.loads(status.pop("phases")) == {"NSE_EQ": "continuous"}
    assert json.loads(status.pop("never_ticked_keys")) == list(silent[:20])
    assert json.loads(status.pop("waiting_keys")) == ["NSE_EQ:9"]
    assert json.loads(status.pop("mistimed_keys")) == ["NSE_EQ:8"]
    assert json.loads(status.pop("odd_ticks")) == {"out_of_order": 2}
    assert status == {
        "feed": "live",
        "connections": "1",
        "subscribed": "100",
        "wanted": "120",
        "never_ticked": "30",
        "waiting": "1",
        "mistimed": "1",
        "silent": '["MCX_COMM"]',
        "lags": '{"NSE_EQ": [151.2, 163.0]}',
        "delay_s": "150",
        "clock_error_s": "",
        "silent_s": "0.0",
        "off_sessions": "{}",
        "calendar_ahead": "[]",
        "calendar_lines": "",
        "places": '{"pages": 3}',
        "ticks_per_s": "0.0",
        "ticks_written_per_s": "0.0",
        "batches_per_s": "0.0",
        "write_ms": "",
        "write_worst_ms": "",
        "last_tick_at": "2026-11-23T04:30:00.500+00:00",
        "reconnects": "3",
        "connect_failures": "2",
        "last_error": "",
        "bars": '{"stored": 2}',
        "alerts": "{}",
        "calendar": "provisional",
        "source": "dhanhq",
        "stopped": "0",
        "expected": "0",
        "began_at": "2026-11-23T04:28:20.250+00:00",
    }


def test_expected_is_read_for_each_status() -> None:
    answers = [True, False]
    report = StatusReport(source="dhanhq", idle_reason="", waiting=list, expected=lambda: answers.pop(0))
    assert [report.status(FeedStatus(), {}, 0, 0, 0.0)["expected"] for _ in range(2)] == ["1", "0"]


def test_the_rate_is_of_the_last_second_or_more() -> None:
    report = StatusReport(source="dhanhq", idle_reason="", waiting=list)
    rates = [
        report.status(FeedStatus(), {}, received, 0, now)["ticks_per_s"]
        for received, now in [(0, 1), (50, 2), (60, 2.1), (90, 4)]
    ]
    assert rates == ["0.0", "50.0", "50.0", "20.0"]


def test_rates_of_written_and_of_received_ticks_are_apart() -> None:
    """The counters are the process's and may have counted before, so only their rise is a rate."""
    counts = {"ticks_written": 1_000, "batches_written": 70}
    report = StatusReport(source="dhanhq", idle_reason="", waiting=list, counts=lambda: counts)
    report.status(FeedStatus(), {}, 5_000, 0, 100.0)
    counts.update(ticks_written=1_200, batches_written=90)
    for took_s in (0.001, 0.002, 0.006):
        report.wrote(took_s)
    status = report.status(FeedStatus(), {}, 5_800, 0, 102.0)
    names = ("ticks_per_s", "ticks_written_per_s", "batches_per_s", "write_ms", "write_worst_ms")
    assert [status[name] for name in names] == ["400.0", "100.0", "10.0", "3.00", "6.00"]


def test_a_write_is_part_of_one_measurement_only() -> None:
    report = StatusReport(source="dhanhq", idle_reason="", waiting=list, counts=dict)
    worst = []
    for now, took_s in [(1, 9.0), (2, 0.5), (2.5, 0.25), (3.5, 0.125)]:
        report.wrote(took_s)
        worst.append(report.status(FeedStatus(), {}, 0, 0, now)["write_worst_ms"])
    assert worst == ["", "9000.00", "9000.00", "250.00"]


def test_beginning_again_measures_anew() -> None:
    """A worker that stood by for an hour has not received one tick an hour."""
    report = StatusReport(source="dhanhq", idle_reason="", waiting=list, counts=dict)
    rates = []
    for received, now in [(0, 0), (10, 1), (10, 3_600), (40, 3_601)]:
        if now == 3_600:
            report.begin(1_795_408_100.25)
        rates.append(report.status(FeedStatus(), {}, received, 0, now)["ticks_per_s"])
    assert rates == ["0.0", "10.0", "0.0", "30.0"]


def test_the_status_of_a_worker_without_a_feed_has_the_reason() -> None:
    report = StatusReport(source="dhanhq", idle_reason="it idles", waiting=list)
    assert report.status(FeedStatus(), {}, 0, 0, 0.0)["last_error"] == "it idles"
    assert (
        report.status(FeedStatus(stopped_for_good=True, last_error="expired"), {}, 0, 0, 0.0)["last_error"]
        == "expired"
    )


def test_the_feeds_silence_counts_from_the_last_packet_or_the_beginning_and_not_by_the_wall_clock() -> None:
    report = StatusReport(source="dhanhq", idle_reason="", waiting=list, counts=dict)
    report.begin(1_795_408_100.0)

    def silent_s(now: float, last_packet_s: float | None) -> str:
        return report.status(
            FeedStatus("live", last_packet_at=9e9, last_packet_s=last_packet_s), {}, 0, 0, now
        )["silent_s"]

    assert [silent_s(50.0, None), silent_s(54.0, 12.0), silent_s(60.0, 58.5)] == ["0.0", "4.0", "1.5"]
