from __future__ import annotations

import pytest

from ltp.core.bars.bar import Bar
from ltp.core.bars.block import packed
from ltp.core.bars.faults import BlockFault, block_faults, fault

OPEN = 1_796_010_300  # 2026-11-30T09:15:00+05:30
WINDOWS = [(OPEN, OPEN + 3_600), (OPEN + 7_200, OPEN + 7_260)]
BAR = Bar(OPEN, 100_0000, 101_0000, 99_0000, 100_5000, 7, 3)


def faults(*bars: Bar) -> list[BlockFault]:
    return list(block_faults(packed(bars, OPEN), OPEN, lambda _: WINDOWS))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({}, ""),
        ({"open": 99_0000, "close": 101_0000, "volume": 0, "oi": None}, ""),
        ({"start": OPEN + 1}, "it starts within a minute"),
        ({"low": 0}, "a price is not above 0"),
        ({"high": 98_0000}, "the high is below the low"),
        ({"open": 101_0001}, "the open is not between low and high"),
        ({"close": 98_9999}, "the close is not between low and high"),
        ({"high": 99_0000 + 2**31}, "low and high are too far apart"),
        ({"volume": -1}, "volume or open interest is no number of units"),
        ({"oi": 2**63}, "volume or open interest is no number of units"),
    ],
)
def test_an_impossible_bar_has_a_reason(change: dict[str, int], reason: str) -> None:
    assert fault(BAR._replace(**change)) == reason


def test_a_bar_at_the_bounds_fits_a_block() -> None:
    widest = Bar(OPEN, 1, 2**31, 1, 2**31, 2**63 - 1, 2**63 - 1)
    assert fault(widest) == ""
    assert faults(widest) == []


def test_a_sound_block_has_no_fault() -> None:
    assert faults(BAR, BAR._replace(start=OPEN + 60), BAR._replace(start=OPEN + 7_200)) == []


def test_each_fault_of_a_block_is_named_with_its_minute() -> None:
    bars = [BAR._replace(close=1), BAR, BAR._replace(start=OPEN + 3_600)]
    assert faults(*bars) == [
        (OPEN, "the close is not between low and high"),
        (OPEN, "it does not come after the bar before it"),
        (OPEN + 3_600, "it lies outside of the trading hours of its day"),
    ]


@pytest.mark.parametrize(
    ("block", "reason"),
    [
        (b"\x00torn", "the block is damaged"),
        (b"\x01none", "the block is damaged"),
        (b"\x02" + packed([BAR], OPEN)[1:], "the block is damaged"),
        (b"", "the block is damaged"),
        (b"\x00", "the block has no bar"),
    ],
)
def test_a_block_that_cannot_be_read_is_one_fault(block: bytes, reason: str) -> None:
    assert list(block_faults(block, OPEN, lambda _: WINDOWS)) == [(OPEN, reason)]
