"""Capital and risk of a view, on the page, in its files and on a row's page."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

import pytest

from ltp.core.screener import Row
from ltp.web.table import rows

DAY = date(2026, 11, 20)
PLANS = [  # 1,600 - 1,550 and 3,000 - 2,850
    Row("NSE_EQ:1333", 1, "HDFCBANK", setup="READY", entry=16_000_000, stop=15_500_000, quantity=156, risk=78_000_000),
    Row("NSE_EQ:2031", 2, "M&M", setup="READY", entry=30_000_000, stop=28_500_000, quantity=66, risk=99_000_000),
    Row("NSE_EQ:11536", 3, "TCS", setup="NOT_READY"),
]  # fmt: skip
TAB = "/screeners/swing?tab=recommendations"


@pytest.fixture(autouse=True)
def run(site: Any) -> None:
    site.run("swing", PLANS, as_of=DAY, universe="nifty50", evaluated=50)


def quantities(page: str) -> list[str]:
    return re.findall(r"<td>(\d+)</td><td>[\d,]+</td></tr>", page)


def totals(page: str) -> str:
    found = re.search(r'<p class="totals" id="totals">(.*?)</p>', page, re.DOTALL)
    assert found
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", found[1])).strip()


def test_a_page_shows_capital_and_risk_with_the_cost_of_its_plans(site: Any) -> None:
    page = site.page(TAB)
    assert quantities(page) == ["156", "66"]
    assert (
        'name="capital" inputmode="numeric" maxlength="20" autocomplete="off" value="" placeholder="10,00,000"'
        in page
    )
    assert (
        'name="risk" inputmode="numeric" maxlength="20" autocomplete="off" value="" placeholder="10,000"'
        in page
    )
    assert totals(page) == "2 plans shown cost ₹4,47,600, 44.8% of the capital; open risk ₹17,700, 1.8%."
    assert 'id="totals"' not in site.page("/screeners/swing")


def test_a_view_has_a_capital_and_a_risk_of_its_own(site: Any) -> None:
    page = site.page(f"{TAB}&capital=200000&risk=1500")
    assert quantities(page) == ["30", "10"]  # 1,500 / 50; 1,500 / 150
    assert totals(page) == "2 plans shown cost ₹78,000, 39.0% of the capital; open risk ₹3,000, 1.5%."
    assert 'value="2,00,000"' in page
    assert 'href="/screeners/swing/NSE_EQ/1333?tab=recommendations&amp;capital=200000&amp;risk=1500"' in page
    assert 'id="t-candidates" href="/screeners/swing?capital=200000&amp;risk=1500"' in page
    assert quantities(site.page(TAB)) == ["156", "66"]


def test_a_cost_above_the_capital_is_marked_and_plans_without_a_share_are_counted(site: Any) -> None:
    site.run(
        "swing", [PLANS[0]._replace(key=f"NSE_EQ:{n}", rank=n) for n in range(1, 6)], as_of=DAY, evaluated=50
    )
    assert '<b class="w">124.8% of the capital</b>' in site.page(TAB)
    assert (
        totals(site.page(f"{TAB}&risk=49"))
        == "No plan shown can be bought. For 5, not even one share fits the capital and the risk."
    )


def test_a_plan_that_has_ended_is_not_in_the_cost(site: Any, wait_for: Any) -> None:
    site.market.price("NSE_EQ:1333", 15_400_000, low=15_390_000, high=16_100_000)
    site.market.publish(["NSE_EQ:1333"])
    wait_for(lambda: "1 that ended is not counted" in totals(site.page(TAB)))
    assert totals(site.page(TAB)).startswith(
        "1 plan shown cost ₹1,98,000, 19.8% of the capital; open risk ₹9,900, 1.0%."
    )


@pytest.mark.parametrize("sort", ["quantity", "-quantity", "risk", "-allocation"])
def test_a_rows_page_has_its_place_in_an_order_by_size(site: Any, sort: str) -> None:
    for sizes in ("", "&capital=200000&risk=60000", "&capital=20000&risk=100"):
        address = f"{TAB}&sort={sort}{sizes}"
        listed = re.findall(r'id="i-NSE_EQ-(\d+)"', site.page(address))
        query = address.partition("?")[2]
        pages = [site.page(f"/screeners/swing/NSE_EQ/{each}?{query}") for each in listed]
        assert re.findall(r'class="around"[^>]*><span>(\d of \d)<', "".join(pages)) == [
            "1 of 3",
            "2 of 3",
            "3 of 3",
        ]


def test_the_order_by_quantity_follows_the_capital_of_the_view(site: Any) -> None:
    site.run("swing", [PLANS[0], PLANS[1]._replace(entry=3_000_000, stop=2_900_000)], as_of=DAY, evaluated=50)

    def symbols(query: str) -> list[str]:
        return re.findall(r'id="i-\w+-\d+">([^<]+)</a>', site.page(f"{TAB}&sort=-quantity{query}"))

    assert symbols("&capital=100000&risk=10000") == [
        "M&amp;M",
        "HDFCBANK",
    ]  # 83 of 25,000 / 300; 15 of 25,000 / 1,600
    assert symbols("&capital=10000000&risk=10000") == ["M&amp;M", "HDFCBANK"]
    assert symbols("&capital=1000&risk=10000") == ["HDFCBANK", "M&amp;M"]  # not one of either, so by rank


def test_files_have_the_quantities_of_the_view(site: Any) -> None:
    query = "tab=recommendations&capital=200000&risk=1500&columns=quantity,risk"
    assert site.client.get(f"/screeners/swing.csv?{query}").text.splitlines()[1].endswith(",30,1500.0")
    document = site.client.get(f"/screeners/swing.json?{query}").json
    assert document["sizing"] == {
        "capital": 200000, "risk_per_trade": 1500, "plans": 2, "cost": 78000, "cost_pct": 39.0, "open_risk": 3000,
        "open_risk_pct": 1.5, "ended": 0, "without_quantity": 0,
    }  # fmt: skip
    assert site.client.get("/screeners/swing.json").json["sizing"] is None


def test_a_rows_page_is_sized_as_its_table_was(site: Any) -> None:
    page = site.page("/screeners/swing/NSE_EQ/1333?capital=200000&risk=1500")
    assert "<dt>Qty</dt><dd>30</dd>" in page
    assert "Sized for a capital of ₹2,00,000 and ₹1,500 lost a trade at most" in page
    assert 'href="/screeners/swing?capital=200000&amp;risk=1500#i-NSE_EQ-1333" id="b-rows"' in page
    assert "<dt>Qty</dt><dd>156</dd>" in site.page("/screeners/swing/NSE_EQ/1333")


def test_an_imported_list_keeps_its_own_quantities_until_a_view_names_a_capital(site: Any) -> None:
    site.run("swing", [PLANS[0]._replace(quantity=7, risk=3_500_000)])
    assert quantities(site.page(TAB)) == ["7"]
    assert quantities(site.page(f"{TAB}&capital=1000000")) == ["156"]


@pytest.mark.parametrize(
    ("query", "accepted"),
    [
        ("capital=x", "whole rupees from 1,000 to 1,00,00,00,00,000"),
        ("capital=999", "whole rupees from 1,000"),
        ("capital=1e9", "whole rupees"),
        ("capital=١٠٠٠٠", "whole rupees"),
        ("risk=0", "whole rupees from 1 to 10,00,00,00,000"),
        ("risk=-5", "whole rupees"),
        ("risk=1.5", "whole rupees"),
        ("capital=5000&capital=6000", "it may be given once"),
    ],
)
def test_a_bad_amount_is_refused(site: Any, query: str, accepted: str) -> None:
    assert accepted in site.page(f"{TAB}&{query}", 400)
    assert site.client.get(f"/screeners/swing/NSE_EQ/1333?{query}").status_code == 400


def test_commas_are_accepted_and_an_empty_field_is_the_default(site: Any) -> None:
    typed = site.client.get(f"{TAB}&capital=2,00,000")
    assert (typed.status_code, typed.headers["Location"]) == (303, f"{TAB}&capital=200000")
    assert "2,00,000" in site.page(f"{TAB}&capital=200000")
    answer = site.client.get(f"{TAB}&capital=&risk=")
    assert (answer.status_code, answer.headers["Location"]) == (303, TAB)


def test_rows_of_one_view_are_not_cached(site: Any) -> None:
    site.page(TAB)
    before = rows._static_parts.cache_info().currsize
    assert before > 0
    for risk in range(1_000, 1_020):
        site.page(f"{TAB}&risk={risk}")
    assert rows._static_parts.cache_info().currsize == before


def test_the_plans_have_a_note_on_their_past_results(site: Any) -> None:
    page = site.page(TAB)
    assert ">Plans</a>" in page
    assert "Recommendation" not in page
    assert "came to −0.21 R on average where READY" in page
    assert "<code>python -m ltp screeners study</code>" in page
    assert "screeners study" not in site.page("/screeners/swing")
    site.run("longterm", [PLANS[0]], as_of=DAY, evaluated=50)
    assert "The long-term plans were not tested on past prices" in site.page("/screeners/longterm?tab=plans")


def test_the_tab_has_two_names_in_addresses(site: Any) -> None:
    assert quantities(site.page("/screeners/swing?tab=plans")) == quantities(site.page(TAB)) == ["156", "66"]
    assert site.client.get("/screeners/swing.json?tab=plans").json["tab"] == "recommendations"
