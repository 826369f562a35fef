from __future__ import annotations

import re
from contextlib import suppress

import pytest

from ltp.core.criteria.facts import FACTS
from ltp.core.screener import Row
from ltp.core.ticks.quote import Quote
from ltp.web.table.cells import draw_function
from ltp.web.table.columns import (
    BY_NAME,
    CANDIDATES,
    COLUMNS,
    RECOMMENDATIONS,
    of_tab,
    reward,
    sorts,
    stored_value,
)
from ltp.web.table.plan_cells import PlanCells
from ltp.web.table.range_bars import with_bars

PRICE_COLUMNS = {column.name for column in COLUMNS if column.live and not column.of_run}
RANGES = {column.name for column in COLUMNS if column.kind == "range"}
PLAN_COLUMNS = {column.name for column in COLUMNS if column.planned}


def names(tab: str) -> set[str]:
    return {column.name for column in of_tab(tab)}


def test_names_are_unique_and_usable_in_addresses_and_ids() -> None:
    assert len(BY_NAME) == len(COLUMNS) > 40
    assert [name for name in BY_NAME if not re.fullmatch(r"[a-z0-9_]+", name)] == []


def test_the_tabs_share_prices_and_what_lists_have_beside_them() -> None:
    assert names(CANDIDATES) & names(RECOMMENDATIONS) == PRICE_COLUMNS | RANGES | {"note", "flag"}
    facts = {
        "rank",
        "score",
        "base_score",
        "mtf_score",
        "price",
        "rsi",
        "adx",
        "atr_pct",
        "trend",
        "dist_ema20",
        "sector",
    }
    assert facts <= names(CANDIDATES) - names(RECOMMENDATIONS)
    plans = {
        "setup",
        "entry",
        "zone",
        "stop",
        "target",
        "quantity",
        "risk",
        "r",
        "allocation_pct",
        "allocation",
        "horizon",
    }
    assert plans | PLAN_COLUMNS <= names(RECOMMENDATIONS) - names(CANDIDATES)


def test_every_fact_is_a_column_but_the_volume_of_the_run() -> None:
    assert {fact.name for fact in FACTS} - set(BY_NAME) == set()
    assert BY_NAME["volume"].live
    assert BY_NAME["rsi"].title == "Relative strength index of 14 sessions"


def test_each_live_column_is_drawn_and_no_other() -> None:
    cell, plans, quote = draw_function(), PlanCells(lambda _run: {}), Quote("NSE_EQ:1", None, "unknown")
    drawn = set()
    for name in BY_NAME:
        with suppress(KeyError):
            cell(quote, name)
            drawn.add(name)
    assert drawn == PRICE_COLUMNS
    assert {name for name in BY_NAME if plans.draw_function(f"{name}@1")} == PLAN_COLUMNS
    bars = with_bars(lambda _column: None, lambda _run: {}, lambda _key: None)
    assert (
        {name for name in BY_NAME if bars(f"{name}@1")} == {name for name in BY_NAME if bars(name)} == RANGES
    )
    assert {column.name for column in COLUMNS if column.of_run} == PLAN_COLUMNS | RANGES


def test_rank_and_symbol_sort_in_either_tab() -> None:
    assert {"rank", "symbol"} <= set(sorts(CANDIDATES)) & set(sorts(RECOMMENDATIONS))


ROW = Row(
    "NSE_EQ:1",
    1,
    "A",
    entry=1000_0000,
    entry_low=990_0000,
    entry_high=1010_0000,
    stop=950_0000,
    target=1100_0000,
)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("entry", 1000_0000),
        ("zone", (990_0000, 1010_0000)),
        ("r", 2.0),
        ("rsi", 61.5),
        ("trend", "up"),
        ("adx", None),
    ],
)
def test_a_stored_value_is_a_field_or_a_fact_of_the_row(name: str, expected: object) -> None:
    assert stored_value(ROW._replace(facts={"rsi": 61.5, "trend": "up"}), name) == expected


def test_without_a_whole_plan_there_is_no_reward_and_no_zone() -> None:
    assert reward(ROW._replace(target=None)) is None
    assert reward(ROW._replace(stop=1000_0000)) is None
    assert stored_value(ROW._replace(entry_low=None), "zone") is None
