from __future__ import annotations

import re
from datetime import date, timedelta
from itertools import pairwise
from xml.etree import ElementTree

import pytest

from ltp.core.history.price_history import Closes
from ltp.core.screener import Row
from ltp.web.table.chart import HEIGHT, WIDTH, Chart, chart

ROW = Row(
    "NSE_EQ:1", 1, "A", entry=105_0000, entry_low=104_0000, entry_high=106_0000, stop=95_0000, target=120_0000
)
DAYS = tuple(date(2026, 1, 1) + timedelta(days=back) for back in range(250))
YEAR = Closes(
    DAYS,
    tuple(100 + (place % 20) for place in range(250)),
    (None,) * 49 + (108.0,) * 201,
    (None,) * 199 + (107.0,) * 51,
)
KEPT = Closes((), (100.0, 110.0, 102.0), (), ())
SVG = "{http://www.w3.org/2000/svg}"


def drawn(row: Row = ROW, past: Closes = KEPT, made: date | None = None) -> str:
    svg = chart(row, past, made).svg
    ElementTree.fromstring(svg)
    return svg


def lines(svg: str) -> list[str]:
    return [kind for kind in re.findall(r'<line class="(\w+)"', svg) if kind != "month"]


def test_the_plan_is_drawn_over_the_closes_and_described_in_words() -> None:
    made = chart(ROW, KEPT)
    assert lines(made.svg) == ["target", "entry", "stop"]
    assert (
        made.words
        == "3 closes: lowest 100.00, highest 110.00, last 102.00, Target 120.00, Entry 105.00, Stop 95.00"
    )
    assert '<title id="chart-title">3 daily closes with the plan</title>' in made.svg
    assert f'<desc id="chart-desc">{made.words}</desc>' in made.svg
    assert '<rect class="zone"' in made.svg
    assert "style=" not in made.svg
    assert (made.sessions, made.last) == (3, None)


def test_a_year_has_its_averages_and_its_months() -> None:
    made = chart(ROW, YEAR)
    assert re.findall(r'<polyline class="(\w+)"', made.svg) == ["slow", "fast", "close"]
    counts = [points.count(",") for points in re.findall(r'points="([^"]+)"', made.svg)]
    assert counts == [51, 201, 250]
    assert made.words.startswith(
        "250 closes from 1 Jan 2026 to 7 Sep 2026: lowest 100.00, highest 119.00, last 109.00, EMA 50 108.00"
    )
    assert re.findall(r">(\w{3} 2026)<", made.svg) == ["Feb 2026", "Apr 2026", "Jun 2026", "Aug 2026"]
    assert (made.sessions, made.last) == (250, DAYS[-1])
    names = re.findall(r'<text class="(\w+)"', made.svg)
    assert names == ["target", "close", "fast", "slow", "entry", "stop"]


@pytest.mark.parametrize(
    "row", [ROW, ROW._replace(entry=101_0000, stop=100_0000, target=101_5000), ROW._replace(stop=109_0000)]
)
def test_all_shapes_are_within_the_picture_and_names_do_not_overlap(row: Row) -> None:
    svg = drawn(row, YEAR, DAYS[200])
    places = [float(y) for y in re.findall(r'<text class="(?!made)\w+" x="\d+" y="([\d.]+)"', svg)]
    assert len(places) == 6
    assert min(round(after - before, 1) for before, after in pairwise(places)) >= 15
    ys = [float(y) for y in re.findall(r' (?:y|y1|y2|cy)="([\d.-]+)"', svg)]
    xs = [float(x) for x in re.findall(r' (?:x|x1|x2|cx)="([\d.-]+)"', svg)]
    assert 0 <= min(ys) <= max(ys) <= HEIGHT
    assert 0 <= min(xs) <= max(xs) <= WIDTH


def test_the_session_of_the_plan_is_marked_if_closes_follow_it() -> None:
    assert "plan of 20 Jul" in drawn(past=YEAR, made=DAYS[200])
    for elsewhere in (DAYS[-1], date(2020, 1, 1), None):
        assert "plan of" not in drawn(past=YEAR, made=elsewhere)


def test_a_level_far_from_all_closes_is_described_and_not_drawn() -> None:
    made = chart(ROW._replace(target=500_0000), KEPT)
    assert lines(made.svg) == ["entry", "stop"]
    assert "Target 500.00" in made.words


def test_the_stop_has_the_name_that_the_screener_gives_it() -> None:
    made = chart(ROW, KEPT, None, "Invalidation")
    assert "Invalidation 95.00<" in made.svg
    assert "Invalidation 95.00" in made.words


def test_closes_alone_and_no_closes() -> None:
    bare = ROW._replace(entry=None, stop=None, target=None, entry_low=None, entry_high=None)
    assert "<line" not in drawn(bare)
    assert "<rect" not in drawn(bare)
    assert "with the plan" not in drawn(bare)
    assert "polyline" in drawn(bare, KEPT._replace(closes=(5.0, 5.0)))
    assert chart(ROW, KEPT._replace(closes=(5.0,))) == Chart("", "", 1, None)


@pytest.mark.parametrize("target", [1_200_000, 1_210_000, 1_215_000, 1_230_000])
def test_the_price_of_the_highest_close_does_not_overlap_a_level(target: int) -> None:
    closes = tuple(100.0 + (20 if at == 30 else at % 3) for at in range(60))
    svg = chart(ROW._replace(target=target, entry=1_050_000, stop=960_000), Closes((), closes, (), ())).svg
    line = float(re.findall(r'<line class="target"[^>]* y1="([\d.]+)"', svg)[0])
    name = float(re.findall(r'y="([\d.]+)" text-anchor="\w+">120.00<', svg)[0])
    assert not name - 13 < line < name + 5


def test_the_name_of_the_plan_does_not_overlap_the_price_of_the_highest_close() -> None:
    highest = YEAR._replace(
        closes=tuple(10_000.0 if at == 200 else each for at, each in enumerate(YEAR.closes))
    )
    svg = drawn(ROW, highest, DAYS[203])
    plan = float(re.findall(r'y="([\d.]+)" text-anchor="end">plan of', svg)[0])
    price = float(re.findall(r'y="([\d.]+)" text-anchor="\w+">10,000.00<', svg)[0])
    assert abs(plan - price) >= 13
