from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from types import SimpleNamespace
from typing import Any

import pytest

from ltp.core.criteria.spec import Spec, kind_of, text_of
from ltp.core.screener import Row
from ltp.db import saved_screens
from ltp.db.catalog import Catalog
from ltp.web import redirect_marks
from ltp.web.screens import saved

SAME_ORIGIN = {"Sec-Fetch-Site": "same-origin"}
SPEC = Spec(("rsi14 > 60",), min_price=500_000)


def save(site: Any, name: str, slug: str = "", **fields: Any) -> Any:
    form = {"c": "rsi14 > 60", "min_price": "50", "name": name, "slug": slug} | fields
    return site.client.post("/screeners/custom/save", data=form, headers=SAME_ORIGIN)


def test_a_screen_is_saved_under_its_name_and_has_a_page(site: Any) -> None:
    answer = save(site, "  Strong   trend! ")
    assert answer.status_code == 303
    assert answer.headers["Location"].startswith("/screeners/strong-trend?saved=")
    assert saved_screens.fetch(site.engine, "strong-trend").spec == SPEC
    page = site.page(answer.headers["Location"])
    assert "<h1>Strong trend!" in page
    assert "<code>rsi14 &gt; 60</code>" in page
    assert "close of at least ₹50.00" in page
    assert 'href="/screeners/custom?c=rsi14+%3E+60&amp;min_price=50"' in page


def test_the_page_of_a_saved_screen_shows_the_runs_of_its_criteria(site: Any) -> None:
    save(site, "Strong trend", "mine")
    site.run(kind_of(SPEC), [Row("NSE_EQ:1333", 1, "HDFCBANK", score=1.0)], spec=text_of(SPEC))
    assert ">HDFCBANK</a>" in site.page("/screeners/mine")
    assert 'Saved as <a id="saved-1" href="/screeners/mine">Strong trend</a>' in site.page(
        "/screeners/custom?c=rsi14+>+60&min_price=50"
    )


@pytest.mark.parametrize(
    ("name", "slug", "error"),
    [
        ("swing", "", "Address: &#39;swing&#39; is not accepted"),
        ("x", "runs", "Address: &#39;runs&#39; is not accepted"),
        ("x", "custom-abc", "Address: &#39;custom-abc&#39; is not accepted"),
        ("x", "../etc", "Address: &#39;../etc&#39; is not accepted"),
        ("!!", "", "Name: &#39;!!&#39; is not accepted; no address can be made of it"),
        (
            "साप्ताहिक",
            "",
            "no address can be made of it: use letters a to z or digits, or type an address too",
        ),
        ("", "fine", "a name is 1 to 200 characters"),
        ("n" * 201, "fine", "a name is 1 to 200 characters"),
        ("Another", "taken", "it is the address of the screen &#39;First&#39;; choose another"),
    ],
)
def test_a_refused_name_is_an_error_beside_the_form(site: Any, name: str, slug: str, error: str) -> None:
    save(site, "First", "taken")
    answer = save(site, name, slug)
    assert answer.status_code == 400
    assert error in answer.text
    assert 'id="save-error" role="alert"' in answer.text
    assert answer.headers["HX-Push-Url"] == "/screeners/custom?c=rsi14+%3E+60&min_price=50"
    assert [screen.slug for screen in site.catalog.screens()] == ["taken"]


def test_the_same_name_again_replaces_the_criteria(site: Any) -> None:
    save(site, "Mine")
    assert save(site, "Mine", c="adx > 20").status_code == 303
    assert saved_screens.fetch(site.engine, "mine").spec.criteria == ("adx14 > 20",)


def test_criteria_that_are_not_accepted_are_not_saved(site: Any) -> None:
    assert save(site, "Mine", c="close >").status_code == 400
    answer = save(site, "Mine", c="")
    assert answer.status_code == 400
    assert "a screen that is saved has at least one criterion" in answer.text
    assert list(site.catalog.screens()) == []


def test_a_body_is_bounded(site: Any) -> None:
    assert save(site, "x" * 70_000).status_code == 413


def test_a_screen_is_deleted(site: Any) -> None:
    save(site, "Mine")
    answer = site.client.post("/screeners/mine/delete", headers=SAME_ORIGIN)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/screeners")
    assert site.client.get("/screeners/mine").status_code == 404
    assert site.client.post("/screeners/mine/delete", headers=SAME_ORIGIN).status_code == 404


def test_a_get_of_the_save_address_redirects_to_the_form(site: Any) -> None:
    assert site.client.get("/screeners/custom/save").headers["Location"] == "/screeners/custom"


class OtherProcess:
    """Another web process that has just saved a screen. The process under test has not read it yet."""

    def __init__(self, site: Any, slug: str = "theirs") -> None:
        with site.app.app_context():
            self.mark = redirect_marks.sign(saved.subject_of(slug))
        saved_screens.save(site.engine, slug, "Theirs", SPEC)


@pytest.fixture
def reads(site: Any, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """One entry for each read of the saved screens that a page causes."""
    reads: list[str] = []

    def read() -> None:
        reads.append("read")
        Catalog.refresh_screens(site.catalog)

    monkeypatch.setattr(site.catalog, "refresh_screens", read)
    return reads


def test_a_screen_that_another_process_has_just_saved_is_read_once(site: Any, reads: list[str]) -> None:
    mark = OtherProcess(site).mark
    assert "<h1>Theirs" in site.page(f"/screeners/theirs?saved={mark}")
    assert "<h1>Theirs" in site.page(f"/screeners/theirs?saved={mark}")
    assert reads == ["read"]


@pytest.mark.parametrize("made_up", [lambda: f"{time.time():.0f}", lambda: f"{time.time():.0f}-{'0' * 32}"])
def test_a_forged_mark_reads_nothing(site: Any, reads: list[str], made_up: Any) -> None:
    OtherProcess(site)
    site.page(f"/screeners/theirs?saved={made_up()}", 404)
    assert reads == []


@pytest.mark.parametrize("shapeless", ["x", "-", "1-", "1-é", "1-" + "A" * 32, "٣", "1" * 13])
def test_a_malformed_mark_is_refused(site: Any, shapeless: str) -> None:
    assert "saved: &#39;" in site.page(f"/screeners/theirs?saved={shapeless}", 400)


def test_a_mark_is_valid_for_one_screen_and_some_seconds(
    site: Any, reads: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    mark = OtherProcess(site).mark
    site.page(f"/screeners/others?saved={mark}", 404)
    later = time.time() + redirect_marks.VALID_FOR_S
    monkeypatch.setattr(redirect_marks, "time", SimpleNamespace(time=lambda: later))
    site.page(f"/screeners/theirs?saved={mark}", 404)
    assert reads == []


def test_a_saved_screen_that_cannot_be_read_now_is_a_503(site: Any) -> None:
    mark = OtherProcess(site).mark
    with closing(sqlite3.connect(site.engine.url.database)) as other:
        other.execute("BEGIN EXCLUSIVE")
        answer = site.client.get(f"/screeners/theirs?saved={mark}")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert "The database cannot be reached." in answer.text
