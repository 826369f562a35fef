"""Browsers that did not take a whole event: first its rest, then one event with all changes missed."""

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

    `torn`: the event that was cut, unsent from `offset` on; all browsers of the view share its bytes. Empty
    if the browser waits between events. `position`: the version it has seen once `torn` is out. `since_s`:
    when it last finished an event. `until_s`: see View.join. `leaving`: why it is closed after `torn`, empty
    if it stays.
    """

    __slots__ = ("leaving", "offset", "position", "since_s", "torn", "until_s", "view")

    def __init__(
        self, view: View, torn: bytes, offset: int, position: int, since_s: float, until_s: float
    ) -> None:
        self.view, self.torn, self.offset = view, torn, offset
        self.position, self.since_s, self.until_s, self.leaving = position, since_s, until_s, ""


class SlowBrowsers(dict[int, SlowBrowser]):
    """By descriptor. `end`: called with the descriptor of a connection that ended, and the reason."""

    def __init__(self, monotonic: Callable[[], float], end: Callable[[int, str], None]) -> None:
        self._monotonic, self._end = monotonic, end

    def note_short_send(self, fd: int, view: View, event: bytes, sent: int, before: int, after: int) -> None:
        """Note that the browser took only `sent` bytes of `event`, or refused it (minus the error number).

        `before`: its position if it took nothing, `after`: once it has taken the whole event.
        """
        if sent < 0 and -sent not in _FULL:
            self._end(fd, end_reason(-sent))
            return
        torn, position = (event, after) if sent >= 0 else (b"", before)
        slow = self.get(fd)
        if slow is None:
            self[fd] = SlowBrowser(view, torn, sent, position, self._monotonic(), view.leave(fd))
            view.slow += 1
            metrics.count("streams_fell_behind")
        else:
            slow.torn, slow.offset, slow.position = torn, max(0, sent), position

    def resume(self, fd: int) -> None:
        """Send the rest of the torn event and one event with all changes missed; then it is slow no more."""
        slow = self[fd]
        if not self._finish_torn(fd, slow):
            return
        if slow.leaving:
            self._end(fd, slow.leaving)
            return
        event = slow.view.catch_up(slow.position)
        if event:
            sent = write(fd, event)
            if sent != len(event):
                self.note_short_send(fd, slow.view, event, sent, slow.position, slow.view.position)
                return
        self.forget(fd)
        slow.view.join(fd, slow.until_s)

    def forget(self, fd: int) -> None:
        slow = self.pop(fd, None)
        if slow:
            slow.view.slow -= 1

    def stalled(self, limit_s: float) -> list[int]:
        """Return the browsers that have finished no event since the monotonic instant `limit_s`."""
        return [fd for fd, slow in self.items() if slow.since_s <= limit_s]

    def _finish_torn(self, fd: int, slow: SlowBrowser) -> bool:
        if not slow.torn:
            return True
        sent = write(fd, memoryview(slow.torn)[slow.offset :])
        if sent < 0:
            if -sent not in _FULL:
                self._end(fd, end_reason(-sent))
            return False
        slow.offset += sent
        if slow.offset < len(slow.torn):
            return False
        slow.torn, slow.since_s = b"", self._monotonic()
        return True


def write(fd: int, event: bytes | memoryview) -> int:
    """Return how many bytes the kernel took, or minus the error number."""
    try:
        return os.write(fd, event)
    except OSError as error:
        return -(error.errno or errno.EIO)
