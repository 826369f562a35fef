from __future__ import annotations

import csv
import io
import json
import re
from typing import Any

from ltp.core.history.plan import Plan
from ltp.core.money import SCALE
from ltp.core.screener import Row
from ltp.core.sizing import Sizing
from ltp.core.ticks.quote import Quote
from ltp.core.ticks.tick import Tick
from ltp.web.table.columns import BY_NAME
from ltp.web.table.groups import groups_of, headings
from ltp.web.table.sizes import Totals

SWING = "/screeners/swing"
HOSTILE = '<img src=x onerror="alert(1)">'
ROWS = [
    Row(f"NSE_EQ:{n}", n, f"S{n}", sector=sector, score=score, setup=setup)
    for n, sector, score, setup in (
        (1, "IT", 50.0, "WAIT_PULLBACK"),
        (2, "Bank", 90.0, "READY"),
        (3, "it", 70.0, ""),
        (4, "", 99.0, "READY"),
        (5, HOSTILE, None, ""),
        (6, "IT", None, ""),
    )
]


def grouped(name: str, **how: Any) -> list[tuple[str, list[int]]]:
    quotes = {"NSE_EQ:1": Quote("NSE_EQ:1", Tick("NSE_EQ:1", 100, session="2026-11-23"), "live")}
    plans = {"NSE_EQ:1": Plan(110, 110, 110, 90, None, "")}
    groups = groups_of(ROWS, name, quotes, plans, **how)
    return [(group.title, [row.rank for row in group.rows]) for group in groups]


def test_groups_are_in_the_order_of_their_names_and_rows_in_that_of_the_list() -> None:
    assert grouped("sector") == [(HOSTILE, [5]), ("Bank", [2]), ("IT", [1, 3, 6]), ("", [4])]
    assert grouped("setup") == [("READY", [2, 4]), ("WAIT PULLBACK", [1]), ("", [3, 5, 6])]


def test_the_group_with_the_best_score_is_first_and_rows_without_a_text_last() -> None:
    assert grouped("sector", best_first=True) == [("Bank", [2]), ("IT", [1, 3, 6]), (HOSTILE, [5]), ("", [4])]


def test_states_of_plans_make_groups_too() -> None:
    assert grouped("state") == [("waiting", [1]), ("", [2, 3, 4, 5, 6])]


def test_the_median_is_of_the_known_scores() -> None:
    assert [group.median_score for group in groups_of(ROWS, "sector", {}, {})] == [None, 90.0, 60.0, 99.0]


def test_a_heading_precedes_the_first_row_of_its_group_on_the_page() -> None:
    totals = Totals(2, 1_234_567 * SCALE, 9_000 * SCALE, 0, 0, Sizing(1_000_000, 10_000))
    groups = groups_of(ROWS, "sector", {}, {})
    found = headings(groups, [ROWS[2], ROWS[5], ROWS[3]], BY_NAME["sector"], 7, lambda _rows: totals)
    assert list(found) == ["NSE_EQ:3", "NSE_EQ:4"]
    assert found["NSE_EQ:3"] == (
        '<tr class="group"><th scope="rowgroup" colspan="7"><span>IT <small>3 rows, 2 on this page · median score 60.0'
        " · 2 plans shown: cost ₹12,34,567, risk ₹9,000</small></span></th></tr>\n"
    )
    assert "No sector <small>1 row · median score 99.0 · 2 plans" in found["NSE_EQ:4"]


def test_a_hostile_text_is_text() -> None:
    found = headings(groups_of(ROWS, "sector", {}, {}), [ROWS[4]], BY_NAME["sector"], 7, lambda _rows: None)
    assert "&lt;img src=x onerror=&#34;alert(1)&#34;&gt; <small>1 row</small>" in found["NSE_EQ:5"]
    assert "<img" not in found["NSE_EQ:5"]


def test_a_page_has_a_table_body_for_each_group_and_the_live_cells_of_all_rows(site: Any) -> None:
    page = site.page(f"{SWING}?group=setup,score&tab=recommendations")
    body = page[page.index('<tbody id="table"') : page.index("</table>")]
    marks = re.findall(r'<tbody|class="group"|id="i-NSE_EQ-\d+"|</tbody>', body)
    assert marks == [
        *("<tbody", 'class="group"', 'id="i-NSE_EQ-1333"', 'id="i-NSE_EQ-11536"', "</tbody>"),
        *("<tbody", 'class="group"', 'id="i-NSE_EQ-2031"', "</tbody>"),
    ]
    assert "Breakout <small>2 rows · median score 91.5</small>" in body
    assert [f'id="ltp-NSE_EQ-{number}"' in body for number in (1333, 11536, 2031)] == [True] * 3
    assert "in groups by Setup" in page
    assert "/stream?tab=recommendations&amp;group=setup,score&amp;run=" in page


def test_neighbours_and_files_follow_the_groups(site: Any) -> None:
    row = site.page(f"{SWING}/NSE_EQ/11536?group=setup")
    assert "<span>2 of 3</span>" in row
    assert f'href="{SWING}/NSE_EQ/2031?group=setup"' in row
    lines = list(csv.DictReader(io.StringIO(site.page(f"{SWING}.csv?group=setup&columns=ltp"))))
    assert [(line["symbol"], line["setup"]) for line in lines] == [
        ("HDFCBANK", "Breakout"),
        ("TCS", "Breakout"),
        ("M&M", "Pullback"),
    ]
    document = json.loads(site.page(f"{SWING}.json?group=setup"))
    assert document["columns"][0]["name"] == "setup"
    assert document["rows"][2]["setup"] == "Pullback"
    shown = site.page(f"{SWING}.csv?tab=recommendations&group=setup&columns=ltp,setup")
    assert shown.splitlines()[0] == "symbol,name,key,ltp,ltp_state,ltp_as_of,setup"


def test_pages_keep_their_number_of_rows(site: Any) -> None:
    site.run("swing", [Row(f"NSE_EQ:{n}", n, f"S{n}", sector="AB"[n % 2], score=50.0) for n in range(1, 61)])
    page = site.page(f"{SWING}?group=sector&size=25&page=2")
    assert len(re.findall(r'id="i-NSE_EQ-', page)) == 25
    assert "A <small>30 rows, 5 on this page" in page
    assert "B <small>30 rows, 20 on this page" in page
