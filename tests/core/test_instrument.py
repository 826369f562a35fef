import pytest
from hypothesis import given
from hypothesis import strategies as st

from ltp.core.instrument import SEGMENTS, Instrument, element_id, parse_key, split_key
from ltp.errors import InputError

keys = st.tuples(st.sampled_from(SEGMENTS), st.integers(1, 2**32 - 1))


def test_key_of_an_instrument():
    assert (
        Instrument("NSE_EQ", 1333, "HDFCBANK", "HDFC Bank Limited", "INE040A01034", 1, 500).key
        == "NSE_EQ:1333"
    )


@given(keys)
def test_a_key_is_accepted_as_it_is_and_split(parts):
    segment, security_id = parts
    key = f"{segment}:{security_id}"
    assert parse_key(key) == key
    assert split_key(key) == (segment, security_id)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1333",
        "NSE_EQ",
        "NSE_EQ:",
        ":1333",
        "NSE_EQ:0",
        "NSE_EQ:01333",
        "NSE_EQ:-1",
        "NSE_EQ:+1",
        "NSE_EQ:1.0",
        "NSE_EQ:4294967296",
        "NSE_EQ:99999999999",
        "nse_eq:1333",
        "NSE_COMM:1",
        "NSE_EQ:1333\n",
        " NSE_EQ:1333",
        "NSE_EQ:1333,NSE_EQ:1",
        "NSE_EQ:१३३३",
        "<script>:1",
    ],
)
def test_a_bad_key_is_named(text):
    with pytest.raises(InputError) as raised:
        parse_key(text, "keys")
    assert (raised.value.where, raised.value.value) == ("keys", text)
    assert "NSE_EQ:1333" in raised.value.accepted


def test_a_very_long_text_is_named_by_its_beginning():
    with pytest.raises(InputError) as raised:
        parse_key("A" * 10_000)
    assert len(str(raised.value)) < 400


def test_element_id():
    assert element_id("ltp", "NSE_EQ:1333") == "ltp-NSE_EQ-1333"
    assert element_id("to_entry@17", "NSE_EQ:1333") == "to_entry-NSE_EQ-1333"


@given(
    st.tuples(st.sampled_from(["ltp", "chg", "chgp"]), keys),
    st.tuples(st.sampled_from(["ltp", "chg", "chgp"]), keys),
)
def test_no_two_cells_share_an_element_id(one, other):
    ids = [element_id(column, f"{segment}:{security_id}") for column, (segment, security_id) in (one, other)]
    assert (ids[0] == ids[1]) == (one == other)
