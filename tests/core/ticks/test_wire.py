import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ltp.core.instrument import SEGMENTS
from ltp.core.money import MAX_PRICE, SCALE
from ltp.core.ticks.tick import Tick
from ltp.core.ticks.wire import FEEDS, Batch, batch_from_plain
from ltp.core.ticks.wire_tick import connection_from_plain, tick_from_plain
from ltp.core.trading_day import session_date, session_of

AT = 1795408200_123456
TICK = Tick(
    "NSE_EQ:1333",
    16503500,
    1795408200,
    AT,
    4512345,
    16400000,
    16551000,
    16314500,
    16382500,
    None,
    "2026-11-23",
    AT - 5,
    False,
)
BATCH = Batch("7f3a", 12, AT, "live", AT - 10**6, "dhanhq", {"NSE_EQ": "continuous"}, [TICK])

price = st.none() | st.integers(1, MAX_PRICE)
count = st.none() | st.integers(0, 2**63 - 1)
instant = st.integers(0, 2**32 * 10**6 - 1)
key = st.builds("{}:{}".format, st.sampled_from(SEGMENTS), st.integers(1, 2**32 - 1))
session = st.just("") | st.dates().map(lambda day: day.isoformat())
ticks = st.builds(
    Tick,
    key,
    price,
    st.none() | st.integers(0, 2**32 - 1),
    instant,
    count,
    price,
    price,
    price,
    price,
    count,
    session,
    instant,
    st.booleans(),
)
batches = st.builds(
    Batch,
    st.text(),
    st.integers(0, 2**63 - 1),
    instant,
    st.sampled_from(FEEDS),
    instant,
    st.sampled_from(["dhanhq", "simulator", ""]),
    st.dictionaries(st.sampled_from(SEGMENTS), st.sampled_from(["continuous", "closed"])),
    st.lists(ticks, max_size=3),
    st.dictionaries(st.sampled_from(SEGMENTS), st.sampled_from(["", "delayed by 2 min 30 s"])),
    st.sampled_from(["", "trading hours provisional from 7 Dec"]),
    st.dictionaries(key, instant, max_size=2),
    st.from_regex(r"\A[A-Za-z0-9_-]{1,16}\Z"),
)
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


def tick_to_plain(tick):
    """The JSON object of a `tick:` key as the contract has it: rupees, and None left out but for price and
    trade time.
    """
    plain = {
        name: value
        for name, value in tick._asdict().items()
        if value is not None and name not in ("key", "rest")
    }
    rupees = {
        name: plain[name] / SCALE for name in ("ltp", "open", "high", "low", "prev_close") if name in plain
    }
    return {"ltp": None, "ltt": None} | plain | rupees | ({"rest": True} if tick.rest else {})


def batch_to_plain(batch):
    return (
        {"v": 2}
        | batch._asdict()
        | {"ticks": [{"k": tick.key} | tick_to_plain(tick) for tick in batch.ticks]}
    )


def test_the_published_shape():
    published = {
        "v": 2,
        "epoch": "7f3a",
        "seq": 12,
        "at": AT,
        "connection": "0",
        "feed": "live",
        "since": AT - 10**6,
        "source": "dhanhq",
        "phase": {"NSE_EQ": "continuous"},
        "ticks": [
            {
                "k": "NSE_EQ:1333",
                "ltp": 1650.35,
                "ltt": 1795408200,
                "received_at": AT,
                "volume": 4512345,
                "open": 1640.0,
                "high": 1655.1,
                "low": 1631.45,
                "prev_close": 1638.25,
                "session": "2026-11-23",
                "traded_at": AT - 5,
            }
        ],
    }
    assert batch_from_plain(published) == BATCH
    assert batch_from_plain(published | {"connection": "shard-2"}) == BATCH._replace(connection="shard-2")


@pytest.mark.parametrize("more", [{}, {"connection": "1"}, {"connection": 5}])
def test_version_1_names_no_connection_and_is_of_the_first(more):
    plain = batch_to_plain(BATCH) | {"v": 1}
    del plain["connection"]
    assert batch_from_plain(plain | more) == BATCH


@pytest.mark.parametrize(
    "bad", [None, 0, "", "a b", "1\n", "x" * 17, "<b>", "\N{DEVANAGARI DIGIT ONE}", ["0"], {}]
)
def test_a_batch_of_a_connection_without_a_proper_name_is_none(bad):
    assert batch_from_plain({**batch_to_plain(BATCH), "connection": bad}) is None


@pytest.mark.parametrize(
    ("plain", "connection"),
    [
        ({}, "0"),
        ({"connection": "2"}, "2"),
        ({"connection": 2}, None),
        ({"connection": None}, None),
        ([], None),
    ],
)
def test_a_tick_names_the_connection_it_came_by_unless_that_is_the_first(plain, connection):
    assert connection_from_plain(plain) == connection


def test_what_is_left_out_is_not_known():
    plain = {"ltp": None, "ltt": None, "received_at": 0, "oi": 7, "session": "", "traded_at": 0, "rest": True}
    assert tick_from_plain("NSE_EQ:1333", plain) == Tick("NSE_EQ:1333", oi=7, rest=True)


