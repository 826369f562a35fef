"""Atom feeds as XML, by RFC 4287: what a feed and its entries must have. Pure; knows no screens and no pages."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final, NamedTuple
from uuid import UUID
from xml.etree import ElementTree

MEDIA_TYPE: Final = "application/atom+xml"
_NAMESPACE: Final = "http://www.w3.org/2005/Atom"
# Characters that XML 1.0 has no way to contain (section 2.2); one of them would make the feed unreadable.
_FORBIDDEN: Final = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class Entry(NamedTuple):
    """`id`: an IRI that stays the same for ever. `updated`: aware. `url`: absolute. `html`: the content, its
    texts escaped as HTML.
    """

    id: str
    title: str
    updated: datetime
    url: str
    html: str


class Feed(NamedTuple):
    """`url`: of the page that the feed is about; `self_url`: of the feed itself; both absolute. `updated`: aware,
    not before that of any entry. `entries`: in the order in which readers without an order of their own list them.
    """

    id: str
    title: str
    updated: datetime
    author: str
    url: str
    self_url: str
    entries: Sequence[Entry] = ()


def permanent_id(secret: str, *names: str) -> str:
    """Return an id that depends on the site's secret and the names alone: not on a host name or an address."""
    text = "\n".join(names).encode()
    digest = hmac.new(secret.encode(), b"atom\n" + text, hashlib.sha256).digest()
    return f"urn:uuid:{UUID(bytes=digest[:16], version=5)}"


def render(feed: Feed) -> bytes:
    """Return the document in UTF-8. Characters that XML cannot contain become U+FFFD."""
    root = ElementTree.Element("feed", {"xmlns": _NAMESPACE, "xml:lang": "en-IN"})
    _head(root, feed.id, feed.title, feed.updated)
    _link(root, "self", feed.self_url, MEDIA_TYPE)
    _link(root, "alternate", feed.url, "text/html")
    _text(ElementTree.SubElement(root, "author"), "name", feed.author)
    for entry in feed.entries:
        element = ElementTree.SubElement(root, "entry")
        _head(element, entry.id, entry.title, entry.updated)
        _link(element, "alternate", entry.url, "text/html")
        _text(element, "content", entry.html, type="html")
    document: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return document


def _head(parent: ElementTree.Element, id_: str, title: str, updated: datetime) -> None:
    _text(parent, "id", id_)
    _text(parent, "title", title, type="text")
    _text(parent, "updated", updated.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"))


def _link(parent: ElementTree.Element, rel: str, href: str, type_: str) -> None:
    ElementTree.SubElement(parent, "link", {"rel": rel, "type": type_, "href": _allowed(href)})


def _text(parent: ElementTree.Element, name: str, text: str, **attributes: str) -> None:
    ElementTree.SubElement(parent, name, attributes).text = _allowed(text)


def _allowed(text: str) -> str:
    return _FORBIDDEN.sub("\ufffd", text)
