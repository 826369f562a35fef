"""Screener runs: stored once, never changed, and served to pages from memory."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

from sqlalchemy import Connection, Engine, func, insert, select

from ltp.core.instrument import Instrument
from ltp.core.screener import KINDS, Row, Run
from ltp.db import instruments
from ltp.db.engine import reading, writing
from ltp.db.schema import screener_rows, screener_runs
from ltp.errors import DatabaseError

__all__ = ["KINDS", "Catalog", "Row", "Run", "fetch_run", "insert_run", "latest_run_id"]

logger = logging.getLogger(__name__)
_REFRESH_EVERY_S: Final = 2.0
_FIRST_READ_EVERY_S: Final = 0.2
_PATIENCE_MS: Final = 50  # beside browsers; the next try is 2 s away
_ROW_COLUMNS: Final = [column for column in screener_rows.c if column.name != "run_id"]


def insert_run(engine: Engine, kind: str, rows: Sequence[Row], *, sample: bool, source: str = "") -> int:
    """Store a run and its rows in one transaction; what the instrument master does not know yet is added to it.

    Args:
        rows: ranks and keys unique among them.
        source: where it came from, such as a file's name.
    Returns:
        The id of the run, higher than every earlier one.
    Raises:
        DatabaseError: nothing is stored.
    """
    values = [
        {"segment": row.segment, "security_id": row.security_id} | {k: v for k, v in row._asdict().items() if k != "key"}
        for row in rows
    ]
    run = {"kind": kind, "created_at": datetime.now(UTC), "sample": sample, "source": source}
    with writing(engine) as connection:
        run_id: int = connection.execute(insert(screener_runs).values(run).returning(screener_runs.c.id)).scalar_one()
        if values:
            connection.execute(insert(screener_rows), [value | {"run_id": run_id} for value in values])
        named = (Instrument(row.segment, row.security_id, row.symbol, row.name, "", 1, 0) for row in rows)
        instruments.add_missing(connection, named)
    return run_id


def latest_run_id(engine: Engine, kind: str) -> int | None:
    with reading(engine) as connection:
        return _latest(connection).get(kind)


def fetch_run(engine: Engine, run_id: int) -> Run | None:
    """Return a run with its rows by rank; None when there is no such run."""
    with reading(engine) as connection:
        return _run(connection, run_id)


class Catalog:
    """What pages need of SQL, from memory: the current run of each screener, and every instrument.

    A page never waits for the database: `refresh` replaces what is here when it can, and leaves it when it cannot.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._runs: Mapping[str, Run] = {}
        self._instruments: Mapping[str, Instrument] = {}
        self._instruments_at: datetime | None = None
        self._failing = False
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Read once, then every 2 s in a daemon thread."""
        if self._thread is None:
            self.refresh()
            self._thread = threading.Thread(target=self._keep_fresh, name="catalog", daemon=True)
            self._thread.start()

    def current(self, kind: str) -> Run | None:
        """Return the newest run, None while there is none."""
        return self._runs.get(kind)

    def instrument(self, key: str) -> Instrument | None:
        return self._instruments.get(key)

    def instruments(self) -> Iterable[Instrument]:
        """Return every instrument of the master, for a search."""
        return self._instruments.values()

    def refresh(self) -> bool:
        """Read what is newer than what is here. False when the database could not be read: the last known stays."""
        try:
            with reading(self._engine, patience_ms=_PATIENCE_MS) as connection:
                self._read_runs(connection)
                self._read_instruments(connection)
        except DatabaseError as error:
            if not self._failing:  # once, not every 2 s for as long as it lasts
                logger.warning("%s. Pages go on with what was last read.", error)
            self._failing = True
            return False
        self._failing = False
        return True

    def _read_runs(self, connection: Connection) -> None:
        latest = _latest(connection)
        if {kind: run.id for kind, run in self._runs.items()} == latest:
            return
        held = {run.id: run for run in self._runs.values()}
        runs = {kind: held.get(run_id) or _run(connection, run_id) for kind, run_id in latest.items()}
        self._runs = {kind: run for kind, run in runs.items() if run is not None}

    def _read_instruments(self, connection: Connection) -> None:
        changed_at = instruments.changed_at(connection)
        if changed_at != self._instruments_at:
            self._instruments = {instrument.key: instrument for instrument in instruments.all_in(connection)}
            self._instruments_at = changed_at

    def _keep_fresh(self) -> None:
        pause = threading.Event()
        # A process that started before anything was stored must not answer 404 for seconds after it was.
        while not pause.wait(_REFRESH_EVERY_S if self._instruments else _FIRST_READ_EVERY_S):
            try:
                self.refresh()
            except Exception:
                # The thread must outlive anything a driver may think of, or pages would show old results for ever.
                logger.exception("The screener catalog could not be refreshed")


def _latest(connection: Connection) -> dict[str, int]:
    newest = select(screener_runs.c.kind, func.max(screener_runs.c.id).label("newest")).group_by(screener_runs.c.kind)
    return {row.kind: row.newest for row in connection.execute(newest)}


def _run(connection: Connection, run_id: int) -> Run | None:
    run = connection.execute(select(screener_runs).where(screener_runs.c.id == run_id)).first()
    if run is None:
        return None
    by_rank = select(*_ROW_COLUMNS).where(screener_rows.c.run_id == run_id).order_by(screener_rows.c.rank)
    rows = tuple(_row(row._asdict()) for row in connection.execute(by_rank))
    return Run(run.id, run.kind, run.created_at, run.sample, run.source, rows)


def _row(values: dict[str, object]) -> Row:
    key = f"{values.pop('segment')}:{values.pop('security_id')}"
    return Row(key=key, **values)  # type: ignore[arg-type]
