"""A cache of SQL for pages and the worker: runs, saved screens, evaluations, universes and instruments.

A page never waits for the database: a thread refreshes the cache, and while the database cannot be read the
cache keeps its last content.
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
from ltp.db import evaluations, former_names, instruments, saved_screens, universes
from ltp.db import runs as stored_runs
from ltp.db.engine import reading
from ltp.db.evaluations import Evaluation
from ltp.db.instrument_index import InstrumentIndex, SearchResult
from ltp.db.plans import Plans
from ltp.db.runs import RunHead
from ltp.db.saved_screens import SavedScreen
from ltp.db.schema import site_key
from ltp.db.search.turns import Turns
from ltp.db.universes import Universe
from ltp.db.views import named_views
from ltp.db.views.named_views import View
from ltp.errors import DatabaseError, LimitError, LTPError, NotFoundError, NotReadError

logger = logging.getLogger(__name__)
REFRESH_EVERY_S: Final = 2.0
EVALUATING_EVERY_S: Final = 0.5  # while an evaluation is queued or running: pages show its progress
FIRST_READ_EVERY_S: Final = 0.2
_BUSY_TIMEOUT_MS: Final = 50  # waiting blocks all greenlets of a web process; the next try is 2 s away
_SEARCH_WAIT_S: Final = 1.0  # some 50 searches of the slowest kind
_RETRY_AFTER_S: Final = 2


class Catalog:
    """Every public read returns at once from memory.

    Of the built-in screeners the current runs are cached with their rows, of other screens only the heads.
    `plans`: the plans of the runs that pages show, updated after each import of candles.

    Args:
        follow_plans: False in a process without pages.
    """

    def __init__(self, engine: Engine, *, follow_plans: bool = True) -> None:
        self._engine = engine
        self._follow_plans = follow_plans
        self.plans = Plans(engine)
        self._heads: Mapping[str, tuple[RunHead, ...]] = {}
        self._heads_version: object = None
        self._runs: Mapping[str, Run] = {}
        self._screens: Mapping[str, SavedScreen] = {}
        self._views: Mapping[str, View] = {}
        self._evaluations: Mapping[str, Evaluation] = {}
        self._evaluations_version: object = None
        self._universes: Mapping[str, Universe] = {}
        self._universes_version: object = None
        self._instruments = InstrumentIndex()
        self._searching = threading.Lock()
        self.instruments_at: datetime | None = None
        self._instruments_seen_at: datetime | None = None
        self.site_key = ""  # empty until the first read
        self._read = self._failing = False
        self._thread: threading.Thread | None = None

    def start(self) -> threading.Thread:
        """Read once, then every 2 s in a daemon thread. Returns the thread."""
        if self._thread is None:
            self.refresh()
            self._thread = threading.Thread(target=self._keep_fresh, name="catalog", daemon=True)
            self._thread.start()
        return self._thread

    def current(self, kind: str) -> Run | None:
        """Return the current run of a built-in screener, None while it has no run."""
        return self._runs.get(kind)

    def runs(self, kind: str) -> tuple[RunHead, ...]:
        """Return a screen's runs without their rows: the current one first, the others newest first."""
        return self._heads.get(kind, ())

    def current_id(self, kind: str) -> int | None:
        """Return the id of the current run of any screen, None while it has no run."""
        heads = self.runs(kind)
        return heads[0].id if heads else None

    def kinds(self) -> tuple[str, ...]:
        """Return the kinds that have runs, the one with the newest run first."""
        newest = {kind: max(head.id for head in heads) for kind, heads in self._heads.items()}
        return tuple(sorted(newest, key=lambda kind: -newest[kind]))

    def screens(self) -> Iterable[SavedScreen]:
        """Return the saved screens by name."""
        return self._screens.values()

    def screen(self, slug: str) -> SavedScreen | None:
        return self._screens.get(slug)

    def refresh_screens(self) -> None:
        """Read the saved screens now, for a page of a screen that was saved a moment ago.

        Raises:
            DatabaseError: they cannot be read.
        """
        with reading(self._engine, busy_timeout_ms=_BUSY_TIMEOUT_MS) as connection:
            self._read_screens(connection)

    def views(self) -> Mapping[str, View]:
        """Return the named views of tables by slug, in the order of their names."""
        return self._views

    def refresh_views(self) -> None:
        """Read the views now, for a page after a change to them.

        Raises:
            DatabaseError: they cannot be read.
        """
        with reading(self._engine, busy_timeout_ms=_BUSY_TIMEOUT_MS) as connection:
            self._read_views(connection)

    def evaluation(self, kind: str) -> Evaluation | None:
        """Return the newest evaluation of a kind, ended or not; None if there never was one."""
        return self._evaluations.get(kind)

    def universes(self) -> Mapping[str, Universe]:
        """Return the universes by name, in the order of lists."""
        return self._universes

    def instrument(self, key: str) -> Instrument | None:
        return self._instruments.get(key)

    def find(self, segment: str, symbol: str) -> Instrument | None:
        """Return the instrument of a symbol, None if there is none."""
        return self._instruments.find(segment, symbol)

    def not_found(self, noun: str, name: str) -> LTPError:
        """Return NotFoundError for a name that is not cached; before the first read NotReadError."""
        return NotFoundError(noun, name) if self._read else NotReadError("The database has")

    def instrument_not_found(self, name: str) -> LTPError:
        """As `not_found` for an instrument; a new database has none until a worker has stored them."""
        return (
            NotFoundError("instrument", name) if self._instruments else NotReadError("The instruments have")
        )

    def search(self, words: str, limit: int) -> SearchResult:
        """Return the instruments that match the words, best first; see `InstrumentIndex.search`.

        Streams and other requests are served after each half a millisecond of it. One search at a time:
        many at once would each take a turn before the streams have theirs.

        Raises:
            LimitError: others have been searching for a second.
            NotReadError: no instruments were read yet.
        """
        if words and not self._instruments:
            raise NotReadError("The instruments have")
        if not self._searching.acquire(timeout=_SEARCH_WAIT_S):
            raise LimitError("searches at a time", 1, retry_after_s=_RETRY_AFTER_S)
        try:
            return self._instruments.search(words, limit, Turns())
        finally:
            self._searching.release()

    def refresh(self) -> bool:
        """Read the changes since the last read. False if the database could not be read: the cache stays."""
        try:
            with reading(self._engine, busy_timeout_ms=_BUSY_TIMEOUT_MS) as connection:
                self._read_runs(connection)
                self._read_screens(connection)
                self._read_views(connection)
                self._read_evaluations(connection)
                self.site_key = self.site_key or str(connection.execute(select(site_key.c.key)).scalar_one())
                self._read_universes(connection)
            self._read = True
            if self._follow_plans:
                for run in self._runs.values():
                    self.plans.learn(run)
                self.plans.renew()
            self._read_instruments()
        except DatabaseError as error:
            if not self._failing:  # logged once, not every 2 s
                logger.warning("%s. Pages show the data of the last read.", error)
            self._failing = True
            return False
        self._failing = False
        return True

    def refresh_every_s(self) -> float:
        # A process that starts with an empty database must not answer 404 for seconds after the first import.
        if not self._instruments:
            return FIRST_READ_EVERY_S
        return (
            EVALUATING_EVERY_S if any(each.open for each in self._evaluations.values()) else REFRESH_EVERY_S
        )

    def _read_runs(self, connection: Connection) -> None:
        version = stored_runs.version_in(connection)
        if version == self._heads_version:
            return
        heads = stored_runs.heads_in(connection)
        cached = {run.id: run for run in self._runs.values()}
        wanted = {kind: heads[kind][0].id for kind in KINDS if kind in heads}
        runs = {
            kind: cached.get(run_id) or stored_runs.run_in(connection, run_id)
            for kind, run_id in wanted.items()
        }
        self._heads, self._heads_version = heads, version
        self._runs = {kind: run for kind, run in runs.items() if run is not None}

    def _read_screens(self, connection: Connection) -> None:
        # Read every time: at most 200 short rows, and their table has no column that shows a change.
        self._screens = {screen.slug: screen for screen in saved_screens.all_in(connection)}

    def _read_views(self, connection: Connection) -> None:
        # Read every time, for the same reasons: at most 100 short rows.
        self._views = {view.slug: view for view in named_views.all_in(connection)}

    def _read_evaluations(self, connection: Connection) -> None:
        version = evaluations.version_in(connection)
        if version != self._evaluations_version:
            self._evaluations, self._evaluations_version = evaluations.newest_in(connection), version

    def _read_universes(self, connection: Connection) -> None:
        version = universes.version_in(connection)
        if version != self._universes_version:
            self._universes, self._universes_version = universes.all_in(connection), version

    def _read_instruments(self) -> None:
        with reading(self._engine, busy_timeout_ms=_BUSY_TIMEOUT_MS) as connection:
            changed_at = instruments.changed_at(connection)
        # An import writes in batches for several seconds. The instruments are read once it has ended: when
        # two reads in a row have seen the same `changed_at`.
        ended, self._instruments_seen_at = changed_at == self._instruments_seen_at, changed_at
        if changed_at != self.instruments_at and (ended or not self._instruments):
            batches = instruments.fetch_batches(self._engine, busy_timeout_ms=_BUSY_TIMEOUT_MS)
            former = former_names.by_key(self._engine, busy_timeout_ms=_BUSY_TIMEOUT_MS)
            # Up to 200,000 rows: the pause between two batches lets other greenlets of this process run.
            self._instruments, self.instruments_at = (
                InstrumentIndex(batches, former, pause=lambda: time.sleep(0.001)),
                changed_at,
            )

    def _keep_fresh(self) -> None:
        pause = threading.Event()
        while not pause.wait(self.refresh_every_s()):
            try:
                self.refresh()
            except Exception:
                # The thread must survive every error of a driver, or pages would show old results for ever.
                logger.exception("The screener catalog could not be refreshed")
