"""The client id and the access token of this moment.

Where they are kept is the caller's: they come through a callable, read again at each use, so that an operator
can put a new token into a file under a running worker. A token renewed by us is stored where the old one was
kept, or lives in memory only where that cannot be. Nothing here logs either.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from ltp.errors import ConfigError

_log = logging.getLogger(__name__)
Pair = tuple[str, str]  # client id, access token


class Credentials:
    """Thread-safe.

    Args:
        read: returns (client id, access token) as kept outside. Raises ConfigError.
        store: puts a new token (second) where the one that was read (first) is kept; returns "", or the
            reason why it
            could not.
    """

    def __init__(
        self,
        read: Callable[[], Pair],
        store: Callable[[str, str], str] = lambda _before, _token: "nothing stores it",
    ) -> None:
        self._read, self._store = read, store
        self._lock = threading.Lock()
        self._renewed: tuple[Pair, str] | None = (
            None  # what was kept outside then, the token that replaced it
        )
        self._kept: Pair = ("", "")
        self._last: Pair | None = None
        self._version = 0
        self._used: Pair | None = None
        self._used_version = 0

    def current(self) -> Pair:
        """Return client id and access token.

        Raises:
            ConfigError: they cannot be read.
        """
        with self._lock:
            return self._look()

    def use(self) -> Pair:
        """Return client id and access token for a connection: what the broker refuses on it are these. Raises
        ConfigError.
        """
        with self._lock:
            self._used = self._look()
            self._used_version = self._version
            return self._used

    def used_version(self) -> int:
        """Return the version of those that `use` returned last."""
        return self._used_version

    def version(self) -> int:
        """Return a number that changes when either does. Credentials that cannot be read have not changed
        yet.
        """
        with self._lock:
            try:
                self._look()
            except ConfigError:
                pass  # being replaced, perhaps; the next connect says so if it stays like that
            return self._version

    def refresh(self, renew: Callable[[Pair], str]) -> bool:
        """Replace a refused token by what `renew` returns for it (`RestClient.renew_token`); tell whether it
        is in use now.

        Refused are the credentials that `use` returned last. A renewal kills the token it is asked for, so
        where others are kept by now nothing is renewed, and where others are put there meanwhile those count.

        Raises:
            ConfigError: what is kept cannot be read.
            FeedError: from `renew`.
        """
        with self._lock:
            current, kept = self._look(), self._kept
            refused = self._used or current
        if current != refused:
            return False
        token = renew(refused)
        if not token or token == refused[1]:
            return False
        with self._lock:
            self._renewed = kept, token
            replaced = self._replaced(kept)
        if replaced:
            _log.warning(
                "The access token was renewed, but another was put in its place meanwhile: that one is used"
            )
            return False
        reason = self._store(kept[1], token)
        if reason:
            _log.warning(
                "The access token was renewed in memory only (%s); the stored one is dead, so a restart needs a new one",
                reason,
            )
        else:
            _log.info("The access token was renewed and stored in place of the old one")
        return True

    def _replaced(self, kept: Pair) -> bool:
        try:
            return self._read() != kept
        except ConfigError:
            return False  # being replaced, perhaps; it counts as changed once it can be read

    def _look(self) -> Pair:
        kept = self._kept = self._read()
        if self._renewed is not None and self._renewed[0] != kept:
            self._renewed = None
        current = kept if self._renewed is None else (kept[0], self._renewed[1])
        if current != self._last:
            self._last = current
            self._version += 1
        return current
