"""The depth of a full packet from literal bytes."""

from __future__ import annotations

from ltp.core.ticks.depth import Depth, Level
from ltp.dhan.depth import read_depth
from ltp.dhan.packets import Depth as WireDepth
from ltp.dhan.packets import FullPacket, encode

KEY, AT = "NSE_EQ:2885", 1_795_408_200_123_456
# RELIANCE at 1402.10, average 1399.87: five levels of 100 to 500 bid at 1402.00 and less, 120 to 600 asked at
# 1402.10 and more.
PACKET = bytes.fromhex(
    "08a20001450b00003343af441900a00e046bd7fbae4459da440039650c00c9d809000000000000000000000000000060ae44cdccad44"
    "9a19b04466e6ad446400000078000000030004000040af443343af44c8000000f000000004000500cd3caf446646af442c0100006801"
    "0000050006009a39af449a49af4490010000e0010000060007006636af44cd4caf44f401000058020000070008003333af440050af44"
)


def test_the_levels_of_literal_bytes() -> None:
    assert read_depth(KEY, PACKET, AT) == Depth(
        KEY,
        AT,
        bids=(
            Level(14_020_000, 100, 3),
            Level(14_019_000, 200, 4),
            Level(14_018_000, 300, 5),
            Level(14_017_000, 400, 6),
            Level(14_016_000, 500, 7),
        ),
        asks=(
            Level(14_021_000, 120, 4),
            Level(14_022_000, 240, 5),
            Level(14_023_000, 360, 6),
            Level(14_024_000, 480, 7),
            Level(14_025_000, 600, 8),
        ),
        average=13_998_700,
        buy_quantity=645_321,
        sell_quantity=812_345,
    )


def full(*levels: WireDepth, atp: float = 0.0) -> bytes:
    empty = (WireDepth(0, 0, 0, 0, 0.0, 0.0),) * (5 - len(levels))
    return encode(FullPacket(1, 2885, 0.0, 0, 0, atp, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, (*levels, *empty)))


def test_empty_levels_are_left_out_on_each_side() -> None:
    assert read_depth(KEY, full(WireDepth(10, 0, 1, 0, 99.5, 0.0)), AT) == Depth(
        KEY, AT, bids=(Level(995_000, 10, 1),)
    )
    assert read_depth(KEY, full(), AT) == Depth(KEY, AT)


def test_an_impossible_price_is_no_level() -> None:
    packet = full(WireDepth(10, 10, 1, 1, float("nan"), -5.0), WireDepth(20, 20, 2, 2, 99.5, float("inf")))
    found = read_depth(KEY, packet, AT)
    assert found is not None
    assert (found.bids, found.asks) == ((Level(995_000, 20, 2),), ())


def test_a_currency_has_four_decimals() -> None:
    found = read_depth("NSE_CURRENCY:2885", full(WireDepth(1, 1, 1, 1, 83.2475, 83.25)), AT)
    assert found is not None
    assert (found.bids[0].price, found.asks[0].price) == (832_475, 832_500)


def test_other_bytes_are_no_depth() -> None:
    assert read_depth(KEY, PACKET[:161], AT) is None
    assert read_depth(KEY, b"", AT) is None
    assert read_depth(KEY, bytes.fromhex("02100001450b00003343af44a00e046b"), AT) is None
