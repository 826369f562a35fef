"""Screener runs in SQL: stored once and never changed, so that readers may cache them by id.

Pages read them from `db.catalog`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import groupby
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, Engine, delete, func, insert, select

from ltp.core.instrument import Instrument
from ltp.core.screener import KINDS, Outcome, Row, Run
from ltp.db import instruments, saved_screens
from ltp.db.engine import reading, writing
from ltp.db.schema import screener_rows, screener_runs
from ltp.db.watchlists import lists

KEPT_BUILT_IN: Final = 30  # about six weeks of sessions; a run of every share has megabytes
KEPT_CUSTOM: Final = 10
KEPT_WATCHLIST: Final = 2  # nobody looks at older ones
KEPT_UNSAVED_D: Final = 7  # runs of unsaved screens; such a screen can be evaluated again
_LISTED: Final = 500  # rows in one query of a web process: some 5 ms
_BUSY_TIMEOUT_MS: Final = 50
_ROW_COLUMNS: Final = [column for column in screener_rows.c if column.name != "run_id"]
_STORED: Final = frozenset(column.name for column in _ROW_COLUMNS)


class RunHead(NamedTuple):
    """A run without its rows, see `core.screener.Run`."""

    id: int
    kind: str
    created_at: datetime
    sample: bool
    source: str
    as_of: date | None
    universe: str
    evaluated: int
    spec: str
    took_s: float
    notes: str = ""


class Listed(NamedTuple):
    """A row of a run's list, see `core.screener.Row`."""

    key: str
    rank: int
    symbol: str
    name: str
    setup: str


def insert_run(
    engine: Engine,
    kind: str,
    rows: Sequence[Row],
    *,
    sample: bool,
    source: str = "",
    as_of: date | None = None,
    universe: str = "",
    evaluated: int = 0,
    spec: str = "",
    took_s: float = 0.0,
    notes: str = "",
) -> int:
    """Store a run and its rows in one transaction, and add unknown instruments to the instrument master.

    Args:
        rows: with unique ranks and unique keys.
        source: where the run comes from, such as a file's name.
        as_of, universe, evaluated, spec, took_s, notes: see Run.
    Returns:
        The id of the run, higher than every earlier one.
    Raises:
        DatabaseError: nothing is stored.
    """
    values = [_columns_of(row) for row in rows]
    run = {
        "kind": kind, "created_at": datetime.now(UTC), "sample": sample, "source": source, "as_of": as_of,
        "universe": universe, "evaluated": evaluated, "spec": spec, "took_s": took_s, "notes": notes,
    }  # fmt: skip
    with writing(engine) as connection:
        run_id: int = connection.execute(
            insert(screener_runs).values(run).returning(screener_runs.c.id)
        ).scalar_one()
        if values:
            connection.execute(insert(screener_rows), [value | {"run_id": run_id} for value in values])
        named = (Instrument(row.segment, row.security_id, row.symbol, row.name, "", 1, 0) for row in rows)
        instruments.add_missing(connection, named)
    return run_id


def prune(engine: Engine) -> None:
    """Delete all but the newest runs of each screen, and the runs of unsaved screens after a week."""
    oldest = datetime.now(UTC) - timedelta(days=KEPT_UNSAVED_D)
    with writing(engine) as connection:
        watched = lists.kinds_in(connection)
        permanent = {*KINDS, *watched, *(screen.kind for screen in saved_screens.all_in(connection))}
        for kind, heads in heads_in(connection).items():
            most = KEPT_BUILT_IN if kind in KINDS else KEPT_WATCHLIST if kind in watched else KEPT_CUSTOM
            kept = heads[:most]
            ids = [head.id for head in kept if kind in permanent or head.created_at >= oldest]
            of_kind = screener_runs.c.kind == kind
            connection.execute(delete(screener_runs).where(of_kind, screener_runs.c.id.not_in(ids)))


def fetch_run(engine: Engine, run_id: int) -> Run | None:
    """Return a run with its rows by rank, None if there is no such run."""
    with reading(engine) as connection:
        return run_in(connection, run_id)


