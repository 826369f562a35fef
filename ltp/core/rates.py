"""From counters that only rise to rates: what the status of the worker and of a web process show of
themselves.

Pure: the caller brings the counters and says what time it is.
"""

from __future__ import annotations

from collections.abc import Mapping


class Rates:
    """The rates between the newest two snapshots that were far enough apart. One thread takes, any may ask."""

    def __init__(self, over_s: float) -> None:
        """`over_s`: what comes sooner than this after the last measure is left for a later one, for it would
        measure noise.
        """
        self._over_s = over_s
        self._before: tuple[float, Mapping[str, int]] | None = None
        self._per_s: Mapping[str, float] = {}

    def take(self, counts: Mapping[str, int], now_s: float) -> bool:
        """Look at the counters as they are at `now_s` (monotonic); tell whether there are new rates."""
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
        """Return how fast a counter rises; 0 for one that was never counted, and before the first measure."""
        return self._per_s.get(name, 0.0)
