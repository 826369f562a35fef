"""The worker's copy of SQL: the known instruments, their price grids, and the keys of the current results."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final

from ltp.core.formats.symbol_lists import LIST_PREFIX
from ltp.core.money import Price
from ltp.core.screener import KINDS
from ltp.core.subscriptions.table import Reason
from ltp.db.catalog import Catalog
from ltp.db.universes import Universe
from ltp.errors import DatabaseError

_REFRESH_EVERY_S: Final = 2.0


class KnownInstruments:
    """While the database is away, everything stays as it was last read. `refresh` is for one thread.

    `reassigned`: keys that came to mean another instrument lately, and since when (microseconds since the
    epoch).

    Args:
        fetch_keys: reads the keys of a run, best first. Raises DatabaseError.
        fetch_reassigned: reads the reassigned keys with their instants. Raises DatabaseError.
    """

    def __init__(
        self,
        catalog: Catalog,
        fetch_keys: Callable[[int], list[str]],
        fetch_reassigned: Callable[[], Mapping[str, datetime]],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._catalog, self._fetch_keys, self._monotonic = catalog, fetch_keys, monotonic
        self._fetch_reassigned = fetch_reassigned
        self._reassigned_at: datetime | None = None
        self.reassigned: Mapping[str, int] = {}
        self._due = float("-inf")
        self._custom_keys: dict[int, list[str]] = {}  # by run
        self._custom_ids: list[int] = []
        self._run_ids: list[int] = []  # of the runs that `_results` were made of
        self._results: list[str] = []

    def refresh(self) -> None:
        """Read changes, at most every two seconds."""
        if self._monotonic() >= self._due:
            self._due = self._monotonic() + _REFRESH_EVERY_S
            before = self.instruments_at
            self._catalog.refresh()
            self._read_custom_runs()
            self._read_reassigned()
            if self.instruments_at != before:
                # The catalog is large and stays. Unfrozen, the collector would walk it again and again, each
                # time at the cost of the tick that is being handled.
                gc.collect()
                gc.freeze()

    @property
    def instruments_at(self) -> datetime | None:
        """When the instruments in use were stored: a new value means that `knows` may answer differently."""
        return self._catalog.instruments_at

    def knows(self, key: str) -> bool:
        return self._catalog.instrument(key) is not None

    def symbol(self, key: str) -> str:
        """Return the symbol of an instrument, its key when unknown."""
        instrument = self._catalog.instrument(key)
        return key if instrument is None else instrument.symbol

    def tick_size(self, key: str) -> Price:
        """Return the price grid of an instrument, 0 when unknown."""
        instrument = self._catalog.instrument(key)
        return 0 if instrument is None else instrument.tick_size

    def results(self) -> list[str]:
        """Return the keys in the current runs of all screens: of the built-in ones by rank, then of the
        others.
        """
        runs = [run for kind in KINDS if (run := self._catalog.current(kind)) is not None]
        run_ids = [run.id for run in runs] + self._custom_ids
        if run_ids != self._run_ids:
            ranked = sorted((row.rank, place, row.key) for place, run in enumerate(runs) for row in run.rows)
            custom = [key for run_id in self._custom_ids for key in self._custom_keys[run_id]]
            self._results = list(dict.fromkeys([*(key for _, _, key in ranked), *custom]))
            self._run_ids = run_ids
        return self._results

    def results_by_screen(self) -> list[tuple[Reason, list[str]]]:
        """Return the keys in the current run of each screen; of a saved one under each of its names."""
        runs = [(kind, self._catalog.current(kind)) for kind in KINDS]
        found = [(Reason("screen", kind), [row.key for row in run.rows]) for kind, run in runs if run]
        names: dict[str, list[Reason]] = {}
        for screen in self._catalog.screens():
            names.setdefault(screen.kind, []).append(Reason("saved", screen.slug, screen.name))
        custom = {self._catalog.current_id(kind): kind for kind in self._catalog.kinds() if kind not in KINDS}
        for run_id, keys in list(self._custom_keys.items()):
            if custom.get(run_id, "").startswith(LIST_PREFIX):
                continue  # the members of a watchlist, evaluated
            reasons = names.get(custom.get(run_id, ""), [Reason("custom")])
            found += [(reason, keys) for reason in reasons]
        return found

    def universes(self) -> Mapping[str, Universe]:
        """Return the universes by name; the same object until one of them has changed."""
        return self._catalog.universes()

    def _read_reassigned(self) -> None:
        """Read the reassigned keys again, whenever a master was stored."""
        if self.instruments_at == self._reassigned_at:
            return
        try:
            reassigned = self._fetch_reassigned()
        except DatabaseError:
            return  # the next refresh is two seconds away
        self.reassigned = {key: int(at.timestamp() * 1e6) for key, at in reassigned.items()}
        self._reassigned_at = self.instruments_at

    def _read_custom_runs(self) -> None:
        """Read the keys of custom screens' new runs, the screen that ran last first. The catalog does not
        hold their rows.
        """
        ids = [self._catalog.current_id(kind) for kind in self._catalog.kinds() if kind not in KINDS]
        current = [run_id for run_id in ids if run_id is not None]
        known = self._custom_keys
        try:
            self._custom_keys = {run_id: known.get(run_id) or self._fetch_keys(run_id) for run_id in current}
        except DatabaseError:
            return  # the catalog has logged it; the next refresh is two seconds away
        self._custom_ids = current
