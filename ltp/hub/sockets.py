"""Browsers whose sockets left their request: ready-made bytes to many descriptors from one greenlet.

Last step of the path. The layer's only module with gevent. Decides who is behind, stalled or gone; knows
nothing of prices. Per browser that keeps up there are three dictionary entries and no object; only one that
is behind gets a `Late`.
"""

from __future__ import annotations

import errno
import logging
import os
import select
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, Final

import gevent
from gevent import monkey
from gevent import socket as gevent_socket
from gevent import ssl as gevent_ssl

from ltp import metrics
from ltp.hub.clients import Clients
from ltp.hub.descriptor import parting
from ltp.hub.send import PORTION, Sender, portions
from ltp.hub.slow_browsers import SlowBrowsers, write
from ltp.hub.view import Delivery, View

PAUSE_EVERY: Final = (
    4_000  # writes; more often, and a burst of new connections starves the browsers that are there
)
_EVENTS: Final = 1_024
_epoll: Final[Any] = monkey.get_original("select", "epoll")  # gevent takes it away from `select`
_WATCHED: Final = select.EPOLLIN | select.EPOLLRDHUP | select.EPOLLOUT | select.EPOLLET
_HANGUP: Final = select.EPOLLRDHUP | select.EPOLLHUP | select.EPOLLERR

log = logging.getLogger(__name__)


def detachable(connection: object) -> bool:
    """Tell whether a connection can be taken over: a plain gevent socket, so neither TLS nor another kind of
    server.
    """
    return isinstance(connection, gevent_socket.socket) and not isinstance(connection, gevent_ssl.SSLSocket)


