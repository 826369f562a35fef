"""What the worker needs of SQL, from memory: which instruments are known, their price grids, the latest screener results."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from ltp.core.money import Price
from ltp.core.screener import KINDS
from ltp.db.screeners import Catalog

_REFRESH_EVERY_S: Final = 2.0


class Master:
    """Reads through a catalog that keeps what it last read while the database is away. `refresh` it from one thread."""

    def __init__(self, catalog: Catalog, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._catalog, self._monotonic = catalog, monotonic
        self._due = float("-inf")
        self._run_ids: list[int] = []
        self._results: list[str] = []

    def refresh(self) -> None:
        """Read what changed, at most every two seconds."""
        if self._monotonic() >= self._due:
            self._due = self._monotonic() + _REFRESH_EVERY_S
            self._catalog.refresh()

    def knows(self, key: str) -> bool:
        return self._catalog.instrument(key) is not None

    def tick_size(self, key: str) -> Price:
        """Return the price grid of an instrument, 0 when unknown."""
        instrument = self._catalog.instrument(key)
        return 0 if instrument is None else instrument.tick_size

    def results(self) -> list[str]:
        """Return the keys of the latest run of every screener, the best of each first."""
        runs = [run for kind in KINDS if (run := self._catalog.current(kind)) is not None]
        run_ids = [run.id for run in runs]
        if run_ids != self._run_ids:
            ranked = sorted((row.rank, place, row.key) for place, run in enumerate(runs) for row in run.rows)
            self._results = list(dict.fromkeys(key for _, _, key in ranked))
            self._run_ids = run_ids
        return self._results
