"""The newest table of subscriptions in this process, and whether it may be shown as the present one."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import datetime
from typing import Final, NamedTuple

from ltp.core.subscriptions.table import SubscriptionTable
from ltp.core.ticks.tick import LINK_DEAD_AFTER_S
from ltp.db.catalog import Catalog
from ltp.errors import StoreError
from ltp.store import subscription_table
from ltp.web.services import services
from ltp.web.subscriptions.select import Counts, counts
from ltp.web.waits import bounded

NO_COUNTS: Final = Counts(0, {}, {}, {})
OLD_AFTER_S: Final = 8.0  # the worker makes one every two seconds
_FIRST_WITHIN_S: Final = 1.2
_PAUSE_S: Final = 0.1
AWAY: Final = "The worker is away: nothing is received from it, so nothing is known of its subscriptions."
NO_ANSWER: Final = "Redis does not answer this web process, so nothing is known of the subscriptions."
NOT_YET: Final = "The worker has not written its table yet; it comes in a moment."
OLD: Final = "The worker has stopped writing its table, so nothing is known of the present subscriptions."


class Latest(NamedTuple):
    """`table`: None where there is none that may be shown; then `trouble` says why. `age_s`: of the table here.
    `counted`: its rows by state and reason.
    """

    table: SubscriptionTable | None
    trouble: str = ""
    age_s: float = 0.0
    counted: Counts = NO_COUNTS


class Tables:
    """The table as it was read last: it is decoded and counted once, however many pages show it. Thread-safe.

    A table is old when its content has not changed for some seconds: the clocks of two machines need not agree.
    """

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic, self._lock = monotonic, threading.Lock()
        self._content = b""
        self._since = 0.0
        self._table: SubscriptionTable | None = None
        self._counted = NO_COUNTS

    def take(self, content: bytes) -> Latest:
        """Return what is to be shown of the content of the key in Redis."""
        now = self._monotonic()
        with self._lock:
            if content != self._content:
                self._table = table = subscription_table.decode(content)
                self._counted = NO_COUNTS if table is None else counts(table)
                self._content, self._since = content, now
            if self._table is None:
                return Latest(None, NOT_YET)
            age_s = now - self._since
            if age_s >= OLD_AFTER_S:
                return Latest(None, OLD, age_s)
            return Latest(self._table, "", age_s, self._counted)


class Names:
    """Symbols and names of instruments, remembered until the instruments change: a table has thousands."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[str, str]] = {}
        self._at: datetime | None = None

    def of(self, catalog: Catalog, key: str) -> tuple[str, str]:
        """Return symbol and name, the key and "" for an instrument that is not known."""
        if catalog.instruments_at != self._at or len(self._known) > 20_000:
            self._known, self._at = {}, catalog.instruments_at
        found = self._known.get(key)
        if found is None:
            known = catalog.instrument(key)
            found = self._known[key] = (known.symbol, known.name) if known else (key, "")
        return found


TABLES: Final = Tables()
NAMES: Final = Names()


def name_of(key: str) -> tuple[str, str]:
    return NAMES.of(services().catalog, key)


def latest(*, wait: bool = False) -> Latest:
    """Ask for the table and return the newest one.

    Args:
        wait: for the first one, which the worker makes within a second.
    """
    shared = services()
    alive = shared.hub.link_age_s <= LINK_DEAD_AFTER_S
    deadline = time.monotonic() + (_FIRST_WITHIN_S if wait and alive else 0.0)
    try:
        bounded(subscription_table.look, shared.redis)
        found = TABLES.take(bounded(subscription_table.read, shared.redis))
        while found.table is None and time.monotonic() < deadline:
            time.sleep(_PAUSE_S)
            found = TABLES.take(bounded(subscription_table.read, shared.redis))
    except StoreError:
        return Latest(None, NO_ANSWER)
    return found if alive else Latest(None, AWAY)
