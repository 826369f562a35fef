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


def fields(*lines: Line, was: str = "") -> dict[str, str]:
    """Return the fields of lines as the page has them. `was`: "was_" for the values that it has shown."""
    texts = {line.key: ("title",) if line.is_section else ("note", "flag") for line in lines}
    return {f"{was}{name} {line.key}": getattr(line, name) for line in lines for name in texts[line.key]}


def shown(*lines: Line) -> dict[str, str]:
    """Return the fields of lines in which nothing was typed."""
    return fields(*lines) | fields(*lines, was="was_")


def test_the_page_has_each_line_with_its_values_as_text(banks: Any) -> None:
    page = banks.page(f"{PATH}/edit")
    assert re.findall(r'value="remove ([^"]+)"', page) == [TCS, "SECTION:1", HDFC, NIFTY]
    assert 'value="=1+1 &lt;img onerror=x&gt;"' in page
    assert 'name="title SECTION:1" value="Rest &amp; &lt;i&gt;more"' in page
    assert "<option selected>red</option>" in page
    assert 'name="version" value="1"' in page
    assert "http-equiv" not in page  # it must not reload over a typed text


@pytest.mark.parametrize(
    ("do", "expected"),
    [
        (f"up {HDFC}", [TCS, HDFC, "SECTION:1", NIFTY]),
        (f"down {HDFC}", [TCS, "SECTION:1", NIFTY, HDFC]),
        (f"top {NIFTY}", [NIFTY, TCS, "SECTION:1", HDFC]),
        (f"remove {TCS}", ["SECTION:1", HDFC, NIFTY]),
        ("remove SECTION:1", [TCS, HDFC, NIFTY]),
    ],
)
def test_buttons(banks: Any, post: Post, do: str, expected: list[str]) -> None:
    before = stored(banks)
    answer = post(f"{PATH}/lines", do=do, version="1", **shown(*before.lines))
    assert answer.status_code == 303, answer.text
    assert answer.location.startswith(f"{PATH}/edit")
    assert keys(banks) == expected
    assert {*stored(banks).lines} <= {*before.lines}


def test_every_button_saves_all_that_was_typed_on_the_page(banks: Any, post: Post) -> None:
    lines = stored(banks).lines
    typed = fields(Line(TCS, "", "new", "blue"), Line("SECTION:1", "Named"), Line(NIFTY, "", "too"))
    form = shown(*lines) | typed
    answer = post(f"{PATH}/lines", do=f"down {TCS}", version="1", **form)
    assert answer.location == f"{PATH}/edit#l-NSE_EQ-11536"
    assert stored(banks).lines == (
        Line("SECTION:1", "Named"), Line(TCS, "", "new", "blue"), lines[2], Line(NIFTY, "", "too"),
    )  # fmt: skip
    assert stored(banks).version == 2


def test_the_page_of_a_line_that_was_moved_is_shown(banks: Any, post: Post) -> None:
    change(banks, edits.add([f"BSE_EQ:{number}" for number in range(1, 97)]))  # two pages of 50 lines
    first_of_second = keys(banks)[50]
    anchor = first_of_second.replace(":", "-")

    def moved_to(how: str) -> str:
        return str(post(f"{PATH}/lines", do=f"{how} {first_of_second}", version="2", page="2").location)

    assert moved_to("up") == f"{PATH}/edit#l-{anchor}"
    assert moved_to("down") == f"{PATH}/edit?page=2#l-{anchor}"
    assert moved_to("top") == f"{PATH}/edit?page=2#l-{anchor}"
    assert "51–100 of 100 lines" in banks.page(f"{PATH}/edit?page=9")


