"""A number with its noun in the singular or plural."""

from __future__ import annotations

from collections.abc import Sequence


def counted(number: int, one: str, many: str = "") -> str:
    """Return "1 file" or "2,500 files". `many`: the plural, by default `one` with an s."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def listed(names: Sequence[str], most: int) -> str:
    """Return "A, B" or "A, B and 2,500 more": at most `most` names, and the number of the others."""
    more = len(names) - most
    return ", ".join(names[:most]) + (f" and {more:,} more" if more > 0 else "")
