"""The fast way of reading a message says what the slow one says, for whatever anybody publishes."""

from __future__ import annotations

import json
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ltp.core.ticks.tick import Tick
from ltp.core.ticks.wire import Batch, batch_from_plain
from ltp.core.ticks.wire_tick import tick_of
from ltp.store import decode

AT = 1_795_408_200_123_456
TICK = {
    "k": "NSE_EQ:1333",
    "ltp": 1650.35,
    "ltt": 1_795_408_200,
    "received_at": AT,
    "volume": 4_512_345,
    "open": 1640.0,
    "high": 1655.1,
    "low": 1631.45,
    "prev_close": 1638.25,
    "session": "2026-11-23",
    "traded_at": AT - 5,
}
BATCH: dict[str, Any] = {
    "v": 2,
    "epoch": "7f3a",
    "seq": 12,
    "at": AT,
    "connection": "0",
    "feed": "live",
    "since": AT - 10**6,
    "source": "dhanhq",
    "phase": {"NSE_EQ": "continuous"},
    "ticks": [TICK],
}

anything = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


def whole(batch: Batch | None) -> Batch | None:
    return batch and batch._replace(ticks=[tick_of(tick) for tick in batch.ticks])


def slowly(body: bytes) -> Batch | None:
    try:
        return batch_from_plain(orjson.loads(body))
    except orjson.JSONDecodeError:
        return None


def body(plain: Any) -> bytes:
    return json.dumps(plain).encode()


def told(**fields: Any) -> Batch | None:
    return whole(decode.batch(body({**BATCH, "ticks": [{**TICK, **fields}]})))


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ({"NSE_FNO:45000": AT}, {"NSE_FNO:45000": AT}),
        ({"a": -1, "b": 5, "c": "5"}, {"b": 5}),
        ([], {}),
        (None, {}),
    ],
)
def test_keys_that_mean_other_instruments(written: Any, read: dict[str, int]) -> None:
    batch = decode.batch(body({**BATCH, "reassigned": written}))
    assert batch is not None
    assert batch.reassigned == read


@pytest.mark.parametrize(
    ("said", "read"),
    [
        (
            {"NSE_EQ": "delayed by 2 min 30 s", "MCX_COMM": ""},
            {"NSE_EQ": "delayed by 2 min 30 s", "MCX_COMM": ""},
        ),
        ({"NSE_EQ": "<script>"}, {"NSE_EQ": ""}),
        ({"NSE_EQ": 150}, {"NSE_EQ": ""}),
        ([], {}),
        (None, {}),
    ],
)
def test_a_reason_for_doubt_is_plain_words_or_none(said: Any, read: dict[str, str]) -> None:
    batch = decode.batch(body({**BATCH, "doubts": said}))
    assert batch is not None
    assert (batch.doubts, len(batch.ticks)) == (read, 1)


def test_a_batch_as_the_contract_has_it() -> None:
    batch = decode.batch(body(BATCH))
    assert batch is not None
    assert type(batch.ticks[0]) is not Tick  # left as it was told, which is the fast way
    assert whole(batch) == Batch(
        "7f3a",
        12,
        AT,
        "live",
        AT - 10**6,
        "dhanhq",
        {"NSE_EQ": "continuous"},
        [
            Tick(
                "NSE_EQ:1333",
                16_503_500,
                1_795_408_200,
                AT,
                4_512_345,
                16_400_000,
                16_551_000,
                16_314_500,
                16_382_500,
                None,
                "2026-11-23",
                AT - 5,
                False,
            )
        ],
    )


HEAD = (
    b'"epoch":"7f3a","seq":12,"at":1795408200123456,%b"feed":"live","since":1795408199123456,"source":"dhanhq",'
    b'"phase":{"NSE_EQ":"continuous"},"doubts":{"NSE_EQ":"delayed by 1 min"},"ticks":[{"k":"NSE_EQ:1333","ltp":1650.35,'
    b'"ltt":1795408200,"received_at":1795408200123456,"session":"2026-11-23","traded_at":1795408200123451%b}]}'
)


@pytest.mark.parametrize(
    ("message", "connection"),
    [
        (b'{"v":1,' + HEAD % (b"", b""), "0"),
        (b'{"v":1,' + HEAD % (b'"connection":"7",', b""), "0"),
        (b'{"v":2,' + HEAD % (b'"connection":"0",', b""), "0"),
        (b'{"v":2,' + HEAD % (b'"connection":"2",', b',"connection":"2"'), "2"),
    ],
)
def test_both_versions_in_literal_bytes(message: bytes, connection: str) -> None:
    tick = Tick("NSE_EQ:1333", 16_503_500, 1_795_408_200, AT, session="2026-11-23", traded_at=AT - 5)
    batch = decode.batch(message)
    assert batch is not None
    assert type(batch.ticks[0]) is not Tick  # decoded the fast way
    assert whole(batch) == Batch(
        "7f3a",
        12,
        AT,
        "live",
        AT - 10**6,
        "dhanhq",
        {"NSE_EQ": "continuous"},
        [tick],
        {"NSE_EQ": "delayed by 1 min"},
        connection=connection,
    )


