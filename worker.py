"""The worker process: one feed connection, prices into Redis, until SIGTERM. Start: `python worker.py`.

Plain threads, never patched by gevent; `ltp.worker.assembly` creates them. Every wait is bounded.
"""

from __future__ import annotations

import gc
import logging
import os
import signal
import sys
import threading
from typing import Final

from sqlalchemy import Engine

from ltp import checks, logs
from ltp import settings as settings_module
from ltp.batch import seed
from ltp.db import instruments
from ltp.db.engine import open_when_reachable, reading
from ltp.errors import DatabaseError, LTPError
from ltp.settings import Settings
from ltp.store.client import connect
from ltp.vital import ENDED
from ltp.worker.assembly import Worker

log = logging.getLogger("worker")

_REDIS_TIMEOUT_S: Final = 2.0
_DATABASE_RETRY_S: Final = 2.0
_EXIT_WITHIN_S: Final = 4.0
# New objects before a collection: a chunk of ticks creates hundreds, and none is part of a reference cycle.
_COLLECT_AFTER: Final = 20_000
_LOOK_EVERY_S: Final = 0.5
_REFUSED: Final = 2


def open_database(url: str, stopping: threading.Event) -> Engine | None:
    """Open the database, waiting while it is away; seed an empty instrument master. None when stopped before.

    Raises:
        DatabaseError: waiting cannot help.
    """
    while (engine := open_when_reachable(url, wait=stopping.wait, process="worker")) is not None:
        try:
            with reading(engine) as connection:
                empty = instruments.changed_at(connection) is None
            seed.ensure(engine)
        except DatabaseError as error:
            engine.dispose()
            if error.permanent:
                raise
            log.warning("%s. The worker waits for it.", error)
            stopping.wait(_DATABASE_RETRY_S)
            continue
        if empty:
            log.info("The instrument master was empty; seeded it with the shipped universe")
        return engine
    return None


def main() -> int:
    """Run until SIGTERM or SIGINT.

    Returns:
        The exit status: 0; 1 when a thread ended; 2 with one sentence on stderr.
    """
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    try:
        settings = settings_module.load()
        logs.configure("worker", settings.log_level)
        if settings.feed_enabled:
            checks.require_credentials(settings)
        client = connect(settings.secret("redis_url"), timeout_s=_REDIS_TIMEOUT_S)
        engine = open_database(settings.database, stopping)
        if engine is None:
            return 0
        worker = Worker(settings, engine, client)
    except LTPError as error:
        print(error, file=sys.stderr)  # noqa: T201
        return _REFUSED
    status = _run(worker, settings, stopping)
    if worker.refusal:
        print(worker.refusal, file=sys.stderr)  # noqa: T201
    return status


def _run(worker: Worker, settings: Settings, stopping: threading.Event) -> int:
    if settings.feed_enabled:
        log.info("Worker started; prices are from %s", settings.source)
    else:
        log.info("DHANHQ_WS_ENABLED is not true: the worker idles. Set it to true to connect to the feed.")
    gc.set_threshold(_COLLECT_AFTER, 10, 10)
    status = 0
    try:
        vital = worker.start()
        # Python runs signal handlers in this thread only, and only when it wakes.
        while not status and not stopping.wait(_LOOK_EVERY_S):
            worker.host_clock.look()
            status = ENDED if vital.ended() else _REFUSED if worker.refusal else 0
    except Exception:
        log.critical("The worker cannot go on and ends with status %d", status := ENDED, exc_info=True)
    log.info("Stopping")
    _stop(worker, status)
    return status


def _stop(worker: Worker, status: int) -> None:
    """Stop in order; after four seconds, or when stopping raises, end the process with `status`."""
    # Any call of the orderly stop may hang on Redis or the broker, and a supervisor kills a process that
    # takes longer.
    latest = threading.Timer(_EXIT_WITHIN_S, os._exit, (status,))
    latest.daemon = True
    latest.start()
    try:
        worker.stop()
    except Exception:
        log.critical("The worker could not be stopped in order", exc_info=True)
        os._exit(status or ENDED)
    log.info("Stopped")


if __name__ == "__main__":
    sys.exit(main())
