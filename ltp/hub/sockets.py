"""Browsers on detached sockets: ready-made bytes to many descriptors from one greenlet.

The only module of this package with gevent. A browser that keeps up costs three dictionary entries and no
object; only a slow one gets a `SlowBrowser`.
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
from ltp.core.counted import counted
from ltp.hub.clients import Clients
from ltp.hub.descriptor import discard_input
from ltp.hub.send import PORTION, Sender, portions
from ltp.hub.slow_browsers import SlowBrowsers, write
from ltp.hub.view import Delivery, View

# Writes between two pauses; with more pauses a burst of new connections starves the browsers that are there.
PAUSE_EVERY: Final = 4_000
_EVENTS: Final = 1_024
_epoll: Final[Any] = monkey.get_original("select", "epoll")  # gevent removes it from `select`
_WATCHED: Final = select.EPOLLIN | select.EPOLLRDHUP | select.EPOLLOUT | select.EPOLLET
_HANGUP: Final = select.EPOLLRDHUP | select.EPOLLHUP | select.EPOLLERR

log = logging.getLogger(__name__)


def detachable(connection: object) -> bool:
    """Return whether a connection can be taken over: a plain gevent socket, not TLS or another server's."""
    return isinstance(connection, gevent_socket.socket) and not isinstance(connection, gevent_ssl.SSLSocket)


class Sockets:
    """All descriptors of the process.

    Any greenlet may call `attach`; everything else is called by the writer's greenlet alone.
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
        """
        Args:
            wake: called when `act_on_reports` has something to do.
            clients: is kept up to date with the streams of each client.
            pause: lets other greenlets run.
        """
        self._stall_timeout_s, self._monotonic, self._wake = stall_timeout_s, monotonic, wake
        self.pause = pause
        self._views: dict[int, View] = {}
        self._client_of: dict[int, str] = {}
        self._clients = clients
        self.slow_browsers = SlowBrowsers(monotonic, self._end)
        self._reported: dict[int, int] = {}
        self._ended: dict[int, str] = {}
        self._epoll: Any = None
        self._watcher: Any = None
        self._writes = 0
        self._sender: Sender | None = None

    def __len__(self) -> int:
        return len(self._views)

    def watch(self) -> None:
        """Watch for sockets that can take bytes again or were closed, in the event loop that this is called
        from.
        """
        if self._epoll is None:
            self._epoll = _epoll()
            self._watcher = gevent.get_hub().loop.io(self._epoll.fileno(), 1)
            self._watcher.start(self.collect_reports)

    def attach(self, fd: int, view: View, opening: bytes, until_s: float, client: str) -> None:
        """Add a browser of `client`.

        `opening`: the response head and the first event, which brings it to the view's position. `until_s`:
        the monotonic instant at which its stream rotates.
        """
        if self._epoll is None:
            self.watch()
        try:
            self._epoll.register(fd, _WATCHED)
        except OSError:
            os.close(fd)
            raise
        self._views[fd], self._client_of[fd] = view, client
        self._clients.join(client, view)
        view.join(fd, until_s)
        metrics.count("streams_attached")
        log.debug("stream %d attached, %d instruments", fd, len(view.keys))
        self._send_kept(fd, opening, view.position)

    def sender(self) -> Sender:
        """Return the sender, made by the first call: it has to come from the thread that sends."""
        if self._sender is None:
            self._sender = Sender()
        return self._sender

    def write(self, deliveries: Sequence[Delivery]) -> None:
        """Send events to all browsers they are for, and note the short sends."""
        metrics.count("stream_writes", sum(len(delivery.fds) for delivery in deliveries))
        sender = self.sender()
        # A browser that attaches during a pause is in none of these deliveries. None is removed meanwhile:
        # only this greenlet closes descriptors, after the round.
        for portion in portions(deliveries, min(PORTION, PAUSE_EVERY)):
            self._writes += sum(len(fds) for _, fds in portion)
            if self._writes > PAUSE_EVERY:
                self._writes = 0
                self.pause()
            # Before the next pause: `collect_reports` ignores a socket that can take bytes again until its
            # browser is known to
            # be slow, and the kernel reports it only once.
            for delivery, fd, sent in sender.send(portion):
                view, event, before, after, _ = delivery
                self.slow_browsers.note_short_send(fd, view, event, sent, before, after)

    def collect_reports(self) -> None:
        """Note which sockets the kernel reports. Called in the event loop itself, so it does nothing more."""
        if self._epoll is None:
            return
        for fd, mask in self._epoll.poll(0, _EVENTS):
            if mask & ~select.EPOLLOUT or fd in self.slow_browsers:
                self._reported[fd] = self._reported.get(fd, 0) | mask
        if self._reported:
            self._wake()

    def act_on_reports(self) -> None:
        """End connections that the peer has closed, and resume slow browsers that can take bytes again."""
        reported, self._reported = self._reported, {}
        for fd, mask in reported.items():
            reason = discard_input(fd) if mask & ~select.EPOLLOUT else ""
            if reason or mask & _HANGUP:
                # TCP_USER_TIMEOUT also ends the connection of a browser that keeps its window shut.
                stalled = reason == "vanished" and fd in self.slow_browsers
                self._end(fd, "stalled" if stalled else reason or "left")
            elif mask & select.EPOLLOUT and fd in self.slow_browsers:
                self.slow_browsers.resume(fd)

    def cut_stalled(self) -> None:
        """End every browser that has finished no event for the stall timeout."""
        limit = self._monotonic() - self._stall_timeout_s
        for fd in self.slow_browsers.stalled(limit):
            self._end(fd, "stalled")

    def descriptors(self) -> list[int]:
        return list(self._views)

    def send_farewell(self, fd: int, event: bytes, reason: str) -> bool:
        """Send the last event and close; return False if the browser has part of another event, into which
        nothing may be put.
        """
        view = self._views.get(fd)
        if view is None or fd in self._ended:
            return True
        slow = self.slow_browsers.get(fd)
        if slow is not None and slow.torn:
            return False
        self._send_kept(fd, event, view.position)
        slow = self.slow_browsers.get(fd)
        if slow is None or not slow.torn:
            self._end(fd, reason)
        else:
            slow.leaving = reason
        return True

    def end(self, fd: int, reason: str) -> None:
        if fd in self._views:
            self._end(fd, reason)

    def close_ended(self) -> None:
        """Close the connections that ended in this round.

        Not earlier: the kernel gives the number to the next connection at once.
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
            log.info("%s cut: %s", counted(reasons[reason], "browser"), reason)

    def _send_kept(self, fd: int, event: bytes, position: int) -> None:
        """Write to one browser that is not in the middle of an event and bring it to `position`.

        If the kernel refuses the event it is kept whole: neither an opening nor a farewell may be left out.
        """
        sent = write(fd, event)
        if sent in (-errno.EAGAIN, -errno.EWOULDBLOCK):
            sent = 0
        if sent != len(event):
            self.slow_browsers.note_short_send(fd, self._views[fd], event, sent, position, position)

    def _end(self, fd: int, reason: str) -> None:
        """Remove a browser from every table. Its descriptor stays open until the end of the round."""
        view = self._views.pop(fd, None)
        if view is None:
            return
        view.leave(fd)
        self._clients.leave(self._client_of.pop(fd), view)
        self.slow_browsers.forget(fd)
        self._ended[fd] = reason
