"""`python -m ltp candles minutes jobs`, and the progress of a command that the worker started for a job."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from typing import Any, Final

from ltp import settings as settings_module
from ltp.batch.progress import Progress
from ltp.db.engine import Engine, open_engine
from ltp.db.history import jobs
from ltp.db.history.jobs import CANCEL, RUNNING, Job
from ltp.errors import InputError

_EVERY_S: Final = 1.0
_STARTED: Final = 5.0  # seconds after which a rate is worth showing


def add(actions: Any) -> None:
    """Register the command on the sub-parsers of `minutes`."""
    listed = actions.add_parser("jobs", help="the jobs of the page /candles")
    listed.add_argument("--cancel", type=_job_id, metavar="N", help="end job N, or take it from the queue")
    listed.set_defaults(command=_jobs)


def add_option(command: Any) -> None:
    """Add `--job`, which the worker passes, to a command."""
    command.add_argument(
        "--job", type=_job_id, metavar="ID", help="the job that the worker runs the command for"
    )


def job_of(engine: Engine, job_id: int | None) -> Job | None:
    """Return the job of `--job`, None without one.

    Raises:
        InputError: it does not run: the worker sets its state before it starts a command.
        NotFoundError: there is no such job.
    """
    if job_id is None:
        return None
    job = jobs.fetch(engine, job_id)
    if job.state != RUNNING:
        raise InputError("--job", str(job_id), "a job that the worker runs")
    return job


class JobProgress:
    """A `ltp.batch.progress.Progress` that also stores the progress of a job, once a second.

    It raises InputError when the job was paused or cancelled meanwhile: what was fetched by then is stored.

    Args:
        job: None for a command that nobody follows.
        keys: the instruments in their order. Those up to the place of the job are done.
        shown: the progress on the terminal.
    """

    def __init__(
        self,
        engine: Engine,
        job: Job | None,
        keys: Sequence[str],
        shown: Progress,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._engine, self._job, self._keys, self._shown = engine, job, keys, shown
        self._monotonic, self._began, self._due = monotonic, monotonic(), float("-inf")
        self.skipped = keys.index(job.place) + 1 if job and job.place in keys else 0
        self._done, self._counted = -1, 0  # -1: none is begun

    def uncounted(self, *, begun: bool = False) -> Sequence[str]:
        """Return the instruments that this command has fetched since the last call; with `begun` also the present
        one, of which bars may be stored.
        """
        until = max(0, self._done + begun)
        found = self._keys[self.skipped + self._counted : self.skipped + until]
        self._counted += len(found)
        return found

    def __call__(self, stage: str, done: int, total: int) -> None:
        self._done = done
        self._shown(stage, self.skipped + done, self.skipped + total)
        if self._job is None or (self._monotonic() < self._due and done < total):
            return
        self._due = self._monotonic() + _EVERY_S
        if not self._store(done, total):
            raise InputError("--job", str(self._job.id), "it was paused or cancelled meanwhile")

    def _store(self, done: int, total: int) -> bool:
        assert self._job is not None  # noqa: S101
        passed = self._monotonic() - self._began
        last = self.skipped + done
        return jobs.beat(
            self._engine,
            self._job.id,
            done=last,
            total=self.skipped + total,
            per_min=done / passed * 60 if passed >= _STARTED else 0.0,
            place=self._keys[last - 1] if 0 < last <= len(self._keys) else "",
        )


def _job_id(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 11 and int(text) <= jobs.MAX_ID):
        raise argparse.ArgumentTypeError(
            f"{text[:40]!r} is not accepted: a whole number from 0 to {jobs.MAX_ID}"
        )
    return int(text)


def _jobs(given: argparse.Namespace) -> int:
    engine = open_engine(settings_module.load().database)
    if given.cancel is not None and not jobs.change(engine, given.cancel, CANCEL):
        raise InputError("--cancel", str(given.cancel), "a job that has not ended")
    for job in jobs.newest(engine):
        print(_line(job))
    return 0


def _line(job: Job) -> str:
    asked = job.request
    of = asked.universe or " ".join(asked.keys)
    days = f" {asked.first_day} to {asked.last_day}" if asked.first_day else ""
    progress = f", {job.done:,} of {job.total:,}" if job.total else ""
    return f"{job.id:>4}  {job.state:9}  {asked.action} {of[:60]}{days}{progress}{'; ' * bool(job.line)}{job.line}"