class Sockets:
    """All descriptors of the process. `attach` may come from any greenlet; everything else from the writer's
    alone.
    """

    def __init__(
        self,
        *,
        stall_timeout_s: float,
        monotonic: Callable[[], float],
        wake: Callable[[], None],
        clients: Clients,
        pause: Callable[[], None] = lambda: gevent.sleep(0),
    ) -> None:
        """`wake`: called when `settle` has something to do. `clients`: keeps whose the browsers are. `pause`:
        lets others run.
        """
        self._stall_timeout_s, self._monotonic, self._wake, self._pause = (
            stall_timeout_s,
            monotonic,
            wake,
            pause,
        )
        self._views: dict[int, View] = {}
        self._clients: dict[int, str] = {}
        self._open = clients
        self._late = SlowBrowsers(monotonic, self._end)
        self._reported: dict[int, int] = {}
        self._ended: dict[int, str] = {}
        self._epoll: Any = None
        self._watcher: Any = None
        self._writes = 0
        self._sender: Sender | None = None

    def __len__(self) -> int:
        return len(self._views)

    @property
    def late(self) -> int:
        """Browsers that are behind."""
        return len(self._late)

    def watch(self) -> None:
        """Start watching for drained and closed sockets; must run inside the event loop that is to do it."""
        if self._epoll is None:
            self._epoll = _epoll()
            self._watcher = gevent.get_hub().loop.io(self._epoll.fileno(), 1)
            self._watcher.start(self.collect)

    def attach(self, fd: int, view: View, opening: bytes, until_s: float, client: str) -> None:
        """Take a browser of `client` in: `opening` is the response head and the first event, which brings it
        to the view's position.
        """
        if self._epoll is None:
            self.watch()
        try:
            self._epoll.register(fd, _WATCHED)
        except OSError:
            os.close(fd)
            raise
        self._views[fd], self._clients[fd] = view, client
        self._open.join(client, view)
        view.join(fd, until_s)
        metrics.count("streams_attached")
        log.debug("stream %d attached, %d instruments", fd, len(view.keys))
        self._send(fd, opening, view.position)

    def prepare(self) -> Sender:
        """Find out how events can be sent; in the thread that is to send them."""
        if self._sender is None:
            self._sender = Sender()
        return self._sender

    def write(self, deliveries: Sequence[Delivery]) -> None:
        """Write events to all browsers they are for; note who took less than all of it."""
        metrics.count("stream_writes", sum(len(delivery.fds) for delivery in deliveries))
        sender = self.prepare()
        # Browsers are added during a pause, not to these. None is removed: only this greenlet closes, after
        # the round.
        for portion in portions(deliveries, min(PORTION, PAUSE_EVERY)):
            self._writes += sum(len(fds) for _, fds in portion)
            if self._writes > PAUSE_EVERY:
                self._writes = 0
                self._pause()
            # Before the next pause: `collect` ignores a drained socket that is not known to be behind, for
            # ever.
            for delivery, fd, sent in sender.send(portion):
                view, event, before, after, _ = delivery
                self._late.book(fd, view, event, sent, before, after)

    def collect(self) -> None:
        """Note what the kernel reports. Runs in the event loop itself, so it only notes."""
        for fd, mask in self._epoll.poll(0, _EVENTS):
            if mask & ~select.EPOLLOUT or fd in self._late:
                self._reported[fd] = self._reported.get(fd, 0) | mask
        if self._reported:
            self._wake()

    def settle(self) -> None:
        """Act on what was reported: peers that left are closed, drained sockets get what they missed."""
        reported, self._reported = self._reported, {}
        for fd, mask in reported.items():
            reason = parting(fd) if mask & ~select.EPOLLOUT else ""
            if reason or mask & _HANGUP:
                # The kernel's own time-out also ends a browser that keeps its window shut.
                self._end(fd, "stalled" if reason == "vanished" and fd in self._late else reason or "left")
            elif mask & select.EPOLLOUT and fd in self._late:
                self._late.resume(fd)

    def cut_stalled(self) -> None:
        """End every browser that has finished no event for the stall timeout."""
        limit = self._monotonic() - self._stall_timeout_s
        for fd in self._late.stalled(limit):
            self._end(fd, "stalled")

    def due_to_leave(self, view: View) -> list[int]:
        return view.stayed_until(self._monotonic())

    def descriptors(self) -> list[int]:
        return list(self._views)

    def send_away(self, fd: int, event: bytes, reason: str) -> bool:
        """Send the last event and close. False when the browser is in the middle of another: nothing may be
        put in there.
        """
        view = self._views.get(fd)
        if view is None or fd in self._ended:
            return True
        late = self._late.get(fd)
        if late is not None and late.torn:
            return False
        self._send(fd, event, view.position)
        late = self._late.get(fd)
        if late is None or not late.torn:
            self._end(fd, reason)
        else:
            late.leaving = reason
        return True

    def end(self, fd: int, reason: str) -> None:
        if fd in self._views:
            self._end(fd, reason)

    def close_ended(self) -> None:
        """Close what ended in this round. Not earlier: the kernel gives the number to the next connection at
        once.
        """
        if not self._ended:
            return
        ended, self._ended = self._ended, {}
        for fd, reason in ended.items():
            self._reported.pop(fd, None)
            try:
                self._epoll.unregister(fd)
                os.close(fd)
            except OSError as error:
                log.warning("stream %d cannot be closed: %s", fd, error)
            metrics.count(f"stream_ends.{reason}")
            log.debug("stream %d closed: %s", fd, reason)
        reasons = Counter(ended.values())
        for reason in reasons.keys() & {"stalled", "drain_cut"}:
            log.info("%d browsers cut: %s", reasons[reason], reason)

    def _send(self, fd: int, event: bytes, position: int) -> None:
        """Write to one browser that is not in the middle of an event and bring it to `position`.

        What the kernel refuses is kept whole: neither an opening nor a farewell may be left out.
        """
        sent = write(fd, event)
        if sent in (-errno.EAGAIN, -errno.EWOULDBLOCK):
            sent = 0
        if sent != len(event):
            self._late.book(fd, self._views[fd], event, sent, position, position)

    def _end(self, fd: int, reason: str) -> None:
        """Take a browser out of every table; the descriptor itself stays open until the end of the round."""
        view = self._views.pop(fd, None)
        if view is None:
            return
        view.leave(fd)
        self._open.leave(self._clients.pop(fd), view)
        self._late.forget(fd)
        self._ended[fd] = reason
