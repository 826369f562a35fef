"""The worker: one feed connection, prices into Redis, until SIGTERM. `python worker.py` needs nothing but the
settings.

Plain threads, never patched; `ltp.worker.assembly` has what they are. Every wait is bounded.
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
_COLLECT_AFTER: Final = (
    20_000  # new objects: a chunk of ticks is hundreds of them, and none is ever part of a ring
)
_LOOK_EVERY_S: Final = 0.5
_REFUSED: Final = 2


def open_database(url: str, stopping: threading.Event) -> Engine | None:
    """Open it, waiting for as long as it is away; seed an empty instrument master. None when stopped before.

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
    """Run until SIGTERM or SIGINT. Returns the exit status: 0; 1 when a thread ended; 2 with one sentence on
    stderr.
    """
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    try:
        settings = settings_module.load()
        logs.configure("worker", settings.log_level)
        if settings.dhanhq_ws_enabled:
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
    if settings.dhanhq_ws_enabled:
        log.info("Worker started; prices are from %s", settings.source)
    else:
        log.info("DHANHQ_WS_ENABLED is not true: the worker idles. Set it to true to connect to the feed.")
    gc.set_threshold(_COLLECT_AFTER, 10, 10)
    status = 0
    try:
        vital = worker.start()
        # A signal that the kernel gave to another thread is acted on only when this one wakes.
        while not status and not stopping.wait(_LOOK_EVERY_S):
            worker.host_clock.look()
            status = ENDED if vital.ended() else _REFUSED if worker.refusal else 0
    except Exception:
        log.critical("The worker cannot go on and ends with status %d", status := ENDED, exc_info=True)
    log.info("Stopping")
    _stop(worker, status)
    return status


def _stop(worker: Worker, status: int) -> None:
    """Stop it in order, or end the process with `status`: at the latest after four seconds, and whatever
    stopping raises.
    """
    # Redis or the broker may hang in any of the calls that end things; nobody is served by an end that takes
    # longer.
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
