"""A cache of values computed from runs. A stored run never changes, so no value expires.

The run itself is not kept: a run of every share takes tens of megabytes, and the catalog drops it when a
newer one is there.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from datetime import datetime
from typing import Generic, TypeVar

from ltp.core.screener import Run

V = TypeVar("V")


class RunCache(Generic[V]):
    """Keeps the `max_values` values used last. A value must not refer to the rows of its run."""

    def __init__(self, max_values: int) -> None:
        self._max_values = max_values
        self._values: OrderedDict[tuple[int, datetime, Hashable], V] = OrderedDict()

    def get_or_compute(self, run: Run, key: Hashable, compute: Callable[[], V]) -> V:
        """Return the value for `key` and the run, computed at the first call."""
        # The id alone does not identify a run: a new database counts from 1 again.
        place = (run.id, run.created_at, key)
        value = self._values.pop(place, None)
        if value is None:
            value = compute()
        self._values[place] = value
        if len(self._values) > self._max_values:
            self._values.popitem(last=False)
        return value
