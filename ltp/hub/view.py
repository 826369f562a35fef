"""What one kind of page shows: some instruments, some columns, and where in the order of versions its
browsers are.

Step of the path: changed instruments become one event, built once for every browser that shows the same.
Knows no sockets.
"""

from __future__ import annotations

import threading
from array import array
from collections.abc import Sequence
from typing import Final, NamedTuple

from ltp.core import sse
from ltp.hub.board import RESUME_SLACK_US, Board
from ltp.hub.fragments import BEAT, Fragments

FIRST_RETRY_MS: Final = (
    1_000  # in every first event: browsers keep a longer one from the last farewell for ever
)
HEARTBEAT: Final = sse.encode(BEAT)
_BEAT: Final = sse.piece(BEAT)
_BEAT_EVERY_US: Final = (
    1_000_000  # a page renews its switch of 12 s with each, which costs it as much as ten cells
)

ViewKey = tuple[tuple[str, ...], tuple[str, ...]]


class Delivery(NamedTuple):
    """One event and the descriptors it is for: those that were up to date when it was made.

    `before`: the position of whoever takes none of it. `after`: of whoever takes it, or a part.
    """

    view: View
    event: bytes
    before: int
    after: int
    fds: Sequence[int]


class View:
    """Shared by all pages with equal instruments and columns.

    `position`: the version up to which browsers that are up to date have seen everything; they hold none of
    their own. `last_id`: id of the newest event. `followers`: how many browsers read through a generator.
    `due_s`: the earliest next event. `phase`: see Turns. `cells`: on a page of it. `kept`: it is among the
    views of the process.
    """

    def __init__(self, key: ViewKey, board: Board, fragments: Fragments, lock: threading.RLock) -> None:
        self.key = key
        self.keys, self.columns = key
        self.cells = len(self.keys) * len(self.columns)
        self._board, self._fragments = board, fragments
        self._sheet = fragments.sheet(self.columns)
        self._seat = fragments.seat(self.keys)
        self._caught_up: dict[int, bytes] = {}
        self._event, self._before = b"", board.version
        self.position = board.version
        self.last_id = board.at
        self._beaten_at = 0
        self._ready: dict[int, float] = {}
        self._fds: array[int] | None = None
        self.followers = 0
        self.behind = 0
        self.due_s = self.phase = self.sent_s = self.touched_s = 0.0
        self.kept = False
        self.flushed = threading.Condition(lock)

    @property
    def streams(self) -> int:
        return len(self._ready) + self.behind + self.followers

    @property
    def fds(self) -> array[int]:
        """Descriptors of the browsers that are up to date. An array that stays as it is: who comes or goes
        makes another.
        """
        if self._fds is None:
            self._fds = array("i", self._ready)
        return self._fds

    def join(self, fd: int, until_s: float) -> None:
        """Take in a browser that is up to date, to be sent away at the monotonic instant `until_s`."""
        self._ready[fd], self._fds = until_s, None

    def leave(self, fd: int) -> float:
        """Strike a browser off those that are up to date; return when it was to be sent away."""
        self._fds = None
        return self._ready.pop(fd, 0.0)

    def stayed_until(self, now_s: float) -> list[int]:
        """Return those of them that are to be sent away by now."""
        return [fd for fd, until_s in self._ready.items() if until_s <= now_s]

    @property
    def saw_all(self) -> bool:
        """Nothing at all has changed on the board since the last flush."""
        return self.position == self._board.version

    def flush(self) -> bytes:
        """Return the event with everything that changed since the last flush, empty when it all looks the
        same.

        The changes and the position are taken in one step: read apart, what arrives in between is lost for
        good. The caller holds the hub's lock.
        """
        self._before, self.position = self.position, self._board.version
        if self._caught_up:
            self._caught_up.clear()
        if self._seat.places is not self._fragments.places:
            self._seat = self._fragments.seat(self.keys)
        self._event = self._encode(
            self._sheet.news(self._board, self._seat.places, self._before).of(self._seat),
            self._before,
            rise=True,
        )
        if self.followers:
            with self.flushed:
                self.flushed.notify_all()
        return self._event

    def deliver(self) -> Delivery:
        """`flush`, with those it is for. Whoever comes before it is written has seen its cells in a first
        event.
        """
        before = self.position
        return Delivery(self, self.flush(), before, self.position, self.fds)

    def heartbeat(self) -> Delivery:
        """Return the heartbeat, which may be missed. Not for browsers that are behind: it would land in a
        torn event.
        """
        return Delivery(self, HEARTBEAT, self.position, self.position, self.fds)

    def advance(self) -> None:
        """Move the position to the present when nobody is owed anything, so that an id handed out now is not
        an old one.
        """
        position = self.position
        if self.streams and (self._board.status_version > position or self._board.newer(self.keys, position)):
            return
        self._before = self.position = self._board.version
        self._event = b""
        self._caught_up.clear()
        self.last_id = max(self.last_id, self._board.at)

    def catch_up(self, position: int) -> bytes:
        """Return the event that brings a browser from `position` to the view's position, empty when it looks
        the same.

        To the view's position and no further: what changed since is in the next flush, and its id must still
        be unused.
        """
        if position >= self.position:
            return b""
        if position == self._before:
            return self._event
        event = self._caught_up.get(position)
        if event is None:
            quotes = self._board.newer(self.keys, position)
            cells = self._sheet.caught_up(quotes, position, self.position)
            event = self._caught_up[position] = self._encode(cells, position, rise=False)
        return event

    def first(self, last_event_id: str | None, tail: str) -> bytes:
        """Return the first event of a stream: the whole view, or for a browser that returns what changed
        since.
        """
        id_ = int(last_event_id) if last_event_id and _is_id(last_event_id) else None
        # What changed since the view's position is in the next flush, so for who joins others a page as of
        # then will do.
        since = self.position if self.streams else self._board.version
        self.advance()
        if id_ is not None and self._board.can_resume(id_):
            quotes, since_us = self._board.quotes(self.keys), id_ - RESUME_SLACK_US
            states = "".join(self._fragments.state(quote) for quote in quotes if quote.at < since_us)
            cells = sse.piece(self._sheet.calm(quote for quote in quotes if quote.at >= since_us))
        else:
            states, cells = "", self._whole(since)
        stamp = self.last_id if cells and self.last_id else None
        return sse.frame(
            (cells, sse.piece(f"{states}{self._board.status}{tail}{BEAT}")), id=stamp, retry_ms=FIRST_RETRY_MS
        )

    def _whole(self, since: int) -> bytes:
        version, cells = self._sheet.whole(self._board, self.keys, since)
        if version < self.position:  # `advance` has found nothing new since then
            self._sheet.keep_whole(self.keys, self.position, cells)
        return cells

    def _encode(self, cells: bytes, after: int, *, rise: bool) -> bytes:
        status = self._board.status if self._board.status_version > after else ""
        if not cells:
            return sse.encode(status + BEAT) if status else b""
        if rise:
            # Never this process's own clock: another process has to understand the id.
            self.last_id = max(self._board.at, self.last_id + 1) if self._board.at else 0
        pieces = [cells]
        if status:
            pieces.append(sse.piece(status))
        if not rise or self._beats():
            pieces.append(_BEAT)
        return sse.frame(pieces, id=self.last_id or None)

    def _beats(self) -> bool:
        """Tell whether the event being made for all carries a heartbeat: the first since a second does, by
        the batches' time.

        Who misses that one catches up with an event of its own, which always does.
        """
        at = self._board.at
        if at and at - self._beaten_at < _BEAT_EVERY_US:
            return False
        self._beaten_at = at
        return True


def farewell(retry_ms: int) -> bytes:
    """Return the last event of a stream that is sent away; `retry` counts only on an event with data."""
    return sse.encode(BEAT, retry_ms=retry_ms)


def _is_id(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 18
