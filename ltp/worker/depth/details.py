"""When the details of wanted instruments are to be asked for by REST, and their way into Redis.

`worker.rest_quotes` makes the calls, among its own: only one call a second is allowed in all.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Final

from ltp.core.ticks.depth import QuoteDetails

FRESH_S: Final = 300.0  # circuit limits change a few times a day at most
AGAIN_S: Final = 20.0  # after a call without an answer for the instrument


class DetailRequests:
    """`want` is called by the thread of the depth, the other methods by the thread of REST."""

    def __init__(
        self,
        write: Callable[[Iterable[QuoteDetails]], None],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`write`: stores details; must not raise."""
        self._write, self._monotonic = write, monotonic
        self._wanted: Collection[str] = ()
        self._due: dict[str, float] = {}  # by wanted key: the monotonic instant of the next request

    @property
    def wanted(self) -> Collection[str]:
        return self._wanted

    def want(self, keys: Collection[str]) -> None:
        self._wanted = keys

    def beside(self, take_requested: Callable[[float], list[str]]) -> Callable[[float], list[str]]:
        """Return the function that gives the keys of `take_requested` and those that are due here."""
        return lambda now: [*take_requested(now), *self.due()]

    def due(self) -> list[str]:
        """Return the wanted keys to request now; each is due again after 20 s unless it is answered."""
        wanted = self._wanted
        if not wanted:
            if self._due:
                self._due.clear()
            return []
        now = self._monotonic()
        due = [key for key in wanted if self._due.get(key, now) <= now]
        if due:
            self._due = {key: self._due.get(key, now) for key in wanted} | dict.fromkeys(due, now + AGAIN_S)
        return due

    def take(self, answered: Mapping[str, QuoteDetails]) -> None:
        """Store details that REST answered."""
        until = self._monotonic() + FRESH_S
        self._due.update(dict.fromkeys(self._due.keys() & answered.keys(), until))
        self._write(answered.values())
