"""A view: some instruments in some columns, its events, and the version that its browsers have seen.

The instruments that changed become one event, built once for all browsers that show the same page.
"""

from __future__ import annotations

import threading
from array import array
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from ltp.core import sse
from ltp.hub.board import RESUME_SLACK_US, Board
from ltp.hub.fragments import BEAT, Fragments
from ltp.hub.insets import Inset
from ltp.hub.notices.kept import Notices

# In every first event: otherwise a browser keeps the longer one of its last farewell for ever.
FIRST_RETRY_MS: Final = 1_000
HEARTBEAT: Final = sse.encode(BEAT)
_BEAT: Final = sse.piece(BEAT)
# A page renews its dead-man's switch of 12 s with each heartbeat, which costs it as much as ten cells.
_BEAT_EVERY_US: Final = 1_000_000

ViewKey = tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]


class Delivery(NamedTuple):
    """One event and the descriptors of the browsers that were up to date when it was made.

    `before`: the position of a browser that takes no byte of the event. `after`: of one that takes some or
    all of it.
    """

    view: View
    event: bytes
    before: int
    after: int
    fds: Sequence[int]


class View:
    """Shared by all pages with equal instruments, columns and insets.

    `position`: the version up to which all browsers that are up to date have seen everything, so they need no
    position of their own. `last_id`: the id of the newest event. `followers`: browsers that read through a
    generator. `slow`: browsers that did not take a whole event. `cells`: of one page. `registered`: it is
    among the views of the process. Monotonic seconds: `due_s`, the earliest next event; `sent_s`, the last
    event; `touched_s`, when a browser or a page last used it. `phase`: see `Pacer.new_phase`.
    """

    def __init__(
        self,
        key: ViewKey,
        board: Board,
        fragments: Fragments,
        lock: threading.RLock,
        insets: Sequence[Inset] = (),
        notices: Notices | None = None,
    ) -> None:
        self.key, self.insets, self._notices = key, insets, notices or Notices()
        self.keys, self.columns, _ = key
        self.cells = cells_of(key, insets)
        self._board, self._fragments = board, fragments
        self._cell_cache = fragments.cell_cache(self.columns)
        self._picker = fragments.picker(self.keys)
        self._caught_up: dict[int, bytes] = {}
        self._event, self._before = b"", board.version
        self.position = board.version
        self.last_id = board.at
        self._beat_at = 0
        self._up_to_date: dict[int, float] = {}  # by descriptor: when the browser's stream rotates
        self._fds: array[int] | None = None
        self.followers = 0
        self.slow = 0
        self.due_s = self.phase = self.sent_s = self.touched_s = 0.0
        self.registered = False
        self.flushed = threading.Condition(lock)

    @property
    def streams(self) -> int:
        return len(self._up_to_date) + self.slow + self.followers

    @property
    def fds(self) -> array[int]:
        """Descriptors of the browsers that are up to date. One that joins or leaves makes a new array."""
        if self._fds is None:
            self._fds = array("i", self._up_to_date)
        return self._fds

    def join(self, fd: int, until_s: float) -> None:
        """Add a browser that is up to date; its stream rotates at the monotonic instant `until_s`."""
        self._up_to_date[fd], self._fds = until_s, None

    def leave(self, fd: int) -> float:
        """Remove a browser from those that are up to date; return when its stream rotates."""
        self._fds = None
        return self._up_to_date.pop(fd, 0.0)

    def due_for_rotation(self, now_s: float) -> list[int]:
        return [fd for fd, until_s in self._up_to_date.items() if until_s <= now_s]

    @property
    def nothing_new(self) -> bool:
        """Nothing at all has changed on the board since the last flush."""
        return self.position == self._board.version

    def flush(self) -> bytes:
        """Return the event with all changes since the last flush, empty if the page looks the same.

        The changes and the position are taken in one step, under the hub's lock, which the caller holds: a
        change that arrived between the two would never be sent.
        """
        self._before, self.position = self.position, self._board.version
        if self._caught_up:
            self._caught_up.clear()
        if self._picker.slots is not self._fragments.slots:
            self._picker = self._fragments.picker(self.keys)
        delta = self._cell_cache.delta(self._board, self._picker.slots, self._before)
        self._event = self._encode(delta.partials(self._picker), self._before, for_all=True)
        if self.followers:
            with self.flushed:
                self.flushed.notify_all()
        return self._event

    def deliver(self) -> Delivery:
        """Flush, and return the event with the browsers it is for.

        A browser that joins before it is written has seen these cells in its first event.
        """
        before = self.position
        return Delivery(self, self.flush(), before, self.position, self.fds)

    def heartbeat(self) -> Delivery:
        """Return the heartbeat, which a browser may miss.

        Not for slow browsers: it would be written into the middle of a torn event.
        """
        return Delivery(self, HEARTBEAT, self.position, self.position, self.fds)

    def advance(self) -> None:
        """Move the position to the present unless a browser needs a flush: an id sent now is then not old."""
        position = self.position
        if self.streams and (self._has_beside(position) or self._board.newer(self.keys, position)):
            return
        self._before = self.position = self._board.version
        self._event = b""
        self._caught_up.clear()
        self.last_id = max(self.last_id, self._board.at)

    def catch_up(self, position: int) -> bytes:
        """Return the event from `position` to the view's position, empty if the page looks the same.

        No further than the view's position: later changes are in the next flush, and its id must not be used
        twice.
        """
        if position >= self.position:
            return b""
        if position == self._before:
            return self._event
        event = self._caught_up.get(position)
        if event is None:
            quotes = self._board.newer(self.keys, position)
            cells = self._cell_cache.changes_between(quotes, position, self.position)
            event = self._caught_up[position] = self._encode(cells, position, for_all=False)
        return event

    def first_event(self, last_event_id: str | None, opening: str = "") -> bytes:
        """Return the first event of a stream: the whole page, or after a reconnect the changes missed.

        Args:
            opening: the notices that the browser's reader has not seen.
        """
        id_ = int(last_event_id) if last_event_id and _is_id(last_event_id) else None
        # Beside other browsers a page as of the position will do: the next flush has all changes since.
        least = self.position if self.streams else self._board.version
        self.advance()
        if id_ is not None and self._board.can_resume(id_):
            quotes, since_us = self._board.quotes(self.keys), id_ - RESUME_SLACK_US
            states = "".join(self._fragments.state(quote) for quote in quotes if quote.at < since_us)
            cells = sse.piece(self._cell_cache.steady(quote for quote in quotes if quote.at >= since_us))
        else:
            states, cells = "", self.page(least)
        stamp = self.last_id if cells and self.last_id else None
        rest = sse.piece(f"{opening}{states}{self._board.status}{BEAT}")
        insets = [inset.newer(-1) for inset in self.insets]
        return sse.frame((cells, *insets, rest), id=stamp, retry_ms=FIRST_RETRY_MS)

    def page(self, least: int) -> bytes:
        """Return the encoded cells of the whole page, without flash, as of version `least` or a later one."""
        version, cells = self._cell_cache.page(self._board, self.keys, least)
        if version < self.position:  # `advance` found no change since then
            self._cell_cache.put_page(self.keys, self.position, cells)
        return cells

    def _encode(self, cells: bytes, after: int, *, for_all: bool) -> bytes:
        """`for_all`: the event of a flush, which gets a new id; otherwise that of a catch-up."""
        status = self._board.status if self._board.status_version > after else ""
        insets = self._insets(after)
        if not cells:
            return sse.frame((*insets, sse.piece(status + BEAT))) if status or insets else b""
        if for_all:
            # Never this process's own clock: other processes have to understand the id.
            self.last_id = max(self._board.at, self.last_id + 1) if self._board.at else 0
        pieces = [cells, *insets]
        if status:
            pieces.append(sse.piece(status))
        if not for_all or self._beat_due():
            pieces.append(_BEAT)
        return sse.frame(pieces, id=self.last_id or None)

    def _insets(self, after: int) -> list[bytes]:
        found = [inset.newer(after) for inset in self.insets]
        found.append(self._notices.newer(after))
        return [parts for parts in found if parts]

    def _has_beside(self, position: int) -> bool:
        """Return whether anything but cells changed after `position`."""
        beside = (self._board.status_version, self._notices.version, *(each.version for each in self.insets))
        return max(beside) > position

    def _beat_due(self) -> bool:
        """Return whether this flush carries a heartbeat: the first of each second does, by batch instants.

        A browser that misses it catches up with an event of its own, which always carries one.
        """
        at = self._board.at
        if at and at - self._beat_at < _BEAT_EVERY_US:
            return False
        self._beat_at = at
        return True


def view_key(keys: Iterable[str], columns: Iterable[str], insets: Iterable[Inset] = ()) -> ViewKey:
    """Pages that differ only in the order of their rows have the same key."""
    return tuple(sorted(set(keys))), tuple(columns), tuple(inset.name for inset in insets)


def cells_of(key: ViewKey, insets: Iterable[Inset]) -> int:
    """Return what a view of this key costs, in cells."""
    return len(key[0]) * len(key[1]) + sum(inset.cells for inset in insets)


def farewell(retry_ms: int) -> bytes:
    """Return the last event of a stream. Browsers honour `retry` only on an event with data."""
    return sse.encode(BEAT, retry_ms=retry_ms)


def _is_id(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 18
