from __future__ import annotations

from datetime import date

from ltp.core.chart.geometry import Scale
from ltp.web.charts.overlay_shapes import lines, shades
from ltp.web.charts.overlays import Overlay

SCALE = Scale(0, 100, 0, 100)  # a price of 90 is 10 below the top
DAYS = [date(2026, 11, 27)] * 5


def test_steps_are_level_within_a_bar_and_broken_where_there_is_no_value() -> None:
    found = lines([Overlay("supertrend", "S", [90, 80, None, 80, 80], steps=True)], DAYS, SCALE, 10)
    assert found == '<path class="supertrend" d="M0 10H10V20H20M30 20H40H50"/>'


def test_a_single_step_is_as_wide_as_its_bar() -> None:
    assert 'd="M10 10H20"' in lines([Overlay("s", "S", [None, 90, None], steps=True)], DAYS[:3], SCALE, 10)


def test_a_line_goes_through_the_middles_of_the_bars() -> None:
    found = lines([Overlay("ema20", "E", [None, 90, 80.5])], DAYS[:3], SCALE, 10)
    assert found == '<path class="ema20" d="M15 10.0L25 19.5"/>'


def test_the_shade_lies_between_both_lines_where_both_are() -> None:
    band = Overlay("bollinger", "B", [90, 95, None, 92], shaded_to=[70, 75, 60, None])
    found = shades([band, Overlay("ema20", "E", [1.0] * 4)], SCALE, 10)
    assert found == '<path class="shade" d="M5 10.0L15 5.0L15 25.0L5 30.0z"/>'
