from __future__ import annotations

import json
from typing import Any

import pytest

from ltp.core.ticks.tick import Tick
from ltp.web.api.prices_document import document, json_members, stable_part

KEY, OTHER = "NSE_EQ:1333", "NSE_CURRENCY:10093"
NOW_S = 1_793_600_001.25


def parsed(*members: Any, source: str = "dhanhq") -> dict[str, Any]:
    text = document(stable_part(members, priced=1, covered=2, fetched=3), source, NOW_S)
    return json.loads(text, parse_constant=pytest.fail)


def test_a_document_is_as_the_json_module_writes_it() -> None:
    traded = json_members(KEY, Tick(KEY, 14_021_000, 1_793_600_000), "live")
    plain = {
        "prices": {KEY: 1402.1, OTHER: None},
        "states": {KEY: "live", OTHER: "unknown"},
        "as_of": {KEY: "2026-11-02T06:13:20+00:00", OTHER: None},
        "count": 1,
        "cached_count": 2,
        "api_fetched_count": 3,
        "source": "dhanhq",
        "timestamp": "2026-11-02T06:13:21.250+00:00",
    }
    members = [traded, json_members(OTHER, None, "unknown")]
    stable = stable_part(members, priced=1, covered=2, fetched=3)
    assert document(stable, "dhanhq", NOW_S) == json.dumps(plain).encode()


@pytest.mark.parametrize(
    "price", [1, 5, 25, 832_475, 10_000, 1_234_567_85_00, 99_999_999_999, 100_000_000_000]
)
def test_a_price_is_the_float_nearest_to_its_decimal(price: int) -> None:
    text = json_members(KEY, Tick(KEY, price), "live").price
    assert text == f'"{KEY}": {json.dumps(price / 10_000)}'


def test_as_of_is_the_trade_time_else_the_arrival_of_the_change_else_null() -> None:
    def as_of(**values: Any) -> Any:
        return parsed(json_members(KEY, Tick(KEY, 10_000, **values), "quiet"))["as_of"][KEY]

    assert as_of(ltt=1_793_600_000, received_at=5) == "2026-11-02T06:13:20+00:00"
    assert (
        as_of(received_at=1_793_600_009_000_000, traded_at=1_793_600_000_123_456)
        == "2026-11-02T06:13:20.123+00:00"
    )
    assert as_of(received_at=1_793_600_000_123_456) is None  # an arrival alone proves no trade
    assert as_of(ltt=2**63) is None


def test_a_tick_without_a_price_has_null_price_and_as_of() -> None:
    found = parsed(json_members(KEY, Tick(KEY, None, 1_793_600_000), "unknown"))
    assert (found["prices"], found["as_of"]) == ({KEY: None}, {KEY: None})


def test_a_source_is_escaped() -> None:
    assert parsed(json_members(KEY, None, "unknown"), source='"}\n')["source"] == '"}\n'
