from __future__ import annotations

from datetime import date

import pytest

from ltp.errors import InputError
from ltp.web import params


@pytest.mark.parametrize("text", ["1971-01-01", "2024-02-29", "2026-11-30", "9998-12-31"])
def test_a_day(text: str) -> None:
    assert params.day(text, "first") == date(*map(int, text.split("-")))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "today",
        "20261130",
        "2026-W49-1",
        "2026-11-31",
        "2026-11-30 ",
        "२०२६-11-30",
        "1970-12-31",
        "9999-01-01",
    ],
)
def test_other_texts_are_no_day(text: str) -> None:
    with pytest.raises(InputError) as caught:
        params.day(text, "first")
    assert str(caught.value) == f"first: {text!r} is not accepted; it is a day such as 2026-11-30"


def test_a_choice_that_may_be_left_out_is_not_named_as_an_empty_word() -> None:
    assert params.choice({}, "state", ("", "sent", "stale"), "") == ""
    with pytest.raises(InputError, match=r"it is one of sent, stale$"):
        params.choice({"state": "x"}, "state", ("", "sent", "stale"), "")
