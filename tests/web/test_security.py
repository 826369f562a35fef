from __future__ import annotations

from typing import Any

import pytest

from ltp.web.security import CONTENT_SECURITY_POLICY, HEADERS

URLS = [
    "/",
    "/screeners/swing",
    "/screeners/swing/poll",
    "/screeners/nope",
    "/instruments?q=a",
    "/healthz",
    "/static/app.css",
    "/api/v1/nope",
]


@pytest.mark.parametrize("url", URLS)
def test_every_response_has_the_headers(site: Any, url: str) -> None:
    headers = site.client.get(url).headers
    assert {name: headers.get(name) for name in HEADERS} == HEADERS


def test_streams_have_the_headers(site: Any) -> None:
    response = site.client.get("/screeners/swing/stream", buffered=False)
    assert {name: response.headers.get(name) for name in HEADERS} == HEADERS
    assert response.headers["Cache-Control"] == "no-store, no-transform"
    response.close()


def test_the_policy_allows_no_inline_code_no_eval_and_no_framing() -> None:
    assert "unsafe" not in CONTENT_SECURITY_POLICY
    assert "default-src 'none'" in CONTENT_SECURITY_POLICY
    assert "frame-ancestors 'none'" in CONTENT_SECURITY_POLICY


def test_no_cache_may_store_prices(site: Any) -> None:
    assert site.client.get("/screeners/swing").headers["Cache-Control"] == "no-store"
    assert site.client.get("/nowhere").headers["Cache-Control"] == "no-store"


def test_versioned_files_are_immutable_and_others_are_not(site: Any) -> None:
    page = site.page("/")
    href = page.partition('rel="stylesheet" href="')[2].partition('"')[0]
    assert "app.css?v=" in href
    assert "immutable" in site.client.get(href).headers["Cache-Control"]
    assert (
        "immutable" in site.client.get("/static/vendor/htmx.org@4.0.1/htmx.min.js").headers["Cache-Control"]
    )
    assert "immutable" not in site.client.get("/static/app.css").headers["Cache-Control"]
    assert site.client.get("/static/vendor/nope.js").headers["Cache-Control"] == "no-store"


def test_a_large_body_is_refused_before_it_is_read(site: Any) -> None:
    answer = site.client.post(
        "/api/v1/current_prices", data=b"x" * (64 * 1024 + 1), content_type="application/json"
    )
    assert answer.status_code == 413


def test_pages_without_forms_refuse_post(site: Any) -> None:
    for url in ("/", "/screeners/swing", "/instruments/NSE_EQ/1333"):
        assert site.client.post(url).status_code == 405
