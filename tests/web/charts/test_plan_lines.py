from __future__ import annotations

import re
from datetime import date, timedelta

import pytest

from ltp.core.chart.geometry import Scale
from ltp.web.charts.plan_lines import (
    NO_PLAN,
    Label,
    Level,
    PlanLines,
    labels,
    notes,
    rules,
    words,
    zone_shape,
)

TARGET = Level("target", "Target", 120_0000)
ENTRY = Level("entry", "Entry", 105_0000)
STOP = Level("stop", "Stop", 95_0000)
DAY = date(2026, 11, 23)
DAYS = [DAY + timedelta(days=at) for at in range(5)]
PLAN = PlanLines((TARGET, ENTRY, STOP), (104_0000, 106_0000), DAYS[1])
SCALE = Scale(90_0000, 130_0000, 0, 400)  # 10 pixels a rupee


def test_levels_near_the_bars_widen_the_scale_and_far_ones_do_not() -> None:
    assert PLAN.placed(100_0000, 110_0000) == PLAN
    assert PLAN.prices == [120_0000, 105_0000, 95_0000, 104_0000, 106_0000]
    tight = PLAN.placed(104_0000, 106_0000)  # as far as 4 rupees above and below
    assert (tight.levels, tight.far, tight.zone) == ((ENTRY,), (TARGET, STOP), PLAN.zone)
    assert [level.name for level in tight.all_levels] == ["Target", "Entry", "Stop"]
    assert PLAN.placed(60_0000, 61_0000).zone is None


def test_bars_of_one_price_have_a_reach_of_two_rupees() -> None:
    assert PLAN.placed(103_0000, 103_0000).levels == (ENTRY,)
    assert PLAN.placed(102_9999, 102_9999).levels == ()


def test_each_level_is_a_line_across_the_plot() -> None:
    found = re.findall(
        r'<line class="level (\w+)" x1="0" x2="100%" y1="([\d.]+)"', rules(PLAN, DAYS, 5, SCALE, 400)
    )
    assert found == [("target", "100.5"), ("entry", "250.5"), ("stop", "350.5")]


@pytest.mark.parametrize(("made", "share"), [(DAYS[0], "20.0%"), (DAYS[3], "80.0%")])
def test_the_session_of_the_plan_ends_with_a_line_where_bars_follow_it(made: date, share: str) -> None:
    svg = rules(PlanLines(made=made), DAYS, 5, SCALE, 400)
    assert f'<line class="made" x1="{share}" x2="{share}" y1="0" y2="400"/>' in svg
    assert f">plan of {made.day} Nov</text>" in svg


@pytest.mark.parametrize("made", [None, DAYS[4], DAY - timedelta(days=1), DAY + timedelta(days=30)])
def test_elsewhere_it_has_none(made: date | None) -> None:
    assert rules(PlanLines(made=made), DAYS, 5, SCALE, 400) == ""


def test_the_zone_lies_between_its_prices() -> None:
    assert zone_shape(PLAN, SCALE, 50) == '<path class="zone" d="M0 240H50V260H0z"/>'
    assert (
        zone_shape(PLAN._replace(zone=(105_0000, 105_0001)), SCALE, 50)
        == '<path class="zone" d="M0 250H50V251H0z"/>'
    )
    assert zone_shape(NO_PLAN, SCALE, 50) == ""


def test_labels_have_name_and_price_and_do_not_overlap() -> None:
    found = labels(PLAN, 104_9000, SCALE, (20, 380), currency=False)
    assert [(each.kind, each.texts) for each in found] == [
        ("last", ("104.90",)),
        ("target", ("Target", "120.00")),
        ("entry", ("Entry", "105.00")),
        ("stop", ("Stop", "95.00")),
    ]
    assert [each.y for each in found] == [272, 100, 250, 350]  # the last price makes room for the entry
    assert (
        found[2].markup
        == '<text class="entry" x="6" y="247">Entry</text><text class="entry" x="6" y="260">105.00</text>'
    )


def test_a_far_level_is_named_at_the_edge_and_in_a_sentence() -> None:
    plan = PlanLines((ENTRY,), far=(Level("target", "Target", 500_0000), Level("stop", "Stop", 10_0000)))
    found = labels(plan, 110_0000, SCALE, (20, 380), currency=False)
    assert [(each.y, each.texts[0]) for each in found] == [
        (200, "110.00"),
        (250, "Entry"),
        (20, "Target ↑"),
        (380, "Stop ↓"),
    ]
    assert notes(plan.far, 110_0000, currency=False) == [
        "Target 500.00 is not drawn: it is far above these bars.",
        "Stop 10.00 is not drawn: it is far below these bars.",
    ]
    assert "level target" not in rules(plan, DAYS, 5, SCALE, 400)


def test_a_label_of_two_lines_hides_more_of_the_axis() -> None:
    one, two = Label(100, "last", ("1",)), Label(100, "stop", ("Stop", "1"))
    assert [one.hides(y) for y in (86, 85, 115)] == [True, False, False]
    assert [two.hides(y) for y in (79, 78, 121)] == [True, False, True]


def test_words_name_every_level_with_its_price() -> None:
    assert (
        words(PLAN.placed(104_0000, 106_0000), currency=False) == ", Target 120.00, Entry 105.00, Stop 95.00"
    )
    assert words(PlanLines((ENTRY,)), currency=True) == ", Entry 105.0000"
    assert words(NO_PLAN, currency=False) == ""
