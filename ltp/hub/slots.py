"""A number for each instrument of a sheet: what is new stands in a row, and a view picks its instruments out
of it in C.

Beside `fragments`. Knows keys and nothing of what stands in a row.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Collection, Iterable
from operator import itemgetter
from typing import Any, Final, NamedTuple

NOBODY: Final = 0  # no instrument's place: whatever the row, it is empty


class SlotPicker(NamedTuple):
    """The places of a view. `pick`: returns what stands at them in a row, as a tuple, with some of nobody's
    before.
    """

    places: Slots
    numbers: frozenset[int]
    pick: Callable[[list[bytes]], Any]


class Slots:
    """`keys`: by number. Never fewer, so a number stays good for as long as these places are used."""

    def __init__(self) -> None:
        self.keys = [""]
        self._numbers: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self.keys)

    def seat(self, keys: Collection[str]) -> SlotPicker:
        """Return the places of `keys`, each of which gets one when it has none."""
        numbers = self._numbers
        for key in keys:
            if key not in numbers:
                numbers[key] = len(self.keys)
                self.keys.append(key)
        own = [numbers[key] for key in keys]
        return SlotPicker(
            self, frozenset(own), itemgetter(NOBODY, NOBODY, *own)
        )  # of a single one it would not return a tuple

    def of(self, keys: Iterable[str]) -> set[int]:
        """Return the places of those of `keys` that have one."""
        found = set(map(self._numbers.get, keys, itertools.repeat(NOBODY)))
        found.discard(NOBODY)
        return found
