"""The layouts of the packets as literal bytes, and the fields that an instrument keeps of them."""

import struct

import pytest

from ltp.core.ticks.tick import DayPrices, Tick
from ltp.dhan import codes, packets
from ltp.dhan.ticks import LAYOUTS, PRICED, WantedInstrument, unpack_priced

AT = 1795408200_123456  # received
TRADED = 1795408200
# code, length, segment, security id 1333
QUOTE_HEAD = "04 3200 01 35050000"
FULL_HEAD = "08 a200 01 35050000"
SIDE = (
    "0000cd44 00c8cc44 33e3ce44 66eecb44"  # open 1640.00, previous close 1638.25, high 1655.10, low 1631.45
)
# last price 1650.35, quantity 25, traded 10:00:00, average price, volume 4512345, sold, bought
TRADE = "334bce44 1900 a00e046b cd3cce44 59da4400 39650c00 c9d80900"
DAY = DayPrices(16400000, 16551000, 16314500, 16382500)
OF_DAY = {"open": 16400000, "high": 16551000, "low": 16314500, "prev_close": 16382500}
TICK = Tick("NSE_EQ:1333", 16503500, TRADED, AT)
READ = {
    codes.TICKER: ("02 1000 01 35050000 334bce44 a00e046b", TICK),
    codes.QUOTE: (f"{QUOTE_HEAD} {TRADE} {SIDE}", TICK._replace(volume=4512345, **OF_DAY)),
    codes.FULL: (
        f"{FULL_HEAD} {TRADE} 02120f00 0000000000000000 {SIDE} {'00' * 100}",
        TICK._replace(volume=4512345, oi=987650, **OF_DAY),
    ),
    codes.OPEN_INTEREST: ("05 0c00 01 35050000 02120f00", Tick("NSE_EQ:1333", received_at=AT, oi=987650)),
    codes.PREV_CLOSE: (
        "06 1000 01 35050000 00c8cc44 2a000000",
        Tick("NSE_EQ:1333", received_at=AT, prev_close=16382500),
    ),
}


@pytest.mark.parametrize("code", READ)
def test_the_bytes_of_each_packet(code):
    text, tick = READ[code]
    message = bytes.fromhex(text)
    size, code_and_length, unpack, read = LAYOUTS[code]
    assert size == len(message) == packets.SIZES[code]
    values = unpack(message, 0)
    assert values[0] & 0xFFFFFF == code_and_length
    assert values[0] >> 24 == 1 | 1333 << 8
    assert read(WantedInstrument("NSE_EQ:1333"), values, AT) == tick


@pytest.mark.parametrize("code", [codes.MARKET_STATUS, codes.DISCONNECT])
def test_a_packet_without_an_instrument_has_no_reader(code):
    assert LAYOUTS[code][3] is None


@pytest.mark.parametrize("code", [codes.TICKER, codes.QUOTE, codes.FULL, codes.PREV_CLOSE])
@pytest.mark.parametrize("price", [0.0, -1.0, float("nan"), float("inf")])
def test_a_price_that_is_never_shown_is_left_out(code, price):
    message = bytearray.fromhex(READ[code][0])
    struct.pack_into("<f", message, 8, price)
    _, _, unpack, read = LAYOUTS[code]
    tick = read(WantedInstrument("NSE_EQ:1333"), unpack(message, 0), AT)
    assert tick == (None if code == codes.PREV_CLOSE else READ[code][1]._replace(ltp=None, ltt=None))


def test_prices_of_the_day_that_did_not_change_are_the_same_object():
    instrument = WantedInstrument("NSE_EQ:1333")
    instrument.take_side(bytes.fromhex(f"02120f00 0000000000000000 {SIDE}"))
    day = instrument.day
    assert (day, instrument.oi) == (DAY, 987650)
    instrument.take_side(bytes.fromhex(f"03120f00 0000000000000000 {SIDE}"))  # the open interest alone
    assert instrument.day is day
    assert instrument.oi == 987651
    instrument.take_side(
        bytes.fromhex("0000cd44 00c8cc44 cdecce44 66eecb44")
    )  # a new high, and no open interest
    assert instrument.day == DayPrices(16400000, 16554000, 16314500, 16382500)
    assert instrument.oi is None


@pytest.mark.parametrize("gap", [0, 2, 4])
@pytest.mark.parametrize("code", [codes.QUOTE, codes.FULL])
def test_a_block_is_unpacked_as_each_of_its_messages(code, gap):
    message = bytes.fromhex(READ[code][0])
    assert PRICED.keys() == {50, 162}
    one = LAYOUTS[code][2](message, 0)
    assert list(unpack_priced(gap, len(message))(3 * (b"\x82" * gap + message))) == [one, one, one]


def test_a_share_has_no_open_interest_in_a_full_packet_as_in_a_quote_and_a_contract_may_have_none_left():
    full = bytes(12) + bytes(16)
    for key, oi in (("NSE_EQ:1333", None), ("BSE_EQ:500180", None), ("NSE_FNO:35084", 0), ("MCX_COMM:1", 0)):
        instrument = WantedInstrument(key)
        instrument.take_side(full)
        assert instrument.oi == oi
        instrument.take_side(bytes([5, 0, 0, 0]) + full[4:])
        assert instrument.oi == 5
        instrument.take_side(bytes(16))
        assert instrument.oi is None
