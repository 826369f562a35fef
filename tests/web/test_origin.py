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


TYPED = {"Sec-Fetch-Site": "none", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document", "Sec-Fetch-User": "?1"}
LINK = TYPED | {"Sec-Fetch-Site": "same-origin"}
BOOSTED = {"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "cors", "Sec-Fetch-Dest": "empty", "HX-Request": "true"}
SENT = TYPED | {"Sec-Fetch-Site": "cross-site"}
IMAGE = {"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"}


def without(headers: dict[str, str], name: str) -> dict[str, str]:
    return {each: value for each, value in headers.items() if each != name}


@pytest.mark.parametrize(
    ("method", "headers", "asked"),
    [
        ("GET", TYPED, True),
        ("GET", without(TYPED, "Sec-Fetch-User"), True),  # Safari never sends it
        ("GET", LINK, True),
        ("GET", without(LINK, "Sec-Fetch-User"), True),
        ("GET", BOOSTED, True),
        ("GET", SENT, True),
        ("GET", without(SENT, "Sec-Fetch-User"), False),  # another site's script or redirect
        ("GET", {}, False),  # curl, and the preview of a link in a chat
        ("GET", {"User-Agent": "Mozilla/5.0", "Accept": "text/html"}, False),
        ("GET", without(BOOSTED, "HX-Request"), False),
        ("GET", BOOSTED | {"Sec-Fetch-Site": "cross-site"}, False),
        ("GET", BOOSTED | {"Sec-Fetch-Site": "none"}, False),
        ("GET", IMAGE, False),
        ("GET", IMAGE | {"Sec-Fetch-Site": "cross-site"}, False),
        ("GET", SENT | {"Sec-Fetch-Dest": "iframe"}, False),
        ("GET", LINK | {"Sec-Fetch-Dest": "iframe"}, False),
        ("GET", TYPED | {"Sec-Purpose": "prefetch;prerender"}, False),
        ("GET", TYPED | {"Purpose": "prefetch"}, False),
        ("HEAD", TYPED, False),
    ],
)
def test_only_a_person_who_opens_the_page_of_a_screen_has_it_evaluated(
    site: Any, method: str, headers: dict[str, str], asked: bool
) -> None:
    answer = site.client.open("/screeners/custom?c=rsi+>+60", method=method, headers=headers)
    assert answer.status_code == 200
    assert (screenings.next_queued(site.engine) is not None) is asked
    assert ('id="run-now"' in answer.text) is (method == "GET" and not asked)
