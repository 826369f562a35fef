from __future__ import annotations

import csv
import io
import re
from datetime import date, datetime, timedelta
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from ltp.core.bars.bar import Bar
from ltp.core.screener import Outcome, Row
from ltp.core.ticks.tick import Tick
from ltp.core.trading_day import IST
from ltp.db import minute_bars


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


def test_rows_are_in_order_of_rank_with_the_facts_of_the_run(site: Any) -> None:
    page = site.page("/screeners/swing")
    assert symbols(page) == ["HDFCBANK", "M&M", "TCS"]
    assert "<td>91.5</td>" in page
    page = site.page("/screeners/swing?tab=recommendations")
    assert symbols(page) == ["HDFCBANK", "M&M", "TCS"]
    assert "<td>1,650.00</td>" in page


def test_live_cells_have_ids_keys_and_states(site: Any) -> None:
    page = site.page("/screeners/swing")
    assert (
        '<span id="ltp-NSE_EQ-1333" data-instrument-key="NSE_EQ:1333" hx-ignore><b>₹1,650.35</b> <i>live</i></span></td>'
        in page
    )
    assert (
        '<span id="chgp-NSE_EQ-1333" data-instrument-key="NSE_EQ:1333" hx-ignore><b class="g">+0.63%</b></span></td>'
        in page
    )
    assert (
        '<span id="ltp-NSE_EQ-11536" data-instrument-key="NSE_EQ:11536" hx-ignore><b>–</b> <i>unknown</i></span></td>'
        in page
    )
    ids = re.findall(r' id="([^"]+)"', page)
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("sort=symbol", ["HDFCBANK", "M&M", "TCS"]),
        ("sort=-symbol", ["TCS", "M&M", "HDFCBANK"]),
        ("sort=chgp", ["M&M", "HDFCBANK", "TCS"]),
        ("sort=-chgp", ["HDFCBANK", "M&M", "TCS"]),
        ("sort=-ltp", ["M&M", "HDFCBANK", "TCS"]),
        ("sort=-score", ["HDFCBANK", "M&M", "TCS"]),
        ("sort=score", ["M&M", "HDFCBANK", "TCS"]),
        ("q=hdfc", ["HDFCBANK"]),
        ("q=consultancy", ["TCS"]),
        ("q=auto", ["M&M"]),
        ("setup=breakout", ["HDFCBANK", "TCS"]),
        ("setup=breakout&q=tata", ["TCS"]),
    ],
)
def test_the_url_selects_and_orders_the_rows(site: Any, query: str, expected: list[str]) -> None:
    assert symbols(site.page(f"/screeners/swing?{query}")) == expected


def test_no_match_has_a_text_and_a_link_to_all_rows(site: Any) -> None:
    page = site.page("/screeners/swing?q=zzz&sort=-chg")
    assert "No row matches" in page
    assert 'id="none" href="/screeners/swing?sort=-chg"' in page


def test_columns_are_those_of_the_url(site: Any) -> None:
    page = site.page("/screeners/swing?columns=volume,sector")
    assert re.findall(r'id="s-(\w+)"', page) == ["symbol", "ltp", "volume", "sector"]
    assert "12,34,567" in page
    assert ">Auto</td>" in page


def test_heads_show_the_order_and_reverse_it(site: Any) -> None:
    page = site.page("/screeners/swing?q=a&sort=-chgp&size=25")
    assert (
        'aria-sort="descending" class="c-chgp"><a id="s-chgp" href="/screeners/swing?q=a&amp;sort=chgp&amp;size=25"'
        in page
    )
    assert 'aria-sort="none" class="c-rank"><a id="s-rank" href="/screeners/swing?q=a&amp;size=25"' in page
    assert (
        'aria-sort="none" class="c-score"><a id="s-score" href="/screeners/swing?q=a&amp;sort=-score&amp;size=25"'
        in page
    )
    assert (
        'aria-sort="none" class="t"><a id="s-symbol" href="/screeners/swing?q=a&amp;sort=symbol&amp;size=25"'
        in page
    )


