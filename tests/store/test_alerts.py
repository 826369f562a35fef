"""Firings on their channel: a message as documented, and none of a damaged one."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from ltp.core.alerts.notice import Notice
from ltp.store import alerts
from ltp.store.subscription import bodies
from tests.conftest import Valkey

AT = datetime(2026, 11, 30, 5, 11, 7, tzinfo=UTC)
NOTICE = Notice(7, 3, "NSE_EQ:1333", "HDFCBANK", "ltp > 1650", "<b>", AT, 16_500_500, "trade", "1650.05")
MESSAGE = {
    "v": 1, "id": 7, "alert": 3, "key": "NSE_EQ:1333", "symbol": "HDFCBANK", "rule": "ltp > 1650", "note": "<b>",
    "at": "2026-11-30T10:41:07+05:30", "ltp": 1650.05, "how": "trade", "detail": "1650.05",
}  # fmt: skip


def test_the_message_is_plain_json_and_read_back() -> None:
    assert json.loads(alerts.text_of(NOTICE)) == MESSAGE
    assert alerts.firing_of(alerts.text_of(NOTICE)) == NOTICE
    event = NOTICE._replace(key="", symbol="", ltp=None, how="event")
    assert alerts.firing_of(memoryview(alerts.text_of(event))) == event


@pytest.mark.parametrize(
    "change",
    [
        {"v": 2}, {"id": 0}, {"key": "NSE_EQ:x"}, {"at": "2026-11-30T10:41:07"}, {"ltp": -1}, {"ltp": 1e9},
        {"how": "guess"}, {"symbol": None}, {"note": "x" * 20_000},
    ],
)  # fmt: skip
def test_another_message_is_no_firing(change: dict[str, object]) -> None:
    assert alerts.firing_of(json.dumps(MESSAGE | change).encode()) is None


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff"])
def test_damage_is_no_firing(body: bytes) -> None:
    assert alerts.firing_of(body) is None


def test_it_is_received_as_it_was_published(valkey: Valkey) -> None:
    received = bodies(valkey.url, "live_alerts", longest=alerts.MAX_MESSAGE)
    assert next(received) is None
    alerts.publish(valkey.client, NOTICE)
    found = next(each for each in received if each is not None)
    assert alerts.firing_of(bytes(found)) == NOTICE
