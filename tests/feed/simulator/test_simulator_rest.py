from __future__ import annotations

import base64
import json
from collections.abc import Callable
from datetime import date, datetime
from itertools import pairwise
from typing import Any

import pytest
import requests

from ltp.core.market.session import Calendar
from ltp.core.money import rupees
from ltp.core.trading_day import IST
from ltp.feed.simulator import Simulator

HEADERS = {"access-token": "token", "client-id": "1000000001"}
Post = Callable[..., requests.Response]


class Ticks:
    """A monotonic clock that moves by itself, so that the pace refuses only the calls a test means it to."""

    def __init__(self) -> None:
        self.now, self.step = 100.0, 1.0

    def __call__(self) -> float:
        self.now += self.step
        return self.now


@pytest.fixture
def ticks() -> Ticks:
    return Ticks()


@pytest.fixture
def simulator(simulate: Callable[..., Simulator], ticks: Ticks) -> Simulator:
    return simulate(monotonic=ticks)


@pytest.fixture
def post(simulator: Simulator) -> Post:
    def send(path: str, body: object, headers: dict[str, str] = HEADERS) -> requests.Response:
        return requests.post(f"{simulator.rest_url}/{path}", json=body, headers=headers, timeout=5)

    return send


def test_ltp(simulator: Simulator, post: Post) -> None:
    answer = post(
        "marketfeed/ltp",
        {"NSE_EQ": [1333, 999_999], "IDX_I": [13], "BSE_EQ": [1], "dhanClientId": "1000000001"},
    )
    last = {key: rupees(simulator.exchange.snapshot(key).ltp) for key in ("NSE_EQ:1333", "IDX_I:13")}
    assert answer.status_code == 200
    assert answer.json() == {
        "data": {
            "NSE_EQ": {"1333": {"last_price": last["NSE_EQ:1333"]}},
            "IDX_I": {"13": {"last_price": last["IDX_I:13"]}},
            "BSE_EQ": {},
        },
        "status": "success",
    }


def test_ohlc_has_the_previous_close(simulator: Simulator, post: Post) -> None:
    snapshot = simulator.exchange.snapshot("NSE_EQ:1333")
    fields = post("marketfeed/ohlc", {"NSE_EQ": [1333]}).json()["data"]["NSE_EQ"]["1333"]
    assert fields["ohlc"] == {
        "open": rupees(snapshot.open),
        "close": rupees(snapshot.prev_close),
        "high": rupees(snapshot.high),
        "low": rupees(snapshot.low),
    }


def test_quote_has_every_field_and_an_indian_clock(simulator: Simulator, post: Post) -> None:
    trade = simulator.trade("NSE_EQ:1333", 9_653_500)
    fields = post("marketfeed/quote", {"NSE_EQ": [1333]}).json()["data"]["NSE_EQ"]["1333"]
    assert set(fields) == {
        *(
            "last_price",
            "ohlc",
            "average_price",
            "last_quantity",
            "last_trade_time",
            "buy_quantity",
            "sell_quantity",
            "volume",
        ),
        *(
            "net_change",
            "lower_circuit_limit",
            "upper_circuit_limit",
            "oi",
            "oi_day_high",
            "oi_day_low",
            "depth",
        ),
    }
    assert fields["last_trade_time"] == "23/11/2026 10:00:00"
    assert (fields["last_price"], fields["volume"]) == (965.35, trade.volume)
    assert [len(fields["depth"][side]) for side in ("buy", "sell")] == [5, 5]
    assert fields["depth"]["buy"][0]["price"] <= 965.35 <= fields["depth"]["sell"][0]["price"]


def test_one_call_a_second_over_all_three(ticks: Ticks, post: Post) -> None:
    ticks.step = 0.6
    assert post("marketfeed/ltp", {"NSE_EQ": [1333]}).status_code == 200
    refused = post("marketfeed/quote", {"NSE_EQ": [1333]})
    assert refused.status_code == 429
    assert refused.json()["status"] == "failed"
    assert refused.json()["data"].keys() == {"805"}
    assert post("marketfeed/ohlc", {"NSE_EQ": [1333]}).status_code == 200


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"NSE_EQ": list(range(1, 1002))}, "804"),
        ([1333], "814"),
        ({"NSE_EQ": ["1333"]}, "814"),
        ({"NSE_EQ": 1333}, "814"),
    ],
)
def test_market_quote_refusals(post: Post, body: object, code: str) -> None:
    answer = post("marketfeed/ltp", body)
    assert answer.status_code == 400
    assert answer.json()["data"].keys() == {code}


def test_a_thousand_instruments_are_accepted(post: Post) -> None:
    assert post("marketfeed/ltp", {"NSE_EQ": list(range(1, 1001))}).status_code == 200


@pytest.mark.parametrize("headers", [{}, {"access-token": "t"}, {"client-id": "1"}])
def test_market_quote_needs_both_headers(post: Post, headers: dict[str, str]) -> None:
    answer = post("marketfeed/ltp", {"NSE_EQ": [1333]}, headers)
    assert answer.status_code == 401
    assert answer.json()["data"].keys() == {"808"}


