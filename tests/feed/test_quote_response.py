"""Answers of the broker, recorded where a file of fixtures has them, documented ones written out here."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ltp.core.ticks.depth import QuoteDetails
from ltp.core.ticks.tick import Tick
from ltp.errors import FeedAuthError
from ltp.feed.quote_response import read_details, read_error, read_quotes

RECORDED = json.loads((Path(__file__).parent / "fixtures" / "rest_recorded.json").read_text())
NOW_US = 1_795_408_200_000_000
KEY = "NSE_EQ:1333"

TRADED = {
    "average_price": 1399.87,
    "last_price": 1402.1,
    "last_trade_time": "23/11/2026 09:59:58",
    "net_change": 11.7,
    "ohlc": {"open": 1395.0, "close": 1390.4, "high": 1408.8, "low": 1391.2},
    "oi": 0,
    "volume": 4512345,
}


def quote(**changes: Any) -> Tick | None:
    body = {"status": "success", "data": {"NSE_EQ": {"1333": {**TRADED, **changes}}}}
    return read_quotes(body, [KEY], NOW_US).get(KEY)


def test_a_quote_in_session():
    assert quote() == Tick(
        KEY,
        14_021_000,
        1_795_408_198,
        NOW_US,
        volume=4_512_345,
        open=13_950_000,
        high=14_088_000,
        low=13_912_000,
        prev_close=13_904_000,
        oi=0,
        session="2026-11-23",
        traded_at=1_795_408_198_000_000,
        rest=True,
    )


@pytest.mark.parametrize(
    ("changes", "prev_close"),
    [
        ({}, 13_904_000),
        (
            {"ohlc": {"close": 1402.1}},
            13_904_000,
        ),  # after the close: today's own close, the change knows better
        ({"net_change": -11.7, "ohlc": {}}, 14_138_000),
        (
            {"net_change": 0},
            13_904_000,
        ),  # not computed: the close is another price, so it is the previous one
        ({"net_change": None}, 13_904_000),
        ({"net_change": 0, "ohlc": {"close": 1402.1}}, None),  # perhaps today's own close
        ({"net_change": 0, "ohlc": {"close": 1402.1}, "volume": 0}, 14_021_000),  # nothing traded today
        ({"net_change": 0, "ohlc": {"close": 0}}, None),
        ({"net_change": 5000.0}, None),
        ({"net_change": float("nan"), "ohlc": {"close": 1390.4}}, 13_904_000),
        ({"net_change": "11.7", "ohlc": None}, None),
    ],
)
def test_previous_close_is_taken_only_where_the_answer_proves_it(
    changes: dict[str, Any], prev_close: int | None
):
    tick = quote(**changes)
    assert tick is not None
    assert tick.prev_close == prev_close


def test_an_instrument_that_never_traded_has_a_price_and_no_session():
    """The documented sample: the last price is the previous close, everything of today is zero."""
    tick = quote(
        last_price=368.15,
        last_trade_time="01/01/1980 00:00:00",
        net_change=0,
        ohlc={"open": 0, "close": 368.15, "high": 0, "low": 0},
        volume=0,
    )
    assert tick == Tick(KEY, 3_681_500, None, NOW_US, volume=0, prev_close=3_681_500, oi=0, rest=True)


def test_a_quote_of_friday_belongs_to_friday():
    tick = quote(last_trade_time="20/11/2026 15:29:59")
    assert tick is not None
    assert tick.session == "2026-11-20"


@pytest.mark.parametrize("price", [0, -1, None, "1402.1", True, float("nan"), float("inf"), 1e300, 10**400])
def test_no_price_no_tick(price: Any):
    assert quote(last_price=price) is None


@pytest.mark.parametrize("name", ["quote_of_a_dead_contract", "quote_of_unknown_ids"])
def test_recorded_answers_without_a_price(name: str):
    assert read_error(RECORDED[name]["status"], RECORDED[name]["body"]) is None
    assert read_quotes(RECORDED[name]["body"], ["NSE_FNO:49081"], NOW_US) == {}


def test_only_requested_keys_are_taken():
    body = {"data": {"NSE_EQ": {"1333": TRADED, "1594": TRADED}}}
    assert list(read_quotes(body, ["NSE_EQ:1594", "IDX_I:13"], NOW_US)) == ["NSE_EQ:1594"]


@pytest.mark.parametrize(
    "body", [None, [], "x", {}, {"data": []}, {"data": {"NSE_EQ": []}}, {"data": {"NSE_EQ": {"1333": 5}}}]
)
def test_answers_of_another_shape_have_no_quotes(body: Any):
    assert read_quotes(body, [KEY], NOW_US) == {}


@pytest.mark.parametrize("text", ["", None, 0, "2026-11-23 10:00:00", "31/02/2026 10:00:00"])
def test_an_unreadable_trade_time_leaves_the_session_open(text: Any):
    tick = quote(last_trade_time=text)
    assert tick is not None
    assert (tick.ltt, tick.session, tick.traded_at) == (None, "", 0)


@pytest.mark.parametrize(
    ("name", "code", "auth", "permanent"),
    [
        ("no_data_plan", 806, True, True),
        ("bad_token", 901, True, False),
        ("too_many", 904, False, False),
        ("bad_request", 905, False, True),
        ("no_such_path", 404, False, True),
    ],
)
def test_recorded_errors(name: str, code: int, auth: bool, permanent: bool):
    error = read_error(RECORDED[name]["status"], RECORDED[name]["body"])
    assert error is not None
    assert (error.code, isinstance(error, FeedAuthError), error.permanent) == (code, auth, permanent)


@pytest.mark.parametrize(
    ("status", "body", "code", "auth", "permanent"),
    [
        (429, {"data": {"805": "Too many requests."}, "status": "failed"}, 805, False, False),
        (401, {"data": {"806": "Not subscribed"}, "status": "failed"}, 806, True, True),
        (401, {"data": {"808": "Authentication Failed"}, "status": "failed"}, 808, True, False),
        (400, {"data": {"814": "Invalid Request"}, "status": "failed"}, 814, False, True),
        (200, {"data": {"899": "new"}, "status": "failed"}, 899, False, False),
        (200, {"status": "failed"}, 910, False, False),
        (200, {"errorCode": "DH-1111", "errorMessage": "?"}, 910, False, False),
        (401, None, 401, True, False),
        (429, None, 429, False, False),
        (502, None, 502, False, False),
        (403, [], 403, True, False),
    ],
)
def test_the_other_shape_and_none(status: int, body: Any, code: int, auth: bool, permanent: bool):
    error = read_error(status, body, retry_after_s=7.0)
    assert error is not None
    assert (error.code, isinstance(error, FeedAuthError), error.permanent, error.retry_after_s) == (
        code,
        auth,
        permanent,
        7.0,
    )


def test_the_brokers_own_text_is_not_repeated():
    error = read_error(400, {"errorCode": "DH-905", "errorMessage": "canary"})
    assert "canary" not in str(error)


def details(**changes: Any) -> QuoteDetails | None:
    body = {"status": "success", "data": {"NSE_EQ": {"1333": {**TRADED, **changes}}}}
    return read_details(body, [KEY, "NSE_EQ:999"], NOW_US).get(KEY)


def test_details_of_a_quote():
    assert details(lower_circuit_limit=1251.4, upper_circuit_limit=1529.4) == QuoteDetails(
        KEY, NOW_US, lower=12_514_000, upper=15_294_000, average=13_998_700
    )
    assert details(oi=500, oi_day_high=600, oi_day_low=0) == QuoteDetails(
        KEY, NOW_US, average=13_998_700, oi_low=0, oi_high=600
    )


def test_details_that_an_answer_lacks_are_unknown():
    assert details(
        average_price=0, lower_circuit_limit="1", upper_circuit_limit=float("nan"), oi_day_high=-1
    ) == (QuoteDetails(KEY, NOW_US))
    assert read_details({"status": "failed"}, [KEY], NOW_US) == {}
    assert read_details({"data": {"NSE_EQ": {"1333": 5}}}, [KEY], NOW_US) == {}
