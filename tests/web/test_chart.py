from __future__ import annotations

import re
from itertools import pairwise
from xml.etree import ElementTree

from ltp.core.screener import Row
from ltp.web.chart import chart

ROW = Row(
    "NSE_EQ:1",
    1,
    "A",
    entry=105_0000,
    entry_low=104_0000,
    entry_high=106_0000,
    stop=95_0000,
    target=120_0000,
    spark=(100.0, 110.0, 102.0),
)


def test_the_plan_is_drawn_over_the_closes() -> None:
    drawn = chart(ROW)
    ElementTree.fromstring(drawn)
    assert re.findall(r'<line class="(\w+)"', drawn) == ["target", "entry", "stop"]
    assert 'aria-label="3 closes: low 100.00, high 110.00, last 102.00, target 120.00, entry 105.00, stop 95.00"' in drawn
    assert '<rect class="zone"' in drawn
    assert "style=" not in drawn


def test_names_of_near_levels_are_not_written_over_one_another() -> None:
    drawn = chart(ROW._replace(entry=1_000_000, stop=999_000, target=1_001_000))
    places = [float(y) for y in re.findall(r'<text class="\w+" x="\d+" y="([\d.]+)"', drawn)]
    assert all(round(after - before, 1) >= 15 for before, after in pairwise(places))


def test_a_level_far_from_every_close_is_left_out() -> None:
    assert re.findall(r'<line class="(\w+)"', chart(ROW._replace(target=500_0000))) == ["entry", "stop"]


def test_closes_alone_and_no_closes() -> None:
    bare = ROW._replace(entry=None, stop=None, target=None, entry_low=None, entry_high=None)
    assert "<line" not in chart(bare)
    assert "<rect" not in chart(bare)
    assert "polyline" in chart(bare._replace(spark=(5.0, 5.0)))
    assert chart(ROW._replace(spark=(5.0,))) == ""
