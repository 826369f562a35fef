"""Charts from a real HTTP server with the answers that each test queues; no real waiting."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from typing import Any

import pytest

from ltp.core.bars.bar import BROKER, Bar
from ltp.core.history.candle import Candle
from ltp.core.instrument import Instrument
from ltp.core.trading_day import IST
from ltp.errors import FeedAuthError, FeedError
from ltp.feed.charts import Charts, read_daily, read_minutes
from ltp.feed.credentials import Credentials
from ltp.feed.simulator import Simulator

KEY = "NSE_EQ:1333"
FIRST, LAST = date(2012, 1, 11), date(2012, 1, 12)
STAMPS = [1326220200, 1326306600]  # 00:00 in India of both
CHART = {
    "open": [100.05, 101],
    "high": [102, 103.5],
    "low": [99, 100.0],
    "close": [101.25, 103],
    "volume": [5000, 6000.0],
    "timestamp": STAMPS,
}
CANDLES = [
    Candle(FIRST, 100_0500, 102_0000, 99_0000, 101_2500, 5000),
    Candle(LAST, 101_0000, 103_5000, 100_0000, 103_0000, 6000),
]
HDFC = Instrument("NSE_EQ", 1333, "HDFCBANK", "HDFC Bank", "INE040A01034", 1, 500)
FUTURE = Instrument("NSE_FNO", 53001, "NIFTY-Nov2026-FUT", "NIFTY NOV FUT", "", 75, 1000)
OPEN = 1328845500  # 2012-02-10T09:15:00+05:30
DAY = date(2012, 2, 10)
MINUTES = {**CHART, "timestamp": [OPEN, OPEN + 60], "open_interest": [0, 750]}
BARS = [
    Bar(OPEN, 100_0500, 102_0000, 99_0000, 101_2500, 5000, None, 0, BROKER),
    Bar(OPEN + 60, 101_0000, 103_5000, 100_0000, 103_0000, 6000, 750, 0, BROKER),
]
EMPTY: dict[str, list[float]] = {name: [] for name in CHART}


class Broker(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers: list[tuple[int, Any]] = []
        self.requests: list[tuple[str, Any]] = []


class Handler(BaseHTTPRequestHandler):
    server: Broker
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        self.server.requests.append(
            (self.path, json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        )
        status, answer = self.server.answers.pop(0)
        text = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, format: str, *args: object) -> None:
        pass


class Time:
    def __init__(self) -> None:
        self.now = 50.0
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        if seconds:
            self.slept.append(round(seconds, 3))


@pytest.fixture
def broker() -> Iterator[Broker]:
    broker = Broker()
    thread = threading.Thread(target=broker.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield broker
    broker.shutdown()
    broker.server_close()
    thread.join(5)


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def charts(broker: Broker, time: Time) -> Charts:
    credentials = Credentials(lambda: ("1000", "canary-token"))
    return Charts(
        f"http://127.0.0.1:{broker.server_port}/v2", credentials, monotonic=lambda: time.now, sleep=time.sleep
    )


def test_the_last_day_is_requested_as_the_one_behind_it(charts: Charts, broker: Broker) -> None:
    broker.answers.append((200, CHART))
    assert charts.daily(KEY, "EQUITY", FIRST, LAST) == CANDLES
    assert broker.requests == [
        (
            "/v2/charts/historical",
            {
                "securityId": "1333",
                "exchangeSegment": "NSE_EQ",
                "instrument": "EQUITY",
                "fromDate": "2012-01-11",
                "toDate": "2012-01-13",
            },
        )
    ]


def test_days_outside_the_request_are_left_out(charts: Charts, broker: Broker) -> None:
    broker.answers.append((200, CHART))
    assert charts.daily(KEY, "EQUITY", FIRST, FIRST) == CANDLES[:1]


def test_calls_are_a_fifth_of_a_second_apart(charts: Charts, broker: Broker, time: Time) -> None:
    broker.answers += [(200, CHART)] * 3
    for _ in range(3):
        charts.daily(KEY, "EQUITY", FIRST, LAST)
    assert time.slept == [0.21, 0.21]


def test_an_empty_answer_is_requested_once_more(charts: Charts, broker: Broker) -> None:
    broker.answers += [(200, EMPTY), (200, CHART), (200, {}), (200, EMPTY)]
    assert charts.daily(KEY, "EQUITY", FIRST, LAST) == CANDLES
    assert charts.daily(KEY, "EQUITY", FIRST, LAST) == []


def test_the_broker_s_word_for_nothing_is_no_error(charts: Charts, broker: Broker) -> None:
    broker.answers += [(400, {"errorCode": "DH-907", "errorMessage": "no data present"})] * 2
    assert charts.daily(KEY, "EQUITY", FIRST, LAST) == []


@pytest.mark.parametrize(
    ("status", "answer", "waits_s"),
    [
        (429, {"errorCode": "DH-904"}, 5.0),
        (429, {"data": {"805": "Too many requests."}, "status": "failed"}, 60.0),
        (500, {"errorCode": "DH-908"}, 1.0),
        (502, "bad gateway", 1.0),
    ],
)
def test_passing_failures_are_waited_for(
    charts: Charts, broker: Broker, time: Time, status: int, answer: Any, waits_s: float
) -> None:
    broker.answers += [(status, answer), (200, CHART)]
    assert charts.daily(KEY, "EQUITY", FIRST, LAST) == CANDLES
    assert time.slept == [waits_s]


def test_a_lasting_failure_is_given_up(charts: Charts, broker: Broker, time: Time) -> None:
    broker.answers += [(500, {"errorCode": "DH-908"})] * 5
    with pytest.raises(FeedError, match="DH-908"):
        charts.daily(KEY, "EQUITY", FIRST, LAST)
    assert time.slept == [1.0, 2.0, 4.0, 8.0]


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [(401, "DH-901", FeedAuthError), (403, "DH-902", FeedAuthError), (400, "DH-905", FeedError)],
)
def test_a_permanent_failure_is_raised_at_once(
    charts: Charts, broker: Broker, status: int, code: str, kind: type[FeedError]
) -> None:
    broker.answers.append((status, {"errorCode": code}))
    with pytest.raises(kind, match=code) as caught:
        charts.daily(KEY, "EQUITY", FIRST, LAST)
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize(
    "body", [[], "text", None, {**CHART, "close": [1]}, {**CHART, "open": "abc"}, {**CHART, "high": None}]
)
def test_another_answer_is_an_error(body: Any) -> None:
    with pytest.raises(FeedError, match="The broker's chart"):
        read_daily(body)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("open", 0),
        ("high", 90),
        ("low", -1),
        ("close", None),
        ("close", "101"),
        ("timestamp", 0),
        ("low", True),
    ],
)
def test_a_candle_that_cannot_be_is_left_out(name: str, value: object) -> None:
    assert read_daily({**CHART, name: [value, CHART[name][1]]}) == CANDLES[1:]


def test_a_close_that_was_rounded_past_the_high_widens_it() -> None:
    assert read_daily({**CHART, "close": [102.05, 103]})[0].high == 102_0500


def test_an_index_has_no_volume_and_more_arrays_are_no_harm() -> None:
    chart = {**CHART, "volume": [None, -5], "open_interest": [0, 0]}
    assert [candle.volume for candle in read_daily(chart)] == [0, 0]


def test_days_come_in_order_and_once() -> None:
    swapped: dict[str, Any] = {name: [values[1], values[0], values[0]] for name, values in CHART.items()}
    assert read_daily(swapped) == CANDLES


def test_minutes_are_requested_from_the_first_second_to_the_last(charts: Charts, broker: Broker) -> None:
    broker.answers += [(200, MINUTES), (200, MINUTES)]
    assert charts.intraday(HDFC, DAY, DAY) == BARS
    assert charts.intraday(FUTURE, DAY, DAY) == BARS
    request = {
        "securityId": "1333",
        "exchangeSegment": "NSE_EQ",
        "instrument": "EQUITY",
        "interval": "1",
        "oi": False,
        "fromDate": "2012-02-10 00:00:00",
        "toDate": "2012-02-10 23:59:59",
    }
    contract = {"securityId": "53001", "exchangeSegment": "NSE_FNO", "instrument": "FUTIDX", "oi": True}
    assert broker.requests == [
        ("/v2/charts/intraday", request),
        ("/v2/charts/intraday", request | contract),
    ]


def test_more_than_ninety_days_of_minutes_are_several_paced_calls(
    charts: Charts, broker: Broker, time: Time
) -> None:
    broker.answers += [(200, MINUTES), (400, {"errorCode": "DH-907"}), (200, EMPTY)]
    assert charts.intraday(HDFC, DAY, DAY + timedelta(days=90)) == BARS
    assert [(body["fromDate"][:10], body["toDate"][:10]) for _, body in broker.requests] == [
        ("2012-02-10", "2012-05-09"),
        ("2012-05-10", "2012-05-10"),
        ("2012-05-10", "2012-05-10"),  # nothing is asked for once more
    ]
    assert time.slept == [0.21, 0.21]


def test_work_behind_others_has_a_pace_of_its_own(broker: Broker, time: Time) -> None:
    broker.answers += [(200, MINUTES), (200, MINUTES)]
    url, credentials = f"http://127.0.0.1:{broker.server_port}/v2", Credentials(lambda: ("1000", "token"))
    charts = Charts(url, credentials, pace_s=0.5, monotonic=lambda: time.now, sleep=time.sleep)
    for _ in range(2):
        assert charts.intraday(HDFC, DAY, DAY) == BARS
    assert time.slept == [0.5]


def test_minutes_of_other_days_are_left_out(charts: Charts, broker: Broker) -> None:
    later = DAY + timedelta(days=1)
    broker.answers.append((200, {**MINUTES, "timestamp": [OPEN, OPEN + 86_400]}))
    assert [bar.start for bar in charts.intraday(HDFC, later, later)] == [OPEN + 86_400]


@pytest.mark.parametrize(
    ("name", "value"),
    [("open", 0), ("high", 90), ("low", None), ("close", "101"), ("timestamp", OPEN + 7), ("timestamp", -60)],
)
def test_a_minute_that_cannot_be_is_left_out(name: str, value: object) -> None:
    assert read_minutes({**MINUTES, name: [value, MINUTES[name][1]]}) == BARS[1:]


@pytest.mark.parametrize("oi", [None, [], [0, 0], ["x", -1]])
def test_minutes_without_open_interest_have_none(oi: object) -> None:
    assert [bar.oi for bar in read_minutes({**MINUTES, "open_interest": oi})] == [None, None]


def test_minutes_come_in_order_and_once() -> None:
    swapped: dict[str, Any] = {name: [values[1], values[0], values[0]] for name, values in MINUTES.items()}
    assert read_minutes(swapped) == BARS


def test_the_simulator_answers_like_the_broker(free_port: Callable[[], int]) -> None:
    simulator = Simulator(rate=0.0).start()
    try:
        charts = Charts(simulator.rest_url, Credentials(lambda: ("1000", "token")))
        shares = charts.daily(KEY, "EQUITY", date(2024, 1, 1), date(2024, 12, 31))
        index = charts.daily("IDX_I:13", "INDEX", date(2024, 1, 1), date(2024, 12, 31))
        assert charts.daily("NSE_EQ:4", "EQUITY", date(2024, 1, 1), date(2024, 12, 31)) == []
    finally:
        simulator.stop()
    assert 200 < len(shares) == len(index) < 270
    assert [candle.day for candle in shares] == [candle.day for candle in index]
    # No step that a screen would take for a split, or a crash.
    assert all(0.8 < after.open / before.close < 1.25 for before, after in pairwise(shares))


def test_the_simulator_s_minutes_make_its_day() -> None:
    simulator = Simulator(rate=0.0).start()
    try:
        charts = Charts(simulator.rest_url, Credentials(lambda: ("1000", "token")))
        day = date(2024, 6, 3)
        minutes, [whole] = charts.intraday(HDFC, day, day), charts.daily(KEY, "EQUITY", day, day)
    finally:
        simulator.stop()
    assert datetime.fromtimestamp(minutes[0].start, IST) == datetime(2024, 6, 3, 9, 15, tzinfo=IST)
    assert (len(minutes), sum(bar.volume for bar in minutes)) == (375, whole.volume)
    assert (minutes[0].open, minutes[-1].close) == (whole.open, whole.close)
    assert (max(bar.high for bar in minutes), min(bar.low for bar in minutes)) == (whole.high, whole.low)
