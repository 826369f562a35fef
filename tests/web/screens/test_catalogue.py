from __future__ import annotations

from typing import Any

import pytest

from ltp.core.criteria.spec import Spec
from ltp.core.screener import Row
from ltp.db import saved_screens
from ltp.web.screens.catalogue import SCREENERS, custom_screener
from ltp.web.table.columns import BY_NAME, CANDIDATES, RECOMMENDATIONS
from ltp.web.table.screener import in_table_order


@pytest.mark.parametrize("screener", SCREENERS.values(), ids=lambda screener: screener.kind)
def test_default_columns_exist_belong_to_their_tab_and_have_the_price(screener: Any) -> None:
    for tab in (CANDIDATES, RECOMMENDATIONS):
        names = screener.columns(tab)
        assert len(set(names)) == len(names)
        assert "ltp" in names
        assert all(BY_NAME[name].tab in {"", tab} for name in names)
    assert set(screener.labels) <= set(BY_NAME)


def test_columns_have_one_order() -> None:
    assert in_table_order({"rsi", "ltp", "rank"}) == ("rank", "ltp", "rsi")


def test_a_custom_screen_has_columns_for_the_facts_of_its_criteria() -> None:
    screener = custom_screener("custom-0123456789ab", "Mine", facts=("bb_pct", "nothing"))
    assert "bb_pct" in screener.candidates
    assert "nothing" not in screener.candidates
    assert screener.path == "/screeners/custom-0123456789ab"


def test_a_saved_screen_and_its_files_have_its_address(site: Any) -> None:
    screen = saved_screens.save(site.engine, "strong", "Strong & steady", Spec(("rsi > 60",)))
    site.catalog.refresh()
    assert "Strong &amp; steady" in site.page("/screeners/strong")
    run_id = site.run(screen.kind, [Row("NSE_EQ:1333", 1, "HDFCBANK", score=5.0)])
    page = site.page("/screeners/strong")
    assert 'id="s-score" href="/screeners/strong?sort=-score"' in page
    assert f'href="/screeners/{screen.kind}/NSE_EQ/1333"' in page
    assert site.client.get("/screeners/strong.json").json["screener"] == "strong"
    assert "HDFCBANK" in site.page(f"/screeners/{screen.kind}?run={run_id}")
    assert "rank 1 of 1" in site.page(f"/screeners/{screen.kind}/NSE_EQ/1333")


def test_a_kind_without_runs_is_a_404(site: Any) -> None:
    for slug in ("custom-0123456789ab", "CUSTOM", "swing2", "%00"):
        site.page(f"/screeners/{slug}", 404)