def test_the_filter_form_has_hidden_fields_for_the_rest_of_the_query(site: Any) -> None:
    page = site.page("/screeners/swing?q=a&sort=-chg&columns=ltp,volume&size=25")
    page = page[: page.index('class="panels"')]
    assert re.findall(r'<input type="hidden" name="(\w+)" value="([^"]+)">', page) == [
        ("sort", "-chg"),
        ("columns", "ltp,volume"),
    ]
    assert "<option selected>25</option>" in page


@pytest.mark.parametrize(
    "query",
    [
        "sort=setup",
        "tab=plan",
        "columns=ltp,r_now",
        "dir=up",
        "size=7",
        "page=0",
        "columns=x",
        "q=a&q=b",
        "live=2",
        "rows=x",
        "q=" + "x" * 201,
    ],
)
def test_a_bad_value_is_refused_by_the_name_of_its_parameter(site: Any, query: str) -> None:
    for path in ("/screeners/swing", "/screeners/swing/stream", "/screeners/swing/poll"):
        answer = site.client.get(f"{path}?{query}")
        assert answer.status_code == 400
        assert f"{query.partition('=')[0]}: " in unescape(answer.text)
        assert "not accepted" in answer.text


def test_an_unknown_screener_is_a_404(site: Any) -> None:
    for path in ("", "/stream", "/poll"):
        assert site.client.get(f"/screeners/nope{path}").status_code == 404


def test_a_built_in_screener_without_results_has_a_page(site: Any) -> None:
    assert "no results yet" in site.page("/screeners/longterm")
    site.page("/screeners/longterm/poll")


def test_a_sample_is_marked(site: Any) -> None:
    assert "sample" not in site.page("/screeners/swing").lower()
    site.run("longterm", ROWS, sample=True)
    assert '<span class="sample">sample</span>' in site.page("/screeners/longterm")