def test_of_two_editors_of_a_note_the_second_sees_both(banks: Any, post: Post) -> None:
    seen = shown(*stored(banks).lines)
    assert post(f"{PATH}/lines", version="1", **seen | {f"note {TCS}": "first"}).status_code == 303
    change(banks, edits.add([MM]))
    typed = {f"note {TCS}": "second <b>", f"flag {TCS}": "blue", f"note {NIFTY}": "another"}
    answer = post(f"{PATH}/lines", version="1", **seen | typed)
    assert answer.status_code == 409
    page = unescape(answer.text)
    assert "Not stored. The note or flag of TCS was changed meanwhile." in page
    assert "Changed since you opened the page: M&M added; note or flag of TCS changed." in page
    assert f'name="note {TCS}" value="second <b>"' in page
    assert f'name="note {NIFTY}" value="another"' in page
    assert "now: “<bdi>first</bdi>”, flag none" in page
    assert f'name="was_note {TCS}" value="first"' in page
    assert answer.headers["HX-Push-Url"] == f"{PATH}/edit"
    assert (stored(banks).line(TCS), stored(banks).line(NIFTY)) == (Line(TCS, "", "first"), Line(NIFTY))
    # Knowing both, the second editor saves again.
    again = seen | typed | {f"was_note {TCS}": "first", "version": "3"}
    assert post(f"{PATH}/lines", **again).status_code == 303
    assert stored(banks).line(TCS) == Line(TCS, "", "second <b>", "blue")
    assert stored(banks).line(NIFTY) == Line(NIFTY, "", "another")


def test_a_move_or_a_removal_under_a_newer_version_is_made(banks: Any, post: Post) -> None:
    seen = shown(*stored(banks).lines)
    change(banks, edits.move(NIFTY, "top"))
    change(banks, edits.mark(HDFC, "other", ""))
    assert post(f"{PATH}/lines", do=f"up {HDFC}", version="1", **seen).status_code == 303
    assert stored(banks).line(HDFC) == Line(HDFC, "", "other")  # it was not touched
    assert keys(banks) == [NIFTY, TCS, HDFC, "SECTION:1"]
    assert post(f"{PATH}/lines", do=f"remove {TCS}", version="1", **seen).status_code == 303
    assert (
        post(f"{PATH}/lines", do=f"remove {TCS}", version="1", **seen).status_code == 303
    )  # removed by both
    assert post(f"{PATH}/lines", do=f"up {TCS}", version="1", **seen).status_code == 409


def test_a_text_for_a_line_that_is_gone_is_shown(banks: Any, post: Post) -> None:
    seen = shown(*stored(banks).lines)
    change(banks, edits.remove([TCS]))
    answer = post(f"{PATH}/lines", version="1", **seen | {f"note {TCS}": "kept <i>", f"flag {TCS}": "red"})
    assert answer.status_code == 409
    page = unescape(answer.text)
    assert "Not stored. TCS is no longer in the list." in page
    assert "Your values for TCS were: note “<bdi>kept <i></bdi>”, flag red." in page
    assert "kept &lt;i&gt;" in answer.text


def test_sections_and_names(banks: Any, post: Post) -> None:
    assert post(f"{PATH}/sections", title="New one", version="1").location == f"{PATH}/edit#l-SECTION-2"
    assert stored(banks).lines[-1] == Line("SECTION:2", "New one")
    seen = {"was_title SECTION:2": "New one", "version": "2"}
    assert post(f"{PATH}/lines", **seen, **{"title SECTION:2": "Newer"}).status_code == 303
    answer = post(f"{PATH}/lines", **seen, **{"title SECTION:2": "Mine"})
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
        f"{PATH}/lines", data={"do": f"remove {TCS}"}, headers={"Sec-Fetch-Site": "cross-site"}
    )
    assert answer.status_code == 403
    assert post(f"{PATH}/lines", do=f"explode {TCS}").status_code == 400
    assert post("/watchlists/nothing/lines", do=f"up {TCS}").status_code == 404
    assert banks.client.get(f"{PATH}/lines").location == f"{PATH}/edit"
    assert len(keys(banks)) == 4
