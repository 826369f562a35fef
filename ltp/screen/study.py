"""A share's candles with the index, and the cache of its indicators and facts.

All strategies share one study, so that indicators and facts are computed once for each share.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Final

from ltp.screen import facts
from ltp.screen.facts import Value
from ltp.screen.history import History, weekly
from ltp.screen.timeframe import Timeframe

SPARK_SESSIONS: Final = 60


class Study:
    """`history`: adjusted daily candles, oldest first. `index`: NIFTY's, None without. `newest`: the newest
    session of all shares of the evaluation, in days since 1970-01-01, 0 if unknown.
    """

    def __init__(self, history: History, index: History | None = None, newest: int = 0) -> None:
        self.history = history
        self._newest = newest
        self.index = index if index is not None and index.days.size else None
        self.daily = Timeframe(history)

    @cached_property
    def weekly(self) -> Timeframe:
        return Timeframe(weekly(self.history))

    @cached_property
    def facts(self) -> Mapping[str, Value]:
        """Return the facts of `core.criteria.facts`, see `screen.facts.measure`."""
        return facts.measure(self.daily, self.weekly, self.index)

    @cached_property
    def spark(self) -> tuple[float, ...]:
        """Return the newest 60 closes in rupees, oldest first."""
        return tuple(round(close, 2) for close in self.history.close[-SPARK_SESSIONS:].tolist())

    @cached_property
    def lag_days(self) -> int:
        """Return how many days the share's newest session is behind the newest one of index and shares."""
        if not self.history.days.size:
            return 0
        newest = self._newest if self.index is None else max(self._newest, int(self.index.days[-1]))
        return max(0, newest - int(self.history.days[-1]))
