"""The present client id and access token.

A callable reads them from their place (a file, a setting) at each use, so that an operator can put a new
token into a file under a running worker. A token that we renewed is stored in the place of the old one, or
kept in memory only where that is impossible. Nothing here logs id or token.
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
        read: returns (client id, access token) from their place. Raises ConfigError.
        store: puts a new token (second) in the place of the old one (first); returns "", or the reason why it
            could not.
    """

    def __init__(
        self,
        read: Callable[[], Pair],
        store: Callable[[str, str], str] = lambda _before, _token: "nothing stores it",
    ) -> None:
        self._read, self._store = read, store
        self._lock = threading.Lock()
        self._renewed: tuple[Pair, str] | None = None  # the pair then in its place, and the new token
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
        """Return client id and access token for a connection: a refusal on it is a refusal of these.

        Raises:
            ConfigError: they cannot be read.
        """
        with self._lock:
            self._used = self._look()
            self._used_version = self._version
            return self._used

    def used_version(self) -> int:
        """Return the version of the pair that `use` returned last."""
        return self._used_version

    def version(self) -> int:
        """Return a number that changes when either does. Unreadable credentials have not changed yet."""
        with self._lock:
            try:
                self._look()
            except ConfigError:
                pass  # perhaps being replaced; if not, the next connect raises this error
            return self._version

    def refresh(self, renew: Callable[[Pair], str]) -> bool:
        """Renew the refused token with `renew`, a `RestClient.renew_token`; return whether it is in use.

        The refused credentials are those that `use` returned last. A renewal kills the old token, so nothing
        is renewed when an operator has put other credentials in place already; when that happens during the
        renewal, the operator's are used.

        Raises:
            ConfigError: the credentials cannot be read.
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
                "The access token was renewed in memory only (%s); the stored one is dead, "
                "so a restart needs a new one",
                reason,
            )
        else:
            _log.info("The access token was renewed and stored in place of the old one")
        return True

    def _replaced(self, kept: Pair) -> bool:
        try:
            return self._read() != kept
        except ConfigError:
            return False  # perhaps being replaced; it counts as changed once it can be read

    def _look(self) -> Pair:
        kept = self._kept = self._read()
        if self._renewed is not None and self._renewed[0] != kept:
            self._renewed = None
        current = kept if self._renewed is None else (kept[0], self._renewed[1])
        if current != self._last:
            self._last = current
            self._version += 1
        return current
