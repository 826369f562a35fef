"""Jobs as pages show them: what they do, how far they are, and what a person may do to them."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

from markupsafe import Markup

from ltp.core.counted import counted
from ltp.core.ticks.tick import LINK_DEAD_AFTER_S
from ltp.db.history import jobs
from ltp.db.history.jobs import (
    CANCEL,
    DAILY,
    FETCH,
    PAUSE,
    QUEUED,
    REFILL,
    REPLACE,
    RESUME,
    RUNNING,
    SILENT_S,
    Job,
    Request,
)
from ltp.db.history.summary import EVERYTHING
from ltp.web import clients, times
from ltp.web.services import services
from ltp.web.waits import BUSY_TIMEOUT_MS, patiently

AGAIN: Final = "again"
EVERYTHING_TITLE: Final = "Everything stored"
ACTION_TITLES: Final = {
    FETCH: "Fetch one-minute bars",
    REFILL: "Refill missing sessions of one-minute bars",
    REPLACE: "Replace one-minute bars",
    DAILY: "Fetch daily candles",
}
_BUTTONS: Final = {PAUSE: "Pause", RESUME: "Resume", CANCEL: "Cancel", AGAIN: "Run again"}
_NAMED: Final = 3  # keys in a line
_MINUTE_S, _HOUR_S = 60, 3_600


class JobLine(NamedTuple):
    """A job on the page. `what`: of which instruments, and which days. `who`: asked for it. `buttons`: what a
    person may do, and the address to post to. `interrupted`: its worker gives no sign of life.
    """

    job: Job
    title: str
    what: Markup
    who: str
    buttons: tuple[tuple[str, str], ...]
    interrupted: bool
    left: str


class Jobs(NamedTuple):
    """All jobs that are kept. `running`: the one that runs. `version`: changes with the state of any.
    `worker_alive`: does the worker publish?
    """

    lines: tuple[JobLine, ...]
    running: JobLine | None
    version: str
    worker_alive: bool

    @property
    def moving(self) -> bool:
        """Whether a state will change without a person: the page then looks again each second."""
        return any(line.job.state in (QUEUED, RUNNING) for line in self.lines)


def read() -> Jobs:
    """Return the jobs of this moment.

    Raises:
        DatabaseError: the database cannot be read, or not within a moment.
    """
    found = patiently(lambda: jobs.newest(services().engine, busy_timeout_ms=BUSY_TIMEOUT_MS))
    now, own = datetime.now(UTC), clients.client()
    lines = tuple(_line(job, now, own) for job in found)
    running = next((line for line in lines if line.job.state == RUNNING), None)
    return Jobs(lines, running, version_of(found), services().hub.link_age_s <= LINK_DEAD_AFTER_S)


def version_of(found: Sequence[Job]) -> str:
    return f"{zlib.crc32(' '.join(f'{job.id}:{job.state}' for job in found).encode()):08x}"


def time_left(seconds: int | None) -> str:
    """Return an estimate as a text: `40 s`, `12 min`, `2 h 5 min`; "" without one."""
    if seconds is None:
        return ""
    if seconds < 2 * _MINUTE_S:
        return f"{seconds} s"
    minutes = round(seconds / _MINUTE_S)
    if minutes < 2 * _MINUTE_S:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, _MINUTE_S)
    return f"{hours} h {minutes} min"


def what_of(request: Request) -> Markup:
    """Return the instruments and the days of a request."""
    named = [_symbol(key) for key in request.keys]
    more = f" and {counted(len(named) - _NAMED, 'other')}" if len(named) > _NAMED else ""
    of = title_of(request.universe) if request.universe else ", ".join(named[:_NAMED]) + more
    if request.first_day is None or request.last_day is None:
        return Markup("{}").format(of)
    if request.first_day == request.last_day:
        return Markup("{}, {}").format(of, times.day(request.first_day))
    return Markup("{}, {} to {}").format(of, times.day(request.first_day), times.day(request.last_day))


def title_of(universe: str) -> str:
    """Return the title of a list, its name if it is no longer stored."""
    if universe == EVERYTHING:
        return EVERYTHING_TITLE
    known = services().catalog.universes().get(universe)
    return known.title if known else universe


def _line(job: Job, now: datetime, own: str) -> JobLine:
    silent = job.state == RUNNING and abs(now - job.beat_at) > timedelta(seconds=SILENT_S)
    names = [how for how, (states, _) in jobs.CHANGES.items() if job.state in states]
    if not job.open:
        names = [AGAIN]
    return JobLine(
        job,
        ACTION_TITLES.get(job.request.action, job.request.action),
        what_of(job.request),
        "you" if job.client == own else "another client",
        tuple((_BUTTONS[how], f"/candles/jobs/{job.id}/{how}") for how in names),
        silent,
        time_left(job.left_s),
    )


def _symbol(key: str) -> str:
    known = services().catalog.instrument(key)
    return known.symbol if known else key