@pytest.mark.parametrize(
    "message",
    [
        b'{"v":2,' + HEAD % (b"", b""),
        b'{"v":2,' + HEAD % (b'"connection":"a b",', b""),
        b'{"v":2,' + HEAD % (b'"connection":2,', b""),
        b'{"v":3,' + HEAD % (b'"connection":"0",', b""),
        b'{"v":0,' + HEAD % (b"", b""),
        b"{" + HEAD % (b'"connection":"0",', b""),
    ],
)
def test_another_version_or_no_name_is_refused(message: bytes) -> None:
    assert decode.batch(message) is None


def test_what_the_contract_lets_out_may_be_missing() -> None:
    least = {"k": "NSE_EQ:1", "ltp": 1650, "ltt": None, "received_at": AT}
    batch = decode.batch(
        body({name: value for name, value in BATCH.items() if name != "source"} | {"ticks": [least]})
    )
    assert whole(batch) is not None
    assert list(whole(batch).ticks) == [Tick("NSE_EQ:1", 16_500_000, received_at=AT)]


@pytest.mark.parametrize(
    "damaged", [{"received_at": 1.5}, {"session": "yesterday"}, {"k": 5}, {"ltt": -1}, {"traded_at": 2**62}]
)
def test_one_damaged_tick_is_left_out_and_the_rest_counts(damaged: dict[str, Any]) -> None:
    batch = decode.batch(body({**BATCH, "ticks": [TICK, {**TICK, **damaged}, {**TICK, "k": "NSE_EQ:2"}]}))
    assert batch is not None
    assert [tick.key for tick in batch.ticks] == ["NSE_EQ:1333", "NSE_EQ:2"]
    good = decode.batch(body(BATCH))
    assert good is not None
    assert batch.ticks[0] == good.ticks[0]  # in the same form, so that one can be compared with the other


@pytest.mark.parametrize("name", ["ltp", "open", "high", "low", "prev_close"])
@pytest.mark.parametrize("bad", [True, "1650.35", 0, -1.0, 10_000_000.01, 0.00001, [], 1e300])
def test_a_damaged_price_is_unknown(name: str, bad: object) -> None:
    batch = told(**{name: bad})
    assert batch is not None
    assert getattr(batch.ticks[0], name) is None
    assert batch.ticks[0].key == "NSE_EQ:1333"


@pytest.mark.parametrize("price", [0.0001, 0.05, 1, 1402.1, 83.2475, 131_072.05, 9_999_999.9999, 10_000_000])
def test_every_price_that_may_be_shown(price: float) -> None:
    batch = told(ltp=price)
    assert batch is not None
    assert batch.ticks[0].ltp == round(price * 10_000)


@pytest.mark.parametrize(
    "poison",
    [
        b"",
        b"[" * 200_000,
        b'{"v":2,"x":' + b"[" * 200_000,
        b'{"v":2,"ticks":[{"k":"\xff"}]}',
        b'{"v":2,"epoch":"\xed\xa0\x80"}',
        b"\xef\xbb\xbf{}",
        body(BATCH) + b"x",
        body(BATCH)[:-1],
    ],
)
def test_what_is_no_json_is_no_batch(poison: bytes) -> None:
    assert decode.batch(poison) is None


@given(st.binary(max_size=60))
def test_any_bytes_are_a_batch_or_none(content: bytes) -> None:
    assert decode.batch(content) is None


@given(st.sampled_from([*BATCH, "more"]), anything)
def test_any_field_of_a_batch_is_judged_as_the_slow_way_does(name: str, value: object) -> None:
    content = body({**BATCH, name: value})
    assert whole(decode.batch(memoryview(content))) == whole(slowly(content))


@given(st.sampled_from([*TICK, "oi", "rest", "more"]), anything)
def test_any_field_of_a_tick_is_judged_as_the_slow_way_does(name: str, value: object) -> None:
    content = body({**BATCH, "ticks": [TICK, {**TICK, name: value}]})
    assert whole(decode.batch(content)) == whole(slowly(content))


@given(st.lists(st.sampled_from(list(TICK)), unique=True))
def test_any_fields_of_a_tick_may_be_missing(missing: list[str]) -> None:
    content = body({**BATCH, "ticks": [{name: value for name, value in TICK.items() if name not in missing}]})
    assert whole(decode.batch(content)) == whole(slowly(content))