def test_a_page_demands_the_prices_of_its_rows(site: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    demanded: list[str] = []
    shared = site.app.extensions["ltp"]
    object.__setattr__(shared, "demand", demanded.extend)
    site.page("/screeners/swing?q=tcs")
    assert demanded == ["NSE_EQ:11536"]


def test_the_stream_has_the_rows_and_columns_of_the_page(site: Any) -> None:
    page = site.page("/screeners/swing?q=hdfc&columns=ltp,volume")
    event = streamed(site, address(page, "hx-sse:connect"))
    assert set(re.findall(r'<hx-partial id="([^"]+)"', event)) - {"beat", "status"} == {
        "ltp-NSE_EQ-1333",
        "volume-NSE_EQ-1333",
    }


def test_first_paint_and_stream_render_the_same_cells(site: Any) -> None:
    page = site.page("/screeners/swing?tab=recommendations")
    event = streamed(site, "/screeners/swing/stream?tab=recommendations")
    painted = dict(re.findall(r'<td class="[^"]*"><span id="([^"]+)"[^>]*>(.*?)</span></td>', page))
    sent = dict(re.findall(r'<hx-partial id="([^"]+)">(.*?)</hx-partial>', event))
    assert {"state-NSE_EQ-1333", "to_entry-NSE_EQ-1333", "r_now-NSE_EQ-1333", "ltp-NSE_EQ-1333"} <= set(
        painted
    )
    assert painted == {name: markup for name, markup in sent.items() if name in painted}


def of_today(site: Any, hours: float, ltp: int) -> None:
    """Publish a price of today that was traded `hours` after midnight."""
    midnight = datetime.now(IST).replace(hour=0, minute=0, second=0, microsecond=0)
    now, at = int(datetime.now(IST).timestamp() * 1e6), int(midnight.timestamp() + hours * 3_600)
    session = midnight.date().isoformat()
    site.market.ticks["NSE_EQ:1333"] = Tick(
        "NSE_EQ:1333", ltp, at, now, traded_at=at * 10**6, session=session, prev_close=16_400_000
    )
    site.market.publish(["NSE_EQ:1333"])


def test_the_line_of_today_is_painted_and_goes_on_in_the_event_of_its_price(site: Any, wait_for: Any) -> None:
    midnight = int(datetime.now(IST).replace(hour=0, minute=0, second=0, microsecond=0).timestamp())
    bars = [
        Bar(midnight + at * 3_600, price, price, price, price, 1)
        for at, price in ((1, 16_000_000), (2, 16_450_000))
    ]
    minute_bars.upsert(site.engine, {"NSE_EQ:1333": bars})
    columns = "columns=ltp,spark_day"
    assert (
        '<span id="spark_day-NSE_EQ-2031" data-instrument-key="NSE_EQ:2031" hx-ignore>–</span>'
        in site.page(f"/screeners/swing?{columns}")
    )
    of_today(site, 3, 16_503_500)
    wait_for(lambda: "Today to 02:00" in site.page(f"/screeners/swing?{columns}"))
    page = site.page(f"/screeners/swing?{columns}&q=hdfc")
    label = "Today to 02:00: low 1,600.00, high 1,645.00, last 1,645.00"
    [painted] = re.findall(
        r'<span id="spark_day-NSE_EQ-1333"[^>]*>(<svg class="spark g".*?</svg>)</span>', page
    )
    assert f'role="img" aria-label="{label}"' in painted
    response = site.client.get(address(page, "hx-sse:connect"), buffered=False)
    events = iter(response.response)
    assert f'<hx-partial id="spark_day-NSE_EQ-1333">{painted}</hx-partial>' in next(events).decode()
    of_today(site, 3.001, 16_510_000)  # within the minute
    event = next(each.decode() for each in events if "1,651.00" in each.decode())
    assert "spark_day" not in event
    of_today(site, 4, 16_520_000)
    event = next(each.decode() for each in events if "1,652.00" in each.decode())
    response.close()
    assert "Today to 03:00: low 1,600.00, high 1,651.00, last 1,651.00" in event
    assert 'aria-label="Today to 03:00' in site.page("/screeners/swing?columns=ltp,spark_day")


def test_the_line_of_today_is_a_column_of_both_tabs_and_of_files(site: Any) -> None:
    for tab in ("", "tab=recommendations&"):
        page = site.page(f"/screeners/swing?{tab}columns=ltp,spark_day&sort=-spark_day")
        assert 'aria-sort="descending"' in page
    rows = list(csv.DictReader(io.StringIO(site.client.get("/screeners/swing.csv?columns=spark_day").text)))
    assert [row["spark_day"] for row in rows] == ["0.57", "", ""]  # 1,650.35 after 1,641.00


def test_the_stream_of_an_open_page_keeps_its_rows_after_the_next_run(site: Any) -> None:
    page = site.page("/screeners/swing")
    site.run("swing", ROWS)
    event = streamed(site, address(page, "hx-sse:connect"))
    assert "ltp-NSE_EQ-1333" in event
    assert "ltp-NSE_EQ-1333" not in streamed(site, "/screeners/swing/stream")


def test_a_run_of_another_screener_is_not_shown_under_this_one(site: Any) -> None:
    run_id = site.run("longterm", ROWS)
    assert "ltp-NSE_EQ-1333" in streamed(site, f"/screeners/swing/stream?run={run_id}")
    assert "ltp-NSE_EQ-1333" in streamed(site, "/screeners/swing/stream?run=999")


def test_in_an_order_of_prices_the_stream_names_the_rows(site: Any) -> None:
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


def test_pages_have_links_to_the_next_and_the_previous(site: Any) -> None:
    site.run("swing", [Row(f"NSE_EQ:{n}", n, f"S{n}") for n in range(1, 61)])
    page = site.page("/screeners/swing?size=25&page=2")
    assert symbols(page)[0] == "S26"
    assert "26–50 of 60" in page
    assert 'rel="prev" href="/screeners/swing?size=25"' in page
    assert 'rel="next" href="/screeners/swing?size=25&amp;page=3"' in page


def test_a_page_past_the_last_is_refused(site: Any) -> None:
    site.run("swing", [Row(f"NSE_EQ:{n}", n, f"S{n}") for n in range(1, 61)])
    refused = site.page("/screeners/swing?size=25&page=99&sort=-symbol", 400)
    assert "page: &#39;99&#39; is not accepted; there are 3 pages" in refused
    assert 'id="without" href="/screeners/swing?size=25&amp;sort=-symbol"' in refused
    assert (
        site.client.get("/screeners/swing.json?page=2&q=s1&size=25")
        .json["detail"]
        .endswith("there is 1 page")
    )
    assert site.client.get("/screeners/swing.csv?page=4&size=25").status_code == 400
    # The stream of an open page continues, however many rows the next run has.
    assert site.client.get("/screeners/swing/poll?page=99&size=25").status_code == 200


@pytest.mark.parametrize(
    ("given", "short"),
    [
        ("?tab=plans&capital=5,00,000&risk=₹2,500", "?tab=recommendations&capital=500000&risk=2500"),
        ("?q=bank&sector=&size=50", "?q=bank"),
        ("?q=&setup=&sector=&size=50", ""),
        ("?sort=ltp&dir=desc", "?sort=-ltp"),
        ("?tab=candidates&sort=rank&page=1&live=1", ""),
        ("?live=0&q=+&size=25", "?size=25&live=0"),
        ("?rows=1,2&run=1", "?run=1"),
    ],
)
def test_a_form_redirects_to_the_shortest_address(site: Any, given: str, short: str) -> None:
    answer = site.client.get(f"/screeners/swing{given}")
    assert (answer.status_code, answer.headers["Location"]) == (303, f"/screeners/swing{short}")
    assert site.client.get(f"/screeners/swing{short}").status_code == 200


def test_the_shortest_address_may_have_marks_unknown_parameters_and_any_order(site: Any) -> None:
    for query in ("sort=-chg&q=a", "q=a&sort=-chg", "q=a&utm_source=x", "q=a&saved=1&asked=", ""):
        site.page(f"/screeners/swing?{query}")
    file = site.client.get("/screeners/swing.csv?q=&size=50")
    assert file.status_code == 200


def test_the_redirect_to_the_shortest_address_keeps_the_mark(site: Any) -> None:
    marked = site.client.post("/screeners/swing/run?q=", headers={"Sec-Fetch-Site": "same-origin"}).headers[
        "Location"
    ]
    answer = site.client.get(marked)
    assert answer.status_code == 303
    assert answer.headers["Location"] == marked.replace("?q=&", "?")


@pytest.mark.parametrize(
    ("url", "title"),
    [
        ("/screeners/swing", "Swing candidates"),
        (
            "/screeners/swing?tab=recommendations&setup=READY&sector=Bank&sort=-r",
            "Swing plans · Ready · Bank · by R plan",
        ),
        ("/screeners/swing?setup=waiting&q=a+b", "Swing candidates · Waiting · “a b”"),
        (
            "/screeners/swing?setup=WAIT_BREAKOUT&sort=score",
            "Swing candidates · WAIT BREAKOUT · by Score from the lowest",
        ),
        ("/screeners/swing?sort=-symbol", "Swing candidates · by symbol from Z"),
        ("/screeners/swing?sort=-rank&run=1", "Swing candidates · from the last rank · run 1"),
        (
            "/screeners/longterm?tab=recommendations&sort=stop",
            "Long-term plans · by Invalidation from the lowest",
        ),
        ("/screeners/swing?q=<b>", "Swing candidates · “&lt;b&gt;”"),
    ],
)
def test_the_title_describes_the_query(site: Any, url: str, title: str) -> None:
    assert f"<title>{title} · LTP</title>" in site.page(url)


@pytest.mark.parametrize(
    ("url", "canonical"),
    [
        ("/screeners/swing?live=0&sort=-chg&q=a", "/screeners/swing?q=a&amp;sort=-chg"),
        ("/screeners/swing", "/screeners/swing"),
        ("/screeners/swing/NSE_EQ/1333?run=1&live=0", "/screeners/swing/NSE_EQ/1333?run=1"),
        ("/?live=0", "/"),
        ("/instruments?q=hd+x", "/instruments?q=hd+x"),
    ],
)
def test_each_page_has_its_canonical_address(site: Any, url: str, canonical: str) -> None:
    page = site.page(url)
    assert f'<link rel="canonical" href="{canonical}">' in page
    assert page.count('rel="canonical"') == 1


@pytest.mark.parametrize(
    ("given", "location"),
    [
        ("/screeners/swing/", "/screeners/swing"),
        ("/screeners/", "/screeners"),
        ("/screeners/swing//?q=a,b&q=c", "/screeners/swing?q=a,b&q=c"),
        ("/screeners/swing/NSE_EQ/1333/", "/screeners/swing/NSE_EQ/1333"),
        ("/api/v1/current_prices/?keys=NSE_EQ:1333", "/api/v1/current_prices?keys=NSE_EQ%3A1333"),
    ],
)
def test_a_slash_at_the_end_redirects_to_the_page(site: Any, given: str, location: str) -> None:
    answer = site.client.get(given)
    assert (answer.status_code, answer.headers["Location"]) == (308, location)


@pytest.mark.parametrize(
    "path", ["//evil.example/", "/\\evil.example/", "/nope/", "//evil.example//", "/screeners/swing/NSE_EQ/"]
)
def test_a_slash_at_the_end_never_redirects_to_another_site(site: Any, path: str) -> None:
    answer = site.client.get("/", environ_overrides={"PATH_INFO": path})
    assert urlsplit(answer.headers.get("Location", "")).netloc in {"", "localhost"}
    if answer.status_code == 308:  # repeated slashes are merged first
        answer = site.client.get(answer.headers["Location"])
    assert answer.status_code == 404


def test_a_warm_page_sends_no_sql(site: Any) -> None:
    site.page("/screeners/swing")
    site.engine.dispose()
    site.catalog._engine = None  # a query would raise
    for url in (
        "/",
        "/screeners/swing?sort=-chg",
        "/screeners/swing/poll",
        "/instruments/NSE_EQ/1333",
        "/instruments?q=hd",
    ):
        site.page(url)


DAY = date(2026, 11, 20)
PLANNED = Row(
    "NSE_EQ:1333", 1, "HDFCBANK", "HDFC Bank Limited", "Bank", 86.9, "WAIT_PULLBACK", 16_500_000, 15_900_000, 17_900_000,
    "The price is above the EMA 20.", 16_400_000, 16_550_000, 14, 84_000_0000, "A close below the EMA 50",
    base_score=86.0, mtf_score=88.1, facts={"rsi": 63.44, "trend": "up", "dist_ema20": -1.2},
    criteria=(Outcome("ADX strong", False, 17.5, "> 20", -2.5), Outcome("Trend", True, 1.0)), spark=(1.0, 2.0),
    flags=("Split not confirmed.",),
)  # fmt: skip
SHARE = PLANNED._replace(
    key="NSE_EQ:2031",
    rank=2,
    symbol="=M&M",
    setup="NOT_READY",
    entry=None,
    stop=None,
    target=None,
    spark=(),
    entry_low=None,
    entry_high=None,
)
PLAN = "/screeners/swing?tab=recommendations"


@pytest.fixture
def computed(site: Any) -> int:
    run_id: int = site.run("swing", [PLANNED, SHARE], as_of=DAY, universe="nifty100", evaluated=100)
    return run_id


def heads(page: str) -> list[str]:
    return re.findall(r'<th scope="col"[^>]*><a id="s-(\w+)"', page)


def test_each_tab_has_its_columns_and_a_link_to_the_other(site: Any, computed: int) -> None:
    facts, plans = heads(site.page("/screeners/swing")), heads(site.page(PLAN))
    assert facts == ["symbol", "rank", "ltp", "chgp", "volume", "score", "base_score", "mtf_score", "trend", "dist_ema20", "rsi",
                     "spark", "sector"]  # fmt: skip
    assert plans == ["symbol", "ltp", "setup", "state", "entry", "zone", "stop", "target", "to_entry", "to_stop", "to_target",
                     "r_now", "r", "quantity", "risk"]  # fmt: skip
    page = site.page("/screeners/swing?sort=-rsi&columns=rsi&q=hdfc")
    assert 'id="t-candidates" href="/screeners/swing?q=hdfc&amp;sort=-rsi" aria-current="page"' in page
    assert 'id="t-recommendations" href="/screeners/swing?tab=recommendations&amp;q=hdfc"' in page


def test_an_imported_list_has_only_columns_with_values(site: Any) -> None:
    assert heads(site.page("/screeners/swing")) == [
        "symbol",
        "rank",
        "ltp",
        "chgp",
        "volume",
        "score",
        "sector",
    ]
    plan = [
        "ltp",
        "setup",
        "state",
        "entry",
        "stop",
        "target",
        "to_entry",
        "to_stop",
        "to_target",
        "r_now",
        "r",
    ]
    assert heads(site.page(PLAN)) == ["symbol", *plan]
    site.run("longterm", ROWS)
    assert heads(site.page("/screeners/longterm?tab=recommendations")) == ["symbol", "ltp", "setup"]


def test_the_long_term_plan_has_labels_of_its_own(site: Any) -> None:
    site.run(
        "longterm",
        [PLANNED._replace(target=None, allocation_pct=9.6, allocation=96_000_0000, horizon="1 to 3 years")],
    )
    page = site.page("/screeners/longterm?tab=recommendations")
    assert ">Buy zone</a>" in page
    assert ">Invalidation</a>" in page
    assert "s-target" not in page
    assert "<td>96,000</td>" in page


def test_setups_are_links_with_counts(site: Any, computed: int) -> None:
    page = site.page(PLAN)
    assert re.findall(r'<a id="f-\d" href="([^"]+)"[^>]*>([^<]+) <small>(\d+)</small>', page) == [
        (PLAN, "All", "2"),
        (f"{PLAN}&amp;setup=READY", "Ready", "0"),
        (f"{PLAN}&amp;setup=waiting", "Waiting", "1"),
        (f"{PLAN}&amp;setup=NOT_READY", "Not ready", "1"),
    ]
    assert symbols(site.page(f"{PLAN}&setup=waiting")) == ["HDFCBANK"]
    assert symbols(site.page("/screeners/swing?setup=NOT_READY")) == ["=M&M"]
    assert symbols(site.page("/screeners/swing?sector=bank&setup=waiting")) == ["HDFCBANK"]


def test_setups_and_states_are_words(site: Any, computed: int) -> None:
    page = site.page(PLAN)
    assert '<strong class="chip wait">WAIT PULLBACK</strong>' in page
    assert 'hx-ignore><b class="z">in entry zone</b></span>' in page
    assert re.search(r'id="to_stop-NSE_EQ-1333"[^>]*>-3.66%<', page)
    assert re.search(r'id="state-NSE_EQ-2031"[^>]*>–<', page)


def test_distances_are_in_the_event_of_their_price(site: Any, computed: int, wait_for: Any) -> None:
    page = site.page(f"{PLAN}&q=hdfc")
    response = site.client.get(address(page, "hx-sse:connect"), buffered=False)
    events = iter(response.response)
    assert "in entry zone" in next(events).decode()
    site.market.price("NSE_EQ:1333", 15_890_000, prev_close=16_400_000, low=15_880_000, high=16_600_000)
    site.market.publish(["NSE_EQ:1333"])
    event = next(each.decode() for each in events if "1,589.00" in each.decode())
    response.close()
    assert '<hx-partial id="state-NSE_EQ-1333"><b class="l">stop hit</b></hx-partial>' in event
    assert '<hx-partial id="to_entry-NSE_EQ-1333">+3.84%</hx-partial>' in event
    assert '<hx-partial id="r_now-NSE_EQ-1333"><b class="l">-1.02</b></hx-partial>' in event


def test_an_order_of_distances_can_be_refreshed_by_a_link(site: Any, computed: int) -> None:
    page = site.page(f"{PLAN}&sort=-to_entry")
    assert symbols(page) == ["HDFCBANK", "=M&M"]
    assert 'id="rerank" href="/screeners/swing?tab=recommendations&amp;sort=-to_entry"' in page
    assert "rerank" not in site.page(PLAN)


def test_a_run_has_a_permanent_address(site: Any, computed: int) -> None:
    assert f'id="permalink" href="/screeners/swing?run={computed}"' in site.page("/screeners/swing")
    site.run("swing", ROWS)
    page = site.page(f"/screeners/swing?run={computed}&sort=symbol")
    assert symbols(page) == ["=M&M", "HDFCBANK"]
    assert '<time datetime="2026-11-20">20 Nov 2026</time>; it does not change' in page
    assert 'id="newest" href="/screeners/swing?sort=symbol"' in page
    assert f'href="/screeners/swing/NSE_EQ/1333?sort=symbol&amp;run={computed}"' in page
    assert f'id="s-score" href="/screeners/swing?sort=-score&amp;run={computed}"' in page
    assert f"run={computed}" in address(page, "hx-sse:connect")


def test_a_deleted_run_and_one_of_another_screener_are_a_404(site: Any) -> None:
    other = site.run("longterm", ROWS)
    for run_id in (999, other):
        assert "There is no run of the Swing screener called" in unescape(
            site.page(f"/screeners/swing?run={run_id}", 404)
        )


FILE_QUERY = "?tab=recommendations&sort=-symbol&columns=ltp,setup,state,entry,zone,to_entry"


def test_the_csv_file_has_the_rows_and_columns_of_the_page(site: Any, computed: int) -> None:
    page = site.page(f"/screeners/swing{FILE_QUERY}")
    body = site.client.get(f"/screeners/swing.csv{FILE_QUERY}")
    assert body.content_type == "text/csv; charset=utf-8"
    rows = list(csv.reader(io.StringIO(body.text)))
    assert rows[0] == [
        "symbol",
        "name",
        "key",
        "ltp",
        "ltp_state",
        "ltp_as_of",
        "setup",
        "state",
        "entry",
        "entry_low",
        "entry_high",
        "to_entry",
    ]
    assert [row[0].removeprefix("'") for row in rows[1:]] == symbols(page) == ["HDFCBANK", "=M&M"]
    assert rows[1][2:5] == ["NSE_EQ:1333", "1650.35", "live"]
    assert rows[1][6:] == ["WAIT_PULLBACK", "in entry zone", "1650.0", "1640.0", "1655.0", "-0.02"]
    assert rows[2][:1] == ["'=M&M"], "a spreadsheet must not take a name for a formula"
    assert rows[2][7:] == [""] * 5


def test_the_json_file_has_the_rows_and_columns_of_the_page(site: Any, computed: int) -> None:
    document = site.client.get(f"/screeners/swing.json{FILE_QUERY}").json
    assert [column["name"] for column in document["columns"]] == [
        "ltp",
        "setup",
        "state",
        "entry",
        "zone",
        "to_entry",
    ]
    assert document["columns"][0] == {"name": "ltp", "label": "LTP", "unit": "₹", "live": True}
    assert document["rows"][0] | {"ltp_as_of": None} == {
        "symbol": "HDFCBANK", "name": "HDFC Bank Limited", "key": "NSE_EQ:1333", "ltp": 1650.35, "ltp_state": "live",
        "ltp_as_of": None, "setup": "WAIT_PULLBACK", "state": "in entry zone",
        "entry": 1650.0, "entry_low": 1640.0, "entry_high": 1655.0,
        "to_entry": -0.02,
    }  # fmt: skip
    assert document["run"] == document["run"] | {
        "id": computed,
        "as_of": "2026-11-20",
        "universe": "nifty100",
        "evaluated": 100,
    }
    assert (document["tab"], document["matching"], document["price_source"]) == (
        "recommendations",
        2,
        "simulator",
    )


def test_a_file_has_the_rows_of_its_page_only(site: Any) -> None:
    site.run("swing", [Row(f"NSE_EQ:{n}", n, f"S{n}") for n in range(1, 61)])
    page = site.page("/screeners/swing?size=25&page=2&live=0")
    assert 'id="csv" href="/screeners/swing.csv?size=25&amp;page=2"' in page
    document = site.client.get("/screeners/swing.json?size=25&page=2").json
    assert [row["symbol"] for row in document["rows"]] == symbols(page)
    assert (document["matching"], document["page"], document["pages"]) == (60, 2, 3)


def test_files_are_refused_as_their_pages_are(site: Any) -> None:
    for suffix in ("csv", "json"):
        assert site.client.get(f"/screeners/nope.{suffix}").status_code == 404
        assert site.client.get(f"/screeners/swing.{suffix}?sort=setup").status_code == 400
        assert site.client.get(f"/screeners/longterm.{suffix}").status_code == 200
    assert site.client.get("/screeners/swing.xml").status_code == 404


def test_the_notes_of_a_run_are_shown(site: Any, computed: int) -> None:
    assert 'id="notes"' not in site.page(PLAN)
    site.run(
        "swing",
        ROWS,
        as_of=date(2026, 11, 23),
        notes="1 share left out: A&B (damaged candles: days out of order)",
    )
    assert (
        '<p class="note" id="notes">1 share left out: A&amp;B (damaged candles: days out of order)</p>'
        in site.page(PLAN)
    )
    assert site.client.get("/screeners/swing.json").json["run"]["notes"].startswith("1 share left out")
    assert (
        '<abbr title="1 share left out: A&amp;B (damaged candles: days out of order)">!</abbr>'
        in site.page("/screeners/swing/runs")
    )


def test_many_pages_have_links_to_the_first_and_the_last(site: Any) -> None:
    site.run("swing", [Row(f"NSE_EQ:{number}", number, f"S{number}") for number in range(1, 1101)])
    page = site.page("/screeners/swing?size=25&page=3")
    assert "51–75 of 1,100" in page
    assert "page 3 of 44" in page
    assert 'id="p-first" href="/screeners/swing?size=25"' in page
    assert 'id="p-last" href="/screeners/swing?size=25&amp;page=44"' in page
    assert 'id="p-first"' not in site.page("/screeners/swing?size=25&page=2")
    assert 'id="p-last"' not in site.page("/screeners/swing?size=25&page=43")


def test_a_run_on_old_candles_shows_their_age(site: Any) -> None:
    today = datetime.now(IST).date()
    site.run("swing", ROWS, as_of=today - timedelta(days=7))
    assert "days ago" not in site.page("/screeners/swing")
    old = site.run("longterm", ROWS, as_of=today - timedelta(days=1300))
    assert '<b class="w">1,300 days ago</b>' in site.page("/screeners/longterm")
    # The address names the run, so its age needs no warning.
    assert "days ago" not in site.page(f"/screeners/longterm?run={old}")
