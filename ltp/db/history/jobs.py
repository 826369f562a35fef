"""Requested fetches of history: the queue that pages fill, the progress and the end of each.

Jobs are added and claimed by one transaction after the other, so that two workers never run the same one, and no
quota is exceeded. `beat_at` is renewed; a running job without a sign of life for a minute waits again, because its
worker was killed. After three such deaths without progress it fails. A job that was paused a week ago is cancelled.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    bindparam,
    case,
    delete,
    func,
    insert,
    select,
    text,
    update,
)

from ltp.db.engine import BUSY_TIMEOUT_MS, reading, writing
from ltp.db.history.tables import history_jobs as table
from ltp.db.schema import Instant
from ltp.errors import LimitError, NotFoundError

MAX_ID: Final = 2_147_483_647  # the column is an Integer
SILENT_S: Final = 60.0
PAUSED_FOR: Final = timedelta(days=7)  # then it is cancelled: it counts in the quotas
KEPT: Final = 30  # ended jobs
QUOTA: Final = 5  # open jobs of one client
MAX_OPEN: Final = 50
MAX_DEATHS: Final = 3
FETCH, REFILL, REPLACE, DAILY = "fetch", "refill", "replace", "daily"
ACTIONS: Final = (FETCH, REFILL, REPLACE, DAILY)
QUEUED, RUNNING, PAUSED = "queued", "running", "paused"
DONE, FAILED, CANCELLED = "done", "failed", "cancelled"
OPEN: Final = (QUEUED, RUNNING, PAUSED)
PAUSE, RESUME, CANCEL = "pause", "resume", "cancel"
# What a person may do to a job: in which states, and the state after it.
CHANGES: Final = {
    PAUSE: ((QUEUED, RUNNING), PAUSED),
    RESUME: ((PAUSED,), QUEUED),
    CANCEL: (OPEN, CANCELLED),
}
_RETRY_AFTER_S: Final = 30
_MAX_LINE: Final = 500


class Request(NamedTuple):
    """`action`: one of ACTIONS. `universe`: a list, or "" for `keys`. Days: None for daily candles."""

    action: str
    universe: str
    keys: tuple[str, ...] = ()
    first_day: date | None = None
    last_day: date | None = None


class Job(NamedTuple):
    """A requested fetch. `done` of `total` instruments are fetched, `per_min` a minute. `place`: the key of the
    last one that is done, where a paused job goes on. `line`: the last line of its command. `client`: in whose
    quota it counts, "" for none. `deaths`: how often its worker was killed since its last progress.
    """

    id: int
    request: Request
    state: str
    client: str
    asked_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    beat_at: datetime
    deaths: int
    done: int
    total: int
    per_min: float
    place: str
    line: str

    @property
    def open(self) -> bool:
        return self.state in OPEN

    @property
    def left_s(self) -> int | None:
        """Estimated seconds to the end, None while there is no estimate."""
        if self.state != RUNNING or self.per_min <= 0:
            return None
        return round(max(0, self.total - self.done) / self.per_min * 60)


def enqueue(
    engine: Engine, request: Request, client: str = "", *, busy_timeout_ms: int = BUSY_TIMEOUT_MS
) -> int:
    """Queue a job and return its id; the id of an open job that asks for the same if there is one, which goes on if
    it was paused.

    Raises:
        LimitError: too many are open, of this client or of all.
    """
    now = datetime.now(UTC)
    with writing(engine, busy_timeout_ms=busy_timeout_ms) as connection:
        _lock(connection)
        _cancel_paused(connection, now)
        waiting = [_job(row) for row in connection.execute(select(table).where(table.c.state.in_(OPEN)))]
        same = next((job.id for job in waiting if job.request == request), None)
        if same is not None:
            _update(connection, same, (PAUSED,), {"state": QUEUED, "beat_at": now})
            return same
        if client and sum(job.client == client for job in waiting) >= QUOTA:
            raise LimitError("jobs of yours that have not ended", QUOTA, _RETRY_AFTER_S)
        if len(waiting) >= MAX_OPEN:
            raise LimitError("jobs that have not ended", MAX_OPEN, _RETRY_AFTER_S)
        values = request._asdict() | {"keys": " ".join(request.keys), "state": QUEUED, "client": client}
        values |= {"asked_at": now, "beat_at": now, "place": "", "line": "", "per_min": 0.0}
        values |= dict.fromkeys(("deaths", "done", "total"), 0)
        job_id: int = connection.execute(insert(table).values(values).returning(table.c.id)).scalar_one()
        _prune(connection)
        return job_id


def change(engine: Engine, job_id: int, how: str, *, busy_timeout_ms: int = BUSY_TIMEOUT_MS) -> bool:
    """Pause, resume or cancel a job. False if its state does not allow it: it has ended, or is paused already.

    Args:
        how: one of CHANGES.
    Raises:
        NotFoundError: there is no such job.
    """
    before, after = CHANGES[how]
    now = datetime.now(UTC)
    values = {"state": after, "beat_at": now} | ({"ended_at": now} if after == CANCELLED else {})
    with writing(engine, busy_timeout_ms=busy_timeout_ms) as connection:
        _require(connection, job_id)
        return _update(connection, job_id, before, values)


def fetch(engine: Engine, job_id: int, *, busy_timeout_ms: int = BUSY_TIMEOUT_MS) -> Job:
    """Return a job. Raises NotFoundError."""
    with reading(engine, busy_timeout_ms=busy_timeout_ms) as connection:
        return _require(connection, job_id)


def newest(engine: Engine, *, busy_timeout_ms: int = BUSY_TIMEOUT_MS) -> list[Job]:
    """Return all jobs that are kept: open ones in the order of the queue, then ended ones, the newest first."""
    with reading(engine, busy_timeout_ms=busy_timeout_ms) as connection:
        found = [_job(row) for row in connection.execute(select(table).order_by(table.c.id))]
    waiting = sorted((job for job in found if job.open), key=lambda job: (job.state != RUNNING, job.id))
    return waiting + [job for job in reversed(found) if not job.open]


def claim_next(engine: Engine) -> Job | None:
    """Set the oldest queued job to running and return it; None while one runs, and without one.

    Running ones without a sign of life wait again first, and those that were paused a week ago are cancelled.
    """
    now = datetime.now(UTC)
    with reading(engine) as connection:
        wanted = select(table.c.id).where(table.c.state.in_((QUEUED, RUNNING)) | _paused_long(now)).limit(1)
        if connection.execute(wanted).first() is None:
            return None  # nearly always; a write transaction each second would block other writers
    with writing(engine) as connection:
        _lock(connection)
        _cancel_paused(connection, now)
        _requeue_silent(connection, now)
        states = (table.c.state == RUNNING).desc(), table.c.id
        rows = select(table.c.id, table.c.state).where(table.c.state.in_((QUEUED, RUNNING))).order_by(*states)
        first = connection.execute(rows.limit(1)).first()
        if first is None or first.state == RUNNING:
            return None
        began = func.coalesce(table.c.started_at, bindparam("now", now, Instant))
        values = {"state": RUNNING, "beat_at": now, "per_min": 0.0, "line": "", "started_at": began}
        if not _update(connection, first.id, (QUEUED,), values):
            return None  # it was paused or cancelled in this moment
        return _require(connection, first.id)


def beat(engine: Engine, job_id: int, *, done: int, total: int, per_min: float, place: str) -> bool:
    """Store the progress of a running job. False if it was paused or cancelled: the caller must stop."""
    values = {"done": done, "total": total, "per_min": per_min, "place": place, "beat_at": datetime.now(UTC)}
    values["deaths"] = case((table.c.done < done, 0), else_=table.c.deaths)  # it gets on in spite of them
    with writing(engine) as connection:
        return _update(connection, job_id, (RUNNING,), values)


def touch(engine: Engine, job_id: int) -> int | None:
    """Note that the command of a running job lives, however long one instrument takes. Returns how many are done,
    None if the job does not run.
    """
    this = (table.c.id == job_id) & (table.c.state == RUNNING)
    with writing(engine) as connection:
        beat = update(table).where(this).values(beat_at=datetime.now(UTC)).returning(table.c.done)
        return connection.execute(beat).scalar_one_or_none()


def set_aside(engine: Engine, job_id: int) -> None:
    """Let a running job wait again, at its place in the queue: its worker stops, or other work comes first."""
    with writing(engine) as connection:
        _update(connection, job_id, (RUNNING,), {"state": QUEUED, "beat_at": datetime.now(UTC)})


def end(engine: Engine, job_id: int, state: str, line: str) -> bool:
    """Note the end of a running job. One that was paused or cancelled meanwhile keeps its state, and one that was
    paused and resumed starts again: then False is returned.
    """
    now = datetime.now(UTC)
    with writing(engine) as connection:
        values = {"state": state, "line": line[:_MAX_LINE], "ended_at": now, "beat_at": now}
        return _update(connection, job_id, (RUNNING,), values)


def _lock(connection: Connection) -> None:
    """Wait for other transactions that add or claim jobs. Readers go on; SQLite has one writer at a time anyway."""
    if connection.dialect.name == "postgresql":
        connection.execute(text(f"LOCK TABLE {table.name} IN SHARE ROW EXCLUSIVE MODE"))


def _require(connection: Connection, job_id: int) -> Job:
    row = connection.execute(select(table).where(table.c.id == job_id)).first()
    if row is None:
        raise NotFoundError("job", str(job_id))
    return _job(row)


def _update(connection: Connection, job_id: int, before: Collection[str], values: dict[str, Any]) -> bool:
    these = update(table).where(table.c.id == job_id, table.c.state.in_(before))
    return connection.execute(these.values(values)).rowcount == 1


def _requeue_silent(connection: Connection, now: datetime) -> None:
    bound = timedelta(seconds=SILENT_S)
    # A `beat_at` in the future was written before the clock was set back.
    silent = (table.c.state == RUNNING) & ((table.c.beat_at < now - bound) | (table.c.beat_at > now + bound))
    connection.execute(
        update(table).where(silent).values(state=QUEUED, deaths=table.c.deaths + 1, beat_at=now)
    )
    line = f"given up: its worker ended {MAX_DEATHS} times"
    dead = (table.c.state == QUEUED) & (table.c.deaths >= MAX_DEATHS)
    connection.execute(update(table).where(dead).values(state=FAILED, line=line, ended_at=now))


def _paused_long(now: datetime) -> ColumnElement[bool]:
    """Return whether a job is paused and was so a week ago. `beat_at` is the instant of the pause."""
    return (table.c.state == PAUSED) & (table.c.beat_at < now - PAUSED_FOR)


def _cancel_paused(connection: Connection, now: datetime) -> None:
    line = f"cancelled: it was paused for {PAUSED_FOR.days} days"
    connection.execute(
        update(table).where(_paused_long(now)).values(state=CANCELLED, line=line, ended_at=now)
    )


def _prune(connection: Connection) -> None:
    ended = table.c.state.not_in(OPEN)
    kept = select(table.c.id).where(ended).order_by(table.c.id.desc()).limit(KEPT).scalar_subquery()
    connection.execute(delete(table).where(ended, table.c.id.not_in(kept)))


def _job(row: Any) -> Job:
    values = row._asdict()
    keys = tuple(values.pop("keys").split())
    of_request = {name: values.pop(name) for name in Request._fields if name != "keys"}
    return Job(request=Request(keys=keys, **of_request), **values)
