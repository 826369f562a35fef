"""The last known prices of instruments that are wanted again."""

from __future__ import annotations

from typing import Any

import orjson

from ltp.store.recall import recall

KEY, OTHER = "NSE_EQ:1333", "NSE_EQ:11536"
PLAIN = {"k": KEY, "ltp": 1402.1, "received_at": 1_796_010_300_000_000, "session": "2026-11-30"}


def test_the_prices_of_the_same_source_are_recalled(valkey: Any) -> None:
    valkey.client.set("market_stream:source", "simulator")
    valkey.client.set(f"tick:{KEY}", orjson.dumps(PLAIN))
    assert [(tick.key, tick.ltp) for tick in recall(valkey.client, "simulator", [OTHER, KEY])] == [
        (KEY, 1402_1000)
    ]


def test_the_prices_of_another_source_are_not(valkey: Any) -> None:
    valkey.client.set("market_stream:source", "simulator")
    valkey.client.set(f"tick:{KEY}", orjson.dumps(PLAIN))
    assert recall(valkey.client, "dhanhq", [KEY]) == []
