from __future__ import annotations

import pytest

from ltp.core.criteria.facts import FACTS
from ltp.core.screener import Row
from ltp.web.table.cells import LIVE_COLUMNS
from ltp.web.table.columns import BY_NAME, CANDIDATES, COLUMNS, RECOMMENDATIONS, of_tab, reward, sorts, value
from ltp.web.table.plan_cells import PLANNED


def names(tab: str) -> set[str]:
    return {column.name for column in of_tab(tab)}


def test_names_are_unique_and_usable_in_addresses_and_ids() -> None:
    assert len(BY_NAME) == len(COLUMNS)
    assert all(name.replace("_", "").isalnum() and name.isascii() for name in BY_NAME)


def test_the_tabs_share_prices_and_nothing_else() -> None:
    assert names(CANDIDATES) & names(RECOMMENDATIONS) == set(LIVE_COLUMNS)
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
    assert plans | set(PLANNED) <= names(RECOMMENDATIONS) - names(CANDIDATES)


def test_every_fact_is_a_column_but_the_volume_of_the_run() -> None:
    assert {fact.name for fact in FACTS} - set(BY_NAME) == set()
    assert BY_NAME["volume"].live
    assert BY_NAME["rsi"].title == "Relative strength index of 14 sessions"


def test_live_columns_are_those_that_somebody_draws() -> None:
    assert {column.name for column in COLUMNS if column.live and not column.planned} == set(LIVE_COLUMNS)
    assert {column.name for column in COLUMNS if column.planned} == set(PLANNED)


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
    ("name", "held"),
    [
        ("entry", 1000_0000),
        ("zone", (990_0000, 1010_0000)),
        ("r", 2.0),
        ("rsi", 61.5),
        ("trend", "up"),
        ("adx", None),
    ],
)
def test_a_value_is_found_in_the_row_or_among_its_facts(name: str, held: object) -> None:
    assert value(ROW._replace(facts={"rsi": 61.5, "trend": "up"}), name) == held


def test_without_a_whole_plan_there_is_no_reward_and_no_zone() -> None:
    assert reward(ROW._replace(target=None)) is None
    assert reward(ROW._replace(stop=1000_0000)) is None
    assert value(ROW._replace(entry_low=None), "zone") is None
