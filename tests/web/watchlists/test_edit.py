"""`/watchlists/<slug>/edit`: forms, and two editors of one list."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape
from typing import Any

import pytest

from ltp.core.watchlists import edits
from ltp.core.watchlists.watchlist import Line, Watchlist
from ltp.db.watchlists import store
from tests.web.watchlists.conftest import HDFC, MM, NIFTY, TCS

PATH = "/watchlists/banks"
Post = Callable[..., Any]


def stored(site: Any) -> Watchlist:
    return store.fetch(site.engine, "banks")


def keys(site: Any) -> list[str]:
    return [line.key for line in stored(site).lines]


def change(site: Any, edit: edits.Edit) -> None:
    store.change(site.engine, "banks", edit, "test")


def test_the_page_has_each_line_with_its_values_as_text(banks: Any) -> None:
    page = banks.page(f"{PATH}/edit")
    assert re.findall(r'name="key" value="([^"]+)"', page) == [TCS, "SECTION:1", HDFC, NIFTY]
    assert 'value="=1+1 &lt;img onerror=x&gt;"' in page
    assert 'name="title" value="Rest &amp; &lt;i&gt;more"' in page
    assert "<option selected>red</option>" in page
    assert 'name="version" value="1"' in page
    assert "http-equiv" not in page  # it must not reload over a typed text


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        ({"key": HDFC, "do": "up"}, [TCS, HDFC, "SECTION:1", NIFTY]),
        ({"key": HDFC, "do": "down"}, [TCS, "SECTION:1", NIFTY, HDFC]),
        ({"key": NIFTY, "do": "top"}, [NIFTY, TCS, "SECTION:1", HDFC]),
        ({"key": TCS, "do": "remove"}, ["SECTION:1", HDFC, NIFTY]),
        ({"key": "SECTION:1", "do": "remove"}, [TCS, HDFC, NIFTY]),
    ],
)
def test_buttons(banks: Any, post: Post, form: dict[str, str], expected: list[str]) -> None:
    was = {"was_note": "=1+1 <img onerror=x>", "was_flag": "red", "was_title": "Rest & <i>more"}
    kept = {name.removeprefix("was_"): value for name, value in was.items()} if form["key"] != NIFTY else {}
    answer = post(f"{PATH}/lines", version="1", **form, **(was | kept if form["key"] == HDFC else {}))
    assert answer.status_code == 303, answer.text
    assert answer.location.startswith(f"{PATH}/edit")
    assert keys(banks) == expected


def test_a_button_also_saves_a_text_that_was_typed_before(banks: Any, post: Post) -> None:
    answer = post(
        f"{PATH}/lines", key=TCS, do="down", note="new", flag="blue", was_note="", was_flag="", version="1"
    )
    assert answer.location == f"{PATH}/edit#l-NSE_EQ-11536"
    assert stored(banks).lines[1] == Line(TCS, "", "new", "blue")


def test_the_page_of_a_line_that_was_moved_is_shown(banks: Any, post: Post) -> None:
    change(banks, edits.add([f"BSE_EQ:{number}" for number in range(1, 97)]))  # two pages of 50 lines
    form = {"version": "2", "page": "2"}
    first_of_second = keys(banks)[50]
    anchor = first_of_second.replace(":", "-")
    assert post(f"{PATH}/lines", key=first_of_second, do="up", **form).location == f"{PATH}/edit#l-{anchor}"
    assert (
        post(f"{PATH}/lines", key=first_of_second, do="down", **form).location
        == f"{PATH}/edit?page=2#l-{anchor}"
    )
    assert (
        post(f"{PATH}/lines", key=first_of_second, do="top", **form).location
        == f"{PATH}/edit?page=2#l-{anchor}"
    )
    assert "51–100 of 100 lines" in banks.page(f"{PATH}/edit?page=9")


def test_of_two_editors_of_a_note_the_second_sees_both(banks: Any, post: Post) -> None:
    form = {"key": TCS, "was_note": "", "was_flag": "", "version": "1"}
    assert post(f"{PATH}/lines", do="save", note="first", **form).status_code == 303
    change(banks, edits.add([MM]))
    answer = post(f"{PATH}/lines", do="save", note="second <b>", flag="blue", **form)
    assert answer.status_code == 409
    page = unescape(answer.text)
    assert "Not stored. The note or flag of TCS was changed meanwhile." in page
    assert "Changed since you opened the page: M&M added; note or flag of TCS changed." in page
    assert 'name="note" value="second <b>"' in page
    assert "now: “<bdi>first</bdi>”, flag none" in page
    assert 'name="was_note" value="first"' in page
    assert answer.headers["HX-Push-Url"] == f"{PATH}/edit"
    assert stored(banks).lines[0] == Line(TCS, "", "first")
    # Knowing both, the second editor saves again.
    again = form | {"was_note": "first", "version": "3"}
    assert post(f"{PATH}/lines", do="save", note="second <b>", flag="blue", **again).status_code == 303
    assert stored(banks).lines[0] == Line(TCS, "", "second <b>", "blue")


def test_a_move_or_a_removal_under_a_newer_version_is_made(banks: Any, post: Post) -> None:
    change(banks, edits.move(NIFTY, "top"))
    change(banks, edits.mark(HDFC, "other", ""))
    form = {"key": HDFC, "do": "up", "version": "1", "note": "=1+1 <img onerror=x>", "flag": "red"}
    answer = post(f"{PATH}/lines", **form, was_note="=1+1 <img onerror=x>", was_flag="red")
    assert answer.status_code == 303
    assert stored(banks).line(HDFC) == Line(HDFC, "", "other")  # it was not touched
    assert keys(banks) == [NIFTY, TCS, HDFC, "SECTION:1"]
    assert post(f"{PATH}/lines", key=TCS, do="remove", version="1").status_code == 303
    assert post(f"{PATH}/lines", key=TCS, do="remove", version="1").status_code == 303  # removed by both


def test_a_text_for_a_line_that_is_gone_is_shown(banks: Any, post: Post) -> None:
    change(banks, edits.remove([TCS]))
    answer = post(
        f"{PATH}/lines",
        key=TCS,
        do="save",
        note="kept <i>",
        flag="red",
        was_note="",
        was_flag="",
        version="1",
    )
    assert answer.status_code == 409
    page = unescape(answer.text)
    assert "Not stored. TCS is no longer in the list." in page
    assert "Your values for TCS were: note “<bdi>kept <i></bdi>”, flag red." in page
    assert "kept &lt;i&gt;" in answer.text


def test_sections_and_names(banks: Any, post: Post) -> None:
    assert post(f"{PATH}/sections", title="New one", version="1").location == f"{PATH}/edit#l-SECTION-2"
    assert stored(banks).lines[-1] == Line("SECTION:2", "New one")
    form = {"key": "SECTION:2", "do": "save", "was_title": "New one", "version": "2"}
    assert post(f"{PATH}/lines", title="Newer", **form).status_code == 303
    answer = post(f"{PATH}/lines", title="Mine", **form)
    assert answer.status_code == 409
    assert 'value="Mine"' in answer.text
    assert "now: <bdi>Newer</bdi>" in answer.text
    assert post(f"{PATH}/rename", title="Big banks", was_title="Banks", version="3").status_code == 303
    answer = post(f"{PATH}/rename", title="Small banks", was_title="Banks", version="3")
    assert answer.status_code == 409
    assert "The list is called Big banks meanwhile" in answer.text
    assert 'name="title" value="Small banks"' in answer.text
    banks.catalog.refresh()
    assert banks.catalog.universes()["list-banks"].title == "Big banks"
    assert post(f"{PATH}/sections", title=" ", version="4").status_code == 400


def test_a_form_of_another_site_and_a_wrong_button_are_refused(banks: Any, post: Post) -> None:
    answer = banks.client.post(
        f"{PATH}/lines", data={"key": TCS, "do": "remove"}, headers={"Sec-Fetch-Site": "cross-site"}
    )
    assert answer.status_code == 403
    assert post(f"{PATH}/lines", key=TCS, do="explode").status_code == 400
    assert post("/watchlists/nothing/lines", key=TCS, do="up").status_code == 404
    assert banks.client.get(f"{PATH}/lines").location == f"{PATH}/edit"
    assert len(keys(banks)) == 4
