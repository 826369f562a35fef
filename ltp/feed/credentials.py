"""The client id and the access token of this moment.

Where they are kept is the caller's: they come through a callable, read again at each use, so that an operator can put a
new token into a file under a running worker. A token renewed by us lives in memory only. Nothing here logs either.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from ltp.errors import ConfigError

_log = logging.getLogger(__name__)


class Credentials:
    """Thread-safe. `read` returns (client id, access token) as kept outside; it may raise ConfigError."""

    def __init__(self, read: Callable[[], tuple[str, str]]) -> None:
        self._read = read
        self._lock = threading.Lock()
        self._renewed: tuple[tuple[str, str], str] | None = None  # what was kept outside then, the token that replaced it
        self._last: tuple[str, str] | None = None
        self._version = 0

    def current(self) -> tuple[str, str]:
        """Return client id and access token.

        Raises:
            ConfigError: they cannot be read.
        """
        with self._lock:
            return self._look()

    def version(self) -> int:
        """Return a number that changes when either does. Credentials that cannot be read have not changed yet."""
        with self._lock:
            try:
                self._look()
            except ConfigError:
                pass  # being replaced, perhaps; the next connect says so if it stays like that
            return self._version

    def refresh(self, renew: Callable[[], str]) -> bool:
        """Replace the token by what `renew` returns (`RestClient.renew_token`); tell whether it is another one.

        The new one holds until what is kept outside changes.

        Raises:
            FeedError: from `renew`.
        """
        kept, before = self._read(), self.current()[1]
        token = renew()
        if not token or token == before:
            return False
        with self._lock:
            self._renewed = kept, token
            self._look()
        _log.warning("The access token was renewed in memory only: the one in the settings is dead from now on")
        return True

    def _look(self) -> tuple[str, str]:
        kept = self._read()
        if self._renewed is not None and self._renewed[0] != kept:
            self._renewed = None
        current = kept if self._renewed is None else (kept[0], self._renewed[1])
        if current != self._last:
            self._last = current
            self._version += 1
        return current
