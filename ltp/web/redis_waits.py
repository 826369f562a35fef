"""How long one request waits for Redis, whichever of its parts ask.

A page has several parts that read from Redis, one after another, and each read may take as long as the client's
time-out. Without a common bound a page would take the sum of them while Redis hangs.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final, ParamSpec, TypeVar

from flask import g, has_request_context

from ltp.errors import StoreError

P = ParamSpec("P")
T = TypeVar("T")
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
