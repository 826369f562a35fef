"""The list below the search, by keyboard and by mouse."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser


def test_hits_are_listed_while_typing_and_opened_by_keyboard(visit: Callable[..., Page]) -> None:
    page = visit("/")
    page.focus("#find")
    page.keyboard.type("hdfcb")
    hits = page.locator("#find-hits a")
    expect(hits.first).to_contain_text("HDFCBANK")
    expect(page.locator("#find-hits [role=status]")).to_contain_text("instrument")
    page.keyboard.press("Tab")
    expect(hits.first).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_contain_text("HDFCBANK")
    assert "/instruments/" in page.url
    assert page.complaints == []  # type: ignore[attr-defined]


def test_the_list_follows_the_words_and_goes_with_them(visit: Callable[..., Page]) -> None:
    page = visit("/screeners/swing", viewport={"width": 390, "height": 800})
    page.focus("#find")
    page.keyboard.type("reliacne")  # mistyped
    hits = page.locator("#find-hits a")
    expect(hits.first).to_contain_text("RELIANCE")
    expect(page.locator("#find-hits")).to_contain_text("With one letter changed")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.fill("#find", "zzzzzz")
    expect(page.locator("#find-hits")).to_contain_text("No instrument matches")
    page.fill("#find", "")
    expect(page.locator("#find-hits")).to_be_hidden()


def test_the_list_is_shown_only_while_the_form_has_the_keyboard(visit: Callable[..., Page]) -> None:
    page = visit("/instruments?live=0")
    page.focus("#words")
    page.keyboard.type("tcs")
    expect(page.locator("#words-hits a").first).to_be_visible()
    expect(page.locator("#find-hits a")).to_have_count(0)
    page.focus("h1 ~ p, #n-home")
    expect(page.locator("#words-hits")).to_be_hidden()
    page.focus("#words")
    page.locator("#words-hits a").first.click()
    expect(page.locator("h1")).to_contain_text("TCS")


def test_enter_searches_as_before(visit: Callable[..., Page]) -> None:
    page = visit("/")
    page.fill("#find", "bank")
    page.press("#find", "Enter")
    expect(page.locator("h1")).to_have_text("Instruments matching “bank”")
    expect(page.locator(".found a").first).to_be_visible()
    expect(page.locator("#words")).to_have_value("bank")


def test_on_a_phone_the_head_has_two_lines(visit: Callable[..., Page]) -> None:
    page = visit("/screeners/swing", viewport={"width": 390, "height": 800})
    boxes = [page.locator(f"#{name}").bounding_box() for name in ("n-home", "n-alerts", "find")]
    first, second, field = [each["y"] + each["height"] / 2 for each in boxes if each]
    assert second > first + 10
    assert abs(second - field) < 6
    page.focus("#find")
    page.keyboard.type("hdfcb")
    expect(page.locator("#find-hits a").first).to_contain_text("HDFCBANK")
    hits = page.locator("#find-hits").bounding_box()
    assert hits is not None
    assert hits["x"] >= 0
    assert hits["x"] + hits["width"] <= 390
