from __future__ import annotations

import re
from datetime import date, timedelta
from xml.etree import ElementTree

import pytest

from ltp.core.bars.bar import PARTIAL, REVISED, Bar
from ltp.web.charts.drawing import Drawing, draw
from ltp.web.charts.overlays import Overlay
from ltp.web.charts.plan_lines import Level, PlanLines

DAY = date(2026, 11, 27)
OPEN = 1_795_751_100  # 09:15 of that day in India
SVG = "{http://www.w3.org/2000/svg}"


def bar(at: int, open_: float, close: float, volume: int = 100, marks: int = 0) -> Bar:
    first, last = round(open_ * 10_000), round(close * 10_000)
    return Bar(
        OPEN + at * 300,
        first,
        max(first, last) + 1_0000,
        min(first, last) - 1_0000,
        last,
        volume,
        None,
        marks,
    )


TWO = [bar(0, 100, 110), bar(1, 110, 105, 50)]


def drawn(bars: list[Bar], overlays: list[Overlay] | None = None, **options: object) -> Drawing:
    days = [DAY] * len(bars)
    found = draw(bars, days, [f"bar {at}" for at in range(len(bars))], overlays or [], "words", **options)  # type: ignore[arg-type]
    for svg in (found.plot, found.axis):
        ElementTree.fromstring(svg)
        assert "style=" not in svg
    return found


def path(kind: str, plot: str) -> str:
    [found] = re.findall(f'<path class="{kind}" d="([^"]*)"', plot)
    return str(found)


def test_a_candle_that_rose_and_one_that_fell_have_paths_of_their_own() -> None:
    plot = drawn(TWO).plot
    assert path("rose", plot) == "M5 21V42M5 254V275M2 42h6v212h-6z"
    assert path("fell", plot) == "M15 21V42M15 148V169M12 42h6v106h-6z"
    assert path("rose volume", plot) == "M2 362V298h6V362"
    assert path("fell volume", plot) == "M12 362V330h6V362"


def test_the_axis_has_round_prices_but_none_that_hides_the_last_one() -> None:
    axis = drawn([bar(0, 100, 110), bar(1, 110, 104.1)]).axis
    texts = re.findall(r"<text(?: class=\"(\w+)\")? x=\"6\" y=\"\d+\">([^<]+)", axis)
    assert texts == [
        ("", "100"),
        ("", "102"),
        ("", "106"),
        ("", "108"),
        ("", "110"),
        ("last", "104.10"),
        ("", "100"),
        ("", "volume"),
    ]


def test_a_currency_has_four_decimals_on_the_axis() -> None:
    assert ">83.2475<" in drawn([bar(0, 83.24, 83.2475)], currency=True).axis


def test_an_index_has_no_volumes_and_is_lower() -> None:
    plain, index = drawn(TWO).plot, drawn([each._replace(volume=0) for each in TWO]).plot
    assert ("volume" in plain, "volume" in index) == (True, False)
    assert (height(plain), height(index)) == (386, 312)


def height(svg: str) -> int:
    return int(ElementTree.fromstring(svg).attrib["height"])


def test_each_kind_of_mark_has_a_row_with_its_name() -> None:
    found = drawn([bar(0, 1, 2, marks=PARTIAL | REVISED), bar(1, 2, 1, marks=REVISED)])
    assert re.findall(r'<path class="mark" d="([^"]+)"', found.plot) == [
        "M1 374h8v7h-8z",
        "M1 387h8v7h-8zM11 387h8v7h-8z",
    ]
    assert re.findall(r'<text class="mark"[^>]+>(\w+)<', found.axis) == ["partial", "revised"]
    assert height(found.plot) == height(found.axis) == 420


def test_every_bar_has_a_column_with_its_tooltip() -> None:
    assert re.findall(r'<path d="(M\d+) [^"]+"><title>([^<]+)</title>', drawn(TWO).plot) == [
        ("M0", "bar 0"),
        ("M10", "bar 1"),
    ]


def test_a_missing_candle_has_an_empty_place() -> None:
    plot = drawn(TWO, missing="none yet").plot
    assert '<path class="missing" d="M21 8h8v280h-8z"><title>none yet</title></path>' in plot
    assert set(re.findall(r'viewBox="0 \d+ (\d+) ', plot)) == {"30"}
    assert "missing" not in drawn(TWO).plot


def test_a_line_starts_with_its_first_value() -> None:
    plot = drawn(
        TWO, [Overlay("ema20", "EMA 20", [None, 105_0000.0]), Overlay("vwap", "VWAP", [100_0000.0] * 2)]
    )
    assert path("ema20", plot.plot) == "M15 148.0"
    assert path("vwap", plot.plot) == "M5 254.1L15 254.1"


def test_a_line_of_sessions_is_broken_between_them() -> None:
    lines = [
        Overlay("vwap", "VWAP", [105_0000.0] * 4, by_session=True),
        Overlay("ema20", "E", [105_0000.0] * 4),
    ]
    days = [DAY, DAY, DAY + timedelta(days=3), DAY + timedelta(days=3)]
    plot = draw(TWO * 2, days, [""] * 4, lines, "words").plot
    assert path("vwap", plot) == "M5 148.0L15 148.0M25 148.0L35 148.0"
    assert path("ema20", plot) == "M5 148.0L15 148.0L25 148.0L35 148.0"
    assert plot.count('<line class="break" x1="50.0%"') == 1


def test_a_far_line_does_not_flatten_the_candles() -> None:
    plot = drawn(TWO, [Overlay("ema200", "EMA 200", [500_0000.0] * 2)]).plot
    top, bottom = re.findall(r"M5 \d+V(\d+)M5 (\d+)V", path("rose", plot))[0]
    assert int(bottom) - int(top) > 150


def test_the_scale_includes_the_levels_of_a_plan() -> None:
    found = drawn(TWO, plan=PlanLines((Level("target", "Target", 120_0000), Level("stop", "Stop", 95_0000))))
    heights = {
        kind: float(y) for kind, y in re.findall(r'<line class="level (\w+)"[^>]* y1="([\d.]+)"', found.plot)
    }
    assert 8 < heights["target"] < 40 < 250 < heights["stop"] < 288
    texts = re.findall(r'<text class="(\w+)" [^>]+>([^<]+)<', found.axis)
    assert texts[:5] == [
        ("last", "105.00"), ("target", "Target"), ("target", "120.00"), ("stop", "Stop"), ("stop", "95.00"),
    ]  # fmt: skip
    assert ">120<" not in found.axis  # the grid's own price makes room


def test_a_logarithmic_scale_moves_the_middle_up() -> None:
    wide = [bar(0, 100, 400), bar(1, 200, 200)]
    heights = [
        int(re.findall(r"V\d+M12 (\d+)h", path("rose", drawn(wide, logarithmic=on).plot))[0])
        for on in (False, True)
    ]
    assert heights[1] < heights[0] - 40


@pytest.mark.parametrize(("count", "width"), [(80, "w1"), (81, "w2"), (171, "w3"), (401, "w4")])
def test_more_bars_need_more_room(count: int, width: str) -> None:
    assert drawn([bar(at, 100, 101) for at in range(count)]).width_class == width


def test_bars_of_one_price_are_drawn() -> None:
    flat = Bar(OPEN, 100_0000, 100_0000, 100_0000, 100_0000, 1)
    assert path("rose", drawn([flat]).plot) == "M2 148h6v0h-6z"
