from __future__ import annotations

import re
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from ltp.core.screener import Row
from ltp.web.screeners import SCREENERS


def symbols(page: str) -> list[str]:
    return [unescape(symbol) for symbol in re.findall(r'<th scope="row"><a [^>]*>([^<]+)</a>', page)]


def address(page: str, attribute: str) -> str:
    found = re.search(rf'{attribute}="([^"]+)"', page)
    assert found
    return unescape(found[1])


def streamed(site: Any, url: str) -> str:
    """Return the first event of a stream."""
    response = site.client.get(url, buffered=False)
    assert response.status_code == 200
    event = next(iter(response.response)).decode()
    response.close()
    return event


ROWS = [
    Row(f"NSE_EQ:{n}", n, f"S{n}", f"Name {n}", "Bank" if n % 2 else "Auto", score, "Base")
    for n, score in ((1, 5.0), (2, None), (3, 9.0))
]


def test_rows_come_by_rank_with_what_the_run_says(site: Any) -> None:
    page = site.page("/screeners/swing")
    assert symbols(page) == ["HDFCBANK", "M&M", "TCS"]
    assert "<td>1,650.00</td>" in page
    assert "<td>91.5</td>" in page


def test_live_cells_have_ids_keys_and_states(site: Any) -> None:
    page = site.page("/screeners/swing")
    assert '<td id="ltp-NSE_EQ-1333" data-instrument-key="NSE_EQ:1333"><b>₹1,650.35</b> <i>live</i></td>' in page
    assert '<td id="chgp-NSE_EQ-1333" data-instrument-key="NSE_EQ:1333"><b class="g">+0.63%</b></td>' in page
    assert '<td id="ltp-NSE_EQ-11536" data-instrument-key="NSE_EQ:11536"><b>–</b> <i>unknown</i></td>' in page
    ids = re.findall(r' id="([^"]+)"', page)
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("sort=symbol", ["HDFCBANK", "M&M", "TCS"]),
        ("sort=-symbol", ["TCS", "M&M", "HDFCBANK"]),
        ("sort=chgp", ["M&M", "HDFCBANK", "TCS"]),
        ("sort=-chgp", ["HDFCBANK", "M&M", "TCS"]),
        ("sort=ltp&dir=desc", ["M&M", "HDFCBANK", "TCS"]),
        ("sort=-score", ["HDFCBANK", "M&M", "TCS"]),
        ("sort=score", ["M&M", "HDFCBANK", "TCS"]),
        ("q=hdfc", ["HDFCBANK"]),
        ("q=consultancy", ["TCS"]),
        ("q=auto", ["M&M"]),
        ("setup=breakout", ["HDFCBANK", "TCS"]),
        ("setup=breakout&q=tata", ["TCS"]),
    ],
)
def test_the_url_decides_which_rows_and_in_which_order(site: Any, query: str, expected: list[str]) -> None:
    assert symbols(site.page(f"/screeners/swing?{query}")) == expected


def test_no_match_says_so_and_offers_the_way_back(site: Any) -> None:
    page = site.page("/screeners/swing?q=zzz&sort=-chg")
    assert "No row matches" in page
    assert 'id="none" href="/screeners/swing?sort=-chg"' in page


def test_columns_are_those_of_the_url(site: Any) -> None:
    page = site.page("/screeners/swing?columns=volume,sector")
    assert re.findall(r'id="s-(\w+)"', page) == ["symbol", "ltp", "volume", "sector"]
    assert "12,34,567" in page
    assert ">Auto</td>" in page


def test_heads_say_the_order_and_turn_it_round(site: Any) -> None:
    page = site.page("/screeners/swing?q=a&sort=-chg&size=25")
    assert 'aria-sort="descending" class="c-chg"><a id="s-chg" href="/screeners/swing?q=a&amp;sort=chg&amp;size=25"' in page
    assert 'aria-sort="none" class="c-score"><a id="s-score" href="/screeners/swing?q=a&amp;sort=-score&amp;size=25"' in page
    assert 'aria-sort="none" class="t"><a id="s-symbol" href="/screeners/swing?q=a&amp;sort=symbol&amp;size=25"' in page


def test_the_filter_form_keeps_what_it_does_not_show(site: Any) -> None:
    page = site.page("/screeners/swing?q=a&sort=-chg&columns=ltp,volume&page=1&size=25")
    assert re.findall(r'<input type="hidden" name="(\w+)" value="([^"]+)">', page) == [
        ("sort", "-chg"),
        ("columns", "ltp,volume"),
    ]
    assert "<option selected>25</option>" in page


@pytest.mark.parametrize(
    "query", ["sort=price", "dir=up", "size=7", "page=0", "columns=x", "q=a&q=b", "live=2", "rows=x", "q=" + "x" * 201]
)
def test_a_bad_value_is_one_sentence_that_names_it(site: Any, query: str) -> None:
    for path in ("/screeners/swing", "/screeners/swing/stream", "/screeners/swing/poll"):
        answer = site.client.get(f"{path}?{query}")
        assert answer.status_code == 400
        assert f"{query.partition('=')[0]}: " in unescape(answer.text)
        assert "not accepted" in answer.text


