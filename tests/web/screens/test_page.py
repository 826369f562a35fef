"""Each view resolves its screen once a request: one parse of each criterion, one search for the run."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from ltp.core.criteria import spec as criteria_spec
from ltp.core.criteria.spec import Spec, kind_of, text_of
from ltp.core.screener import Row
from ltp.db import saved_screens
from ltp.web.screens import catalogue
from ltp.web.table import screen_query

SAME_ORIGIN = {"Sec-Fetch-Site": "same-origin"}
SPEC = Spec(("rsi14 > 60", "close > ema50"), min_price=500_000)
KIND = kind_of(SPEC)
CUSTOM = "/screeners/custom"
QUERY = "c=rsi14+%3E+60&c=close+%3E+ema50&min_price=50"
FORM = {"c": list(SPEC.criteria), "min_price": "50"}


@pytest.fixture
def calls(site: Any, monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Number of calls by function, and of parses by text of the criterion. SPEC has a run."""
    site.run(KIND, [Row("NSE_EQ:1333", 1, "HDFCBANK", setup="READY")], spec=text_of(SPEC))
    calls: Counter[str] = Counter()
    parse_criterion, parse_query, find_run = criteria_spec.parse, screen_query.parse, catalogue.find_run

    def parse(text: str, where: str = "criterion") -> Any:
        calls[text] += 1
        return parse_criterion(text, where)

    def counted(name: str, function: Any) -> Any:
        def call(*arguments: Any) -> Any:
            calls[name] += 1
            return function(*arguments)

        return call

    monkeypatch.setattr(criteria_spec, "parse", parse)
    monkeypatch.setattr(screen_query, "parse", counted("query", parse_query))
    monkeypatch.setattr(catalogue, "find_run", counted("run", find_run))
    return calls


@pytest.mark.parametrize(
    "url",
    [
        f"{CUSTOM}?{QUERY}",
        f"{CUSTOM}/poll?{QUERY}",
        f"{CUSTOM}/stream?{QUERY}",
        f"{CUSTOM}/progress?{QUERY}",
        f"{CUSTOM}/run?{QUERY}",
        f"{CUSTOM}.csv?{QUERY}",
        f"{CUSTOM}.json?{QUERY}",
        f"{CUSTOM}?c=rsi14+%3E+60&fact=close&is=%3E&other=ema50",
        f"/screeners/{KIND}",
        f"/screeners/{KIND}/runs",
        f"/screeners/{KIND}/changes",
        "/screeners",
    ],
)
def test_a_criterion_is_parsed_once_a_request(site: Any, calls: Counter[str], url: str) -> None:
    response = site.client.get(url, buffered=False)
    assert response.status_code in {200, 302}
    response.close()
    assert {text: calls[text] for text in SPEC.criteria} == dict.fromkeys(SPEC.criteria, 1)


@pytest.mark.parametrize(
    ("path", "form", "status"),
    [(CUSTOM, FORM, 303), (f"{CUSTOM}/run?{QUERY}", {}, 303), (f"{CUSTOM}/save", FORM, 400)],
)
def test_a_criterion_of_a_sent_form_is_parsed_once(
    site: Any, calls: Counter[str], path: str, form: Any, status: int
) -> None:
    response = site.client.post(path, data=form, headers=SAME_ORIGIN)
    assert response.status_code == status
    assert {text: calls[text] for text in SPEC.criteria} == dict.fromkeys(SPEC.criteria, 1)


def test_a_saved_screen_is_not_parsed_at_all(site: Any, calls: Counter[str]) -> None:
    saved_screens.save(site.engine, "mine", "Mine", SPEC)
    site.catalog.refresh()
    calls.clear()
    for path in ("", ".csv", "/poll", "/progress", "/runs"):
        site.page(f"/screeners/mine{path}")
    assert [text for text in SPEC.criteria if calls[text]] == []


@pytest.mark.parametrize("url", ["/screeners/swing", f"{CUSTOM}?{QUERY}", "/screeners/swing/NSE_EQ/1333"])
def test_query_and_run_are_resolved_once(site: Any, calls: Counter[str], url: str) -> None:
    site.page(url)
    assert (calls["query"], calls["run"]) == (1, 1)


@pytest.mark.parametrize("url", ["/screeners/swing?q=&run=999", f"{CUSTOM}?{QUERY}&q=&run=999"])
def test_a_redirect_to_the_shortest_address_finds_no_run(site: Any, calls: Counter[str], url: str) -> None:
    assert site.client.get(url).status_code in {302, 303}
    assert calls["run"] == 0
