"""Reading and writing SQL beside a job that writes all the time: several short waits in place of a long one.

SQLite waits inside C, where no other greenlet of the process runs; between two tries the streams go on.
So `action` passes a short `busy_timeout_ms`.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final, TypeVar

from ltp.errors import DatabaseError

TRIES: Final = 8
_PAUSE_S: Final = 0.05
T = TypeVar("T")


def patiently(action: Callable[[], T], sleep: Callable[[float], object] = time.sleep) -> T:
    """Return the result of `action`, which is tried again while the database is locked.

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
