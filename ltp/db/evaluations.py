"""Evaluations of screens: the queue that pages fill, and the progress and end of each evaluation.

The worker's child claims an evaluation by a conditional UPDATE that must change one row, so two children
never evaluate the same one. The child renews `beat_at`; without a sign of life for a minute the evaluation
fails. The queue is not first come, first served: built-in screeners come first, then saved screens and
watchlists, then all others, and among equals the client that was served longest ago.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, Engine, delete, func, insert, select, update

from ltp.core.screener import KINDS
from ltp.db import saved_screens
from ltp.db.engine import reading, writing
from ltp.db.schema import screenings as table
from ltp.db.watchlists import lists
from ltp.errors import LimitError

SILENT_S: Final = 60.0
KEPT: Final = 50  # evaluations of each kind
KEPT_IN_ALL: Final = 1_000  # each custom screen is a kind of its own
QUOTA: Final = 5  # queued evaluations of one client
MAX_OPEN: Final = 50  # queued evaluations of unsaved screens; past it only clients without any may add one
MAX_CLIENTS: Final = 200  # queued evaluations of unsaved screens, the first ones of further clients included
MAX_BEST: Final = 20
QUEUED, RUNNING, DONE, FAILED = "queued", "running", "done", "failed"
OPEN: Final = (QUEUED, RUNNING)
_UNSAVED: Final = 2  # the rank of an unsaved screen
_RETRY_AFTER_S: Final = 30
_NEVER: Final = datetime.min.replace(tzinfo=UTC)
_FRESH: Final[dict[str, Any]] = {
    "done": 0,
    "total": 0,
    "found": 0,
    "per_s": 0.0,
    "best": "[]",
    "message": "",
    "run_id": None,
}


class TopRow(NamedTuple):
    """A row found so far, for the progress on a page."""

    key: str
    symbol: str
    score: float | None
    setup: str


class Evaluation(NamedTuple):
    """One evaluation, queued, running or ended.

    `spec`: the screen as text of `core.criteria.spec`. `done` of `total` instruments are evaluated, `per_s` a
    second, and `found` of them are kept. `best`: the best rows so far, best first. `message`: why it failed.
    `run_id`: the stored result. `client`: the client in whose quota it counts, empty for none.
    """

    id: int
    kind: str
    spec: str
    universe: str
    state: str
    requested_at: datetime
    beat_at: datetime
    done: int
    total: int
    found: int
    per_s: float
    best: tuple[TopRow, ...]
    message: str
    run_id: int | None
    client: str = ""

    @property
    def open(self) -> bool:
        return self.state in OPEN


def enqueue(engine: Engine, kind: str, spec: str = "", universe: str = "", client: str = "") -> int:
    """Queue an evaluation and return its id; the id of the kind's open evaluation if there is one.

    Args:
        client: as quotas count clients; empty for one without a quota.
    Raises:
        LimitError: too many are queued, of this client or of all.
    """
    now = datetime.now(UTC)
    with writing(engine) as connection:
        _fail_silent(connection, now)
        open_id = connection.execute(
            select(table.c.id).where(table.c.kind == kind, table.c.state.in_(OPEN))
        ).scalar()
        if open_id is not None:
            return int(open_id)
        _check_limits(connection, kind, client)
        return _insert(connection, kind, spec, universe, QUEUED, now, client)


def begin(engine: Engine, kind: str, spec: str = "", universe: str = "") -> int | None:
    """Store an evaluation that starts now, past the queue. None while one of the kind runs."""
    now = datetime.now(UTC)
    with writing(engine) as connection:
        _fail_silent(connection, now)
        if connection.execute(
            select(table.c.id).where(table.c.kind == kind, table.c.state == RUNNING)
        ).first():
            return None
        return _insert(connection, kind, spec, universe, RUNNING, now)


def next_queued(engine: Engine) -> Evaluation | None:
    """Return the queued evaluation whose turn it is, None while one runs.

    Running ones without a sign of life fail first.
    """
    now = datetime.now(UTC)
    with reading(engine) as connection:
        if connection.execute(select(table.c.id).where(table.c.state.in_(OPEN)).limit(1)).first() is None:
            return None  # nearly always; a write transaction each second would block other writers
    with writing(engine) as connection:
        _fail_silent(connection, now)
        waiting = connection.execute(select(table).where(table.c.state.in_(OPEN))).all()
        if not waiting or any(row.state == RUNNING for row in waiting):
            return None
        rank, served = _ranking(connection), _last_served(connection)
        return _evaluation(
            min(waiting, key=lambda row: (rank(row.kind), served.get(row.client, _NEVER), row.id))
        )


def claim(engine: Engine, evaluation_id: int) -> Evaluation | None:
    """Set a queued evaluation to running. None if it is not queued: another process has it, or it ended."""
    with writing(engine) as connection:
        claimed = connection.execute(
            update(table)
            .where(table.c.id == evaluation_id, table.c.state == QUEUED)
            .values(state=RUNNING, beat_at=datetime.now(UTC))
        )
        if claimed.rowcount != 1:
            return None
        return _evaluation(connection.execute(select(table).where(table.c.id == evaluation_id)).one())


def beat(
    engine: Engine,
    evaluation_id: int,
    *,
    done: int,
    total: int,
    found: int,
    per_s: float,
    best: Sequence[TopRow] = (),
) -> bool:
    """Store the progress of a running evaluation. False if it has failed meanwhile: the caller must stop."""
    shown = json.dumps(best[:MAX_BEST], separators=(",", ":"), allow_nan=False)
    values = {"done": done, "total": total, "found": found, "per_s": per_s, "best": shown}
    return _update_running(engine, evaluation_id, values)


def finish(engine: Engine, evaluation_id: int, run_id: int) -> bool:
    return _update_running(engine, evaluation_id, {"state": DONE, "run_id": run_id})


def fail(engine: Engine, evaluation_id: int, message: str) -> bool:
    """End a queued or running evaluation with the reason. False if it had ended already."""
    with writing(engine) as connection:
        ended = connection.execute(
            update(table)
            .where(table.c.id == evaluation_id, table.c.state.in_(OPEN))
            .values(state=FAILED, message=message[:500], beat_at=datetime.now(UTC))
        )
        return ended.rowcount == 1


def newest_in(connection: Connection) -> Mapping[str, Evaluation]:
    """Return the newest evaluation of each kind."""
    newest = select(func.max(table.c.id)).group_by(table.c.kind).scalar_subquery()
    return {
        row.kind: _evaluation(row) for row in connection.execute(select(table).where(table.c.id.in_(newest)))
    }


def open_kinds_in(connection: Connection) -> set[str]:
    """Return the kinds that have a queued or a running evaluation."""
    return set(connection.execute(select(table.c.kind).where(table.c.state.in_(OPEN))).scalars())


def version_in(connection: Connection) -> tuple[object, ...]:
    """Return a value that changes with every change of any evaluation; one cheap query."""
    return tuple(
        connection.execute(select(func.max(table.c.id), func.max(table.c.beat_at), func.count())).one()
    )


def _check_limits(connection: Connection, kind: str, client: str) -> None:
    """Raise LimitError if the client has queued its quota, or all clients together have queued the most.

    Each built-in screener and each saved screen is queued at most once and comes first, so no number of
    other clients can keep a client from these.
    """
    rank = _ranking(connection)
    waiting = connection.execute(select(table.c.kind, table.c.client).where(table.c.state == QUEUED)).all()
    own = sum(row.client == client and rank(row.kind) <= rank(kind) for row in waiting)
    if client and own >= QUOTA:
        raise LimitError("screens of yours that wait to be evaluated", QUOTA, _RETRY_AFTER_S)
    counted = sum(rank(row.kind) == _UNSAVED for row in waiting) if client and rank(kind) == _UNSAVED else own
    limit = MAX_OPEN if own else MAX_CLIENTS
    if counted >= limit:
        raise LimitError("screens that wait to be evaluated", limit, _RETRY_AFTER_S)


def _ranking(connection: Connection) -> Callable[[str], int]:
    """Return a function from a kind to its rank in the queue; the lowest rank comes first."""
    saved = {screen.kind for screen in saved_screens.all_in(connection)} | lists.kinds_in(connection)
    return lambda kind: 0 if kind in KINDS else 1 if kind in saved else _UNSAVED


def _last_served(connection: Connection) -> Mapping[str, datetime]:
    """Return by client when an evaluation of it last started, progressed or ended."""
    last = (
        select(table.c.client, func.max(table.c.beat_at).label("at"))
        .where(table.c.state != QUEUED)
        .group_by(table.c.client)
    )
    return {row.client: row.at for row in connection.execute(last)}


def _insert(
    connection: Connection, kind: str, spec: str, universe: str, state: str, now: datetime, client: str = ""
) -> int:
    values = _FRESH | {"kind": kind, "spec": spec, "universe": universe, "state": state, "client": client}
    values |= {"requested_at": now, "beat_at": now}
    evaluation_id: int = connection.execute(insert(table).values(values).returning(table.c.id)).scalar_one()
    _prune(connection, kind)
    return evaluation_id


def _update_running(engine: Engine, evaluation_id: int, values: Mapping[str, Any]) -> bool:
    with writing(engine) as connection:
        changed = connection.execute(
            update(table)
            .where(table.c.id == evaluation_id, table.c.state == RUNNING)
            .values(**values, beat_at=datetime.now(UTC))
        )
        return changed.rowcount == 1


def _fail_silent(connection: Connection, now: datetime) -> None:
    bound = timedelta(seconds=SILENT_S)
    # A `beat_at` in the future was written before the clock was set back. Without the second condition it
    # would keep the evaluation running until that instant.
    silent = (table.c.state == RUNNING) & ((table.c.beat_at < now - bound) | (table.c.beat_at > now + bound))
    message = f"given up: no sign of life for {SILENT_S:.0f} s"
    connection.execute(update(table).where(silent).values(state=FAILED, message=message, beat_at=now))


def _prune(connection: Connection, kind: str) -> None:
    newest = select(table.c.id).order_by(table.c.id.desc())
    ended = table.c.state.not_in(OPEN)
    of_kind = newest.where(table.c.kind == kind).limit(KEPT).scalar_subquery()
    connection.execute(delete(table).where(ended, table.c.kind == kind, table.c.id.not_in(of_kind)))
    connection.execute(
        delete(table).where(ended, table.c.id.not_in(newest.limit(KEPT_IN_ALL).scalar_subquery()))
    )


def _evaluation(row: Any) -> Evaluation:
    values = row._asdict()
    return Evaluation(**values | {"best": tuple(TopRow(*each) for each in json.loads(values["best"]))})
