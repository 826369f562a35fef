"""Requests to evaluate a screen, from the wish to the end: pages ask, the worker's child works, everybody
reads how far it is.

A request is claimed by a conditional UPDATE that must change one row, so two workers never do the same. Who
claimed one says so again and again; without a sign of life for a minute it is given up. Which request waits
longest does not decide: built-in screeners come first, then saved screens, then all others, and among equals
the client that was served longest ago.
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
from ltp.errors import LimitError

SILENT_S: Final = 60.0
KEPT: Final = 50  # of a kind
KEPT_IN_ALL: Final = 1_000  # each custom screen is a kind of its own
QUOTA: Final = 5  # of one client
MAX_OPEN: Final = 50  # screens that nobody saved; a client that has none among them is let in all the same
MAX_CLIENTS: Final = 200  # so many of them wait at most
MAX_BEST: Final = 20
QUEUED, RUNNING, DONE, FAILED = "queued", "running", "done", "failed"
OPEN: Final = (QUEUED, RUNNING)


class TopRow(NamedTuple):
    """A row found so far: enough to show that it works."""

    key: str
    symbol: str
    score: float | None
    setup: str


class EvaluationRequest(NamedTuple):
    """`done` of `total` instruments evaluated, `found` of them kept, `per_s` a second. `best`: found so far,
    best first. `message`: why it failed. `run_id`: what it became. `spec`: a screen as `core.criteria.spec`
    writes it. `client`: whose quota it counts against, empty for none.
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


def request(engine: Engine, kind: str, spec: str = "", universe: str = "", client: str = "") -> int:
    """Ask for an evaluation. Returns the id of the kind's open request, which is made when there is none.

    Args:
        client: who asks, as quotas count clients; empty for one without a quota.
    Raises:
        LimitError: too many wait already, of this client or of all.
    """
    now = datetime.now(UTC)
    with writing(engine) as connection:
        _give_up(connection, now)
        held = connection.execute(
            select(table.c.id).where(table.c.kind == kind, table.c.state.in_(OPEN))
        ).scalar()
        if held is not None:
            return int(held)
        _refuse_crowd(connection, kind, client)
        return _insert(connection, kind, spec, universe, QUEUED, now, client)


def begin(engine: Engine, kind: str, spec: str = "", universe: str = "") -> int | None:
    """Note an evaluation that starts now without having been asked for. None while one of the kind runs."""
    now = datetime.now(UTC)
    with writing(engine) as connection:
        _give_up(connection, now)
        if connection.execute(
            select(table.c.id).where(table.c.kind == kind, table.c.state == RUNNING)
        ).first():
            return None
        return _insert(connection, kind, spec, universe, RUNNING, now)


def next_queued(engine: Engine) -> EvaluationRequest | None:
    """Return the request whose turn it is, None while one runs; what nobody works on any more is given up
    first.
    """
    now = datetime.now(UTC)
    with reading(engine) as connection:
        if connection.execute(select(table.c.id).where(table.c.state.in_(OPEN)).limit(1)).first() is None:
            return None  # nearly always, and a writer would keep others waiting each second
    with writing(engine) as connection:
        _give_up(connection, now)
        waiting = connection.execute(select(table).where(table.c.state.in_(OPEN))).all()
        if not waiting or any(row.state == RUNNING for row in waiting):
            return None
        rank, served = _ranks(connection), _served(connection)
        return _screening(
            min(waiting, key=lambda row: (rank(row.kind), served.get(row.client, _NEVER), row.id))
        )


def claim(engine: Engine, screening_id: int) -> EvaluationRequest | None:
    """Take a waiting request for oneself. None when somebody else has it, or there is none."""
    with writing(engine) as connection:
        taken = connection.execute(
            update(table)
            .where(table.c.id == screening_id, table.c.state == QUEUED)
            .values(state=RUNNING, beat_at=datetime.now(UTC))
        )
        if taken.rowcount != 1:
            return None
        return _screening(connection.execute(select(table).where(table.c.id == screening_id)).one())


