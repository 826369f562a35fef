from __future__ import annotations

import pytest

from ltp.core.watchlists.watchlist import (
    MAX_SLUG,
    free_slug,
    is_section_key,
    kind_of,
    parse_note,
    parse_slug,
    parse_title,
    slug_of,
)
from ltp.errors import InputError


@pytest.mark.parametrize(
    ("title", "slug"),
    [
        ("My banks!", "my-banks"),
        ("  Été – 2026 ", "ete-2026"),
        ("बैंक", "list"),
        ("<img src=x onerror=alert(1)>", "img-src-x-onerror-alert-1"),
        ("x" * 80, "x" * MAX_SLUG),
    ],
)
def test_a_slug_is_made_of_a_title(title: str, slug: str) -> None:
    assert slug_of(title) == slug
    assert parse_slug(slug) == slug


def test_a_taken_slug_gets_a_number() -> None:
    assert free_slug("Banks", frozenset({"banks", "banks-2"})) == "banks-3"
    assert free_slug("Add", frozenset()) == "add-2"  # /watchlists/add is a page
    long = "x" * MAX_SLUG
    assert len(free_slug(long, frozenset({long}))) <= MAX_SLUG


@pytest.mark.parametrize("text", ["", "My", "a--b", "-a", "a.csv", "add", "x" * 60, "a/b"])
def test_a_slug_that_is_not_accepted(text: str) -> None:
    with pytest.raises(InputError, match="a slug is small letters"):
        parse_slug(text)


def test_texts_have_any_characters_that_are_shown() -> None:
    for text in ("<b>", '"', "\u202eright to left", "क्\u200dष", "😀"):
        assert parse_title(text) == text
        assert parse_note(text) == text
    for text in ("a\x00b", "a\x1bb", "\ud800"):
        with pytest.raises(InputError, match="without control characters"):
            parse_title(text)
        with pytest.raises(InputError, match="without control characters"):
            parse_note(text)
    assert parse_title(" a\n b ") == "a b"


def test_a_kind_fits_its_column_and_a_section_has_a_key_of_its_own() -> None:
    assert len(kind_of("x" * MAX_SLUG)) <= 32
    assert kind_of("a") != kind_of("b")
    assert [is_section_key(text) for text in ("SECTION:1", "SECTION:0", "NSE_EQ:1", "SECTION:x")] == [
        True, False, False, False,
    ]  # fmt: skip
