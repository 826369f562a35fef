from __future__ import annotations

from datetime import UTC, datetime

import pytest

from ltp.core.subscriptions.pins import Pin, parse_mode, parse_note
from ltp.errors import InputError


def test_a_mode_is_one_of_four() -> None:
    at = datetime(2026, 11, 23, tzinfo=UTC)
    assert [Pin("NSE_EQ:1333", parse_mode(mode), "", at).own_mode for mode in ("default", "full")] == [
        None,
        "full",
    ]
    with pytest.raises(InputError, match="'depth' is not accepted; it is one of default, ticker"):
        parse_mode("depth")


def test_a_note_is_one_printable_line() -> None:
    assert parse_note('  <img src=x onerror="alert(1)"> ') == '<img src=x onerror="alert(1)">'
    for text in ("x" * 201, "two\nlines", "right to left \u202e"):
        with pytest.raises(InputError, match="up to 200 printable characters"):
            parse_note(text)
