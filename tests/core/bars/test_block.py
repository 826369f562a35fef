from __future__ import annotations

import pytest

from ltp.core.bars.bar import BROKER, FILE, LIVE, PARTIAL, REVISED, Bar
from ltp.core.bars.block import RECORD, closes, count_sources, merged, packed, unpacked, unpacked_together

START = 1_796_010_300
BARS = [
    Bar(START, 1_650_3500, 1_651_0000, 1_649_9500, 1_650_0000, 12_345, None, PARTIAL),
    Bar(START + 840, 14_000_0000, 14_500_0000, 13_900_0000, 14_100_0000, 2**40, 987_654, REVISED, BROKER),
]


@pytest.mark.parametrize("compress", [False, True])
def test_bars_survive_the_way_through_bytes(compress: bool) -> None:
    assert unpacked(packed(BARS, START, compress=compress), START) == BARS
    assert unpacked(packed([], START, compress=compress), START) == []
    assert closes(packed(BARS, START, compress=compress), START) == [(bar.start, bar.close) for bar in BARS]


def test_a_bar_of_a_later_block_counts() -> None:
    later = BARS[1]._replace(close=14_200_0000, oi=None)
    blocks = [(packed(BARS, START), START), (b"damaged", START), (packed([later], START + 600), START + 600)]
    assert unpacked_together(blocks).bars() == [BARS[0], later]
    assert unpacked_together(reversed(blocks)).bars() == BARS
    assert unpacked_together([]).bars() == []


def test_the_bytes_of_a_record_are_fixed() -> None:
    assert packed([BARS[0]], START) == (
        b"\x00" b"\x00\x00" b"\x01" b"\x01" b"\xcc\xd2\xfb\x00\x00\x00\x00\x00"
        b"\x64\x19\x00\x00" b"\x60\xf0\xff\xff" b"\x54\xf2\xff\xff" b"\x39\x30\x00\x00\x00\x00\x00\x00"
        b"\xff\xff\xff\xff\xff\xff\xff\xff"
    )  # fmt: skip


@pytest.mark.parametrize(
    "damaged", [b"", b"\x00", b"\x00" + b"x" * (RECORD.size - 1), b"\x01none", b"\x01", b"\x02"]
)
def test_a_damaged_block_has_no_bars(damaged: bytes) -> None:
    assert unpacked(damaged, START) == []
    assert closes(damaged, START) == []
    assert count_sources(damaged) == {}


@pytest.mark.parametrize("compress", [False, True])
def test_the_sources_of_a_block_are_counted(compress: bool) -> None:
    bars = [*BARS, BARS[1]._replace(start=START + 900, sources=LIVE | BROKER)]
    assert count_sources(packed([*bars, *bars], START, compress=compress)) == {
        LIVE: 2,
        BROKER: 2,
        LIVE | BROKER: 2,
    }


def test_of_two_bars_of_a_minute_the_new_one_counts() -> None:
    new = BARS[0]._replace(close=1)
    assert merged(BARS, [new]) == [new, BARS[1]]
    assert merged([BARS[1]], [BARS[0]]) == BARS
    assert merged([], []) == []


@pytest.mark.parametrize("better", [BROKER, FILE])
def test_a_bar_built_here_does_not_replace_a_better_one(better: int) -> None:
    there = BARS[0]._replace(sources=better)
    late = BARS[0]._replace(volume=1, marks=2, sources=LIVE)
    assert merged([there], [late, BARS[1]._replace(sources=LIVE)]) == [
        there,
        BARS[1]._replace(sources=LIVE),
    ]
    assert merged([late], [there]) == [there]
    assert merged([there], [there._replace(close=1)]) == [there._replace(close=1)]
