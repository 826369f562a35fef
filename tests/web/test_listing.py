from __future__ import annotations

from ltp.core.quote import Quote
from ltp.core.screener import Row
from ltp.core.tick import Tick
from ltp.web.filters import ScreenQuery
from ltp.web.listing import matching, of_ranks, ordered, paged

ROWS = [
    Row(f"NSE_EQ:{n}", n, f"S{n}", f"Name {n}", "Bank" if n % 2 else "Auto", score, "Base")
    for n, score in ((1, 5.0), (2, None), (3, 9.0))
]


def test_unknown_values_come_last_in_either_direction() -> None:
    for descending, first in ((False, 1), (True, 3)):
        rows = ordered(ROWS, ScreenQuery(sort="score", descending=descending), {})
        assert (rows[0].rank, rows[-1].rank) == (first, 2)


def test_an_order_of_prices_needs_no_price_to_stand() -> None:
    quotes = {
        "NSE_EQ:3": Quote("NSE_EQ:3", Tick("NSE_EQ:3", 5, prev_close=10), "live"),
        "NSE_EQ:1": Quote("NSE_EQ:1", None, "unknown"),
    }
    for sort in ("ltp", "chg", "chgp", "volume", "open", "high", "low", "prev"):
        assert [row.rank for row in ordered(ROWS, ScreenQuery(sort=sort), quotes)][-1] in {2, 3}
    assert [row.rank for row in ordered(ROWS, ScreenQuery(sort="chg"), quotes)] == [3, 1, 2]


def test_matching_is_blind_to_case_and_looks_at_symbol_name_and_sector() -> None:
    assert [row.rank for row in matching(ROWS, ScreenQuery(q="BANK"))] == [1, 3]
    assert [row.rank for row in matching(ROWS, ScreenQuery(q="name 2", setup="base"))] == [2]
    assert [row.rank for row in of_ranks(ROWS, (3, 1, 77))] == [1, 3]


def test_an_empty_run_has_one_empty_page() -> None:
    page = paged([], ScreenQuery(page=4))
    assert (page.rows, page.first, page.page, page.pages) == ((), 0, 1, 1)
