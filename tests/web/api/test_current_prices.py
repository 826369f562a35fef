"""The price API on a real cache: prices, states, bounded waits, and the sentence for each bad request."""

from __future__ import annotations

import io
import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app import create_app
from ltp.core.clients.client_address import TrustedProxies
from ltp.core.history.extremes import Past
from ltp.core.instrument import Instrument
from ltp.core.market.session import Calendar
from ltp.core.sizing import Sizing
from ltp.core.ticks.quote import Quote
from ltp.core.ticks.state import FeedState
from ltp.core.ticks.tick import LINK_DEAD_AFTER_S, Tick
from ltp.core.ticks.wire import Batch
from ltp.db import instruments
from ltp.db.catalog import Catalog
from ltp.db.engine import open_engine
from ltp.errors import StoreError
from ltp.hub.hub import Hub
from ltp.hub.insets import Inset
from ltp.settings import Settings
from ltp.store import channel, demand, prices
from ltp.store import client as store_client
from ltp.store.depth import NOTHING
from ltp.store.encode import Coverage, texts
from ltp.store.transaction import RedisLine, Transaction
from ltp.web import errors, security
from ltp.web.api import current_prices
from ltp.web.services import EXTENSION, Services
from ltp.web.vitals import Vitals

HDFC, TCS, ABB = "NSE_EQ:1333", "NSE_EQ:11536", "NSE_EQ:13"
URL = "/api/v1/current_prices"


def now_us() -> int:
    return int(time.time() * 1e6)


@dataclass
class StubHub:
    """The hub's part in the API: the worker's state as this process received it, and the board."""

    link_age_s: float = 0.5
    feed: str = "live"
    phase: dict[str, str] = field(default_factory=lambda: {"NSE_EQ": "continuous"})
    since: int = field(default_factory=lambda: now_us() - 60_000_000)
    board: dict[str, Quote] = field(default_factory=dict)
    doubts: dict[str, str] = field(default_factory=dict)

    def feed_states(self) -> dict[str, FeedState]:
        linked = self.link_age_s <= LINK_DEAD_AFTER_S
        closed = frozenset(segment for segment, phase in self.phase.items() if phase == "closed")
        return {"0": FeedState(time.time(), linked, self.feed, self.since, closed, self.doubts)}  # type: ignore[arg-type]

    def last_known(self, keys: list[str]) -> list[Quote]:
        return [self.board.get(key) or Quote(key, None, "unknown") for key in keys]


@dataclass
class Api:
    client: FlaskClient
    hub: StubHub
    redis: Any
    wanted: list[str]

    def get(self, *keys: str) -> dict[str, Any]:
        response = self.client.get(URL, query_string={"keys": ",".join(keys)})
        assert response.status_code == 200, response.text
        return json.loads(response.text, parse_constant=pytest.fail)

    def known(self, *ticks: Tick, covered: bool = True) -> None:
        transaction, writer, encoded = (
            Transaction(RedisLine(self.redis)),
            prices.PriceWriter(),
            texts(ticks, Coverage(0)),
        )
        writer.ticks(transaction, encoded.tick)
        if covered:
            writer.ltp(transaction, encoded.ltp)
        transaction.execute()


def tick(key: str, price: int, **changes: Any) -> Tick:
    return Tick(key, price, received_at=now_us(), traded_at=now_us(), session="2026-11-02")._replace(
        **changes
    )


def app_with(hub: StubHub, redis: Any, folder: Path, wanted: list[str]) -> Flask:
    engine = open_engine(f"sqlite:///{folder / 'ltp.sqlite3'}")
    instruments.seed(
        engine, [Instrument("NSE_EQ", id_, f"S{id_}", "", "", 1, 500) for id_ in (1333, 11536, 13)]
    )
    catalog = Catalog(engine)
    catalog.refresh()
    app = Flask(__name__)
    app.register_blueprint(current_prices.bp)
    errors.install(app)
    security.install(app)
    app.extensions[EXTENSION] = Services(
        hub=hub,  # type: ignore[arg-type]
        redis=redis,
        engine=engine,
        catalog=catalog,
        run=lambda _: None,
        plans=catalog.plans,
        cell=lambda *_: "",
        learn_days=lambda _keys: None,
        learn_years=lambda _keys: None,
        year=lambda _key: None,
        demand=wanted.extend,
        demand_of_program=lambda keys, _client: not wanted.extend(keys),
        trusted=TrustedProxies.parse("none"),
        source=lambda: "simulator",
        poll_interval_ms=1500,
        sizing=Sizing(1_000_000, 10_000),
        calendar=Calendar.always_open,
        watch_depth=lambda _: None,
        watch_hours=Inset,
        is_depth_late=lambda _: False,
        known_depth=lambda _: NOTHING,
        past=lambda _: Past(),
        bars_days=60,
        longer_bars_days=730,
        vitals=Vitals(),
        start=lambda: (),
    )
    return app


