"""What one kind of page shows: some instruments, some columns, and where in the order of versions its browsers are.

Step of the path: changed instruments become one event, built once for every browser that shows the same. Knows no sockets.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from typing import Final

from ltp.core import sse
from ltp.hub.board import RESUME_SLACK_US, Board
from ltp.hub.fragments import BEAT, Fragments

FIRST_RETRY_MS: Final = 1_000  # in every first event: browsers keep a longer one from the last farewell for ever
HEARTBEAT: Final = sse.encode(BEAT)
STATUS: Final = ""  # marks what the board says of the market as a whole; no instrument has this key

ViewKey = tuple[tuple[str, ...], tuple[str, ...]]


class View:
    """Shared by all pages with equal instruments and columns.

    `position`: the version up to which browsers that are up to date have seen everything; they hold none of their own.
    `last_id`: id of the newest event. `ready`: descriptors of those browsers, with the monotonic instant at which each is
    sent away. `followers`: how many browsers read through a generator. `due_s`: the earliest next event.
    """

    def __init__(self, key: ViewKey, board: Board, fragments: Fragments, lock: threading.RLock) -> None:
        self.key = key
        self.keys, self.columns = key
        self._board, self._fragments = board, fragments
        self._dirty: dict[str, None] = {}
        self._caught_up: dict[int, bytes] = {}
        self._event, self._before = b"", board.version
        self.position = board.version
        self.last_id = board.at
        self.ready: dict[int, float] = {}
        self.followers = 0
        self.behind = 0
        self.due_s = self.sent_s = self.touched_s = 0.0
        self.flushed = threading.Condition(lock)

    @property
    def streams(self) -> int:
        return len(self.ready) + self.behind + self.followers

    def mark(self, key: str) -> None:
        self._dirty[key] = None

    def flush(self) -> bytes:
        """Return the event with everything that changed since the last flush, empty when it all looks the same.

        The set of changes and the position are taken in one step: read apart, what arrives in between is lost for good.
        """
        with self.flushed:
            keys, self._dirty = self._dirty, {}
            self._before, self.position = self.position, self._board.version
            self._caught_up.clear()
            self._event = self._encode(keys, self._before, rise=True)
            self.flushed.notify_all()
        return self._event

    def advance(self) -> None:
        """Move the position to the present when nothing waits, so that an id handed out now is not an old one."""
        if not self._dirty:
            self._before = self.position = self._board.version
            self._event = b""
            self._caught_up.clear()
            self.last_id = max(self.last_id, self._board.at)

    def catch_up(self, position: int) -> bytes:
        """Return the event that brings a browser from `position` to the view's position, empty when it looks the same.

        To the view's position and no further: what changed since is in the next flush, and its id must still be unused.
        """
        if position >= self.position:
            return b""
        if position == self._before:
            return self._event
        event = self._caught_up.get(position)
        if event is None:
            keys = [key for key in self.keys if key not in self._dirty and self._board.get(key).version > position]
            event = self._caught_up[position] = self._encode(keys, position, rise=False)
        return event

    def first(self, last_event_id: str | None, tail: str) -> bytes:
        """Return the first event of a stream: the whole view, or for a browser that returns what changed since."""
        id_ = int(last_event_id) if last_event_id and _is_id(last_event_id) else None
        if not self.streams:
            self._dirty.clear()  # nobody watched, so nobody is owed these
        self.advance()
        quotes = [self._board.get(key) for key in self.keys]
        if id_ is None or not self._board.can_resume(id_):
            cells = "".join(self._fragments.calm(quote, self.columns) for quote in quotes)
            states = ""
        else:
            since = id_ - RESUME_SLACK_US
            cells = "".join(self._fragments.calm(quote, self.columns) for quote in quotes if quote.at >= since)
            states = "".join(self._fragments.state(quote) for quote in quotes if quote.at < since)
        stamp = self.last_id if cells and self.last_id else None
        return sse.encode(f"{cells}{states}{self._board.status}{tail}{BEAT}", id=stamp, retry_ms=FIRST_RETRY_MS)

    def _encode(self, keys: Iterable[str], after: int, *, rise: bool) -> bytes:
        cells = "".join([self._fragments.loud(self._board.get(key), self.columns, after) for key in keys if key != STATUS])
        status = self._board.status if self._board.status_version > after else ""
        if not cells:
            return sse.encode(status + BEAT) if status else b""
        if rise:
            # Never this process's own clock: another process has to understand the id.
            self.last_id = max(self._board.at, self.last_id + 1) if self._board.at else 0
        return sse.encode(cells + status + BEAT, id=self.last_id or None)


def farewell(retry_ms: int) -> bytes:
    """Return the last event of a stream that is sent away; `retry` counts only on an event with data."""
    return sse.encode(BEAT, retry_ms=retry_ms)


def _is_id(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 18
