"""What open pages are told of the market as a whole: to everybody when it changes, at once to whoever comes,
and only then.
"""

from __future__ import annotations

from typing import Any


def says(rig: Any, words: str) -> None:
    rig.hub.status = lambda: f'<hx-partial id="status">{words}</hx-partial>'


def test_everybody_is_told_when_it_changes_and_newcomers_at_once(rig: Any, browse: Any) -> None:
    rig.prices(k1=100)
    says(rig, "open")
    early = browse(rig, rig.view(1))
    rig.until(lambda: early.cells.get("status") == "open")
    says(rig, "closed")
    rig.until(lambda: early.cells["status"] == "closed")
    late = browse(rig, rig.view(1))
    rig.until(lambda: late.frames)
    assert late.cells["status"] == "closed"


def test_it_is_sent_once_and_without_an_id_when_no_price_comes_along(rig: Any, browse: Any) -> None:
    rig.prices(k1=100)
    says(rig, "open")
    browser = browse(rig, rig.view(1))
    rig.until(lambda: browser.cells.get("status") == "open")
    ids = list(browser.ids)
    says(rig, "closed")
    rig.until(lambda: browser.cells["status"] == "closed", passed_s=0.5)
    assert browser.ids == ids
    rig.prices(k1=101)
    rig.until(lambda: len(browser.ids) > len(ids))
    assert sum(b'id="status">closed' in frame for frame in browser.frames) == 1


def test_whoever_was_stalled_is_told_with_what_he_missed(rig: Any, browse_socket: Any) -> None:
    rig.prices(k1=100)
    says(rig, "open")
    view = rig.view(*range(1, 200))
    browser = browse_socket(rig, view, buffers=4_096)
    for n in range(30):
        rig.prices(**{f"k{key}": 100 + n for key in range(1, 200)})
        rig.round(1.1 if n == 20 else 0.3)
        if n == 19:
            says(rig, "closed")
    assert view.behind == 1
    rig.until(
        lambda: (
            browser.cells.get("status") == "closed"
            and browser.cells == rig.truth(view) | {"status": "closed"}
        )
    )
