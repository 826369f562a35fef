from __future__ import annotations

import re
from typing import Any

from ltp.web.screens.catalogue import SCREENERS
from ltp.web.table.filters.grammar import parse
from ltp.web.table.links import Links
from ltp.web.table.screen_query import ScreenQuery
from ltp.web.table.views.form import ColumnForm, column_form

SWING = SCREENERS["swing"]
CARRIED = (("c", "rsi > 60"),)


def form_of(query: ScreenQuery, *names: str) -> ColumnForm:
    shown = [SWING.column(name) for name in names]
    return column_form(SWING, None, query, shown, Links("/s", CARRIED), CARRIED)


def test_the_columns_that_are_shown_are_ticked() -> None:
    form = form_of(ScreenQuery(), "ltp", "chgp", "rsi")
    boxes = {box.column.name: box.ticked for subject in form.subjects for box in subject.boxes}
    assert [name for name, ticked in boxes.items() if ticked] == ["chgp", "rsi"]
    assert "ltp" not in boxes
    assert "entry" not in boxes


def test_the_form_keeps_all_but_what_it_sets_and_the_page() -> None:
    query = ScreenQuery(
        sort="rsi",
        then="chgp",
        group="sector",
        columns=("ltp", "rsi"),
        page=3,
        q="x",
        filters=(parse("rsi>6"),),
    )
    assert form_of(query, "ltp", "rsi").hidden == (("c", "rsi > 60"), ("q", "x"), ("f", "rsi>6"))


def test_both_directions_of_each_column_are_offered_and_the_present_one_is_chosen() -> None:
    query = ScreenQuery(sort="score", descending=True, then="sector", group="setup", best_first=True)
    form = form_of(query, "ltp", "sector")
    assert [each.value for each in form.sorts] == [
        *("rank", "-rank", "-symbol", "symbol", "-ltp", "ltp", "-sector", "sector", "-score", "score"),
    ]
    assert [(each.value, each.label) for each in form.sorts if each.current] == [
        ("-score", "Score, highest first")
    ]
    assert [(each.value, each.label) for each in form.thens if each.current] == [("sector", "Sector, A to Z")]
    assert [(each.value, each.label) for each in form.groups if each.current] == [
        ("setup,score", "Setup, best score first")
    ]
    assert [each.value for each in form_of(ScreenQuery(), "ltp").thens if each.current] == [""]


def test_sets_are_links_that_change_the_columns_alone() -> None:
    sets = {each.slug: each for each in form_of(ScreenQuery(q="x", sort="chg", descending=True), "ltp").sets}
    assert sets["phone"].url == "/s?c=rsi+%3E+60&q=x&sort=-chg&columns=ltp,chgp,score,rsi"
    assert (sets["own"].current, sets["phone"].current) == (True, False)
    plans = form_of(ScreenQuery(tab="recommendations"), "ltp")
    assert [each.url for each in plans.sets if each.slug == "phone"] == [
        "/s?c=rsi+%3E+60&tab=recommendations&columns=ltp,chgp,state,to_entry,to_stop"
    ]


def test_the_form_leads_to_the_short_address(site: Any) -> None:
    answer = site.client.get(
        "/screeners/swing?sort=-score&then=chgp&group=sector%2Cscore&columns=rsi&columns=volume"
    )
    address = "/screeners/swing?sort=-score,chgp&group=sector,score&columns=ltp,volume,rsi"
    assert (answer.status_code, answer.headers["Location"]) == (303, address)
    page = site.page(address)
    assert re.findall(r'name="columns" value="(\w+)" checked', page) == ["volume", "rsi"]
    plain = site.client.get("/screeners/swing?sort=rank&then=&group=")
    assert plain.headers["Location"] == "/screeners/swing"


def test_the_default_columns_have_the_plain_address(site: Any) -> None:
    own = "rank,ltp,chgp,volume,score,sector"
    assert '<a id="set-own" href="/screeners/swing" aria-current="true">' in site.page(
        f"/screeners/swing?columns={own}"
    )
