"""What pages and the worker need of SQL, from memory: runs, saved screens, what is being evaluated,
universes, instruments.

The last step of the read side of SQL. A page never waits for the database: `refresh` replaces what is here
when it can, and leaves it when it cannot.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, Engine, select

from ltp.core.instrument import Instrument
from ltp.core.screener import KINDS, Run
from ltp.db import evaluations, instruments, saved_screens, universes
from ltp.db import runs as stored_runs
from ltp.db.engine import reading
from ltp.db.evaluations import EvaluationRequest
from ltp.db.instrument_index import InstrumentIndex, SearchResult
from ltp.db.plans import Plans
from ltp.db.runs import RunHead
from ltp.db.saved_screens import Screen
from ltp.db.schema import site_key
from ltp.db.universes import Universe
from ltp.errors import DatabaseError, LTPError, NotFoundError, NotReadError

logger = logging.getLogger(__name__)
_REFRESH_EVERY_S: Final = 2.0
_EVALUATING_EVERY_S: Final = 0.5  # while somebody watches a screen being evaluated
_FIRST_READ_EVERY_S: Final = 0.2
_PATIENCE_MS: Final = 50  # beside browsers; the next try is 2 s away


class Catalog:
    """Answers at once and from memory. Runs of the built-in screeners are held whole, of others only which
    there are.

    `plans`: those of the runs that pages show, kept up with the candles.

    Args:
        follow_plans: False where no page is shown.
    """

    def __init__(self, engine: Engine, *, follow_plans: bool = True) -> None:
        self._engine = engine
        self._follow_plans = follow_plans
        self.plans = Plans(engine)
        self._heads: Mapping[str, tuple[RunHead, ...]] = {}
        self._heads_mark: object = None
        self._runs: Mapping[str, Run] = {}
        self._screens: Mapping[str, Screen] = {}
        self._screenings: Mapping[str, EvaluationRequest] = {}
        self._screenings_mark: object = None
        self._universes: Mapping[str, Universe] = {}
        self._universes_at: datetime | None = None
        self._instruments = InstrumentIndex()
        self.instruments_at: datetime | None = None
        self._instruments_seen_at: datetime | None = None
        self.site_key = ""  # empty until the first read
        self._read = self._failing = False
        self._thread: threading.Thread | None = None

    def start(self) -> threading.Thread:
        """Read once, then every 2 s in a daemon thread, which is returned."""
        if self._thread is None:
            self.refresh()
            self._thread = threading.Thread(target=self._keep_fresh, name="catalog", daemon=True)
            self._thread.start()
        return self._thread

    def current(self, kind: str) -> Run | None:
        """Return the current run of a built-in screener, None while there is none."""
        return self._runs.get(kind)

    def runs(self, kind: str) -> tuple[RunHead, ...]:
        """Return what is known of a screen's runs without their rows, the current one first, the others
        newest first.
        """
        return self._heads.get(kind, ())

    def current_id(self, kind: str) -> int | None:
        """Return the id of the current run of any screen, None while there is none."""
        heads = self.runs(kind)
        return heads[0].id if heads else None

    def kinds(self) -> tuple[str, ...]:
        """Return the kinds that have runs, the one that ran last first."""
        newest = {kind: max(head.id for head in heads) for kind, heads in self._heads.items()}
        return tuple(sorted(newest, key=lambda kind: -newest[kind]))

    def screens(self) -> Iterable[Screen]:
        """Return the saved screens by name."""
        return self._screens.values()

    def screen(self, slug: str) -> Screen | None:
        return self._screens.get(slug)

    def look_for_screens(self) -> None:
        """Read the saved screens now, for a page that knows of one that is not here yet.

        Raises:
            DatabaseError: they cannot be read.
        """
        with reading(self._engine, patience_ms=_PATIENCE_MS) as connection:
            self._read_screens(connection)

    def screening(self, kind: str) -> EvaluationRequest | None:
        """Return the newest request to evaluate a screen, ended or not; None when there never was one."""
        return self._screenings.get(kind)

    def universes(self) -> Mapping[str, Universe]:
        """Return the universes by name, in the order to list them in."""
        return self._universes

    def instrument(self, key: str) -> Instrument | None:
        return self._instruments.get(key)

    def find(self, segment: str, symbol: str) -> Instrument | None:
        """Return the instrument of a symbol, None when there is none."""
        return self._instruments.find(segment, symbol)

    def missing(self, what: str, name: str) -> LTPError:
        """Return the error for what is not here: before the first look at the database that says nothing of
        what is there.
        """
        return NotFoundError(what, name) if self._read else NotReadError("The database has")

    def no_instrument(self, name: str) -> LTPError:
        """As `missing`, of an instrument; a database has none before a worker has stored the first."""
        return (
            NotFoundError("instrument", name) if self._instruments else NotReadError("The instruments have")
        )

    def search(self, words: str, limit: int) -> SearchResult:
        """Return the instruments whose symbol or name holds the words, best first.

        Raises:
            NotReadError: none is known yet.
        """
        if words and not self._instruments:
            raise NotReadError("The instruments have")
        return self._instruments.search(words, limit)

    def refresh(self) -> bool:
        """Read what is newer than what is here. False when the database could not be read: the last known
        stays.
        """
        try:
            with reading(self._engine, patience_ms=_PATIENCE_MS) as connection:
                self._read_runs(connection)
                self._read_screens(connection)
                self._read_screenings(connection)
                self.site_key = self.site_key or str(connection.execute(select(site_key.c.key)).scalar_one())
                self._read_universes(connection)
            self._read = True
            if self._follow_plans:
                for run in self._runs.values():
                    self.plans.learn(run)
                self.plans.renew()
            self._read_instruments()
        except DatabaseError as error:
            if not self._failing:  # once, not every 2 s for as long as it lasts
                logger.warning("%s. Pages go on with what was last read.", error)
            self._failing = True
            return False
        self._failing = False
        return True

    def _read_runs(self, connection: Connection) -> None:
        mark = stored_runs.changed_in(connection)
        if mark == self._heads_mark:
            return
        heads = stored_runs.heads_in(connection)
        held = {run.id: run for run in self._runs.values()}
        wanted = {kind: heads[kind][0].id for kind in KINDS if kind in heads}
        runs = {
            kind: held.get(run_id) or stored_runs.run_in(connection, run_id)
            for kind, run_id in wanted.items()
        }
        self._heads, self._heads_mark = heads, mark
        self._runs = {kind: run for kind, run in runs.items() if run is not None}

    def _read_screens(self, connection: Connection) -> None:
        # At most 200 short rows, and their table has no column that tells a change.
        self._screens = {screen.slug: screen for screen in saved_screens.all_in(connection)}

    def _read_screenings(self, connection: Connection) -> None:
        mark = evaluations.changed_in(connection)
        if mark != self._screenings_mark:
            self._screenings, self._screenings_mark = evaluations.newest_in(connection), mark

    def _read_universes(self, connection: Connection) -> None:
        changed_at = universes.changed_at(connection)
        if changed_at != self._universes_at:
            self._universes, self._universes_at = universes.all_in(connection), changed_at

    def _read_instruments(self) -> None:
        with reading(self._engine, patience_ms=_PATIENCE_MS) as connection:
            changed_at = instruments.changed_at(connection)
        # An import takes seconds, a batch at a time: it is read when it is through, not at each look while it
        # goes on.
        through, self._instruments_seen_at = changed_at == self._instruments_seen_at, changed_at
        if changed_at != self.instruments_at and (through or not self._instruments):
            batches = instruments.fetch_batches(self._engine, patience_ms=_PATIENCE_MS)
            # Browsers of this process go on between two batches of what may be 200,000 rows.
            self._instruments, self.instruments_at = (
                InstrumentIndex(batches, pause=lambda: time.sleep(0.001)),
                changed_at,
            )

    def _every_s(self) -> float:
        # A process that started before anything was stored must not answer 404 for seconds after it was.
        if not self._instruments:
            return _FIRST_READ_EVERY_S
        return (
            _EVALUATING_EVERY_S if any(each.open for each in self._screenings.values()) else _REFRESH_EVERY_S
        )

    def _keep_fresh(self) -> None:
        pause = threading.Event()
        while not pause.wait(self._every_s()):
            try:
                self.refresh()
            except Exception:
                # The thread must outlive anything a driver may think of, or pages would show old results for
                # ever.
                logger.exception("The screener catalog could not be refreshed")
