import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ltp.core.instrument import SEGMENTS
from ltp.dhan import requests
from ltp.dhan.codes import MODES
from ltp.dhan.requests import Request
from ltp.errors import InputError

keys = st.builds("{}:{}".format, st.sampled_from(SEGMENTS), st.integers(1, 2**32 - 1))


def request(code, *instruments, **more):
    return json.dumps(
        {"RequestCode": code, "InstrumentCount": len(instruments), "InstrumentList": instruments, **more}
    )


def test_the_documented_log_in():
    assert requests.log_in("1000000003", "a+b/c=") == (
        "version=2&token=a%2Bb%2Fc%3D&clientId=1000000003&authType=2"
    )


def test_the_documented_message():
    (message,) = requests.subscribe(["NSE_EQ:2885", "IDX_I:13"], "ticker")
    assert json.loads(message) == {
        "RequestCode": 15,
        "InstrumentCount": 2,
        "InstrumentList": [
            {"ExchangeSegment": "NSE_EQ", "SecurityId": "2885"},
            {"ExchangeSegment": "IDX_I", "SecurityId": "13"},
        ],
    }


@pytest.mark.parametrize(("mode", "code"), [("ticker", 15), ("quote", 17), ("full", 21)])
def test_codes_by_mode(mode, code):
    assert json.loads(requests.subscribe(["NSE_EQ:1"], mode)[0])["RequestCode"] == code
    assert json.loads(requests.unsubscribe(["NSE_EQ:1"], mode)[0])["RequestCode"] == code + 1


@pytest.mark.parametrize(
    ("count", "sizes"),
    [(0, []), (1, [1]), (100, [100]), (101, [100, 1]), (250, [100, 100, 50]), (5_000, [100] * 50)],
)
def test_at_most_100_instruments_a_message(count, sizes):
    wanted = [f"NSE_EQ:{number}" for number in range(1, count + 1)]
    messages = requests.subscribe(wanted, "quote")
    assert [json.loads(message)["InstrumentCount"] for message in messages] == sizes
    assert [key for message in messages for key in requests.parse(message).keys] == wanted


def test_disconnect_has_a_code_and_nothing_else():
    assert json.loads(requests.disconnect()) == {"RequestCode": 12}
    assert requests.parse(requests.disconnect()) == Request("disconnect", None, ())


@given(st.lists(keys, min_size=1, max_size=5), st.sampled_from(MODES))
def test_a_written_request_is_read_back(wanted, mode):
    assert requests.parse(requests.subscribe(wanted, mode)[0]) == Request("subscribe", mode, tuple(wanted))
    assert requests.parse(requests.unsubscribe(wanted, mode)[0]) == Request(
        "unsubscribe", mode, tuple(wanted)
    )


def test_an_id_may_be_an_integer_and_unknown_keys_are_ignored():
    text = request(17, {"ExchangeSegment": "NSE_EQ", "SecurityId": 1333, "x": 1}, dhanClientId="1")
    assert requests.parse(text) == Request("subscribe", "quote", ("NSE_EQ:1333",))


def test_more_than_100_are_read():
    """Refusing them, with 804, is the server's business."""
    text = request(
        15, *({"ExchangeSegment": "NSE_EQ", "SecurityId": str(number)} for number in range(1, 102))
    )
    assert len(requests.parse(text).keys) == 101


GOOD = {"ExchangeSegment": "NSE_EQ", "SecurityId": "1333"}


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("", "request"),
        ("{", "request"),
        ("[" * 100_000, "request"),
        ("[]", "request"),
        ("null", "request"),
        ("{}", "RequestCode"),
        (request(True, GOOD), "RequestCode"),
        (request("15", GOOD), "RequestCode"),
        (request(15.0, GOOD), "RequestCode"),
        (request(19, GOOD), "RequestCode"),
        (request([], GOOD), "RequestCode"),
        ('{"RequestCode": 15}', "InstrumentList"),
        ('{"RequestCode": 15, "InstrumentList": {}}', "InstrumentList"),
        (request(15), "InstrumentList"),
        (request(15, GOOD, InstrumentCount=2), "InstrumentCount"),
        (request(15, GOOD, "NSE_EQ:1333"), "InstrumentList[1]"),
        (request(15, {"ExchangeSegment": "NSE_EQ"}), "InstrumentList[0]"),
        (request(15, {"ExchangeSegment": 1, "SecurityId": "1333"}), "InstrumentList[0]"),
        (request(15, {"ExchangeSegment": "NSE_EQ", "SecurityId": True}), "InstrumentList[0]"),
        (request(15, {"ExchangeSegment": "NSE_EQ", "SecurityId": 1.5}), "InstrumentList[0]"),
        (request(15, GOOD, {"ExchangeSegment": "NSE_COMM", "SecurityId": "1"}), "InstrumentList[1]"),
        (request(15, {"ExchangeSegment": "NSE_EQ", "SecurityId": "0"}), "InstrumentList[0]"),
        (request(15, {"ExchangeSegment": "NSE_EQ", "SecurityId": "-1"}), "InstrumentList[0]"),
        (request(15, {"ExchangeSegment": "NSE_EQ", "SecurityId": "4294967296"}), "InstrumentList[0]"),
    ],
    ids=range(24),
)
def test_a_request_that_is_not_accepted_names_the_field(text, where):
    with pytest.raises(InputError) as raised:
        requests.parse(text)
    assert raised.value.where == where


@given(
    st.text(max_size=60)
    | st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists).map(json.dumps)
)
def test_any_text_is_a_request_or_an_input_error(text):
    with suppress(InputError):
        assert isinstance(requests.parse(text), Request)


def test_keys_are_grouped_by_mode_with_at_most_a_hundred_in_a_message():
    modes = {f"NSE_EQ:{number}": "full" if number % 2 else "quote" for number in range(1, 251)}
    messages = [requests.parse(text) for text in requests.by_mode(requests.subscribe, modes)]
    assert [(each.action, each.mode, len(each.keys)) for each in messages] == [
        ("subscribe", "quote", 100),
        ("subscribe", "quote", 25),
        ("subscribe", "full", 100),
        ("subscribe", "full", 25),
    ]
    assert requests.by_mode(requests.unsubscribe, {}) == []
