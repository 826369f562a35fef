from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ltp.core.instrument import SEGMENTS
from ltp.core.money import MAX_PRICE, SCALE
from ltp.core.ticks.tick import Tick
from ltp.core.ticks.wire import FEEDS, Batch, batch_from_plain
from ltp.core.ticks.wire_tick import connection_from_plain, tick_from_plain
from ltp.store.encode import NOTHING, Coverage, ltp_pairs, message, texts

AT = 1_795_408_200_500_000
HDFC, USDINR = "NSE_EQ:1333", "NSE_CURRENCY:10093"
TICK = Tick(
    HDFC,
    14_021_000,
    1_795_408_200,
    AT,
    4_512_345,
    13_950_000,
    14_100_500,
    13_900_025,
    13_904_000,
    None,
    "2026-11-23",
    AT - 7,
)
VALUE = (
    '{"k":"NSE_EQ:1333","ltp":1402.10,"ltt":1795408200,"received_at":1795408200500000,"volume":4512345,"open":1395.00,'
    '"high":1410.05,"low":1390.0025,"prev_close":1390.40,"session":"2026-11-23","traded_at":1795408200499993}'
)

price = st.none() | st.integers(1, MAX_PRICE)
count = st.none() | st.integers(0, 2**63 - 1)
instant = st.integers(0, 2**32 * 10**6 - 1)
seconds = st.none() | st.integers(0, 2**32 - 1)
key = st.builds("{}:{}".format, st.sampled_from(SEGMENTS), st.integers(1, 2**32 - 1))
session = st.just("") | st.dates().map(lambda day: day.isoformat())
ticks = st.builds(
    Tick,
    key,
    price,
    seconds,
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


def values(pairs: list[str]) -> dict[str, str]:
    """Read the arguments as the server does."""
    arguments, rest = [], "".join(pairs).encode()
    while rest:
        head, _, rest = rest.partition(b"\r\n")
        size = int(head.removeprefix(b"$"))
        assert rest[size : size + 2] == b"\r\n"
        arguments.append(rest[:size].decode())
        rest = rest[size + 2 :]
    return dict(zip(arguments[::2], arguments[1::2], strict=True))


def plain(tick: Tick) -> dict[str, Any]:
    """What a `tick:` key holds, by the contract."""
    fields = tick._asdict()
    key = fields.pop("key")
    for name in ("ltp", "open", "high", "low", "prev_close"):
        fields[name] = None if fields[name] is None else fields[name] / SCALE
    rest = {"rest": True} if fields.pop("rest") else {}
    always = ("ltp", "ltt")
    return (
        {"k": key}
        | {name: value for name, value in fields.items() if value is not None or name in always}
        | rest
    )


def test_a_tick_in_literal_bytes() -> None:
    encoded = texts([TICK], Coverage(AT))
    assert encoded.tick == [f"$16\r\ntick:NSE_EQ:1333\r\n${len(VALUE)}\r\n{VALUE}\r\n"]
    assert encoded.ltp == ["$15\r\nltp:NSE_EQ:1333\r\n$7\r\n1402.10\r\n"]
    assert encoded.items == [VALUE]


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"ltp": None}, VALUE.replace("1402.10,", "null,")),
        ({"ltt": None}, VALUE.replace("1795408200,", "null,")),
        ({"volume": None}, VALUE.replace('"volume":4512345,', "")),
        ({"low": None, "open": None}, VALUE.replace('"open":1395.00,', "").replace('"low":1390.0025,', "")),
        ({"oi": 7}, VALUE.replace('1390.40,"', '1390.40,"oi":7,"')),
        ({"session": ""}, VALUE.replace("2026-11-23", "")),
        ({"rest": True}, VALUE.replace("}", ',"rest":true}')),
    ],
)
def test_what_is_not_known_is_left_out(changes: dict[str, Any], text: str) -> None:
    assert values(texts([TICK._replace(**changes)], NOTHING).tick) == {"tick:NSE_EQ:1333": text}


@pytest.mark.parametrize(
    ("key", "ltp", "text"),
    [
        (HDFC, 14_021_000, "1402.10"),
        (HDFC, 100, "0.01"),
        (HDFC, 14_020_950, "1402.10"),
        (HDFC, 14_029_999, "1403.00"),
        (HDFC, 1, "0.00"),
        (HDFC, MAX_PRICE, "10000000.00"),
        (HDFC, MAX_PRICE + 500, "10000000.00"),
        (USDINR, 832_475, "83.2475"),
        (USDINR, 830_000, "83.0000"),
        (USDINR, MAX_PRICE + 500, "10000000.0000"),
    ],
)
def test_the_text_of_a_30_second_key(key: str, ltp: int, text: str) -> None:
    tick = Tick(key, ltp, None, AT)
    assert values(texts([tick], Coverage(AT)).ltp) == {f"ltp:{key}": text}
    assert values(ltp_pairs([tick, Tick("NSE_EQ:1")])) == {f"ltp:{key}": text}


