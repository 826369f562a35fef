"""Instruments into lists: by search, from rows and whole screens, and pasted."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape
from typing import Any

import pytest

from ltp.core.instrument import Instrument
from ltp.core.watchlists import edits
from ltp.core.watchlists.watchlist import Line
from ltp.db import instruments
from ltp.db.watchlists import lists, store
from tests.web.watchlists.conftest import HDFC, MM, NIFTY, TCS

PATH = "/watchlists/banks"
Post = Callable[..., Any]


def keys(site: Any, slug: str = "banks") -> list[str]:
    return [line.key for line in store.fetch(site.engine, slug).lines]


def test_an_instrument_is_found_and_added_to_a_section(banks: Any, post: Post) -> None:
    page = banks.page(f"{PATH}/find?q=m%26m")
    assert '<button name="key" value="NSE_EQ:2031"' in page
    assert '<option value="SECTION:1">Rest &amp; &lt;i&gt;more</option>' in page
    assert "Mahindra &amp; &#34;Mahindra&#34; &lt;b&gt;" in page
    answer = post(f"{PATH}/add", key=MM, q="m&m", section="")
    assert answer.location == f"{PATH}/find?q=m%26m"
    assert keys(banks)[-1] == MM
    page = banks.page(answer.location)
    assert "in the list" in page
    assert 'value="NSE_EQ:2031"' not in page
    assert post(f"{PATH}/add", key="BSE_EQ:500180", section="SECTION:1").location == PATH
    assert post(f"{PATH}/add", key=MM, section="SECTION:9").status_code == 303  # it is there already
    assert post(f"{PATH}/add", key="NSE_EQ:5", section="").status_code == 404
    assert post(f"{PATH}/add", key="x").status_code == 400
    assert "No instrument has this" in banks.page(f"{PATH}/find?q=zzz")


def test_a_section_that_is_gone_is_said(banks: Any, post: Post) -> None:
    answer = post(f"{PATH}/add", key=MM, section="SECTION:9")
    assert answer.status_code == 409
    assert "The section is no longer in the list." in answer.text


@pytest.mark.parametrize(
    "path", ["/instruments/NSE_EQ/1333", "/screeners/swing/NSE_EQ/1333", "/instruments?q=hd"]
)
def test_pages_lead_to_the_choice_of_a_list(banks: Any, post: Post, path: str) -> None:
    assert f'href="/watchlists/add?key={HDFC}"' in banks.page(path)
    page = banks.page(f"/watchlists/add?key={HDFC}")
    assert "Add HDFCBANK to a list" in page
    assert re.findall(r'name="list" value="([^"]*)"', page) == ["banks", ""]
    assert post("/watchlists/add", key=MM, list="banks").location == PATH
    assert keys(banks)[-1] == MM
    assert post("/watchlists/add", key=HDFC, list="", title="New one").location == "/watchlists/new-one"
    assert keys(banks, "new-one") == [HDFC]


def test_all_rows_of_a_screen_are_added_at_once(banks: Any, post: Post) -> None:
    page = banks.page("/screeners/swing?q=bank&sort=symbol")
    assert 'href="/watchlists/add?key=NSE_EQ:1333">Add this one to a list…' in page
    page = banks.page("/screeners/swing")
    [link] = re.findall(r'id="to-list" href="([^"]+)">Add these 3 to a list…', page)
    assert link == f"/watchlists/add?key={HDFC},{MM},{TCS}"
    page = banks.page(link)
    assert "Add 3 instruments to a list" in page
    assert post("/watchlists/add", key=f"{HDFC},{MM},{TCS}", list="banks").status_code == 303
    assert keys(banks) == [TCS, "SECTION:1", HDFC, NIFTY, MM]


def test_a_choice_that_is_refused_keeps_what_was_typed(banks: Any, post: Post) -> None:
    answer = post("/watchlists/add", key=MM, list="", title="\x01")
    assert answer.status_code == 400
    assert "without control characters" in answer.text
    assert f'name="key" value="{MM}"' in answer.text
    assert answer.headers["HX-Push-Url"] == f"/watchlists/add?key={MM}"
    store.change(banks.engine, "banks", edits.add([f"BSE_EQ:{number}" for number in range(1, 998)]), "test")
    answer = post("/watchlists/add", key=MM, list="banks")
    assert answer.status_code == 400
    assert "Banks: '1,001 instruments' is not accepted; a list has at most 1,000 instruments" in unescape(
        answer.text
    )
    assert post("/watchlists/add", key=MM, list="nothing").status_code == 404
    banks.page("/watchlists/add", 400)
    assert "1 of the rows is no longer in the instrument master" in banks.page(
        f"/watchlists/add?key=NSE_EQ:77,{MM}"
    )
    banks.page("/watchlists/add?key=NSE_EQ:77", 404)


def test_a_pasted_list_is_added(banks: Any, post: Post) -> None:
    instruments.seed(banks.engine, [Instrument("MCX_COMM", 9, "GOLD-05Feb2027-FUT", "GOLD", "", 1, 100)])
    text = "M&M\n[Rest & <i>more]\nMCX_COMM:9\n[New]\nBSE_EQ:HDFCBANK\nTCS"
    answer = post(f"{PATH}/paste", list=text)
    assert answer.location == PATH, answer.text
    assert keys(banks) == [TCS, "SECTION:1", HDFC, NIFTY, MM, "MCX_COMM:9", "SECTION:2", "BSE_EQ:500180"]


def test_bad_lines_are_named_and_the_good_ones_are_added_only_on_request(banks: Any, post: Post) -> None:
    text = 'symbol,note,flag\nM&M,why,blue\n"<img onerror=x>",,\nTCS,,pink\nM&M,,\n'
    answer = post(f"{PATH}/paste", list=text)
    assert answer.status_code == 200
    assert "Nothing is stored yet: 3 lines are not taken." in answer.text
    page = unescape(answer.text)
    for line in (
        '3</th><td class="t long"><bdi><img onerror=x></bdi>',
        '4</th><td class="t long"><bdi>pink</bdi>',
        "5</th>",
    ):
        assert f'<th scope="row">{line}' in page
    assert "<img" not in answer.text
    assert text.strip() in page  # the typed text is there again
    assert "Add the 1 good one only" in page
    assert MM not in keys(banks)
    assert post(f"{PATH}/paste", list=text, sure="1").location == PATH
    assert store.fetch(banks.engine, "banks").lines[-1] == Line(MM, "", "why", "blue")


def test_a_paste_of_nothing_or_too_much_is_refused(banks: Any, post: Post) -> None:
    answer = post(f"{PATH}/paste", list="# nothing")
    assert answer.status_code == 400
    assert "paste at least one symbol" in answer.text
    answer = post(f"{PATH}/paste", list="NOPE", sure="1")
    assert answer.status_code == 200
    assert 'id="only-good"' not in answer.text
    assert post(f"{PATH}/paste", list="x" * 600_000).status_code == 413
    assert "Paste into" in banks.page(f"{PATH}/paste")


def test_a_thousand_pasted_lines(site: Any, post: Post) -> None:
    known = [
        Instrument("NSE_EQ", number, f"SHARE{number}", f"Share {number} Ltd", "", 1, 5)
        for number in range(20_000, 21_000)
    ]
    instruments.seed(site.engine, known)
    lists.create(site.engine, "Long", source="test")
    text = "\n".join(f"SHARE{number}" for number in range(20_000, 21_000))
    assert post("/watchlists/long/paste", list=text).status_code == 303
    assert len(keys(site, "long")) == 1_000
