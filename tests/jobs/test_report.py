from __future__ import annotations

import json

from ltp.feed.status import FeedStatus
from ltp.jobs.report import Report


def test_every_field_is_text_and_long_lists_are_counted_and_cut() -> None:
    silent = tuple(f"NSE_EQ:{number}" for number in range(1, 31))
    feed = FeedStatus("live", since_us=5, sent=100, never_ticked=silent, reconnects=3, last_packet_at=1_795_408_200.5)
    report = Report(source="dhanhq", idle_reason="", waiting=lambda: ["NSE_EQ:9"], calendar=lambda: "provisional")
    status = report.status(feed, {"NSE_EQ": "continuous"}, 0, 120, 0.0)
    assert all(isinstance(value, str) for value in status.values())
    assert json.loads(status.pop("phases")) == {"NSE_EQ": "continuous"}
    assert json.loads(status.pop("never_ticked_keys")) == list(silent[:20])
    assert json.loads(status.pop("waiting_keys")) == ["NSE_EQ:9"]
    assert status == {
        "feed": "live",
        "connections": "1",
        "subscribed": "100",
        "wanted": "120",
        "never_ticked": "30",
        "waiting": "1",
        "ticks_per_s": "0.0",
        "last_tick_at": "2026-11-23T04:30:00.500+00:00",
        "reconnects": "3",
        "last_error": "",
        "calendar": "provisional",
        "source": "dhanhq",
        "stopped": "0",
    }


def test_the_rate_is_of_the_last_second_or_more() -> None:
    report = Report(source="dhanhq", idle_reason="", waiting=list)
    rates = [
        report.status(FeedStatus(), {}, received, 0, now)["ticks_per_s"]
        for received, now in [(0, 1), (50, 2), (60, 2.1), (90, 4)]
    ]
    assert rates == ["0.0", "50.0", "50.0", "20.0"]


def test_a_worker_without_a_feed_says_why() -> None:
    report = Report(source="dhanhq", idle_reason="it idles", waiting=list)
    assert report.status(FeedStatus(), {}, 0, 0, 0.0)["last_error"] == "it idles"
    assert report.status(FeedStatus(stopped_for_good=True, last_error="expired"), {}, 0, 0, 0.0)["last_error"] == "expired"
