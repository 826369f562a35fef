"""The thread that wakes the outbox: at each message, and once after each gap."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from ltp.delivery import wake
from ltp.delivery.wake import Waker
from ltp.errors import StoreError


def test_it_wakes_at_messages_and_after_a_gap(monkeypatch: pytest.MonkeyPatch, wait_for: Any) -> None:
    monkeypatch.setattr(wake, "_FIRST_WAIT_S", 0.01)
    channel: queue.SimpleQueue[bytes | StoreError | None] = queue.SimpleQueue()
    subscriptions: list[int] = []
    woken = threading.Event()

    def subscribe() -> Iterator[bytes | None]:
        subscriptions.append(1)
        while True:
            body = channel.get()
            if isinstance(body, StoreError):
                raise body
            yield body

    Waker(subscribe, woken).start()
    for body in (None, None):
        channel.put(body)
    wait_for(channel.empty)
    assert not woken.is_set()
    channel.put(b"{}")
    assert woken.wait(30)
    woken.clear()
    channel.put(StoreError("the connection was cut"))
    assert woken.wait(30)
    wait_for(lambda: len(subscriptions) == 2)
