"""Packets of each instrument, counted on the feed's thread, but only while somebody looks at the table."""

from __future__ import annotations

import time
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Sequence
from typing import Final

from ltp.core.ticks.tick import TickFields

OVER_S: Final = 60.0
_LEAST_S: Final = 4.0  # measured over less, one packet more or less would be tens a minute

OnTicks = Callable[[Sequence[TickFields]], float]


class TickCounts:
    """`beside` is called on the feed's thread, everything else by one other thread."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._counting: defaultdict[str, int] | None = None
        self._since = 0.0
        self._parts: deque[tuple[float, dict[str, int]]] = deque()  # instant of their end, packets by key
        self._totals = Counter[str]()

    def beside(self, on_ticks: OnTicks) -> OnTicks:
        """Return the function that counts ticks, while that is wanted, and hands them on."""

        def counted(ticks: Sequence[TickFields]) -> float:
            counting = self._counting
            if counting is not None:
                for tick in ticks:
                    counting[tick[0]] += 1
            return on_ticks(ticks)

        return counted

    def stop(self) -> None:
        """Count no more, until the next `per_min`."""
        self._counting = None
        self._parts.clear()
        self._totals.clear()

    def per_min(self) -> dict[str, int] | None:
        """Return the packets a minute by key, of the last minute at most; None before that is measured.

        Counts from the first call on. A few packets that come during the call may be missing.
        """
        now = self._monotonic()
        counts, self._counting = self._counting, defaultdict(int)
        if counts is None:
            self._since = now
            return None
        # The feed's thread may still count into it. One step of the interpreter copies it whole.
        part = dict(counts)
        self._parts.append((now, part))
        self._totals.update(part)
        while now - self._parts[0][0] > OVER_S:
            self._since, old = self._parts.popleft()
            self._totals.subtract(old)
        over_s = now - self._since
        if over_s < _LEAST_S:
            return None
        return {key: round(count * 60 / over_s) for key, count in self._totals.items()}