@given(ticks)
def test_a_tick_survives_json(tick):
    assert tick_from_plain(tick.key, json.loads(json.dumps(tick_to_plain(tick)))) == tick


@given(batches)
def test_a_batch_survives_json(batch):
    assert batch_from_plain(json.loads(json.dumps(batch_to_plain(batch)))) == batch


def test_a_heartbeat_has_no_ticks():
    assert batch_from_plain(batch_to_plain(BATCH._replace(ticks=[]))) == BATCH._replace(ticks=[])


@pytest.mark.parametrize(
    "plain",
    [None, [], "x", 5, {}, {"v": 2}, *({**batch_to_plain(BATCH), "v": v} for v in (0, 3, "2", None, [2]))],
)
def test_another_shape_or_version_is_no_batch(plain):
    assert batch_from_plain(plain) is None


@pytest.mark.parametrize(
    ("name", "bad"),
    [
        ("epoch", None),
        ("epoch", 5),
        ("seq", -1),
        ("seq", 1.0),
        ("seq", True),
        ("seq", "1"),
        ("seq", 2**63),
        ("at", None),
        ("at", 2**32 * 10**6),
        ("feed", "up"),
        ("feed", []),
        ("since", None),
        ("since", -1),
        ("source", None),
        ("phase", None),
        ("phase", ["NSE_EQ"]),
        ("phase", {"NSE_EQ": 1}),
        ("ticks", None),
        ("ticks", {}),
    ],
)
def test_a_damaged_field_makes_it_no_batch(name, bad):
    assert batch_from_plain({**batch_to_plain(BATCH), name: bad}) is None


def test_a_batch_of_an_older_worker_has_no_source():
    plain = batch_to_plain(BATCH)
    del plain["source"]
    assert batch_from_plain(plain) == BATCH._replace(source="")


@pytest.mark.parametrize(
    "damaged", [None, [], "NSE_EQ:1333", {}, {"k": 5, "received_at": 1}, {"k": "NSE_EQ:1"}]
)
def test_a_damaged_tick_is_left_out_and_the_rest_is_read(damaged):
    plain = batch_to_plain(BATCH)
    plain["ticks"].insert(0, damaged)
    assert batch_from_plain(plain) == BATCH


@pytest.mark.parametrize(
    ("name", "bad"),
    [
        ("received_at", None),
        ("received_at", -1),
        ("received_at", 1.5),
        ("received_at", True),
        ("received_at", 2**62),
        ("traded_at", None),
        ("traded_at", 2**62),
        ("ltt", "x"),
        ("ltt", -1),
        ("ltt", 2**32),
        ("ltt", 1.0),
        ("session", None),
        ("session", "yesterday!"),
        ("session", "2026-13-01"),
        ("session", "2026-W47-1"),
        ("session", "20261123"),
    ],
)
def test_a_tick_whose_instants_are_damaged_is_no_tick(name, bad):
    assert tick_from_plain(TICK.key, {**tick_to_plain(TICK), name: bad}) is None


@pytest.mark.parametrize("name", ["ltp", "open", "high", "low", "prev_close"])
@pytest.mark.parametrize(
    "bad",
    [None, "1650.35", True, 0, -1.0, math.nan, math.inf, 10_000_000.01, 10**400, [], 0.00001],
    ids=lambda bad: str(bad)[:12],
)
def test_a_damaged_price_is_unknown(name, bad):
    tick = tick_from_plain(TICK.key, {**tick_to_plain(TICK), name: bad})
    assert tick == TICK._replace(**{name: None})


@pytest.mark.parametrize("name", ["volume", "oi"])
@pytest.mark.parametrize("bad", ["5", True, -1, 1.0, 2**63, []])
def test_a_damaged_count_is_unknown(name, bad):
    assert tick_from_plain(TICK.key, {**tick_to_plain(TICK), name: bad}) == TICK._replace(**{name: None})


@pytest.mark.parametrize("rest", [1, "true", None, []])
def test_only_true_is_a_rest_price(rest):
    assert tick_from_plain(TICK.key, {**tick_to_plain(TICK), "rest": rest}) == TICK


def test_prices_may_be_whole_numbers():
    assert tick_from_plain(TICK.key, {**tick_to_plain(TICK), "ltp": 1650}) == TICK._replace(ltp=16500000)


@given(anything)
def test_anything_is_a_batch_or_none(plain):
    assert batch_from_plain(plain) is None or isinstance(plain, dict)


@given(st.sampled_from(sorted(batch_to_plain(BATCH))), anything)
def test_any_field_of_a_batch_may_be_anything(name, value):
    batch = batch_from_plain({**batch_to_plain(BATCH), name: value})
    assert batch is None or isinstance(batch, Batch)


@given(st.sampled_from([*tick_to_plain(TICK), "oi", "rest"]), anything)
def test_a_tick_that_is_read_can_be_shown(name, value):
    """Its instants and its session make dates, whatever came."""
    tick = tick_from_plain(TICK.key, {**tick_to_plain(TICK), name: value})
    if tick is not None:
        session_date(tick.session)
        session_of(tick.received_at / 1e6)
        session_of(tick.traded_at / 1e6)
        assert tick.ltt is None or session_of(tick.ltt)
