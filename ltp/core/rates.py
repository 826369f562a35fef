"""Rates of counters that only rise, for the status of the worker and of web processes."""

from __future__ import annotations

from collections.abc import Mapping


class Rates:
    """The rates between the newest two snapshots. One thread calls `take`, any may call `per_s`."""

    def __init__(self, over_s: float) -> None:
        """`over_s`: the shortest time between two snapshots; over a shorter one a rate is noise."""
        self._over_s = over_s
        self._before: tuple[float, Mapping[str, int]] | None = None
        self._per_s: Mapping[str, float] = {}

    def take(self, counts: Mapping[str, int], now_s: float) -> bool:
        """Take a snapshot of the counters at `now_s` (monotonic). Returns whether there are new rates."""
        if self._before is None:
            self._before = now_s, dict(counts)
            return False
        at_s, before = self._before
        elapsed_s = now_s - at_s
        if elapsed_s < self._over_s:
            return False
        self._per_s = {name: (count - before.get(name, 0)) / elapsed_s for name, count in counts.items()}
        self._before = now_s, dict(counts)
        return True

    def per_s(self, name: str) -> float:
        """Return the rate of a counter; 0 for an unknown one, and before the second snapshot."""
        return self._per_s.get(name, 0.0)
