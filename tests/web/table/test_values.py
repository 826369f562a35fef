from __future__ import annotations

from typing import Any

import pytest

from ltp.core.history.extremes import Ends
from ltp.core.history.plan import Plan
from ltp.core.screener import Outcome, Row
from ltp.core.ticks.quote import Quote
from ltp.core.ticks.tick import Tick
from ltp.web.table.columns import COLUMNS
from ltp.web.table.screener import live_plan_columns
from ltp.web.table.values import export_value, missed_criterion, short_number, sort_key, summary, with_unit

KEY = "NSE_EQ:1333"
OUTCOMES = (
    Outcome("ADX strong", False, 17.5, "> 20", -2.5),
    Outcome("Trend", True, 1.0),
    Outcome("RS", False, None, "> 0"),
)
ROW = Row(
    KEY,
    2,
    "HDFCBANK",
    "HDFC Bank",
    score=91.5,
    entry=1000_0000,
    entry_low=990_0000,
    entry_high=1010_5000,
    stop=950_0000,
    target=1100_0000,
    risk=12_345_0000,
    facts={"rsi": 61.23456789, "trend": "up"},
    criteria=OUTCOMES,
    spark=(1.0, 3.0, 2.5),
)
YEAR = Ends(900_0000, 1100_0000, 1030_0000)
QUOTE = Quote(KEY, Tick(KEY, 1040_0000, prev_close=1000_0000, volume=5, session="2026-11-23"), "live")
OPENED = QUOTE._replace(tick=Tick(KEY, 1040_0000, open=1030_0000))
PLANS = {KEY: Plan(1000_0000, 990_0000, 1010_5000, 950_0000, 1100_0000, "2026-11-20")}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ltp", 1040.0),
        ("chg", 40.0),
        ("chgp", 4.0),
        ("volume", 5),
        ("open", None),
        ("to_entry", -3.85),
        ("r_now", 0.8),
        ("state", "waiting"),
        ("score", 91.5),
        ("entry", 1000.0),
        ("zone", [990.0, 1010.5]),
        ("risk", 12345.0),
        ("r", 2.0),
        ("rsi", 61.2346),
        ("trend", "up"),
        ("adx", None),
        ("setup", None),
        ("spark", [1.0, 3.0, 2.5]),
        ("criteria", "1 of 3; missed ADX strong: 17.5 (> 20, by 2.5); missed RS: unknown"),
    ],
)
def test_files_have_rupees_and_per_cent_as_numbers(name: str, value: Any) -> None:
    assert export_value(name, ROW, QUOTE, PLANS) == value


def test_the_line_of_today_counts_as_the_change_since_the_open() -> None:
    assert export_value("spark_day", ROW, OPENED, {}) == 0.97
    assert export_value("spark_day", ROW, QUOTE, {}) is None
    assert sort_key("spark_day", {KEY: OPENED}, {})(ROW) == pytest.approx(100 / 103)


def test_without_a_plan_its_values_are_none() -> None:
    assert [export_value(name, ROW, QUOTE, {}) for name in ("state", "to_entry", "r_now")] == [
        None,
        None,
        None,
    ]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ltp", 1040_0000),
        ("to_stop", -8.65),
        ("criteria", 1 / 3),
        ("spark", 2.5),
        ("symbol", "hdfcbank"),
        ("setup", None),
    ],
)
def test_the_sort_key_of_a_column(name: str, value: Any) -> None:
    assert sort_key(name, {KEY: QUOTE}, PLANS)(ROW) == value


def test_a_row_without_a_value_has_no_sort_key() -> None:
    bare = Row("NSE_EQ:7", 1, "X")
    assert [sort_key(name, {}, PLANS)(bare) for name in ("ltp", "to_stop", "criteria", "spark", "rsi")] == [
        None
    ] * 5


def test_a_missed_criterion_has_value_bound_and_margin() -> None:
    assert missed_criterion(OUTCOMES[0]) == "ADX strong: 17.5 (> 20, by 2.5)"
    assert summary(()) == ""


@pytest.mark.parametrize(
    ("number", "text"), [(17.5, "17.5"), (12345.6, "12,346"), (-0.001, "0"), (-2.25, "-2.25"), (3.0, "3")]
)
def test_numbers_are_short(number: float, text: str) -> None:
    assert short_number(number) == text


@pytest.mark.parametrize(
    ("text", "unit", "expected"),
    [
        ("> 15", "%", "> 15%"), ("50 to 70", "", "50 to 70"), ("1.25", "×", "1.25×"), ("-1 to 2.5", "ATR", "-1 to 2.5 ATR"),
        ("1,402.5", "₹", "₹1,402.5"), ("+12", "₹", "+₹12"), ("> 95.2 (ema50)", "₹", "> 95.2 (ema50)"),
        ("unknown", "%", "unknown"), ("", "%", ""),
    ],
)  # fmt: skip
def test_a_number_has_its_unit(text: str, unit: str, expected: str) -> None:
    assert with_unit(text, unit) == expected


def test_a_missed_criterion_has_units() -> None:
    outcome = Outcome("Near the 52-week high", False, 17.5, "< 15", -2.5, "%")
    assert missed_criterion(outcome) == "Near the 52-week high: 17.5% (< 15%, by 2.5%)"


LIVE = [column.name for column in COLUMNS if column.live]


@pytest.mark.parametrize("name", LIVE)
def test_every_live_column_sorts_and_goes_into_files(name: str) -> None:
    unknown = Quote(KEY, None, "unknown")
    assert sort_key(name, {KEY: unknown}, PLANS)(ROW) is None
    assert export_value(name, ROW, unknown, PLANS) in {None, "unknown"}


def test_every_live_column_of_a_plan_names_the_level_that_it_needs() -> None:
    planned = {column.name for column in COLUMNS if column.planned}
    assert set(live_plan_columns(ROW)) == planned
    assert live_plan_columns(Row(KEY, 1, "X")) == ()


@pytest.mark.parametrize(
    ("tick", "day", "year"),
    [
        (Tick(KEY, 1040_0000, low=1030_0000, high=1060_0000), 33.3, 70.0),
        (Tick(KEY, 1060_0000, low=1030_0000, high=1050_0000), 100.0, 80.0),  # the high is late
        (Tick(KEY, 1200_0000, low=1000_0000, high=1200_0000), 100.0, 100.0),  # a new high of the year
        (Tick(KEY, 1040_0000), None, 70.0),
        (Tick(KEY, 1040_0000, low=1040_0000, high=1040_0000), None, 70.0),
        (Tick(KEY, 1040_0000, prev_close=515_0000), None, None),  # a split that is not imported yet
        (Tick(KEY, None), None, None),
        (None, None, None),
    ],
)
def test_the_place_in_a_range_is_from_0_to_100(
    tick: Tick | None, day: float | None, year: float | None
) -> None:
    quote, years = Quote(KEY, tick, "live" if tick else "unknown"), {KEY: YEAR}.get
    assert export_value("range_day", ROW, quote, {}, years) == day
    assert export_value("range_52w", ROW, quote, {}, years) == year
    assert export_value("range_52w", ROW, quote, {}) is None
    found = sort_key("range_52w", {KEY: quote}, {}, years)(ROW)
    assert found == (None if year is None else pytest.approx(year))