def test_an_unknown_screener_is_a_404(site: Any) -> None:
    for path in ("", "/stream", "/poll"):
        assert site.client.get(f"/screeners/nope{path}").status_code == 404


def test_a_built_in_screener_without_results_says_so(site: Any) -> None:
    assert "no results yet" in site.page("/screeners/longterm")
    site.page("/screeners/longterm/poll")


def test_a_sample_is_headed_so(site: Any) -> None:
    assert "sample" not in site.page("/screeners/swing").lower()
    site.run("longterm", ROWS, sample=True)
    assert '<span class="sample">sample</span>' in site.page("/screeners/longterm")


def test_a_page_asks_for_what_it_shows(site: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    held = site.app.extensions["ltp"]
    object.__setattr__(held, "demand", asked.extend)
    site.page("/screeners/swing?q=tcs")
    assert asked == ["NSE_EQ:11536"]


def test_the_stream_carries_the_rows_and_columns_of_the_page(site: Any) -> None:
    page = site.page("/screeners/swing?q=hdfc&columns=ltp,volume")
    event = streamed(site, address(page, "hx-sse:connect"))
    assert set(re.findall(r'<hx-partial id="([^"]+)"', event)) - {"beat", "status"} == {"ltp-NSE_EQ-1333", "volume-NSE_EQ-1333"}


def test_first_paint_and_stream_draw_the_same_cells(site: Any) -> None:
    page = site.page("/screeners/swing")
    event = streamed(site, "/screeners/swing/stream")
    painted = dict(re.findall(r'<td id="([^"]+)"[^>]*>(.*?)</td>', page))
    sent = dict(re.findall(r'<hx-partial id="([^"]+)">(.*?)</hx-partial>', event))
    assert painted
    assert painted == {name: markup for name, markup in sent.items() if name in painted}


def test_the_stream_of_an_open_page_goes_on_with_its_rows_after_the_next_run(site: Any) -> None:
    page = site.page("/screeners/swing")
    site.run("swing", ROWS)
    event = streamed(site, address(page, "hx-sse:connect"))
    assert "ltp-NSE_EQ-1333" in event
    assert "ltp-NSE_EQ-1333" not in streamed(site, "/screeners/swing/stream")


def test_a_run_of_another_screener_is_not_shown_under_this_one(site: Any) -> None:
    run_id = site.run("longterm", ROWS)
    assert "ltp-NSE_EQ-1333" in streamed(site, f"/screeners/swing/stream?run={run_id}")
    assert "ltp-NSE_EQ-1333" in streamed(site, "/screeners/swing/stream?run=999")


def test_where_prices_decide_which_rows_a_page_has_its_stream_names_them(site: Any) -> None:
    site.run("swing", [Row(f"NSE_EQ:{n}", n, f"S{n}") for n in range(1, 31)])
    for n in range(1, 31):
        site.market.price(f"NSE_EQ:{n}", n * 10_000)
    page = site.page("/screeners/swing?sort=-ltp&size=25&page=2")
    connect = parse_qs(urlsplit(address(page, "hx-sse:connect")).query)
    assert connect["rows"] == ["1,2,3,4,5"]
    site.market.price("NSE_EQ:1", 10_000_000)
    event = streamed(site, address(page, "hx-sse:connect"))
    assert set(re.findall(r'id="ltp-NSE_EQ-(\d+)"', event)) == {"1", "2", "3", "4", "5"}
    assert "rows=" not in address(site.page("/screeners/swing?sort=-symbol&size=25"), "hx-sse:connect")


def test_pages_follow_one_another(site: Any) -> None:
    site.run("swing", [Row(f"NSE_EQ:{n}", n, f"S{n}") for n in range(1, 61)])
    page = site.page("/screeners/swing?size=25&page=2")
    assert symbols(page)[0] == "S26"
    assert "26–50 of 60" in page
    assert 'rel="prev" href="/screeners/swing?size=25"' in page
    assert 'rel="next" href="/screeners/swing?size=25&amp;page=3"' in page
    assert symbols(site.page("/screeners/swing?size=25&page=99"))[0] == "S51"


def test_a_warm_page_asks_the_database_nothing(site: Any) -> None:
    site.page("/screeners/swing")
    site.engine.dispose()
    site.catalog._engine = None  # whoever asks now fails
    for url in ("/", "/screeners/swing?sort=-chg", "/screeners/swing/poll", "/instruments/NSE_EQ/1333", "/instruments?q=hd"):
        site.page(url)


def test_chooser_links_toggle_one_column_and_stay_open_while_used(site: Any) -> None:
    page = site.page("/screeners/swing?columns=ltp,volume")
    assert 'id="c-volume" href="/screeners/swing?columns=ltp"' in page
    assert 'id="c-chg" href="/screeners/swing?columns=ltp,chg,volume"' in page
    assert '<details class="columns">' in page
    assert '<details class="columns" open>' in site.client.get("/screeners/swing", headers={"HX-Source": "a#c-chg"}).text


def test_choosing_the_screeners_own_columns_is_the_plain_address(site: Any) -> None:
    own = [name for name in SCREENERS["swing"].columns if name != "target"]
    assert 'id="c-target" href="/screeners/swing"' in site.page(f"/screeners/swing?columns={','.join(own)}")
