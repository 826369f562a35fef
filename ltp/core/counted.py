"""A number with its noun in the singular or plural."""

from __future__ import annotations


def counted(number: int, one: str, many: str = "") -> str:
    """Return "1 file" or "2,500 files". `many`: the plural, by default `one` with an s."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"
