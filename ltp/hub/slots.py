"""Integer slot per instrument; a view reads its slots with one itemgetter."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Collection, Iterable
from operator import itemgetter
from typing import Any, Final, NamedTuple

EMPTY: Final = 0  # the slot of no instrument; it never contains anything


class SlotPicker(NamedTuple):
    """The slots of one view's instruments.

    `pick`: takes a list with one item per slot, returns the view's items as a tuple, after two empty ones.
    """

    slots: Slots
    numbers: frozenset[int]
    pick: Callable[[list[bytes]], Any]


class Slots:
    """`keys`: the instrument key by slot number. Slots are only ever added, so a number stays valid."""

    def __init__(self) -> None:
        self.keys = [""]
        self._numbers: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self.keys)

    def picker(self, keys: Collection[str]) -> SlotPicker:
        """Return the slots of `keys`. A key without a slot is given one."""
        numbers = self._numbers
        for key in keys:
            if key not in numbers:
                numbers[key] = len(self.keys)
                self.keys.append(key)
        own = [numbers[key] for key in keys]
        # The empty slot twice: for a single index itemgetter would return the item instead of a tuple.
        return SlotPicker(self, frozenset(own), itemgetter(EMPTY, EMPTY, *own))

    def numbers_of(self, keys: Iterable[str]) -> set[int]:
        """Return the slots of `keys`, without the keys that have none."""
        found = set(map(self._numbers.get, keys, itertools.repeat(EMPTY)))
        found.discard(EMPTY)
        return found
