"""The worker's copy of the pinned instruments."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence

from ltp.core.subscriptions.pins import Mode, Pin
from ltp.errors import DatabaseError


class KnownPins:
    """While the database is away, everything stays as it was last read. `refresh` is for one thread.

    `keys`: the pinned instruments, the oldest pin first. `modes`: of those with a mode of their own.

    Args:
        version: another value means that the pins have changed. Raises DatabaseError.
        fetch: reads the pins. Raises DatabaseError.
    """

    def __init__(self, version: Callable[[], Hashable], fetch: Callable[[], Sequence[Pin]]) -> None:
        self._version, self._fetch = version, fetch
        self._read: Hashable = None
        self.keys: list[str] = []
        self.modes: dict[str, Mode] = {}

    def refresh(self, moved: Hashable = None) -> None:
        """Read the pins again where they have changed.

        Args:
            moved: another value means that a share may have moved to another key, with its pin.
        """
        try:
            version = self._version(), moved
            if version == self._read:
                return
            pins = self._fetch()
        except DatabaseError:
            return  # the catalog of this process logs that the database is away
        self.keys = [pin.key for pin in pins]
        self.modes = {pin.key: mode for pin in pins if (mode := pin.own_mode) is not None}
        self._read = version
