"""The newest firings: exact counts for every mark, each notice once, and none to a reader who has seen it."""

from __future__ import annotations

import re

import pytest

from ltp.hub.notices.kept import KEPT, SHOWN_FOR_S, Notices

NOW = 1_000_000.0
PARTIAL = re.compile(r'<hx-partial id="([^"]+)">(.*?)</hx-partial>')


def kept(*ids: int, at: float = NOW) -> Notices:
    notices = Notices()
    for version, id_ in enumerate(ids, 1):
        notices.add(id_, at, f"<b>{id_}</b>", version)
    return notices


def parts(markup: str | bytes) -> dict[str, str]:
    text = markup if isinstance(markup, str) else markup.decode()
    assert "\n" not in text
    return dict(PARTIAL.findall(text))


def test_an_event_has_what_came_since_and_the_count_for_every_mark() -> None:
    found = parts(kept(41, 42, 46).newer(2))
    assert found == {
        "notice-1": "<b>46</b>",
        "fired-0": "3", "more-0": "3", "fired-41": "2", "more-41": "2", "fired-42": "1", "more-42": "1",
    }  # fmt: skip
    assert kept(41, 42, 46).newer(3) == b""
    assert Notices().newer(0) == b""


def test_at_most_three_are_shown_at_once() -> None:
    found = parts(kept(*range(1, 11)).newer(0))
    assert {name: markup for name, markup in found.items() if name.startswith("notice")} == {
        "notice-2": "<b>8</b>", "notice-0": "<b>9</b>", "notice-1": "<b>10</b>",
    }  # fmt: skip
    assert found["fired-2"] == "8"


@pytest.mark.parametrize(
    ("seen", "mark", "count", "shown"),
    [(46, 46, "", []), (43, 43, "1", ["46"]), (42, 42, "1", ["46"]), (41, 41, "2", ["42", "46"]), (7, 7, "3", ["41", "42", "46"])],
)  # fmt: skip
def test_a_reader_is_told_what_was_not_seen(seen: int, mark: int, count: str, shown: list[str]) -> None:
    notices = kept(41, 42, 46)
    page = notices.unseen(seen, NOW)
    assert (page.mark, page.news) == (mark, count)
    assert sorted(each[3:-4] for each in page.slots if each) == shown
    opened = parts(notices.opening(seen, NOW))
    assert (opened.pop(f"fired-{mark}", ""), opened.pop(f"more-{mark}", "")) == (count, count)
    assert sorted(each[3:-4] for each in opened.values()) == shown


def test_an_old_notice_is_counted_and_not_shown_to_a_page_that_opens() -> None:
    notices = kept(41)
    assert notices.unseen(7, NOW + SHOWN_FOR_S + 1).slots == ("", "", "")
    assert notices.unseen(7, NOW + SHOWN_FOR_S + 1).news == "1"


def test_a_stream_of_a_browser_without_a_mark_is_told_of_the_last_minute() -> None:
    notices = kept(41)
    assert parts(notices.opening(None, NOW + 59)) == {"notice-2": "<b>41</b>"}
    assert notices.opening(None, NOW + 61) == ""


def test_a_page_that_gives_its_reader_a_mark_shows_nothing() -> None:
    page = kept(41).unseen(None, NOW)
    assert (page.mark, page.news, page.slots) == (41, "", ("", "", ""))


def test_only_the_newest_are_kept_and_a_mark_that_will_be_forgotten_says_so() -> None:
    notices = kept(*range(1, KEPT + 6))
    found = parts(notices.newer(0))
    assert found[f"fired-{KEPT + 4}"] == "1"
    assert found["fired-6"] == f"{KEPT - 1}+"
    assert found["fired-7"] == f"{KEPT - 2}"
    assert found["fired-0"] == f"{KEPT}+"
    assert notices.unseen(3, NOW).news == f"{KEPT}+"


def test_a_firing_that_is_known_or_too_old_to_be_kept_is_known() -> None:
    notices = kept(*range(1, KEPT + 3))
    assert [notices.knows(id_) for id_ in (1, 2, 3, KEPT + 2, KEPT + 3)] == [True, True, True, True, False]
    assert not kept(5, 7).knows(6)


def test_one_that_comes_late_is_in_its_place() -> None:
    notices = kept(5, 7, 6)
    assert notices.newest == 7
    assert notices.unseen(5, NOW).news == "2"
    assert parts(notices.newer(2)).get("notice-0") == "<b>6</b>"


def test_a_notice_is_one_line() -> None:
    notices = Notices()
    notices.add(1, NOW, "<p>a\nb</p>", 1)
    assert b"<p>a b</p>" in notices.newer(0)
