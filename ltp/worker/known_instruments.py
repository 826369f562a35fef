"""What the worker needs of SQL, from memory: which instruments are known, their price grids, the latest
screener results.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final

from ltp.core.money import Price
from ltp.core.screener import KINDS
from ltp.db.catalog import Catalog
from ltp.errors import DatabaseError

_REFRESH_EVERY_S: Final = 2.0


class KnownInstruments:
    """Reads through a catalog that keeps what it last read while the database is away. `refresh` it from one
    thread.
    """

    def __init__(
        self,
        catalog: Catalog,
        fetch_keys: Callable[[int], list[str]],
        fetch_reassigned: Callable[[], Mapping[str, datetime]],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Both raise DatabaseError.

        Args:
            fetch_keys: reads the keys of a run, best first.
            fetch_reassigned: reads which keys came to mean another instrument lately, and when.
        """
        self._catalog, self._fetch_keys, self._monotonic = catalog, fetch_keys, monotonic
        self._fetch_reassigned = fetch_reassigned
        self._reassigned_at: datetime | None = None
        self.reassigned: Mapping[str, int] = {}
        self._due = float("-inf")
        self._custom: dict[int, list[str]] = {}
        self._custom_ids: list[int] = []
        self._run_ids: list[int] = []
        self._results: list[str] = []

    def refresh(self) -> None:
        """Read what changed, at most every two seconds."""
        if self._monotonic() >= self._due:
            self._due = self._monotonic() + _REFRESH_EVERY_S
            known = self.instruments_at
            self._catalog.refresh()
            self._read_custom()
            self._read_reassigned()
            if self.instruments_at != known:
                # What was read stays, and there is much of it. The collector would walk it again and again,
                # on the back of whichever tick it comes with.
                gc.collect()
                gc.freeze()

    @property
    def instruments_at(self) -> datetime | None:
        """When what it knows of instruments was stored: another value, and `knows` may answer differently."""
        return self._catalog.instruments_at

    def knows(self, key: str) -> bool:
        return self._catalog.instrument(key) is not None

    def tick_size(self, key: str) -> Price:
        """Return the price grid of an instrument, 0 when unknown."""
        instrument = self._catalog.instrument(key)
        return 0 if instrument is None else instrument.tick_size

    def results(self) -> list[str]:
        """Return the keys of every screen's current results: the built-in ones' first, the best of each, then
        the others'.
        """
        runs = [run for kind in KINDS if (run := self._catalog.current(kind)) is not None]
        run_ids = [run.id for run in runs] + self._custom_ids
        if run_ids != self._run_ids:
            ranked = sorted((row.rank, place, row.key) for place, run in enumerate(runs) for row in run.rows)
            custom = [key for run_id in self._custom_ids for key in self._custom[run_id]]
            self._results = list(dict.fromkeys([*(key for _, _, key in ranked), *custom]))
            self._run_ids = run_ids
        return self._results

    def _read_reassigned(self) -> None:
        """Learn, whenever a master was stored, since when (microseconds) which keys mean another instrument."""
        if self.instruments_at == self._reassigned_at:
            return
        try:
            reassigned = self._fetch_reassigned()
        except DatabaseError:
            return  # the next round is two seconds away
        self.reassigned = {key: int(at.timestamp() * 1e6) for key, at in reassigned.items()}
        self._reassigned_at = self.instruments_at

    def _read_custom(self) -> None:
        """Read the keys of custom screens' new runs, the screen that ran last first; the catalog does not
        hold their rows.
        """
        ids = [self._catalog.current_id(kind) for kind in self._catalog.kinds() if kind not in KINDS]
        wanted = [run_id for run_id in ids if run_id is not None]
        try:
            self._custom = {run_id: self._custom.get(run_id) or self._fetch_keys(run_id) for run_id in wanted}
        except DatabaseError:
            return  # the catalog says so; the next round is two seconds away
        self._custom_ids = wanted
