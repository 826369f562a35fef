"""The fast path of the price API: the answers from the board are those of the view, byte for byte."""

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


class Rig:
    """A worker that writes and publishes as the real one does, and the site with and without the fast path.

    `handed_on`: requests that the fast path left to the application. `demanded`, `clients`: the keys and the
    client of each demand.
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
        self.handed_on, self.demanded, self.now_s = 0, [], 0.0
        self.clients: list[str] = []
        self.view = Client(front._app)

        def counted(environ: Any, start_response: Any) -> Any:
            self.handed_on += 1
            return front._app(environ, start_response)

        services = replace(self.services, demand_of_program=self.demand)
        self.front = Client(PricesFirst(counted, services, settings.hosts, monotonic=lambda: self.now_s))

    def demand(self, keys: Any, client: str) -> bool:
        self.demanded.append(keys)
        self.clients.append(client)
        return client != "203.0.113.9"

    def connected(self) -> bool:
        """Publish a batch; return whether the site has received one so far."""
        self.outlet.send(BatchHeader(now_us(), "live", self.since, OPEN), [], NOTHING)
        return bool(self.hub.stamp)

    def publish(self, *ticks: Tick, feed: Any = "live") -> None:
        moment = BatchHeader(now_us(), feed, self.since, self.phase)
        by_rest = frozenset(each.key for each in ticks if each.rest)
        self.outlet.send(moment, list(ticks), Coverage(moment.since, by_rest))
        self.wait_for(lambda: self.hub.board.at >= moment.now_us)

    def both_agree(self, query: str, method: str = "GET") -> bool:
        """Compare the answers of both ways; return whether the fast path answered."""
        before = self.handed_on
        ours, theirs = (client.open(f"{URL}?{query}", method=method) for client in (self.front, self.view))
        assert timeless(ours.data) == timeless(theirs.data)
        assert (ours.status, list(ours.headers)) == (theirs.status, list(theirs.headers))
        return self.handed_on == before


def timeless(body: bytes) -> bytes:
    return re.sub(rb'"timestamp": "[^"]{29}"', b"", body)


@pytest.fixture
def rig(valkey: Any, tmp_path: Path, wait_for: Callable[..., Any]) -> Iterator[Rig]:
    rig = Rig(valkey.url, tmp_path, wait_for)
    rig.hub.start()
    wait_for(rig.connected)
    rig.publish(tick(HDFC, 16_503_500), tick(TCS, 30_000_500))
    yield rig
    rig.hub.stop()
    rig.redis.close()


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
def test_the_board_gives_the_prices_of_the_cache(rig: Rig, keys: list[str], changes: dict[str, Any]) -> None:
    rig.publish(*(tick(key, 14_021_000, **changes) for key in keys))
    assert rig.both_agree(f"keys={','.join(dict.fromkeys([*keys, TCS, HDFC]))}")


def test_a_state_changes_with_the_market_without_a_new_price(rig: Rig) -> None:
    rig.publish(tick(GOLD, 10_000))
    assert rig.both_agree(f"keys={GOLD},{HDFC}")
    rig.phase = {**OPEN, "MCX_COMM": "continuous", "NSE_EQ": "closed"}
    rig.publish()
    assert rig.both_agree(f"keys={GOLD},{HDFC}")
    assert rig.front.get(f"{URL}?keys={GOLD},{HDFC}").json["states"] == {GOLD: "live", HDFC: "closed"}


@pytest.mark.parametrize(
    "query",
    [
        f"keys={TCS},{HDFC},{TCS}",
        f"keys={HDFC}%2C{TCS.replace(':', '%3A')}",
        f"keys={HDFC}&other=1&other=2",
        f"a=%ff&keys={HDFC}#x",
    ],
)
def test_a_query_is_read_as_flask_reads_it(rig: Rig, query: str) -> None:
    assert rig.both_agree(query)


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
def test_refused_queries_and_unknown_instruments_are_left_to_flask(rig: Rig, query: str) -> None:
    assert not rig.both_agree(query)


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "POST", "DELETE"])
def test_other_methods_are_left_to_flask(rig: Rig, method: str) -> None:
    assert not rig.both_agree(f"keys={HDFC}", method)


@pytest.mark.parametrize(("version", "connection"), [((1, 1), "keep-alive"), ((1, 0), "close")])
def test_a_whole_response_has_the_head_and_the_body_of_the_application(
    rig: Rig, version: tuple[int, int], connection: str
) -> None:
    query = f"keys={HDFC},{TCS}"
    front = rig.front.application
    response = front.response(query, version, connection, "localhost", URL, str, "name/1")
    head, _, body = response.partition(b"\r\n\r\n")
    other = rig.front.get(f"{URL}?{query}")
    status, *lines = head.decode().split("\r\n")
    assert status == f"HTTP/{version[0]}.{version[1]} 200 OK"
    assert lines[0] == "Server: name/1"
    assert abs(parsedate_to_datetime(lines[1].removeprefix("Date: ")).timestamp() - time.time()) < 60
    assert lines[2] == f"Connection: {connection}"
    assert [tuple(line.split(": ", 1)) for line in lines[3:]] == list(other.headers)
    assert timeless(body) == timeless(other.data)


def test_a_request_that_the_application_has_to_answer_gets_no_whole_response(rig: Rig) -> None:
    def response(query: str, host: str = "localhost", target: str = URL) -> bytes | None:
        front = rig.front.application
        return front.response(query, (1, 1), "close", host, target, str, "gunicorn")

    assert response(f"keys={HDFC}") is not None
    assert response("keys=nonsense") is None
    assert response(f"keys={HDFC}", host="evil.example") is None
    assert response(f"keys={HDFC}", target=f"http://evil.example{URL}") is None
    rig.publish(feed="silent")
    assert response(f"keys={HDFC}") is None


def test_only_the_accepted_host_names_are_answered(rig: Rig) -> None:
    for headers, status in (
        ({"Host": "127.0.0.1:8000"}, 200),
        ({"Host": "evil.example"}, 400),
        ({"Host": ""}, 400),
    ):
        assert rig.front.get(f"{URL}?keys={HDFC}", headers=headers).status_code == status


@pytest.mark.parametrize("feed", ["silent", "down", "off"])
def test_without_a_live_feed_the_application_answers(rig: Rig, feed: str) -> None:
    rig.publish(feed=feed)
    assert not rig.both_agree(f"keys={HDFC}")


def test_a_new_feed_connection_covers_the_instruments_it_has_sent(rig: Rig) -> None:
    rig.since = now_us()
    rig.redis.delete(f"ltp:{HDFC}", f"ltp:{TCS}")  # the worker does not renew them in this test
    for ticks in ([], [tick(HDFC, 10_000)]):
        rig.publish(*ticks)
        assert rig.both_agree(f"keys={HDFC},{TCS}")
    assert rig.front.get(f"{URL}?keys={HDFC},{TCS}").json["states"] == {HDFC: "live", TCS: "stale"}


def test_a_price_by_rest_is_left_to_the_cache(rig: Rig) -> None:
    rig.publish(tick(HDFC, 10_000, rest=True))
    assert not rig.both_agree(f"keys={HDFC}")


def test_an_answer_follows_the_board_and_the_clock(rig: Rig) -> None:
    for price in (10_000, 20_000):
        rig.publish(tick(HDFC, price))
        assert rig.front.get(f"{URL}?keys={HDFC}").json["prices"] == {HDFC: price / 10_000}
    before = rig.front.get(f"{URL}?keys={HDFC}").json["timestamp"]
    rig.wait_for(lambda: rig.front.get(f"{URL}?keys={HDFC}").json["timestamp"] > before)
    rig.publish(tick(HDFC, 20_000, ltt=1_793_600_001))
    assert rig.front.get(f"{URL}?keys={HDFC}").json["as_of"] == {HDFC: "2026-11-02T06:13:21+00:00"}
    assert rig.handed_on == 0


def test_demand_is_renewed_but_not_with_every_answer(rig: Rig) -> None:
    for second in (0.0, 0.5, 0.9, 1.0, 1.1):
        rig.now_s = second
        rig.publish()
        rig.both_agree(f"keys={HDFC}")
    assert rig.demanded == [[HDFC], [HDFC]]


def test_the_json_of_an_instrument_is_made_once_for_all_queries(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[str] = []
    make = prices_document.json_members
    monkeypatch.setattr(
        prices_document, "json_members", lambda key, *rest: made.append(key) or make(key, *rest)
    )
    for query in (f"keys={HDFC}", f"keys={TCS},{HDFC}", f"keys={HDFC},{TCS}"):
        rig.front.get(f"{URL}?{query}")
    assert made == [HDFC, TCS]


def test_an_instrument_added_to_the_master_is_answered(rig: Rig) -> None:
    rig.publish(tick("NSE_EQ:424242", 10_000))
    assert not rig.both_agree("keys=NSE_EQ:424242")
    engine = rig.services.catalog._engine
    instruments.seed(engine, [Instrument("NSE_EQ", 424242, "LISTED", "", "", 1, 5)])
    for _ in range(2):  # a change is read when two looks find the same: an import may be running
        rig.services.catalog.refresh()
    assert rig.both_agree("keys=NSE_EQ:424242")


def test_without_batches_from_the_worker_the_application_answers(
    valkey: Any, tmp_path: Path, wait_for: Any
) -> None:
    rig = Rig(valkey.url, tmp_path, wait_for)
    assert not rig.both_agree(f"keys={HDFC}")
    rig.redis.close()


def test_a_client_without_quota_does_not_keep_others_from_demanding_the_same_instruments(rig: Rig) -> None:
    for client in ("203.0.113.9", "203.0.113.9", "198.51.100.1", "198.51.100.2", "203.0.113.9"):
        rig.front.get(f"{URL}?keys={HDFC}", headers={"X-Forwarded-For": client})
    assert rig.clients == ["203.0.113.9", "198.51.100.1"]
