from __future__ import annotations

from datetime import UTC, datetime

import pytest

from ltp.db.views.named_views import View
from ltp.errors import InputError
from ltp.web.table.screen_query import ScreenQuery, parse
from ltp.web.table.views.chooser import BUILT_IN, chooser, expand, text_of

STORED = "tab=recommendations&f=rsi%3E60&f=chg%3C0&sort=-r_now,symbol&group=sector,score&columns=ltp,setup"
MINE = View("mine", "<b>Mine</b>", STORED, "recommendations", datetime(2026, 11, 23, tzinfo=UTC))


def expanded(*pairs: tuple[str, str]) -> str:
    return parse(expand(pairs, lambda _slug: STORED)).url("")


def test_a_view_stands_for_its_parameters() -> None:
    assert expanded(("view", "mine")) == f"?{STORED}"
    assert (
        expanded(("size", "25"), ("view", "mine"), ("run", "3"), ("live", "0"))
        == f"?{STORED}&size=25&live=0&run=3"
    )
    assert expand([("view", ""), ("q", "x")], lambda _slug: STORED) == [("q", "x")]


def test_a_parameter_beside_the_view_takes_the_place_of_the_views() -> None:
    assert expanded(("view", "mine"), ("f", "ltp>5"), ("sort", "chg")) == (
        "?tab=recommendations&f=ltp%3E5&sort=chg&group=sector,score&columns=ltp,setup"
    )
    assert expanded(("view", "mine"), ("then", "chg"), ("group", "")) == (
        "?tab=recommendations&f=rsi%3E60&f=chg%3C0&group=sector,score&columns=ltp,setup"
    )


def test_two_views_are_refused() -> None:
    with pytest.raises(InputError, match="view: 'b' is not accepted; it may be given once"):
        expand([("view", "a"), ("view", "b")], lambda _slug: "")


def test_the_text_of_a_view_has_neither_page_nor_amounts() -> None:
    query = parse(
        [("view", ""), ("page", "3"), ("size", "25"), ("capital", "2000"), ("run", "4"), ("live", "0")]
    )
    assert text_of(query) == ""
    assert text_of(parse(expand([("view", "x")], lambda _slug: STORED))) == STORED


@pytest.mark.parametrize("slug", BUILT_IN)
def test_a_built_in_view_is_its_own_text(slug: str) -> None:
    query = parse(expand([("view", slug)], lambda name: BUILT_IN[name].query))
    assert text_of(query) == BUILT_IN[slug].query
    assert len(query.columns) >= 3


def test_the_view_that_a_page_shows_is_named() -> None:
    query = parse(expand([("view", "x")], lambda _slug: STORED)).with_(page=2, size=25, capital=2_000)
    found = chooser({"mine": MINE}, query, "/s", (("c", "rsi > 60"),))
    assert found.name == "<b>Mine</b>"
    assert [each.url for each in found.saved] == ["/s?c=rsi+%3E+60&size=25&capital=2000&view=mine"]
    assert [each.slug for each in found.built_in] == ["levels", "momentum", "risk", "phone"]
    assert chooser({"mine": MINE}, ScreenQuery(), "/s", ()).name == ""
