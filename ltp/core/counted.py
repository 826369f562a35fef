"""A number with what it counts, in the words of a sentence."""

from __future__ import annotations


def counted(number: int, one: str, many: str = "") -> str:
    """Return "1 file" or "2,500 files". `many`: where another letter than an s at the end of `one` makes the
    difference.
    """
    return f"{number:,} {one if number == 1 else many or one + 's'}"
