"""The document by the rules of RFC 4287, and as a feed reader reads it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID
from xml.etree import ElementTree

import feedparser
import pytest

from ltp.core.atom import Entry, Feed, permanent_id, render

AT = datetime(2026, 11, 27, 16, 5, 0, 999, tzinfo=timezone(timedelta(hours=5, minutes=30)))
ENTRY = Entry("urn:uuid:1", "3 entered", AT, "https://x.example/a?b=1&c=2", "<p>TCS &amp; M&amp;M</p>")
FEED = Feed("urn:uuid:0", "Swing", AT, "LTP", "https://x.example/", "https://x.example/a.atom", [ENTRY])
ATOM = "{http://www.w3.org/2005/Atom}"


def test_a_feed_has_all_that_the_standard_requires() -> None:
    document = render(FEED)
    assert document.startswith(b"<?xml version='1.0' encoding='utf-8'?>")
    root = ElementTree.fromstring(document)
    assert root.tag == f"{ATOM}feed"
    entry = root.find(f"{ATOM}entry")
    assert entry is not None
    for element in (root, entry):
        for name in ("id", "title", "updated"):
            assert len(element.findall(f"{ATOM}{name}")) == 1, name
    assert root.findtext(f"{ATOM}author/{ATOM}name") == "LTP"
    assert root.findtext(f"{ATOM}updated") == "2026-11-27T10:35:00Z"
    links = {link.get("rel"): link.get("href") for link in root.findall(f"{ATOM}link")}
    assert links == {"self": "https://x.example/a.atom", "alternate": "https://x.example/"}


def test_a_reader_gets_entries_with_link_time_and_content() -> None:
    read = feedparser.parse(render(FEED))
    assert not read.bozo
    assert read.version == "atom10"
    [entry] = read.entries
    assert (entry.id, entry.title, entry.link) == (ENTRY.id, ENTRY.title, ENTRY.url)
    assert entry.updated_parsed[:6] == (2026, 11, 27, 10, 35, 0)
    assert entry.content[0].value == "<p>TCS &amp; M&amp;M</p>"


@pytest.mark.parametrize(
    "hostile",
    [
        "<img src=x onerror=alert(1)>",
        "]]></title><script>",
        'a"b&c',
        "\u202eevil\u202c",
        "x\x00\x0b\ufffe\ud800",
    ],
)
def test_hostile_titles_are_text(hostile: str) -> None:
    entry = ENTRY._replace(title=hostile, html="")
    root = ElementTree.fromstring(render(FEED._replace(title=hostile, entries=[entry])))
    allowed = "x" + "\ufffd" * 4 if hostile.startswith("x") else hostile
    assert root.findtext(f"{ATOM}title") == root.findtext(f"{ATOM}entry/{ATOM}title") == allowed
    assert {element.tag for element in root.iter()} == {
        f"{ATOM}{name}"
        for name in ("feed", "id", "title", "updated", "link", "author", "name", "entry", "content")
    }


def test_an_empty_feed_is_a_feed() -> None:
    read = feedparser.parse(render(FEED._replace(entries=[], updated=datetime(1970, 1, 1, tzinfo=UTC))))
    assert not read.bozo
    assert read.entries == []


def test_an_id_depends_on_site_and_names_alone() -> None:
    one = permanent_id("secret", "changes", "swing")
    assert one == permanent_id("secret", "changes", "swing")
    assert UUID(one.removeprefix("urn:uuid:")).version == 5
    others = {
        permanent_id("other", "changes", "swing"),
        permanent_id("secret", "changes"),
        permanent_id("secret", "a"),
    }
    assert len({one, *others}) == 4
    assert "secret" not in one