def test_the_feed_vouches_for_what_came_since_and_is_wanted() -> None:
    told = [
        TICK,
        Tick("NSE_EQ:1", 5, None, AT - 1),
        Tick("NSE_EQ:2", 5, None, AT),
        Tick("NSE_EQ:3", None, None, AT),
    ]
    coverage = Coverage(AT, frozenset({"NSE_EQ:2"}))
    assert list(values(texts(told, coverage).ltp)) == ["ltp:NSE_EQ:1333"]
    assert list(filter(coverage.covers, told)) == [TICK]
    assert not texts(told, NOTHING).ltp
    assert not any(map(NOTHING.covers, told))


@pytest.mark.parametrize(
    ("ltp", "text"),
    [(100, "0.01"), (1, "0.0001"), (14_021_050, "1402.105"), (10_000, "1.00"), (12_345_678, "1234.5678")],
)
def test_a_price_has_two_decimals_and_more_where_they_tell_something(ltp: int, text: str) -> None:
    assert f'"ltp":{text},' in texts([TICK._replace(ltp=ltp)], NOTHING).items[0]


def test_ticks_of_other_instants_have_their_own() -> None:
    told = [
        TICK,
        TICK._replace(ltt=1),
        TICK._replace(received_at=2),
        TICK._replace(traded_at=3),
        TICK._replace(session=""),
        TICK,
    ]
    assert [orjson.loads(item) for item in texts(told, NOTHING).items] == [plain(tick) for tick in told]


def test_the_longest_item_there_can_be_has_a_length() -> None:
    most = 2**63 - 1
    tick = TICK._replace(
        key="NSE_CURRENCY:4294967295",
        ltp=MAX_PRICE - 1,
        volume=most,
        oi=most,
        received_at=most,
        traded_at=most,
    )
    tick = tick._replace(open=MAX_PRICE - 1, high=MAX_PRICE - 1, low=MAX_PRICE - 1, prev_close=MAX_PRICE - 1)
    for each in (tick, tick._replace(rest=True)):
        ((name, text),) = values(texts([each], NOTHING).tick).items()
        assert (name, orjson.loads(text)["oi"]) == ("tick:NSE_CURRENCY:4294967295", most)


def test_what_seldom_changes_is_written_anew_when_it_does() -> None:
    for changes in ({}, {"high": 20_000_000}, {"oi": 5}, {"session": "2026-11-24"}, {"prev_close": None}, {}):
        tick = TICK._replace(**changes)
        assert orjson.loads(values(texts([tick], NOTHING).tick)["tick:NSE_EQ:1333"]) == plain(tick)


@given(st.lists(st.lists(ticks, max_size=4), max_size=3))
def test_any_ticks_are_read_back_as_they_were(chunks: list[list[Tick]]) -> None:
    for chunk in chunks:
        encoded = texts(chunk, NOTHING)
        for tick, pair, item in zip(chunk, encoded.tick, encoded.items, strict=True):
            ((name, text),) = values([pair]).items()
            assert name == f"tick:{tick.key}"
            assert list(orjson.loads(text).items()) == list(plain(tick).items())
            assert tick_from_plain(tick.key, orjson.loads(text)) == tick
            assert item == text


@given(
    st.builds(
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
        st.dictionaries(st.just("NSE_FNO:45000"), st.integers(0, 2**50), max_size=1),
        st.sampled_from(["0", "1", "shard-2"]),
    )
)
def test_any_batch_is_read_back_as_it_was(batch: Batch) -> None:
    text = "".join(message(batch, texts(batch.ticks, NOTHING, batch.connection).items))  # type: ignore[arg-type]
    assert batch_from_plain(orjson.loads(text)) == batch


def test_a_batch_in_literal_bytes() -> None:
    batch = Batch("7f3a", 12, AT, "live", AT - 5, "dhanhq", {"NSE_EQ": "continuous"}, [])
    head = (
        '{"v":2,"epoch":"7f3a","seq":12,"at":1795408200500000,"connection":"0","feed":"live",'
        '"since":1795408200499995,"source":"dhanhq","phase":{"NSE_EQ":"continuous"},"ticks":['
    )
    assert message(batch, []) == (head, "", "]}")
    assert message(batch, ["{}", "{}"]) == (head, "{},{}", "]}")
    told = message(batch._replace(reassigned={"NSE_FNO:45000": AT}), [])[0]
    assert told == head.replace('"ticks"', '"reassigned":{"NSE_FNO:45000":1795408200500000},"ticks"')
    assert message(batch._replace(connection="2"), [])[0] == head.replace(
        '"connection":"0"', '"connection":"2"'
    )


@pytest.mark.parametrize("change", [{}, {"volume": None}, {"rest": True}])
def test_a_tick_of_another_connection_names_it(change: dict[str, Any]) -> None:
    tick = TICK._replace(**change)
    of_first, of_other = texts([tick], NOTHING).items[0], texts([tick], NOTHING, "2").items[0]
    assert of_other == of_first.replace(
        '"traded_at":1795408200499993', '"traded_at":1795408200499993,"connection":"2"'
    )
    assert values(texts([tick], NOTHING, "2").tick) == {"tick:NSE_EQ:1333": of_other}
    assert (tick_from_plain(HDFC, orjson.loads(of_other)), connection_from_plain(orjson.loads(of_other))) == (
        tick,
        "2",
    )