def fetch_listed(
    engine: Engine, run_id: int, *, pause: Callable[[], object] = lambda: None
) -> list[Listed] | None:
    """Return a run's rows by rank without their facts and plans, None if there is no such run.

    Read in parts, each a query of its own; `pause` is called between two, so that a web process serves others.
    """
    found: list[Listed] = []
    rows = screener_rows.c
    while True:
        part = (
            select(rows.segment, rows.security_id, rows.rank, rows.symbol, rows.name, rows.setup)
            .where(rows.run_id == run_id, rows.rank > (found[-1].rank if found else 0))
            .order_by(rows.rank)
            .limit(_LISTED)
        )
        with reading(engine, busy_timeout_ms=_BUSY_TIMEOUT_MS) as connection:
            read = [
                Listed(f"{segment}:{security_id}", *rest)
                for segment, security_id, *rest in connection.execute(part)
            ]
            known = (
                read
                or connection.execute(select(screener_runs.c.id).where(screener_runs.c.id == run_id)).first()
            )
        if not known:  # deleted, perhaps since the first part
            return None
        found += read
        if len(read) < _LISTED:
            return found
        pause()


def fetch_keys(engine: Engine, run_id: int) -> list[str]:
    """Return the keys of a run's rows by rank."""
    keys = select(screener_rows.c.segment, screener_rows.c.security_id).where(
        screener_rows.c.run_id == run_id
    )
    with reading(engine) as connection:
        return [
            f"{segment}:{id_}" for segment, id_ in connection.execute(keys.order_by(screener_rows.c.rank))
        ]


def version_in(connection: Connection) -> tuple[object, ...]:
    """Return a value that changes whenever a run is stored or deleted; one cheap query."""
    return tuple(connection.execute(select(func.max(screener_runs.c.id), func.count())).one())


def heads_in(connection: Connection) -> dict[str, tuple[RunHead, ...]]:
    """Return by kind its runs without their rows: the current one first, the others newest first.

    The current run is the newest one, except that a run of an earlier session (an evaluation of the past)
    never replaces a run of a later session.
    """
    by_kind = select(*(screener_runs.c[name] for name in RunHead._fields)).order_by(
        screener_runs.c.kind, screener_runs.c.id
    )
    found = {}
    for kind, rows in groupby(connection.execute(by_kind), key=lambda row: row.kind):
        heads = [RunHead(*row) for row in rows]
        current = heads[0]
        for head in heads:
            if not (head.as_of and current.as_of and head.as_of < current.as_of):
                current = head
        found[kind] = (current, *(head for head in reversed(heads) if head is not current))
    return found


def run_in(connection: Connection, run_id: int) -> Run | None:
    run = connection.execute(select(screener_runs).where(screener_runs.c.id == run_id)).first()
    if run is None:
        return None
    by_rank = select(*_ROW_COLUMNS).where(screener_rows.c.run_id == run_id).order_by(screener_rows.c.rank)
    rows = tuple(_row(row._asdict()) for row in connection.execute(by_rank))
    return Run(
        run.id,
        run.kind,
        run.created_at,
        run.sample,
        run.source,
        rows,
        run.as_of,
        run.universe,
        run.evaluated,
        run.spec,
        run.took_s,
        run.notes,
    )


def _columns_of(row: Row) -> dict[str, Any]:
    """Return a row's columns. Fields without a column go into `details`, if they are no defaults."""
    values = row._asdict()
    details = {
        name: dict(value) if name == "facts" else value
        for name, value in values.items()
        if name not in _STORED and name != "key" and value != Row._field_defaults[name]
    }
    return {
        "segment": row.segment,
        "security_id": row.security_id,
        "details": json.dumps(details, separators=(",", ":"), allow_nan=False),
    } | {name: value for name, value in values.items() if name in _STORED}


def _row(values: dict[str, Any]) -> Row:
    key, details = f"{values.pop('segment')}:{values.pop('security_id')}", json.loads(values.pop("details"))
    if "criteria" in details:
        details["criteria"] = tuple(Outcome(*each) for each in details["criteria"])
    for name in ("spark", "flags"):
        if name in details:
            details[name] = tuple(details[name])
    return Row(key=key, **values, **details)
