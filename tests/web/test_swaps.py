"""The headers that let htmx put a response into an open page."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote

import pytest

from ltp.web.swaps import KEPT

LINK = {"HX-Request": "true", "HX-Request-Type": "full", "HX-Boosted": "true", "HX-Target": "div#screen"}
LOAD = {"HX-Request": "true", "HX-Request-Type": "full", "HX-Target": "div#screen"}
PART = {"HX-Request": "true", "HX-Request-Type": "partial"}
LIST = {"HX-Request": "true", "HX-Request-Type": "full", "HX-Target": "div#screens"}


@pytest.mark.parametrize(
    ("url", "headers", "expected"),
    [
        ("/screeners/swing", LINK, {"hx-reswap": "outerHTML", "hx-push-url": "true"}),
        ("/screeners/swing?size=7", LINK, {"hx-reswap": "outerHTML", "hx-push-url": "true"}),
        ("/nowhere", LINK, {"hx-reswap": "outerHTML", "hx-push-url": "true"}),
        ("/screeners/swing", LOAD, {"hx-reswap": "outerHTML", "hx-replace-url": "true"}),
        ("/screeners", LIST, {"hx-reswap": "outerHTML"}),
        ("/nowhere", LIST, {}),
        ("/screeners/swing/poll", PART, {"hx-reswap": "innerHTML"}),
        ("/status/poll", PART, {"hx-reswap": "innerHTML"}),
        ("/screeners/swing/poll?n=x", PART, {"hx-reswap": "none"}),
        ("/screeners/swing", {}, {}),
        (
            "/screeners/swing",
            {**LOAD, "HX-Target": "body", "HX-History-Restore-Request": "true"},
            {"hx-reswap": "outerHTML"},
        ),
        ("/screeners/swing.json", LINK, {}),
        ("/screeners/swing.csv", LINK, {}),
        ("/static/app.css", LINK, {}),
    ],
)
def test_the_headers_choose_the_swap(
    site: Any, url: str, headers: dict[str, str], expected: dict[str, str]
) -> None:
    answer = site.client.get(url, headers=headers)
    assert {
        name.lower(): value for name, value in answer.headers if name.lower().startswith("hx-")
    } == expected


def test_a_5xx_shows_its_reason_and_leaves_the_open_page(site: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ltp.web.screens.catalogue.find_run", lambda *_: 1 / 0)
    answer = site.client.get("/screeners/swing", headers=LINK)
    assert answer.status_code == 500
    assert {name.lower(): value for name, value in answer.headers if name.lower().startswith("hx-")} == {
        "hx-reswap": "innerHTML",
        "hx-retarget": "#why",
        "hx-reselect": ".detail",
    }
    assert '<p class="detail">Something failed on our side. It is in the log as ' in answer.text
    plain = site.client.get("/screeners/swing")
    assert not [name for name, _ in plain.headers if name.lower().startswith("hx-")]


def test_the_kept_text_needs_no_server(site: Any) -> None:
    assert f'hx-get="{KEPT}"' in site.page("/")
    assert unquote(KEPT).startswith(
        "data:text/html;charset=utf-8,<p>The requested page was not received: the response was not from"
    )
    assert "connect-src 'self' data:;" in site.client.get("/").headers["Content-Security-Policy"]
