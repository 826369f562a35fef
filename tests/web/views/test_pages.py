"""Named views: saved from a table, opened by name, renamed and deleted."""

from __future__ import annotations

from typing import Any

import pytest

SWING = "/screeners/swing"
OWN = {"Sec-Fetch-Site": "same-origin"}
HOSTILE = '"><img src=x onerror=alert(1)>'


def post(site: Any, path: str, headers: dict[str, str] = OWN, **fields: str) -> Any:
    return site.client.post(path, data=fields, headers=headers)


def save(site: Any, name: str, back: str) -> Any:
    return post(site, "/views", name=name, back=back)


def test_a_view_is_saved_from_a_table_and_opened_by_its_name(site: Any) -> None:
    shown = f"{SWING}?f=score%3E80&sort=-score,symbol&columns=ltp,score&size=25"
    answer = save(site, "Best", shown)
    assert (answer.status_code, answer.headers["Location"]) == (303, shown)
    page = site.page(shown)
    assert "<summary>View: Best</summary>" in page
    assert f'<a id="view-best" href="{SWING}?size=25&amp;view=best" aria-current="true">Best</a>' in page
    opened = site.client.get(f"{SWING}?view=best")
    assert opened.status_code == 303
    assert opened.headers["Location"] == f"{SWING}?f=score%3E80&sort=-score,symbol&columns=ltp,score"
    assert (
        site.page(f"{SWING}.csv?view=best").splitlines()[0] == "symbol,name,key,ltp,ltp_state,ltp_as_of,score"
    )
    longterm = site.client.get("/screeners/longterm?view=best&sort=chg")
    assert longterm.headers["Location"] == "/screeners/longterm?f=score%3E80&sort=chg&columns=ltp,score"


def test_a_view_of_a_custom_screen_keeps_the_criteria_out_of_the_view(site: Any) -> None:
    back = "/screeners/custom?c=rsi14+>+60&c=adx+>+20&sort=-rsi"
    answer = save(site, "By RSI", back)
    assert answer.headers["Location"] == "/screeners/custom?c=rsi14+%3E+60&c=adx+%3E+20&sort=-rsi"
    assert site.catalog.views()["by-rsi"].query == "sort=-rsi"
    opened = site.client.get("/screeners/custom?c=close+%3E+1&view=by-rsi")
    assert opened.headers["Location"] == "/screeners/custom?c=close+%3E+1&sort=-rsi"


def test_built_in_views_expand_too_and_keep_their_names(site: Any) -> None:
    address = site.client.get(f"{SWING}?view=phone").headers["Location"]
    assert address == f"{SWING}?columns=ltp,chgp,score,rsi"
    assert "<summary>View: Phone</summary>" in site.page(address)
    save(site, "Phone", SWING)
    assert site.catalog.views()["phone-2"].name == "Phone"


def test_an_unknown_view_is_not_found(site: Any) -> None:
    assert "There is no view called &#39;nothing&#39;" in site.page(f"{SWING}?view=nothing", 404)


def test_views_are_renamed_and_deleted(site: Any) -> None:
    save(site, "Mine", f"{SWING}?sort=-score")
    answer = post(site, "/views/mine/rename", name="Yours")
    assert answer.status_code == 303
    page = site.page(answer.headers["Location"])
    assert "<h2>Yours</h2>" in page
    assert 'href="/screeners/longterm?view=mine"' in page
    assert post(site, "/views/mine/delete").status_code == 303
    assert "No view is saved yet." in site.page("/views")
    assert post(site, "/views/mine/delete").status_code == 404
    assert post(site, "/views/mine/rename", name="x").status_code == 404
    assert site.client.get("/views/mine/delete").headers["Location"] == "/views"


def test_a_hostile_name_is_text_everywhere(site: Any) -> None:
    save(site, HOSTILE, SWING)
    for path in (SWING, "/views"):
        page = site.page(path)
        assert "<img" not in page
        assert "&lt;img src=x onerror=alert(1)&gt;" in page


def test_a_refused_name_is_typed_again_beside_its_reason(site: Any) -> None:
    answer = save(site, "a\u202eb", f"{SWING}?sort=-score")
    assert answer.status_code == 400
    assert "Name: a name is 1 to 80 printable characters." in answer.text
    assert f'name="back" value="{SWING}?sort=-score"' in answer.text
    assert answer.headers["HX-Push-Url"] == "/views"


@pytest.mark.parametrize(
    "back",
    ["", "https://evil.example/", "//evil.example/x", "/\\evil.example", "javascript:alert(1)", "/a\nb"],
)
def test_the_way_back_stays_on_the_site(site: Any, back: str) -> None:
    answer = save(site, "Mine", back)
    assert answer.status_code == 400
    assert "back: it is the address of a table of this site." in answer.text
    assert site.catalog.views() == {}


def test_a_form_of_another_site_changes_nothing(site: Any) -> None:
    save(site, "Mine", SWING)
    for path in ("/views", "/views/mine/rename", "/views/mine/delete"):
        answer = post(site, path, {"Sec-Fetch-Site": "cross-site"}, name="x", back=SWING)
        assert answer.status_code == 403
    assert [view.name for view in site.catalog.views().values()] == ["Mine"]


def test_a_process_that_did_not_save_reads_again_for_a_signed_mark_only(site: Any) -> None:
    location = post(site, "/views", name="Mine", back=SWING) and post(site, "/views/mine/rename", name="Two")
    site.catalog._views = {}
    assert "No view is saved yet." in site.page("/views?saved=1234567890")
    assert "<h2>Two</h2>" in site.page(location.headers["Location"])
