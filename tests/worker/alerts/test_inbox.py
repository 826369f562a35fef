"""The queue between the feed's thread and the alerts: bounded, and a hit wakes the reader."""

from __future__ import annotations

import threading
from collections import Counter

import pytest

from ltp.core.alerts.book import RuleBook
from ltp.core.alerts.watch import Hit
from ltp.worker.alerts import inbox
from ltp.worker.alerts.inbox import AlertTap, Inbox

HIT = Hit(1, 1, "NSE_EQ:1333", 1, 10, "trade")


def test_a_hit_wakes_the_reader() -> None:
    made, taken = Inbox(), list[Hit]()
    reader = threading.Thread(target=lambda: taken.extend(made.take(60)))
    reader.start()
    made.put([HIT])
    reader.join(10)
    assert taken == [HIT]
    assert made.take(0) == []


def test_a_closed_one_makes_nobody_wait() -> None:
    made = Inbox()
    reader = threading.Thread(target=made.take, args=(60,))
    reader.start()
    made.close()
    reader.join(10)
    assert not reader.is_alive()
    assert made.take(60) == []


def test_a_wake_before_the_wait_counts() -> None:
    made = Inbox()
    made.wake()
    reader = threading.Thread(target=made.take, args=(60,))
    reader.start()
    reader.join(10)
    assert not reader.is_alive()


def test_beyond_its_bound_hits_are_lost_and_counted(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(inbox, "MOST", 3)
    made = Inbox()
    made.put([HIT] * 2)
    made.put([HIT] * 2)
    made.put([HIT])
    assert (made.lost, len(made.take(0))) == (2, 3)
    assert made.take_lost() == [(1, "NSE_EQ:1333")]
    assert made.take_lost() == []
    assert caplog.text.count("Hits of alerts are lost") == 1
    made.put([HIT] * 4)
    assert (made.lost, caplog.text.count("Hits of alerts are lost")) == (3, 2)


def test_the_book_follows_the_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[object] = []
    book = RuleBook(Counter(), phase=lambda _segment, _at: "continuous")
    monkeypatch.setattr(book, "connected", calls.append)
    monkeypatch.setattr(book, "disconnected", lambda: calls.append("gone"))
    since = [0]
    tap = AlertTap(book, Inbox(), lambda: since[0])
    for each in (0, 7, 7, 9, 0):
        since[0] = each
        tap([])
    assert calls == [7, 9, "gone"]
