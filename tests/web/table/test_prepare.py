from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

from ltp.core.screener import Row, Run
from ltp.web.screens.catalogue import custom_screener
from ltp.web.table.prepare import Table, live_cells, prepare
from ltp.web.table.screen_query import ScreenQuery

CARRIED = (("c", "rsi > 60"), ("universe", "all"))
ROWS = tuple(
    Row(f"NSE_EQ:{n}", n, f"S{n}", setup="READY", score=float(n), entry=n * 10_000) for n in range(1, 61)
)
RUN = Run(9, "custom-0123456789ab", datetime(2026, 11, 23, tzinfo=UTC), False, "", ROWS, date(2026, 11, 23))
MINE = custom_screener(RUN.kind, "Mine")


def prepared(site: Any, run: Run | None = RUN, **query: Any) -> Table:
    with site.app.test_request_context("/"):
        return prepare(MINE, run, ScreenQuery(**query), "/screeners/custom", CARRIED)


def test_carried_parameters_stay_in_each_link_form_and_stream(site: Any) -> None:
    table = prepared(site, q="S1", page=1)
    own = "/screeners/custom?c=rsi+%3E+60&universe=all"
    links = (
        [heading.url for heading in table.headings]
        + [each.url for each in table.column_form.sets]
        + [tab.url for tab in table.tabs]
    )
    assert all(
        url.startswith(own)
        for url in [*links, table.url(page=2), table.pause_url, *(each.url for each in table.setups)]
    )
    assert table.hidden[:2] == CARRIED
    assert table.live
    assert table.live.stream == "/screeners/custom/stream?c=rsi+%3E+60&universe=all&q=S1&run=9"
    assert table.file("csv") == "/screeners/custom.csv?c=rsi+%3E+60&universe=all&q=S1"


def test_before_the_first_run_the_table_is_empty(site: Any) -> None:
    table = prepared(site, run=None)
    assert (table.listing.rows, table.body, table.setups) == ((), "", ())
    with site.app.test_request_context("/"):
        assert live_cells(MINE, None, ScreenQuery()) == ([], [])


def test_the_stream_has_the_rows_and_the_live_columns_of_the_run(site: Any) -> None:
    with site.app.test_request_context("/"):
        keys, columns = live_cells(
            MINE,
            RUN,
            ScreenQuery(
                size=25, page=2, tab="recommendations", columns=("ltp", "setup", "state", "to_entry")
            ),
        )
        assert keys == [f"NSE_EQ:{n}" for n in range(26, 51)]
        assert columns == ["ltp", "state@9", "to_entry@9"]
        assert live_cells(MINE, RUN, ScreenQuery(rows=(3, 60)))[0] == ["NSE_EQ:3", "NSE_EQ:60"]


def test_hidden_fields_have_the_parameters_without_a_visible_field(site: Any) -> None:
    table = prepared(site, q="S", setup="READY", sector="IT", size=25, page=1, sort="score", descending=True)
    assert table.hidden[2:] == (("setup", "READY"), ("sort", "-score"))
    assert table.filtered
    assert not prepared(site).filtered