@pytest.fixture
def api(valkey: Any, tmp_path: Path) -> Iterator[Api]:
    hub, wanted = StubHub(), []
    redis = store_client.connect(valkey.url, timeout_s=0.5)
    yield Api(app_with(hub, redis, tmp_path, wanted).test_client(), hub, redis, wanted)
    redis.close()


def test_a_price_is_the_number_that_was_traded(api: Api) -> None:
    api.known(tick(HDFC, 14_021_000, ltt=1_793_600_000))
    document = api.get(HDFC)
    assert document["prices"] == {HDFC: 1402.1}
    assert document["states"] == {HDFC: "live"}
    assert document["as_of"] == {HDFC: "2026-11-02T06:13:20+00:00"}
    assert (document["count"], document["cached_count"], document["api_fetched_count"]) == (1, 1, 0)
    assert document["source"] == "simulator"
    assert document["timestamp"].endswith("+00:00")


def test_keys_keep_their_order_and_come_once(api: Api) -> None:
    api.known(tick(HDFC, 10_000), tick(TCS, 20_000))
    assert list(api.get(TCS, HDFC, TCS)["prices"]) == [TCS, HDFC]


def test_one_cache_read_answers_for_all(api: Api, valkey: Any) -> None:
    keys = [f"NSE_EQ:{id_}" for id_ in range(1, 501)]
    api.known(*(tick(key, 10_000) for key in keys))

    def reads() -> int:
        return valkey.client.info("commandstats").get("cmdstat_mget", {"calls": 0})["calls"]

    before = reads()
    document = api.get(*keys)
    assert reads() == before + 1
    assert document["count"] == 500


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"traded_at": 1}, "quiet"),
        ({"rest": True}, "quiet"),
        ({"received_at": 1}, "stale"),
        ({"ltp": None}, "unknown"),
    ],
)
def test_the_state_that_follows_from_the_tick(api: Api, change: dict[str, Any], expected: str) -> None:
    api.known(tick(HDFC, 10_000, **change))
    assert api.get(HDFC)["states"] == {HDFC: expected}


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("phase", {"NSE_EQ": "closed"}, "closed"),
        ("phase", {"NSE_EQ": "pre_open"}, "live"),
        ("feed", "silent", "stale"),
        ("feed", "down", "stale"),
        ("link_age_s", 8.5, "stale"),
        ("link_age_s", float("inf"), "stale"),
        ("since", 0, "stale"),
        ("doubts", {"NSE_EQ": "delayed by 2 min 30 s"}, "stale"),
        ("doubts", {"MCX_COMM": ""}, "live"),
    ],
)
def test_the_state_that_follows_from_the_feed_and_the_market(
    api: Api, name: str, value: Any, expected: str
) -> None:
    """The price is in the answer in each state."""
    api.known(tick(HDFC, 10_000))
    setattr(api.hub, name, value)
    document = api.get(HDFC)
    assert document["states"] == {HDFC: expected}
    assert document["prices"] == {HDFC: 1.0}


def test_a_price_that_the_feed_does_not_confirm_is_stale(api: Api) -> None:
    api.known(tick(HDFC, 10_000), covered=False)
    document = api.get(HDFC)
    assert (document["prices"], document["states"]) == ({HDFC: 1.0}, {HDFC: "stale"})
    assert (document["count"], document["cached_count"]) == (1, 0)


def test_an_instrument_without_a_price_is_null_and_unknown(api: Api) -> None:
    document = api.get("NSE_EQ:999")
    assert (document["prices"], document["states"], document["as_of"]) == (
        {"NSE_EQ:999": None},
        {"NSE_EQ:999": "unknown"},
        {"NSE_EQ:999": None},
    )
    assert (document["count"], document["cached_count"], document["api_fetched_count"]) == (0, 0, 0)


