"""The feed of firings, as a feed reader reads it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from xml.etree import ElementTree

from tests.web.alerts.conftest import AT, HOSTILE

ATOM = "{http://www.w3.org/2005/Atom}"


def entries(site: Any) -> list[ElementTree.Element]:
    answer = site.client.get("/alerts.atom")
    assert (answer.status_code, answer.mimetype) == (200, "application/atom+xml")
    return ElementTree.fromstring(answer.data).findall(f"{ATOM}entry")


def text(entry: ElementTree.Element, name: str) -> str:
    return entry.findtext(f"{ATOM}{name}") or ""


def test_each_firing_is_an_entry_newest_first(site: Any, fire: Callable[..., int]) -> None:
    fire(3)
    fire(3, token="2", note=HOSTILE, symbol="M&M\x07", noticed_at=AT + timedelta(seconds=1))
    newest, older = entries(site)
    assert text(older, "title") == "HDFCBANK: price above ₹1,650"
    assert text(older, "updated") == "2026-12-01T05:11:07Z"
    assert "traded at ₹1,650.50" in text(older, "content")
    link = older.find(f"{ATOM}link")
    assert link is not None
    assert link.attrib["href"] == "http://localhost/alerts/3"
    assert text(newest, "title") == "M&M\ufffd: price above ₹1,650"
    assert "<img" not in text(newest, "content")
    assert text(newest, "id") != text(older, "id")
    assert [text(each, "id") for each in entries(site)] == [text(newest, "id"), text(older, "id")]


def test_a_feed_without_firings_and_a_reader_that_asks_again(site: Any, fire: Callable[..., int]) -> None:
    assert entries(site) == []
    etag = site.client.get("/alerts.atom").headers["ETag"]
    assert site.client.get("/alerts.atom", headers={"If-None-Match": etag}).status_code == 304
    fire(3)
    assert site.client.get("/alerts.atom", headers={"If-None-Match": etag}).status_code == 200
