"""How long one request waits: for Redis, whichever of its parts ask, and for SQL beside a job that writes.

A page has several parts that read from Redis, one after another, and each read may take as long as the client's
time-out. Without a common bound a page would take the sum of them while Redis hangs. SQLite waits inside C, where no
other greenlet of the process runs; so a read or write of a page waits a short time, and is tried again where that
helps. Between two tries the streams go on.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import wraps
from typing import Final, ParamSpec, TypeVar

from flask import g, has_request_context

from ltp.errors import DatabaseError, StoreError

P = ParamSpec("P")
T = TypeVar("T")
BUSY_TIMEOUT_MS: Final = 50  # of one try to read SQL
WRITE_MS: Final = 250  # of a form
TRIES: Final = 8
_PAUSE_S: Final = 0.05
LONGEST_S: Final = 0.5  # of all reads before the last one, which has the client's time-out
_WAITED: Final = "ltp_waited_for_redis_s"


def bounded(read: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Return what `read` returns, unless this request has waited long enough.

    It has after one read that failed, and after reads that took LONGEST_S together. Outside of a request, as in a
    thread of the process, every read is made.

    Raises:
        StoreError: Redis cannot be read, or is not asked.
    """
    if not has_request_context():
        return read(*args, **kwargs)
    waited_s = g.get(_WAITED, 0.0)
    if waited_s >= LONGEST_S:
        raise StoreError("Redis is not asked again: this request has waited for it long enough")
    started = time.monotonic()
    try:
        found = read(*args, **kwargs)
    except StoreError:
        setattr(g, _WAITED, LONGEST_S)
        raise
    setattr(g, _WAITED, waited_s + time.monotonic() - started)
    return found


def patiently(action: Callable[[], T], sleep: Callable[[float], object] = time.sleep) -> T:
    """Return the result of `action`, which is tried again while the database is locked; it passes a short time-out.

    Raises:
        DatabaseError: of the last try, or one that waiting cannot help.
    """
    for _ in range(TRIES - 1):
        try:
            return action()
        except DatabaseError as error:
            if error.permanent:
                raise
        sleep(_PAUSE_S)
    return action()


def patient(view: Callable[P, T]) -> Callable[P, T]:
    """Have a view that only reads try again while a writer holds the database, as the worker does at each firing."""

    @wraps(view)
    def again(*args: P.args, **kwargs: P.kwargs) -> T:
        return patiently(lambda: view(*args, **kwargs))

    return again
