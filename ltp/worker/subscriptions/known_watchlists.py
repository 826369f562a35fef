"""The worker's copy of the watchlists' members, which are on the feed because alerts, charts and bars need them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

from ltp.core.formats.symbol_lists import LIST_PREFIX
from ltp.db.universes import Universe
from ltp.errors import DatabaseError, NotFoundError


class KnownWatchlists:
    """While the database is away, everything stays as it was last read. `refresh` is for one thread.

    `members`: the keys by watchlist; another object after each change.

    Args:
        universes: returns the universes by name, from memory.
        fetch: reads the keys of one in its order. Raises NotFoundError, DatabaseError.
    """

    def __init__(
        self, universes: Callable[[], Mapping[str, Universe]], fetch: Callable[[str], list[str]]
    ) -> None:
        self._universes, self._fetch = universes, fetch
        self._seen: Mapping[str, Universe] | None = None
        self._changed_at: dict[str, datetime] = {}
        self.members: dict[str, list[str]] = {}

    def refresh(self) -> None:
        """Read the lists that have changed."""
        universes = self._universes()
        if universes is self._seen:
            return
        lists = {name: each for name, each in universes.items() if name.startswith(LIST_PREFIX)}
        members: dict[str, list[str]] = {}
        for name, each in lists.items():
            try:
                unchanged = self._changed_at.get(name) == each.changed_at
                members[name] = self.members[name] if unchanged else self._fetch(name)
            except NotFoundError:
                continue  # it was deleted in this moment
            except DatabaseError:
                return  # the catalog of this process logs that the database is away
        self._changed_at = {name: lists[name].changed_at for name in members}
        self._seen, self.members = universes, members

    def title(self, name: str) -> str:
        """Return the title of a watchlist for people."""
        universe = (self._seen or {}).get(name)
        return universe.title if universe else name