def daily(
    post: Post, begin: str, end: str, security_id: str = "1333", **extra: Any
) -> dict[str, list[float]]:
    body = {
        "securityId": security_id,
        "exchangeSegment": "NSE_EQ",
        "instrument": "EQUITY",
        "fromDate": begin,
        "toDate": end,
    }
    answer = post("charts/historical", body | extra)
    assert answer.status_code == 200
    return answer.json()


def intraday(post: Post, begin: str, end: str, interval: object = 1) -> dict[str, list[float]]:
    body = {
        "securityId": "1333",
        "exchangeSegment": "NSE_EQ",
        "instrument": "EQUITY",
        "fromDate": begin,
        "toDate": end,
    }
    answer = post("charts/intraday", body | {"interval": interval})
    assert answer.status_code == 200
    return answer.json()


def dates(answer: dict[str, list[float]]) -> list[date]:
    return [datetime.fromtimestamp(stamp, IST).date() for stamp in answer["timestamp"]]


def test_daily_bars_exclude_the_end_skip_weekends_and_begin_at_midnight_in_india(post: Post) -> None:
    bars = daily(post, "2026-11-13", "2026-11-18")
    assert dates(bars) == [date(2026, 11, day) for day in (13, 16, 17)]
    assert {stamp % 86_400 for stamp in bars["timestamp"]} == {18.5 * 3600}
    assert set(bars) == {"open", "high", "low", "close", "volume", "timestamp"}


def test_daily_bars_join_up_with_the_price_of_today(simulator: Simulator, post: Post) -> None:
    snapshot = simulator.exchange.snapshot("NSE_EQ:1333")
    bars = daily(post, "2026-11-20", "2026-11-24")
    assert dates(bars) == [date(2026, 11, 20), date(2026, 11, 23)]
    assert bars["close"] == [rupees(snapshot.prev_close), rupees(snapshot.ltp)]
    assert (bars["high"][1], bars["volume"][1]) == (rupees(snapshot.high), snapshot.volume)


def test_history_has_no_future(post: Post) -> None:
    assert dates(daily(post, "2026-11-23", "2027-11-23")) == [date(2026, 11, 23)]


def test_history_is_the_same_after_a_restart_on_another_day(
    simulate: Callable[..., Simulator], post: Post
) -> None:
    before = daily(post, "2025-01-01", "2026-11-20")
    later = simulate(clock=lambda: datetime(2026, 12, 30, 14, 0, tzinfo=IST).timestamp())
    body = {
        "securityId": "1333",
        "exchangeSegment": "NSE_EQ",
        "instrument": "EQUITY",
        "fromDate": "2025-01-01",
    }
    after = requests.post(
        f"{later.rest_url}/charts/historical",
        json=body | {"toDate": "2026-11-20"},
        headers=HEADERS,
        timeout=5,
    )
    assert after.json() == before


def test_daily_moves_are_believable(post: Post) -> None:
    close = daily(post, "2024-01-01", "2026-11-23")["close"]
    moves = [abs(after / before - 1) for before, after in pairwise(close)]
    assert max(moves) < 0.06
    assert 0.003 < sum(moves) / len(moves) < 0.03


def test_minutes_of_a_day_add_up_to_its_daily_bar(post: Post) -> None:
    whole, minutes = daily(post, "2026-11-20", "2026-11-21"), intraday(post, "2026-11-20", "2026-11-20")
    assert len(minutes["close"]) == 375
    assert datetime.fromtimestamp(minutes["timestamp"][0], IST) == datetime(2026, 11, 20, 9, 15, tzinfo=IST)
    assert (minutes["open"][0], minutes["close"][-1]) == (whole["open"][0], whole["close"][0])
    assert (max(minutes["high"]), min(minutes["low"])) == (whole["high"][0], whole["low"][0])
    assert sum(minutes["volume"]) == whole["volume"][0]
    for open_, high, low, close in zip(
        *(minutes[name] for name in ("open", "high", "low", "close")), strict=True
    ):
        assert low <= min(open_, close) <= max(open_, close) <= high


@pytest.mark.parametrize(("interval", "count"), [(1, 375), ("5", 75), (15, 25), ("25", 15), (60, 7)])
def test_longer_intervals_are_made_of_the_same_minutes(post: Post, interval: object, count: int) -> None:
    bars, minutes = (
        intraday(post, "2026-11-20", "2026-11-20", interval),
        intraday(post, "2026-11-20", "2026-11-20"),
    )
    assert len(bars["close"]) == count
    assert sum(bars["volume"]) == sum(minutes["volume"])
    assert (bars["open"][0], bars["close"][-1], max(bars["high"])) == (
        minutes["open"][0],
        minutes["close"][-1],
        max(minutes["high"]),
    )


def test_minutes_of_today_end_with_the_price_of_now(simulator: Simulator, post: Post) -> None:
    trade = simulator.trade("NSE_EQ:1333", 9_653_500)
    bars = intraday(post, "2026-11-23", "2026-11-23")
    assert len(bars["close"]) == 46  # 09:15 to 09:59 and the minute that runs
    assert bars["close"][-1] == 965.35
    assert sum(bars["volume"]) == trade.volume


