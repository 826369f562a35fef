from __future__ import annotations

import json
from typing import Any

import pytest

from ltp.core.ticks.tick import Tick
from ltp.web.api.prices_document import document, known, piece

KEY, OTHER = "NSE_EQ:1333", "NSE_CURRENCY:10093"
NOW_S = 1_793_600_001.25


def parsed(*pieces: Any, source: str = "dhanhq") -> dict[str, Any]:
    text = document(known(pieces, priced=1, covered=2, fetched=3), source, NOW_S)
    return json.loads(text, parse_constant=pytest.fail)


def test_a_document_is_what_json_makes_of_it() -> None:
    traded = piece(KEY, Tick(KEY, 14_021_000, 1_793_600_000), "live")
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
    body = document(
        known([traded, piece(OTHER, None, "unknown")], priced=1, covered=2, fetched=3), "dhanhq", NOW_S
    )
    assert body == json.dumps(plain).encode()


@pytest.mark.parametrize(
    "price", [1, 5, 25, 832_475, 10_000, 1_234_567_85_00, 99_999_999_999, 100_000_000_000]
)
def test_a_price_is_the_float_nearest_to_its_decimal(price: int) -> None:
    text = piece(KEY, Tick(KEY, price), "live").price
    assert text == f'"{KEY}": {json.dumps(price / 10_000)}'


def test_the_instant_is_of_the_trade_else_of_the_arrival_else_unknown() -> None:
    def as_of(**values: Any) -> Any:
        return parsed(piece(KEY, Tick(KEY, 10_000, **values), "quiet"))["as_of"][KEY]

    assert as_of(ltt=1_793_600_000, received_at=5) == "2026-11-02T06:13:20+00:00"
    assert (
        as_of(received_at=1_793_600_009_000_000, traded_at=1_793_600_000_123_456)
        == "2026-11-02T06:13:20.123+00:00"
    )
    assert as_of(received_at=1_793_600_000_123_456) is None  # it came then, which is no trade
    assert as_of(ltt=2**63) is None


def test_a_tick_without_a_price_says_nothing() -> None:
    found = parsed(piece(KEY, Tick(KEY, None, 1_793_600_000), "unknown"))
    assert (found["prices"], found["as_of"]) == ({KEY: None}, {KEY: None})


def test_a_source_may_hold_anything() -> None:
    assert parsed(piece(KEY, None, "unknown"), source='"}\n')["source"] == '"}\n'
