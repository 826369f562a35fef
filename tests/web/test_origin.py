from __future__ import annotations

from typing import Any

import pytest

from ltp.db import evaluations


def open_evaluations(site: Any) -> list[str]:
    site.catalog.refresh()
    return [kind for kind in ("swing", "longterm") if site.catalog.evaluation(kind)]


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "same-origin"},
        {"Sec-Fetch-Site": "none"},
        {"Origin": "http://localhost"},
        {"Sec-Fetch-Site": "same-origin", "Origin": "https://proxy.example"},
    ],
)
def test_pages_of_this_site_may_post(site: Any, headers: dict[str, str]) -> None:
    assert site.client.post("/screeners/swing/run", headers=headers).status_code == 303
    assert open_evaluations(site) == ["swing"]


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "cross-site", "Origin": "http://localhost"},
        {"Origin": "http://localhost.evil.example"},
        {"Origin": "null"},
        {"Origin": ""},
        {"Origin": "http://localhost:81"},
        {"Origin": "https://localhost"},
        {"Sec-Fetch-Site": "same-origin", "Origin": "null"},
        {"Sec-Fetch-Site": "same-origin", "Origin": ""},
    ],
)
@pytest.mark.parametrize("path", ["/screeners/swing/run", "/screeners/custom/save", "/screeners/x/delete"])
def test_other_sites_may_not_post(site: Any, headers: dict[str, str], path: str) -> None:
    answer = site.client.post(path, headers=headers)
    assert answer.status_code == 403
    assert "Only a form of this site may request this." in answer.text
    assert open_evaluations(site) == []


TYPED = {
    "Sec-Fetch-Site": "none",
    "Sec-Fetch-Mode": "navigate",
    "Sec-Fetch-Dest": "document",
    "Sec-Fetch-User": "?1",
}
LINK = TYPED | {"Sec-Fetch-Site": "same-origin"}
BOOSTED = {
    "Sec-Fetch-Site": "same-origin",
    "Sec-Fetch-Mode": "cors",
    "Sec-Fetch-Dest": "empty",
    "HX-Request": "true",
}
FOREIGN_LINK = TYPED | {"Sec-Fetch-Site": "cross-site"}
IMAGE = {"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"}


def without(headers: dict[str, str], name: str) -> dict[str, str]:
    return {each: value for each, value in headers.items() if each != name}


@pytest.mark.parametrize(
    "path",
    ["/", "/screeners/swing", "/static/app.css", "/nothing", "/api/v1/current_prices?keys=NSE_EQ:1333"],
)
@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:80",
        "",
        "localhost.evil.example",
        "192.168.1.10",
        "h" * 300,
        "a..b",
        "[::",
    ],
)
def test_a_request_for_another_host_is_not_answered(site: Any, path: str, host: str) -> None:
    answer = site.client.get(path, headers={"Host": host})
    assert answer.status_code == 400
    assert "TRUSTED_HOSTS lists the names that it answers for." in answer.text


@pytest.mark.parametrize("origin", ["http://evil.example", "http://evil.example:80"])
def test_a_foreign_name_that_resolves_to_this_server_changes_nothing(site: Any, origin: str) -> None:
    headers = {"Host": "evil.example", "Origin": origin, "Sec-Fetch-Site": "same-origin"}
    assert site.client.post("/screeners/swing/run", headers=headers).status_code == 400
    assert open_evaluations(site) == []


@pytest.mark.parametrize(
    ("target", "path", "status"),
    [
        ("http://localhost/healthz", "/healthz", 200),
        ("http://localhost/", "/", 200),
        ("http://evil.example/", "/", 400),
    ],
)
def test_the_host_of_an_absolute_address_in_the_request_line_is_checked(
    site: Any, target: str, path: str, status: int
) -> None:
    assert site.client.get(path, environ_overrides={"RAW_URI": target}).status_code == status


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/api/v1/health/market_stream"])
@pytest.mark.parametrize("host", ["evil.example", "", "10.0.0.7:8000"])
def test_health_is_answered_whatever_the_host(site: Any, path: str, host: str) -> None:
    assert site.client.get(path, headers={"Host": host}).status_code in {200, 503}


@pytest.mark.parametrize(("prefix", "status"), [("/prices", 400), ("prices/", 400), ("/", 200), ("", 200)])
def test_a_site_below_a_path_is_refused(site: Any, prefix: str, status: int) -> None:
    assert site.client.get("/", headers={"X-Forwarded-Prefix": prefix}).status_code == status


def test_the_price_api_accepts_a_post_without_an_origin(site: Any) -> None:
    answer = site.client.post("/api/v1/current_prices", json={"keys": ["NSE_EQ:1333"]})
    assert answer.status_code in {200, 503}


def test_a_wrong_method_is_a_405_for_any_origin(site: Any) -> None:
    assert site.client.post("/").status_code == 405
    assert site.client.post("/nothing").status_code == 404


@pytest.mark.parametrize(
    ("method", "headers", "evaluated"),
    [
        ("GET", TYPED, True),
        ("GET", without(TYPED, "Sec-Fetch-User"), True),  # Safari never sends it
        ("GET", LINK, True),
        ("GET", without(LINK, "Sec-Fetch-User"), True),
        ("GET", BOOSTED, True),
        ("GET", FOREIGN_LINK, False),
        ("GET", {}, False),  # curl, and the preview of a link in a chat
        ("GET", {"User-Agent": "Mozilla/5.0", "Accept": "text/html"}, False),
        ("GET", without(BOOSTED, "HX-Request"), False),
        ("GET", BOOSTED | {"Sec-Fetch-Site": "cross-site"}, False),
        ("GET", BOOSTED | {"Sec-Fetch-Site": "none"}, False),
        ("GET", IMAGE, False),
        ("GET", IMAGE | {"Sec-Fetch-Site": "cross-site"}, False),
        ("GET", FOREIGN_LINK | {"Sec-Fetch-Dest": "iframe"}, False),
        ("GET", LINK | {"Sec-Fetch-Dest": "iframe"}, False),
        ("GET", TYPED | {"Sec-Purpose": "prefetch;prerender"}, False),
        ("GET", TYPED | {"Purpose": "prefetch"}, False),
        ("GET", TYPED | {"X-Moz": "prefetch"}, False),
        ("GET", TYPED | {"X-Purpose": "preview"}, False),
        ("HEAD", TYPED, False),
    ],
)
def test_only_a_page_opened_by_a_person_evaluates_its_screen(
    site: Any, method: str, headers: dict[str, str], evaluated: bool
) -> None:
    answer = site.client.open("/screeners/custom?c=rsi+>+60", method=method, headers=headers)
    assert answer.status_code == 200
    assert (evaluations.next_queued(site.engine) is not None) is evaluated
    assert ('id="run-now"' in answer.text) is (method == "GET" and not evaluated)
