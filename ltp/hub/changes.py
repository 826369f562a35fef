"""Which instruments changed since a version. For views, which all ask the same at nearly the same time."""

from __future__ import annotations

from collections import deque
from typing import Final

_KEPT: Final = 256  # batches: some seconds, and who was away for longer is not many


class Changes:
    """The keys of the newest batches of changes. Noting one costs nothing per key; looking is shared between
    who ask alike.
    """

    def __init__(self) -> None:
        self._batches: deque[tuple[int, list[str]]] = deque()
        self._forgotten = 0  # the version of the newest batch that is not kept
        self._asked = -1
        self._answer: set[str] | None = None

    def note(self, version: int, keys: list[str]) -> None:
        """Note that `keys` have changed; the last of them with `version`."""
        if keys:
            self._batches.append((version, keys))
            if len(self._batches) > _KEPT:
                self._forgotten = self._batches.popleft()[0]
            self._asked = -1

    def since(self, version: int) -> set[str] | None:
        """Return all keys that changed after `version`, and maybe others; None when that is longer ago than
        is kept.
        """
        if version != self._asked:
            self._asked, self._answer = version, self._collect(version)
        return self._answer

    def _collect(self, version: int) -> set[str] | None:
        if version < self._forgotten:
            return None
        changed: set[str] = set()
        for last, keys in reversed(self._batches):
            if last <= version:
                break
            changed.update(keys)
        return changed