def beat(
    engine: Engine,
    screening_id: int,
    *,
    done: int,
    total: int,
    found: int,
    per_s: float,
    best: Sequence[TopRow] = (),
) -> bool:
    """Say how far it is. False when the request was given up meanwhile: whoever works on it should stop."""
    shown = json.dumps(best[:MAX_BEST], separators=(",", ":"), allow_nan=False)
    values = {"done": done, "total": total, "found": found, "per_s": per_s, "best": shown}
    return _update_running(engine, screening_id, values)


def finish(engine: Engine, screening_id: int, run_id: int) -> bool:
    return _update_running(engine, screening_id, {"state": DONE, "run_id": run_id})


def fail(engine: Engine, screening_id: int, message: str) -> bool:
    """End a request that waits or runs; `message` says why. False when it had ended already."""
    with writing(engine) as connection:
        ended = connection.execute(
            update(table)
            .where(table.c.id == screening_id, table.c.state.in_(OPEN))
            .values(state=FAILED, message=message[:500], beat_at=datetime.now(UTC))
        )
        return ended.rowcount == 1


def fetch(engine: Engine, screening_id: int) -> EvaluationRequest | None:
    with reading(engine) as connection:
        row = connection.execute(select(table).where(table.c.id == screening_id)).first()
        return None if row is None else _screening(row)


def newest_in(connection: Connection) -> Mapping[str, EvaluationRequest]:
    """Return the newest request of each kind."""
    newest = select(func.max(table.c.id)).group_by(table.c.kind).scalar_subquery()
    return {
        row.kind: _screening(row) for row in connection.execute(select(table).where(table.c.id.in_(newest)))
    }


def changed_in(connection: Connection) -> tuple[object, ...]:
    """Return what is different whenever any request is, for one cheap query."""
    return tuple(
        connection.execute(select(func.max(table.c.id), func.max(table.c.beat_at), func.count())).one()
    )


_UNSAVED: Final = 2  # the rank of a screen that nobody saved
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


def _refuse_crowd(connection: Connection, kind: str, client: str) -> None:
    """Keep what one client makes others wait for within its quota, and what all make within a bound.

    Each built-in screener and each saved screen waits once at most and comes first, so no crowd keeps a
    client from these.
    """
    rank = _ranks(connection)
    waiting = connection.execute(select(table.c.kind, table.c.client).where(table.c.state == QUEUED)).all()
    mine = sum(row.client == client and rank(row.kind) <= rank(kind) for row in waiting)
    if client and mine >= QUOTA:
        raise LimitError("screens of yours that wait to be evaluated", QUOTA, _RETRY_AFTER_S)
    crowd = sum(rank(row.kind) == _UNSAVED for row in waiting) if client and rank(kind) == _UNSAVED else mine
    most = MAX_OPEN if mine else MAX_CLIENTS
    if crowd >= most:
        raise LimitError("screens that wait to be evaluated", most, _RETRY_AFTER_S)


def _ranks(connection: Connection) -> Callable[[str], int]:
    """Return what tells how early the screens of a kind come: the lowest first."""
    saved = {screen.kind for screen in saved_screens.all_in(connection)}
    return lambda kind: 0 if kind in KINDS else 1 if kind in saved else _UNSAVED


def _served(connection: Connection) -> Mapping[str, datetime]:
    """Return when each client was last served."""
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
    screening_id: int = connection.execute(insert(table).values(values).returning(table.c.id)).scalar_one()
    _prune(connection, kind)
    return screening_id


def _update_running(engine: Engine, screening_id: int, values: Mapping[str, Any]) -> bool:
    with writing(engine) as connection:
        changed = connection.execute(
            update(table)
            .where(table.c.id == screening_id, table.c.state == RUNNING)
            .values(**values, beat_at=datetime.now(UTC))
        )
        return changed.rowcount == 1


def _give_up(connection: Connection, now: datetime) -> None:
    bound = timedelta(seconds=SILENT_S)
    # A beat in the future was written before a clock was set back, and would keep the request open until
    # then.
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


def _screening(row: Any) -> EvaluationRequest:
    values = row._asdict()
    return EvaluationRequest(**values | {"best": tuple(TopRow(*each) for each in json.loads(values["best"]))})
