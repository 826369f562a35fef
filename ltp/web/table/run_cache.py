"""What was worked out of a run, kept while it is asked for. A run never changes, so nothing here goes out of
date.

The run itself is not kept: one of every share has tens of megabytes, and is gone when the catalog has a newer
one.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from datetime import datetime
from typing import Generic, TypeVar

from ltp.core.screener import Run

V = TypeVar("V")


class RunCache(Generic[V]):
    """Holds the `kept` values used last. A value must not refer to its run's rows."""

    def __init__(self, kept: int) -> None:
        self._kept = kept
        self._values: OrderedDict[tuple[int, datetime, Hashable], V] = OrderedDict()

    def of(self, run: Run, what: Hashable, make: Callable[[], V]) -> V:
        """Return the value of `what` for the run, made at the first time."""
        # Not by id alone: a database that is begun anew counts from 1 again.
        key = (run.id, run.created_at, what)
        value = self._values.pop(key, None)
        if value is None:
            value = make()
        self._values[key] = value
        if len(self._values) > self._kept:
            self._values.popitem(last=False)
        return value
