"""`/watchlists`: lists are made, ordered, deleted and restored."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape
from typing import Any

from ltp.core.watchlists.watchlist import MAX_LISTS
from ltp.db.watchlists import lists

Post = Callable[..., Any]


def shown(site: Any) -> list[str]:
    return re.findall(r'<a class="name" id="g-([^"]+)"', site.page("/watchlists"))


def test_a_list_is_made_under_its_name(site: Any, post: Post) -> None:
    assert "There is no list yet" in site.page("/watchlists")
    name = '<img src=x onerror=alert(1)> "it"'
    assert post("/watchlists", title=name).location == "/watchlists/img-src-x-onerror-alert-1-it"
    page = site.page("/watchlists")
    assert "<img" not in page
    assert f"<bdi>{name}</bdi>" in unescape(page)
    assert post("/watchlists", title="बैंक").location == "/watchlists/list"
    refused = post("/watchlists", title=" ")
    assert refused.status_code == 400
    assert "title: '' is not accepted; it is 1 to 80 characters" in unescape(refused.text)
    long = post("/watchlists", title="x" * 81)
    assert f'value="{"x" * 81}"' in long.text


def test_the_hundred_and_first_list_is_refused(site: Any, post: Post) -> None:
    for _ in range(MAX_LISTS):
        lists.create(site.engine, "L", source="test")
    answer = post("/watchlists", title="One more")
    assert answer.status_code == 400
    assert "there are 100 lists, and no more are kept; delete one first" in answer.text
    assert 'value="One more"' in answer.text


def test_lists_are_moved(site: Any, post: Post) -> None:
    for title in ("One", "Two", "Three"):
        lists.create(site.engine, title, source="test")
    assert post("/watchlists/three/place", move="up").location == "/watchlists#l-three"
    assert shown(site) == ["one", "three", "two"]
    post("/watchlists/two/place", move="top")
    assert shown(site) == ["two", "one", "three"]
    assert post("/watchlists/two/place", move="out").status_code == 400
    assert post("/watchlists/four/place", move="up").status_code == 404


def test_a_deletion_is_undone_on_the_page_that_follows_it(banks: Any, post: Post) -> None:
    answer = post("/watchlists/banks/delete")
    assert answer.location == "/watchlists?deleted=banks"
    page = banks.page(answer.location)
    assert "<bdi>Banks</bdi> is deleted." in page
    assert 'id="undo"' in page
    assert 'id="undo"' not in banks.page("/watchlists")
    assert 'id="restore-banks"' in banks.page("/watchlists")
    banks.page("/watchlists/banks", 404)
    assert post("/watchlists/banks/restore").location == "/watchlists/banks"
    page = banks.page("/watchlists/banks")
    assert page.index(">TCS<") < page.index(">HDFCBANK<") < page.index(">NIFTY<")
    assert 'id="undo"' not in banks.page("/watchlists?deleted=banks")
    assert post("/watchlists/nothing/delete").status_code == 404
