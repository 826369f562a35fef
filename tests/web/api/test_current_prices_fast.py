"""Two ways to one answer: whatever is asked, the board and the cache say the same, to the byte."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import pytest
from werkzeug.test import Client

from app import create_app
from ltp.core.instrument import Instrument
from ltp.core.ticks.tick import Tick
from ltp.db import instruments
from ltp.db.engine import open_engine
from ltp.settings import Settings
from ltp.store import client as store_client
from ltp.store.batch_publisher import BatchHeader, BatchPublisher
from ltp.store.encode import NOTHING, Coverage
from ltp.web.api import prices_document
from ltp.web.api.current_prices_fast import PricesFirst
from ltp.web.services import EXTENSION

URL = "/api/v1/current_prices"
HDFC, TCS, NIFTY, GOLD, USD, NEW = (
    "NSE_EQ:1333",
    "NSE_EQ:11536",
    "IDX_I:13",
    "MCX_COMM:5",
    "NSE_CURRENCY:7",
    "NSE_EQ:99",
)
OPEN = {"NSE_EQ": "continuous", "IDX_I": "continuous", "NSE_CURRENCY": "post_close", "MCX_COMM": "closed"}


def now_us() -> int:
    return int(time.time() * 1e6)


def tick(key: str, price: int, **changes: Any) -> Tick:
    return Tick(key, price, received_at=now_us(), traded_at=now_us(), session="2026-11-02")._replace(
        **changes
    )


class Street:
    """A worker that writes and publishes as the real one does, and the site that hears it, with and without
    its front.
    """

    def __init__(self, url: str, folder: Path, wait_for: Callable[..., Any]) -> None:
        settings = Settings(
            _env_file=None, redis_url=url, database_url=f"sqlite:///{folder / 'site.sqlite3'}"
        )
        named = [key.split(":") for key in (HDFC, TCS, NIFTY, GOLD, USD, NEW)]
        instruments.seed(
            open_engine(settings.database), [Instrument(s, int(n), f"S{n}", "", "", 1, 5) for s, n in named]
        )
        flask = create_app(settings)
        front: Any = flask.wsgi_app
        self.services = flask.extensions[EXTENSION]
        self.services.catalog.refresh()
        self.hub, self.wait_for = self.services.hub, wait_for
        self.redis = store_client.connect(url, timeout_s=0.5)
        self.outlet = BatchPublisher(self.redis, "simulator", allowed=lambda: True)
        self.since, self.phase = now_us() - 10**9, OPEN
        self.handed_on, self.wanted, self.now_s = 0, [], 0.0
        self.askers: list[str] = []
        self.view = Client(front._app)

        def counted(environ: Any, start_response: Any) -> Any:
            self.handed_on += 1
            return front._app(environ, start_response)

        wanting = replace(self.services, demand_of_program=self.want)
        self.front = Client(PricesFirst(counted, wanting, settings.hosts, monotonic=lambda: self.now_s))

    def want(self, keys: Any, client: str) -> bool:
        self.wanted.append(keys)
        self.askers.append(client)
        return client != "203.0.113.9"

    def heard(self) -> bool:
        self.outlet.send(BatchHeader(now_us(), "live", self.since, OPEN), [], NOTHING)
        return bool(self.hub.stamp)

    def say(self, *ticks: Tick, feed: Any = "live") -> None:
        moment = BatchHeader(now_us(), feed, self.since, self.phase)
        unwanted = frozenset(each.key for each in ticks if each.rest)
        self.outlet.send(moment, list(ticks), Coverage(moment.since, unwanted))
        self.wait_for(lambda: self.hub.board.at >= moment.now_us)

    def same(self, query: str, method: str = "GET") -> bool:
        """Compare both answers; return whether the first came from the board."""
        before = self.handed_on
        ours, theirs = (client.open(f"{URL}?{query}", method=method) for client in (self.front, self.view))
        assert timeless(ours.data) == timeless(theirs.data)
        assert (ours.status, list(ours.headers)) == (theirs.status, list(theirs.headers))
        return self.handed_on == before


def timeless(body: bytes) -> bytes:
    return re.sub(rb'"timestamp": "[^"]{29}"', b"", body)


@pytest.fixture
def street(valkey: Any, tmp_path: Path, wait_for: Callable[..., Any]) -> Iterator[Street]:
    street = Street(valkey.url, tmp_path, wait_for)
    street.hub.start()
    wait_for(street.heard)
    street.say(tick(HDFC, 16_503_500), tick(TCS, 30_000_500))
    yield street
    street.hub.stop()
    street.redis.close()


@pytest.mark.parametrize(
    ("keys", "changes"),
    [
        ([HDFC], {"ltt": 1_793_600_000}),
        ([HDFC, TCS], {"ltp": 1}),
        ([HDFC], {"ltp": 99_999_999_999}),
        ([HDFC], {"traded_at": 1}),
        ([NIFTY, GOLD, USD], {"ltp": 832_475, "volume": 0}),
        ([NIFTY, GOLD], {"received_at": 5}),
        ([USD], {"ltt": 0}),
        ([HDFC], {"session": ""}),
    ],
)
def test_the_board_says_what_the_cache_says(street: Street, keys: list[str], changes: dict[str, Any]) -> None:
    street.say(*(tick(key, 14_021_000, **changes) for key in keys))
    assert street.same(f"keys={','.join(dict.fromkeys([*keys, TCS, HDFC]))}")


def test_states_turn_with_the_market_and_not_only_with_a_price(street: Street) -> None:
    street.say(tick(GOLD, 10_000))
    assert street.same(f"keys={GOLD},{HDFC}")
    street.phase = {**OPEN, "MCX_COMM": "continuous", "NSE_EQ": "closed"}
    street.say()
    assert street.same(f"keys={GOLD},{HDFC}")
    assert street.front.get(f"{URL}?keys={GOLD},{HDFC}").json["states"] == {GOLD: "live", HDFC: "closed"}


@pytest.mark.parametrize(
    "query",
    [
        f"keys={TCS},{HDFC},{TCS}",
        f"keys={HDFC}%2C{TCS.replace(':', '%3A')}",
        f"keys={HDFC}&other=1&other=2",
        f"a=%ff&keys={HDFC}#x",
    ],
)
def test_a_query_is_read_as_flask_reads_it(street: Street, query: str) -> None:
    assert street.same(query)


@pytest.mark.parametrize(
    "query",
    [
        "",
        "keys",
        "keys=",
        "keys=nse_eq:1",
        f"keys={HDFC},",
        f"keys={HDFC}+",
        f"keys={HDFC}&keys={TCS}",
        f"Keys={HDFC}",
        "keys=NSE_EQ:%ED%A0%80",
        "keys=" + "A" * 5_000,
        "keys=NSE_EQ:4294967296",
        "keys=" + ",".join(f"NSE_EQ:{number}" for number in range(1, 1_002)),
        f"keys={HDFC},NSE_EQ:424242",
        f"keys={HDFC},{NEW}",
    ],
)
def test_what_is_refused_or_not_known_is_left_to_flask(street: Street, query: str) -> None:
    assert not street.same(query)


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "POST", "DELETE"])
def test_other_methods_are_left_to_flask(street: Street, method: str) -> None:
    assert not street.same(f"keys={HDFC}", method)


@pytest.mark.parametrize(("version", "connection"), [((1, 1), "keep-alive"), ((1, 0), "close")])
def test_a_whole_answer_has_the_head_and_the_body_of_the_other(
    street: Street, version: tuple[int, int], connection: str
) -> None:
    query = f"keys={HDFC},{TCS}"
    head, _, body = street.front.application.response(
        query, version, connection, "localhost", URL, str
    ).partition(b"\r\n\r\n")
    other = street.front.get(f"{URL}?{query}")
    status, *lines = head.decode().split("\r\n")
    assert status == f"HTTP/{version[0]}.{version[1]} 200 OK"
    assert lines[0] == "Server: gunicorn"
    assert abs(parsedate_to_datetime(lines[1].removeprefix("Date: ")).timestamp() - time.time()) < 60
    assert lines[2] == f"Connection: {connection}"
    assert [tuple(line.split(": ", 1)) for line in lines[3:]] == list(other.headers)
    assert timeless(body) == timeless(other.data)


def test_there_is_no_whole_answer_to_what_the_application_has_to_be_asked(street: Street) -> None:
    assert street.front.application.response("keys=nonsense", (1, 1), "close", "localhost", URL, str) is None
    assert (
        street.front.application.response(f"keys={HDFC}", (1, 1), "close", "evil.example", URL, str) is None
    )
    absolute = f"http://evil.example{URL}"
    assert (
        street.front.application.response(f"keys={HDFC}", (1, 1), "close", "localhost", absolute, str) is None
    )
    street.say(feed="silent")
    assert street.front.application.response(f"keys={HDFC}", (1, 1), "close", "localhost", URL, str) is None


def test_the_cache_answers_for_this_host_alone(street: Street) -> None:
    for headers, status in (
        ({"Host": "127.0.0.1:8000"}, 200),
        ({"Host": "evil.example"}, 400),
        ({"Host": ""}, 400),
    ):
        assert street.front.get(f"{URL}?keys={HDFC}", headers=headers).status_code == status


@pytest.mark.parametrize("feed", ["silent", "down", "off"])
def test_without_a_live_feed_the_cache_is_asked(street: Street, feed: str) -> None:
    street.say(feed=feed)
    assert not street.same(f"keys={HDFC}")


def test_a_new_feed_connection_covers_what_it_spoke_of(street: Street) -> None:
    street.since = now_us()
    street.redis.delete(f"ltp:{HDFC}", f"ltp:{TCS}")  # which nobody renews now
    for ticks in ([], [tick(HDFC, 10_000)]):
        street.say(*ticks)
        assert street.same(f"keys={HDFC},{TCS}")
    assert street.front.get(f"{URL}?keys={HDFC},{TCS}").json["states"] == {HDFC: "live", TCS: "stale"}


def test_a_price_by_rest_is_left_to_the_cache(street: Street) -> None:
    street.say(tick(HDFC, 10_000, rest=True))
    assert not street.same(f"keys={HDFC}")


def test_an_answer_follows_the_board_and_the_clock(street: Street) -> None:
    for price in (10_000, 20_000):
        street.say(tick(HDFC, price))
        assert street.front.get(f"{URL}?keys={HDFC}").json["prices"] == {HDFC: price / 10_000}
    stamped = [street.front.get(f"{URL}?keys={HDFC}").json["timestamp"]]
    street.wait_for(lambda: street.front.get(f"{URL}?keys={HDFC}").json["timestamp"] > stamped[0])
    street.say(tick(HDFC, 20_000, ltt=1_793_600_001))
    assert street.front.get(f"{URL}?keys={HDFC}").json["as_of"] == {HDFC: "2026-11-02T06:13:21+00:00"}
    assert street.handed_on == 0


def test_demand_is_renewed_but_not_with_every_answer(street: Street) -> None:
    for second in (0.0, 0.5, 0.9, 1.0, 1.1):
        street.now_s = second
        street.say()
        street.same(f"keys={HDFC}")
    assert street.wanted == [[HDFC], [HDFC]]


def test_one_instrument_is_drawn_once_for_all_who_ask(
    street: Street, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[str] = []
    draw = prices_document.piece
    monkeypatch.setattr(prices_document, "piece", lambda key, *rest: drawn.append(key) or draw(key, *rest))
    for query in (f"keys={HDFC}", f"keys={TCS},{HDFC}", f"keys={HDFC},{TCS}"):
        street.front.get(f"{URL}?{query}")
    assert drawn == [HDFC, TCS]


def test_an_instrument_that_is_new_to_the_master_is_answered_for(street: Street) -> None:
    street.say(tick("NSE_EQ:424242", 10_000))
    assert not street.same("keys=NSE_EQ:424242")
    engine = street.services.catalog._engine
    instruments.seed(engine, [Instrument("NSE_EQ", 424242, "LISTED", "", "", 1, 5)])
    for _ in range(2):  # an import may go on: it is read when nothing has changed between two looks
        street.services.catalog.refresh()
    assert street.same("keys=NSE_EQ:424242")


def test_a_worker_that_is_not_heard_is_not_spoken_for(valkey: Any, tmp_path: Path, wait_for: Any) -> None:
    street = Street(valkey.url, tmp_path, wait_for)
    assert not street.same(f"keys={HDFC}")
    street.redis.close()


def test_a_client_whose_quota_is_used_up_keeps_nobody_else_from_asking_for_the_same(street: Street) -> None:
    for client in ("203.0.113.9", "203.0.113.9", "198.51.100.1", "198.51.100.2", "203.0.113.9"):
        street.front.get(f"{URL}?keys={HDFC}", headers={"X-Forwarded-For": client})
    assert street.askers == ["203.0.113.9", "198.51.100.1"]