@pytest.mark.parametrize(
    "value", [b"not json", b'{"ltp": NaN}', b'{"ltp":1,"ltt":9223372036854775807,"received_at":5}', b"\xff"]
)
def test_a_damaged_cache_entry_leaves_other_prices_alone(api: Api, value: bytes) -> None:
    api.known(tick(TCS, 20_000))
    api.redis.set(f"tick:{HDFC}", value)
    api.redis.lpush(f"ltp:{HDFC}", "x")
    assert api.get(HDFC, TCS)["prices"][TCS] == 2.0


def test_a_price_that_was_never_received_is_fetched_within_the_call(
    api: Api, wait_for: Callable[..., Any]
) -> None:
    api.known(tick(TCS, 20_000))

    def worker() -> None:
        keys = wait_for(lambda: demand.take_rest(api.redis, time.time()))
        api.known(*(tick(key, 30_000, rest=True) for key in keys), covered=False)

    thread = threading.Thread(target=worker)
    thread.start()
    document = api.get(HDFC, TCS, "NSE_EQ:999")
    thread.join()
    assert document["prices"] == {HDFC: 3.0, TCS: 2.0, "NSE_EQ:999": None}
    assert (document["count"], document["cached_count"], document["api_fetched_count"]) == (2, 1, 1)
    assert document["states"][HDFC] == "stale"


def test_only_instruments_of_the_master_are_fetched(api: Api) -> None:
    api.get("NSE_EQ:999")
    assert demand.take_rest(api.redis, time.time()) == []
    api.get(HDFC)
    assert demand.take_rest(api.redis, time.time()) == [HDFC]


def test_without_a_worker_no_price_is_fetched(api: Api) -> None:
    api.hub.link_age_s = 60.0
    api.get(HDFC)
    assert demand.take_rest(api.redis, time.time()) == []


def test_every_call_renews_demand(api: Api) -> None:
    api.get(HDFC, TCS)
    assert api.wanted == [HDFC, TCS]


def test_without_the_cache_the_last_known_prices_stand_as_stale(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise StoreError("reading prices failed: secret detail")

    monkeypatch.setattr(prices, "read", refuse)
    api.hub.board[HDFC] = Quote(HDFC, tick(HDFC, 10_000), "live")
    api.hub.board[ABB] = Quote(ABB, tick(ABB, 20_000), "closed")
    document = api.get(HDFC, ABB, TCS)
    assert document["prices"] == {HDFC: 1.0, ABB: 2.0, TCS: None}
    assert document["states"] == {HDFC: "stale", ABB: "closed", TCS: "unknown"}
    assert (document["count"], document["cached_count"]) == (2, 0)


def test_post_takes_a_thousand_keys(api: Api) -> None:
    keys = [f"NSE_EQ:{id_}" for id_ in range(2_000_001, 2_001_001)]
    response = api.client.post(URL, json={"keys": keys})
    assert response.status_code == 200
    assert len(response.get_json()["prices"]) == 1_000
    assert response.headers["Cache-Control"] == "no-store"


def refused(response: Any, status: int = 400) -> str:
    assert response.status_code == status, response.text
    assert response.mimetype == "application/problem+json"
    document = json.loads(response.text)
    assert (document["status"], document["instance"]) == (status, URL)
    assert document["title"]
    assert document["type"]
    return str(document["detail"])


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("", "''"),
        ("keys=", "'0 keys'"),
        ("keys=NSE_EQ:1333,nse_eq:1", "'nse_eq:1'"),
        ("keys=NSE_EQ:1333,", "''"),
        ("keys=1333", "'1333'"),
        ("keys=NSE_EQ:0", "'NSE_EQ:0'"),
        ("keys=NSE_EQ:4294967296", "'NSE_EQ:4294967296'"),
        ("keys=NSE_EQ:1333%00", r"'NSE_EQ:1333\x00'"),
        ("keys=NSE_EQ:%ED%A0%80", "NSE_EQ:"),
        ("keys=NSE_EQ:%D9%A1", "NSE_EQ:"),
        ("keys=NSE_EQ:1333&keys=NSE_EQ:13", "'NSE_EQ:1333,NSE_EQ:13'"),
        ("keys=<script>", "'<script>'"),
        ("keys=" + "A" * 100_000, "AAA..."),
        ("keys=" + ",".join(f"NSE_EQ:{n}" for n in range(1, 1_002)), "'1,001 keys'"),
    ],
)
def test_a_bad_query_is_refused_by_name(api: Api, query: str, named: str) -> None:
    detail = refused(api.client.get(f"{URL}?{query}"))
    assert named in detail
    assert len(detail) < 400
    assert api.wanted == []


