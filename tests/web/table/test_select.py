from __future__ import annotations

from datetime import UTC, datetime

from ltp.core.history.plan import Plan
from ltp.core.screener import Row, Run
from ltp.core.ticks.quote import Quote
from ltp.core.ticks.tick import Tick
from ltp.web.table.filters.grammar import parse
from ltp.web.table.screen_query import ScreenQuery
from ltp.web.table.select import fixed_order, matching, needs_prices, of_ranks, ordered, page_of

ROWS = [
    Row(f"NSE_EQ:{n}", n, f"S{n}", f"Name {n}", "Bank" if n % 2 else "Auto", score, "Base")
    for n, score in ((1, 5.0), (2, None), (3, 9.0))
]


def test_unknown_values_come_last_in_either_direction() -> None:
    for descending, first in ((False, 1), (True, 3)):
        rows = ordered(ROWS, ScreenQuery(sort="score", descending=descending), {})
        assert (rows[0].rank, rows[-1].rank) == (first, 2)


def test_rows_without_a_price_can_be_sorted_by_price() -> None:
    quotes = {
        "NSE_EQ:3": Quote("NSE_EQ:3", Tick("NSE_EQ:3", 5, prev_close=10), "live"),
        "NSE_EQ:1": Quote("NSE_EQ:1", None, "unknown"),
    }
    for sort in ("ltp", "chg", "chgp", "volume", "open", "high", "low", "prev"):
        assert [row.rank for row in ordered(ROWS, ScreenQuery(sort=sort), quotes)][-1] in {2, 3}
    assert [row.rank for row in ordered(ROWS, ScreenQuery(sort="chg"), quotes)] == [3, 1, 2]


def test_matching_ignores_case_and_searches_symbol_name_and_sector() -> None:
    assert [row.rank for row in matching(ROWS, ScreenQuery(q="BANK"))] == [1, 3]
    assert [row.rank for row in matching(ROWS, ScreenQuery(q="name 2", setup="base"))] == [2]
    assert [row.rank for row in of_ranks(ROWS, (3, 1, 77))] == [1, 3]


def test_the_filter_waiting_selects_every_waiting_setup() -> None:
    rows = [
        Row(f"NSE_EQ:{n}", n, f"S{n}", setup=setup)
        for n, setup in enumerate(("READY", "WAIT_PULLBACK", "WAIT_BREAKOUT"), 1)
    ]
    assert [row.rank for row in matching(rows, ScreenQuery(setup="Waiting"))] == [2, 3]
    assert [row.rank for row in matching(rows, ScreenQuery(setup="wait_breakout"))] == [3]
    assert [row.rank for row in matching(ROWS, ScreenQuery(sector="bank"))] == [1, 3]


def test_distances_and_states_of_plans_are_orders_too() -> None:
    quotes = {
        row.key: Quote(row.key, Tick(row.key, 100 * row.rank, session="2026-11-23"), "live") for row in ROWS
    }
    plans = {"NSE_EQ:1": Plan(110, 110, 110, 90, None, ""), "NSE_EQ:3": Plan(301, 301, 301, 200, None, "")}
    assert [row.rank for row in ordered(ROWS, ScreenQuery(sort="to_entry"), quotes, plans)] == [3, 1, 2]
    assert [row.rank for row in ordered(ROWS, ScreenQuery(sort="state", descending=True), quotes, plans)][
        -1
    ] == 2


def test_an_order_that_no_price_changes_is_sorted_once_a_run() -> None:
    run = Run(1, "swing", datetime(2026, 11, 23, tzinfo=UTC), False, "", tuple(ROWS))
    first = fixed_order(run, ScreenQuery(sort="score", descending=True, page=1))
    assert [row.rank for row in first] == [3, 1, 2]
    assert fixed_order(run, ScreenQuery(sort="score", descending=True, page=2, columns=("ltp",))) == first
    later = run._replace(created_at=datetime(2026, 11, 24, tzinfo=UTC), rows=tuple(ROWS[:1]))
    assert fixed_order(later, ScreenQuery(sort="score", descending=True)) == (ROWS[0],)


def test_an_empty_run_has_one_empty_page() -> None:
    page = page_of([], ScreenQuery(page=4))
    assert (page.rows, page.first, page.page, page.pages) == ((), 0, 1, 1)


def test_a_second_column_orders_rows_with_equal_values_in_the_first() -> None:
    rows = [
        Row(f"NSE_EQ:{n}", n, f"S{n}", score=score, sector=sector)
        for n, score, sector in (
            (1, 5.0, "IT"),
            (2, 9.0, "Bank"),
            (3, 5.0, "Auto"),
            (4, None, "Z"),
            (5, 5.0, ""),
        )
    ]

    def ranks(**query: object) -> list[int]:
        return [row.rank for row in ordered(rows, ScreenQuery().with_(**query), {})]

    assert ranks(sort="score", descending=True, then="sector") == [2, 3, 1, 5, 4]
    assert ranks(sort="score", then="sector", then_descending=True) == [1, 3, 5, 2, 4]
    run = Run(2, "swing", datetime(2026, 11, 23, tzinfo=UTC), False, "", tuple(rows))
    query = ScreenQuery(sort="score", descending=True, then="sector")
    assert [row.rank for row in fixed_order(run, query)] == [2, 3, 1, 5, 4]
    assert [row.rank for row in fixed_order(run, query.with_(then=""))] == [2, 1, 3, 5, 4]


def test_prices_are_needed_for_either_order_and_for_filters() -> None:
    assert not needs_prices(ScreenQuery(sort="score", then="sector", filters=(parse("rsi>60"),)))
    assert needs_prices(ScreenQuery(sort="score", then="chgp"))
    assert needs_prices(ScreenQuery(filters=(parse("rsi>60"), parse("ltp>60"))))