def test_intraday_takes_moments(post: Post) -> None:
    bars = intraday(post, "2026-11-20 10:00:00", "2026-11-20 10:05:00")
    assert [datetime.fromtimestamp(stamp, IST).minute for stamp in bars["timestamp"]] == [0, 1, 2, 3, 4]


def test_minutes_are_drawn_inside_of_the_trading_hours(simulate: Callable[..., Simulator]) -> None:
    calendar = Calendar.load()
    simulator = simulate(
        in_session=lambda segment, at: calendar.is_open(segment, datetime.fromtimestamp(at, IST))
    )
    day = date(2026, 11, 20)
    body = {
        "securityId": "1333",
        "exchangeSegment": "NSE_EQ",
        "instrument": "EQUITY",
        "fromDate": f"{day}",
        "toDate": f"{day}",
    }
    url = f"{simulator.rest_url}/charts/intraday"
    minutes = requests.post(url, json=body | {"interval": "1"}, headers=HEADERS, timeout=5).json()
    windows = calendar.windows("NSE_EQ", day)
    outside = [at for at in minutes["timestamp"] if not any(each.start <= at < each.end for each in windows)]
    assert (len(minutes["close"]) > 300, outside) == (True, [])


def test_open_interest_on_request(post: Post) -> None:
    assert len(daily(post, "2026-11-16", "2026-11-18", oi=True)["open_interest"]) == 2


@pytest.mark.parametrize(
    ("path", "change", "code"),
    [
        ("historical", {"fromDate": "yesterday"}, "DH-905"),
        ("historical", {"instrument": None}, "DH-905"),
        ("historical", {"securityId": "999999"}, "DH-907"),
        ("intraday", {"interval": 30}, "DH-905"),
        ("intraday", {"fromDate": "2026-07-01"}, "DH-905"),  # more than 90 days
    ],
)
def test_chart_refusals_have_the_trading_shape(
    post: Post, path: str, change: dict[str, Any], code: str
) -> None:
    body = {"securityId": "1333", "exchangeSegment": "NSE_EQ", "instrument": "EQUITY", "interval": 5}
    answer = post(f"charts/{path}", body | {"fromDate": "2026-11-16", "toDate": "2026-11-18"} | change)
    assert answer.status_code == 400
    assert answer.json().keys() == {"errorType", "errorCode", "errorMessage"}
    assert answer.json()["errorCode"] == code


def test_ninety_days_of_minutes_are_allowed(post: Post) -> None:
    assert len(intraday(post, "2026-08-03", "2026-10-31", 60)["close"]) == 65 * 7


def test_charts_need_a_token_and_a_pace(ticks: Ticks, post: Post) -> None:
    assert post("charts/historical", {}, {}).json()["errorCode"] == "DH-901"
    ticks.step = 0.1
    codes = [post("charts/historical", {}).json()["errorCode"] for _ in range(6)]
    assert codes == ["DH-905"] * 5 + ["DH-904"]


def test_profile(simulator: Simulator) -> None:
    answer = requests.get(f"{simulator.rest_url}/profile", headers=HEADERS, timeout=5).json()
    assert (answer["dhanClientId"], answer["dataPlan"]) == ("1000000001", "Active")
    assert answer["tokenValidity"] == "24/11/2026 10:00"
    assert answer["dataValidity"] == "2026-11-24 10:00:00.0"


def renew(simulator: Simulator, token: str) -> requests.Response:
    headers = {"access-token": token, "dhanClientId": "1000000001"}
    return requests.get(f"{simulator.rest_url}/RenewToken", headers=headers, timeout=5)


def test_renewal_gives_a_token_whose_expiry_can_be_read(simulator: Simulator) -> None:
    answer = renew(simulator, "old").json()
    claims = json.loads(base64.urlsafe_b64decode(answer["accessToken"].split(".")[1] + "=="))
    assert datetime.fromtimestamp(claims["exp"], IST) == datetime(2026, 11, 24, 10, 0, tzinfo=IST)
    assert answer["expiryTime"] == "2026-11-24T10:00:00.000"
    assert renew(simulator, "old").status_code == 200


def test_renewal_kills_the_old_token_when_configured(
    simulate: Callable[..., Simulator], connect: Callable[..., Any]
) -> None:
    simulator = simulate(kill_renewed=True)
    fresh = renew(simulator, "old").json()["accessToken"]
    assert renew(simulator, "old").status_code == 401
    assert renew(simulator, fresh).status_code == 200
    assert connect(simulator, token="old").packet().reason == 807


def test_renewal_needs_the_odd_header(simulator: Simulator) -> None:
    answer = requests.get(f"{simulator.rest_url}/RenewToken", headers=HEADERS, timeout=5)
    assert (answer.status_code, answer.json()["errorCode"]) == (400, "DH-905")


def test_unknown_paths(simulator: Simulator) -> None:
    answer = requests.get(f"{simulator.rest_url}/invalid_endpoint", timeout=5)
    assert answer.status_code == 404
    assert (answer.json()["error"], answer.json()["path"]) == ("Not Found", "/v2/invalid_endpoint")
