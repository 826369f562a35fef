"""A site whose worker has written a table of subscriptions."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from ltp.core.subscriptions.table import Reason, Subscription, SubscriptionTable
from ltp.errors import StoreError
from ltp.store import subscription_table
from ltp.web.subscriptions import latest
from ltp.web.subscriptions.latest import Tables

REASONS = [
    Reason("probe"),
    Reason("pinned"),
    Reason("page"),
    Reason("screen", "swing"),
    Reason("saved", "mine", 'Mine <img src=x onerror="alert(1)">'),
    Reason("watchlist", "one", "=List one"),
    Reason("api"),
]


def table(rows: list[Subscription] | None = None, *, at_s: float | None = None) -> SubscriptionTable:
    at_us = int((time.time() if at_s is None else at_s) * 1e6)
    found = [
        Subscription("IDX_I:13", 1, "ticking", "quote", at_us - 300_000, 62, 0, 0, (0,)),
        Subscription("NSE_EQ:2031", 2, "stale", "full", at_us - 180_000_000, 0, 3, 0, (1, 2, 3)),
        Subscription("NSE_EQ:1333", 3, "ticking", "quote", at_us - 1_000_000, 1_240, 1, 2, (2, 3, 4, 6)),
        Subscription("NSE_EQ:11536", 4, "never_ticked", "quote", 0, 0, 0, 0, (3, 5)),
        Subscription("BSE_EQ:500180", 0, "waiting", "", 0, None, 0, 1, (6,)),
    ]
    return SubscriptionTable(at_us, "simulator", "live", 4, 1, REASONS, found if rows is None else rows)


class Worker:
    """What the key in Redis holds: a table, nothing, or no answer. `looks`: how often it was asked for."""

    def __init__(self) -> None:
        self.looks = 0
        self.content: bytes | None = b""

    def write(self, written: SubscriptionTable) -> None:
        stored: dict[str, bytes] = {}

        class Client:
            def set(self, name: str, value: bytes, **_: Any) -> None:
                stored[name] = value

        subscription_table.write(Client(), written)  # type: ignore[arg-type]
        [self.content] = stored.values()

    def look(self, _client: object) -> None:
        self.looks += 1
        self.read(_client)

    def read(self, _client: object) -> bytes:
        if self.content is None:
            raise StoreError("no answer")
        return self.content


@pytest.fixture
def worker(monkeypatch: pytest.MonkeyPatch) -> Worker:
    made = Worker()
    made.write(table())
    monkeypatch.setattr(subscription_table, "look", made.look)
    monkeypatch.setattr(subscription_table, "read", made.read)
    monkeypatch.setattr(latest, "TABLES", Tables())
    return made


@pytest.fixture
def make_table() -> Callable[..., SubscriptionTable]:
    return table
