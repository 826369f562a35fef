from __future__ import annotations

import pytest

from ltp.core.chart.geometry import Candle, Scale, apart, candle, changes, round_prices, round_step, spread


def test_heights_grow_downwards_between_top_and_bottom() -> None:
    scale = Scale(100, 200, 10, 60)
    assert [scale.y(price) for price in (200, 150, 100, 90)] == [10, 35, 60, 65]


def test_equal_ratios_have_equal_heights_on_a_logarithmic_scale() -> None:
    scale = Scale(100, 400, 0, 80, logarithmic=True)
    assert [round(scale.y(price), 9) for price in (400, 200, 100)] == [0, 40, 80]


@pytest.mark.parametrize("logarithmic", [False, True])
def test_one_price_alone_has_a_height(logarithmic: bool) -> None:
    assert Scale(100, 100, 10, 60, logarithmic=logarithmic).y(100) == 10


def test_a_candle_has_whole_pixels() -> None:
    scale = Scale(0, 100, 0, 50)
    assert candle(scale, 40, 91, 10, 60) == Candle(high=4, top=20, bottom=30, low=45, rose=True)
    assert candle(scale, 60, 91, 10, 40) == Candle(high=4, top=20, bottom=30, low=45, rose=False)
    assert candle(scale, 40, 40, 40, 40) == Candle(high=30, top=30, bottom=30, low=30, rose=True)


@pytest.mark.parametrize(
    ("lowest", "highest", "most", "prices"),
    [
        (1635.2, 1660, 6, [1640, 1645, 1650, 1655, 1660]),
        (0, 100, 6, [0, 20, 40, 60, 80, 100]),
        (0, 101, 6, [0, 50, 100]),
        (7, 9, 5, [7, 8, 9]),
        (5, 5, 5, [5]),
        (
            2_512_345,
            2_549_999,
            9,
            [2_515_000, 2_520_000, 2_525_000, 2_530_000, 2_535_000, 2_540_000, 2_545_000],
        ),
    ],
)
def test_grid_lines_are_round_and_not_too_many(
    lowest: float, highest: float, most: int, prices: list[int]
) -> None:
    assert round_prices(Scale(lowest, highest, 0, 100), most) == prices


def test_a_wide_logarithmic_grid_has_one_two_and_five() -> None:
    assert round_prices(Scale(9, 1_000, 0, 100, logarithmic=True), 9) == [10, 20, 50, 100, 200, 500, 1_000]
    assert round_prices(Scale(9, 1_000, 0, 100, logarithmic=True), 4) == [10, 50, 200, 1_000]
    assert round_prices(Scale(100, 200, 0, 100, logarithmic=True), 6) == [100, 120, 140, 160, 180, 200]
    assert round_prices(Scale(110, 340, 0, 100, logarithmic=True), 6) == [150, 200, 250, 300]


def test_a_step_is_one_two_or_five_times_a_power_of_ten() -> None:
    assert [round_step(least) for least in (0, 1, 1.1, 2.5, 5, 5.1, 10, 11, 201)] == [
        1, 1, 2, 5, 5, 10, 10, 20, 500,
    ]  # fmt: skip


def test_places_of_changes() -> None:
    assert changes(["a", "a", "b", "b", "a"]) == [2, 4]
    assert changes([]) == changes(["a"]) == []


def test_places_that_are_too_near_are_left_out() -> None:
    assert apart([0, 3, 10, 19, 20], 10) == [0, 10, 20]
    assert apart([], 10) == []


def test_boxes_that_would_overlap_are_moved_apart() -> None:
    assert spread([(50, 20), (90, 20)], 0, 200) == [50, 90]
    assert spread([(60, 20), (50, 15)], 0, 200) == [68, 50]  # in their order from the top
    assert spread([(50, 20), (51, 20), (52, 20)], 0, 200) == [50, 70, 90]


def test_boxes_stay_between_the_ends_where_there_is_room() -> None:
    assert spread([(95, 20), (96, 20)], 0, 100) == [80, 100]
    assert spread([(-5, 10), (300, 10)], 10, 100) == [10, 100]
    assert spread([], 0, 100) == []
