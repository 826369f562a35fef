from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any, get_args

import pytest

from ltp.core.ticks.tick import State
from ltp.web.help.access_keys import KEYS, MEANINGS
from ltp.web.help.page import STATES
from ltp.web.table.columns import COLUMNS


class Keys(HTMLParser):
    """The access keys of a page, by the id of their element."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: dict[str, str] = {}
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if given.get("accesskey"):
            assert given["accesskey"] not in self.found.values(), "one key for two elements"
            self.found[given["id"] or ""] = given["accesskey"] or ""


def test_every_state_column_and_key_is_explained(site: Any) -> None:
    page = site.page("/help")
    assert set(STATES) == set(get_args(State))
    assert [word for word in STATES if f"<dt>{word}</dt>" not in page] == []
    assert [each.name for each in COLUMNS if f"<code>{each.name}</code>" not in page] == []
    assert set(KEYS) == set(MEANINGS)
    assert re.findall("<kbd>(.)</kbd>", page) == [key.upper() for key in KEYS.values()]
    assert 'href="/screeners/custom"' in page


@pytest.mark.parametrize(
    ("path", "more"),
    [
        ("/help", {}),
        ("/", {}),
        ("/instruments?q=hdfc", {}),
        ("/screeners/swing/NSE_EQ/2031", {"d-prev": "p", "d-next": "n"}),
    ],
)
def test_links_have_the_keys_that_the_page_lists(site: Any, path: str, more: dict[str, str]) -> None:
    everywhere = {"find": KEYS["search"]}
    everywhere |= {f"n-{name}": KEYS[name] for name in ("screeners", "watchlists", "alerts", "help")}
    assert Keys(site.page(path)).found == everywhere | more