@pytest.mark.parametrize(
    ("body", "named"),
    [
        (b"", "JSON is expected"),
        (b"{", "JSON is expected"),
        (b"\xff", "JSON is expected"),
        (b"[" * 60_000, "JSON is expected"),
        (b"[]", "'list'"),
        (b'"NSE_EQ:1333"', "'str'"),
        (b"{}", "'dict'"),
        (b'{"keys": "NSE_EQ:1333"}', "'str'"),
        (b'{"keys": []}', "'0 keys'"),
        (b'{"keys": [1333]}', "'1333'"),
        (b'{"keys": [NaN]}', "'nan'"),
        (b'{"keys": [null]}', "'None'"),
        (b'{"keys": ["NSE_EQ:1333", "\\ud800"]}', r"'\ud800'"),
        (b'{"keys": ["NSE_EQ:1333\\n"]}', r"'NSE_EQ:1333\n'"),
        (json.dumps({"keys": [f"NSE_EQ:{n}" for n in range(1, 1_002)]}).encode(), "'1,001 keys'"),
    ],
)
def test_a_bad_body_is_refused_by_name(api: Api, body: bytes, named: str) -> None:
    assert named in refused(api.client.post(URL, data=body, content_type="application/json"))


def test_a_body_of_another_type_or_size_is_refused(api: Api) -> None:
    refused(api.client.post(URL, data="keys=NSE_EQ:1333"), 415)
    refused(api.client.post(URL, data=b" " * (64 * 1024 + 1), content_type="application/json"), 413)
    refused(api.client.delete(URL), 405)


def test_a_body_without_a_content_length(api: Api) -> None:
    def post(content: bytes) -> Any:
        chunked = {"wsgi.input_terminated": True}
        return api.client.post(
            URL, input_stream=io.BytesIO(content), content_type="application/json", environ_overrides=chunked
        )

    refused(post(b'{"keys": ["NSE_EQ:1333"]}' + b" " * 70_000), 413)
    assert post(b'{"keys": ["NSE_EQ:1333"]}').status_code == 200


def test_the_site_without_redis_answers_from_its_board(site: Any) -> None:
    site.hub.quotes([HDFC])
    document = site.client.get(f"{URL}?keys={HDFC},NSE_EQ:11536").get_json()
    assert document["prices"] == {HDFC: 1650.35, TCS: None}
    assert document["states"] == {HDFC: "stale", TCS: "unknown"}
    codes = [
        site.client.get(path).status_code for path in ("/healthz", "/readyz", "/api/v1/health/market_stream")
    ]
    assert codes == [200, 503, 503]


def test_the_site_follows_the_batches_of_the_worker(
    valkey: Any, tmp_path: Path, wait_for: Callable[..., Any]
) -> None:
    """A price is live until a new feed connection does not confirm it; with a real hub and subscription."""
    app = create_app(
        Settings(_env_file=None, redis_url=valkey.url, database_url=f"sqlite:///{tmp_path / 'site.sqlite3'}")
    )
    hub: Hub = app.extensions[EXTENSION].hub
    redis = store_client.connect(valkey.url, timeout_s=0.5)
    site = Api(app.test_client(), hub, redis, [])  # type: ignore[arg-type]
    hub.start()
    try:
        site.known(tick(HDFC, 14_021_000))
        batch = Batch("e", 1, now_us(), "live", now_us() - 10**9, "simulator", {"NSE_EQ": "continuous"}, [])

        def state_after(batch: Batch, expected: str) -> Callable[[], bool]:
            def published() -> bool:
                transaction = Transaction(RedisLine(redis))
                channel.publish(transaction, batch._replace(at=now_us()), [])
                transaction.execute()
                return bool(site.get(HDFC)["states"] == {HDFC: expected})

            return published

        wait_for(state_after(batch, "live"))
        wait_for(state_after(batch._replace(since=now_us() + 1_000_000), "stale"))
        wait_for(state_after(batch._replace(phase={"NSE_EQ": "closed"}), "closed"))
        assert site.get(HDFC)["prices"] == {HDFC: 1402.1}
    finally:
        hub.stop()
        redis.close()
