"""Browsers that did not take all they were sent: the rest of a torn event, then one event with everything
missed.

Beside the last step of the path. Knows what such a browser is owed and since when; that it ends is told to
`sockets`.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from typing import Final

from ltp import metrics
from ltp.hub.descriptor import end_reason
from ltp.hub.view import View

_FULL: Final = (errno.EAGAIN, errno.EWOULDBLOCK)


class SlowBrowser:
    """A browser that did not take a whole event.

    `torn`: the event that was cut, shared with everybody else, from `offset` on unsent; empty when it waits
    between events. `position`: what it has seen once `torn` is out. `since_s`: when it last finished an
    event. `until_s`: see View.join. `leaving`: why it is closed after `torn`.
    """

    __slots__ = ("leaving", "offset", "position", "since_s", "torn", "until_s", "view")

    def __init__(
        self, view: View, torn: bytes, offset: int, position: int, since_s: float, until_s: float
    ) -> None:
        self.view, self.torn, self.offset = view, torn, offset
        self.position, self.since_s, self.until_s, self.leaving = position, since_s, until_s, ""


class SlowBrowsers(dict[int, SlowBrowser]):
    """Those who are behind, by descriptor. `end`: called with the descriptor of one that is gone, and why."""

    def __init__(self, monotonic: Callable[[], float], end: Callable[[int, str], None]) -> None:
        self._monotonic, self._end = monotonic, end

    def book(self, fd: int, view: View, event: bytes, sent: int, before: int, after: int) -> None:
        """Note a write that was cut after `sent` bytes, or refused (minus the error number)."""
        if sent < 0 and -sent not in _FULL:
            self._end(fd, end_reason(-sent))
            return
        torn, position = (event, after) if sent >= 0 else (b"", before)
        late = self.get(fd)
        if late is None:
            self[fd] = SlowBrowser(view, torn, sent, position, self._monotonic(), view.leave(fd))
            view.behind += 1
            metrics.count("streams_fell_behind")
        else:
            late.torn, late.offset, late.position = torn, max(0, sent), position

    def resume(self, fd: int) -> None:
        """Finish the torn event, then one event with everything missed, then the browser is like all others
        again.
        """
        late = self[fd]
        if not self._finish(fd, late):
            return
        if late.leaving:
            self._end(fd, late.leaving)
            return
        event = late.view.catch_up(late.position)
        if event:
            sent = write(fd, event)
            if sent != len(event):
                self.book(fd, late.view, event, sent, late.position, late.view.position)
                return
        self.forget(fd)
        late.view.join(fd, late.until_s)

    def forget(self, fd: int) -> None:
        late = self.pop(fd, None)
        if late:
            late.view.behind -= 1

    def stalled(self, limit_s: float) -> list[int]:
        """Return those who have finished no event since `limit_s`."""
        return [fd for fd, late in self.items() if late.since_s <= limit_s]

    def _finish(self, fd: int, late: SlowBrowser) -> bool:
        if not late.torn:
            return True
        sent = write(fd, memoryview(late.torn)[late.offset :])
        if sent < 0:
            if -sent not in _FULL:
                self._end(fd, end_reason(-sent))
            return False
        late.offset += sent
        if late.offset < len(late.torn):
            return False
        late.torn, late.since_s = b"", self._monotonic()
        return True


def write(fd: int, event: bytes | memoryview) -> int:
    """Return how many bytes the kernel took, or minus the error number it refused them with."""
    try:
        return os.write(fd, event)
    except OSError as error:
        return -(error.errno or errno.EIO)
