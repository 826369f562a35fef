from __future__ import annotations

from typing import Any

import pytest

from ltp.db import screenings


def open_requests(site: Any) -> list[str]:
    site.catalog.refresh()
    return [kind for kind in ("swing", "longterm") if site.catalog.screening(kind)]


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "same-origin"},
        {"Sec-Fetch-Site": "none"},
        {"Origin": "http://localhost"},
        {"Sec-Fetch-Site": "same-origin", "Origin": "https://proxy.example"},
    ],
)
def test_our_own_pages_may_ask(site: Any, headers: dict[str, str]) -> None:
    assert site.client.post("/screeners/swing/run", headers=headers).status_code == 303
    assert open_requests(site) == ["swing"]


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "cross-site", "Origin": "http://localhost"},
        {"Origin": "http://localhost.evil.example"},
        {"Origin": "null"},
        {"Origin": "http://localhost:81"},
    ],
)
@pytest.mark.parametrize("path", ["/screeners/swing/run", "/screeners/custom/save", "/screeners/x/delete"])
def test_other_sites_may_not(site: Any, headers: dict[str, str], path: str) -> None:
    answer = site.client.post(path, headers=headers)
    assert answer.status_code == 403
    assert "Only a form of this site may ask for that." in answer.text
    assert open_requests(site) == []


@pytest.mark.parametrize(
    ("method", "headers", "asked"),
    [
        ("GET", {}, True),
        ("GET", {"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Dest": "empty"}, True),
        ("GET", {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Dest": "document"}, True),
        ("GET", {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Dest": "image"}, False),
        ("GET", {"Sec-Purpose": "prefetch;prerender", "Sec-Fetch-Dest": "document"}, False),
        ("GET", {"Purpose": "prefetch"}, False),
        ("HEAD", {}, False),
    ],
)
def test_only_who_opens_the_page_of_a_screen_has_it_evaluated(
    site: Any, method: str, headers: dict[str, str], asked: bool
) -> None:
    answer = site.client.open("/screeners/custom?c=rsi+>+60", method=method, headers=headers)
    assert answer.status_code == 200
    assert (screenings.next_queued(site.engine) is not None) is asked
