"""A TCP connection to a host within one bound on time, to whichever address of its name answers first.

The first address may silently drop all packets, so the next is tried beside it a quarter of a second later
(as in RFC 8305). An address that accepted a connection which then failed comes last the next time.
"""

from __future__ import annotations

import errno
import os
import selectors
import socket
import time
from collections.abc import Sequence
from itertools import chain, zip_longest
from typing import Any, Final

STAGGER_S: Final = 0.25
MAX_ADDRESSES: Final = 8
_OPTIONS: Final = (
    (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1),
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
    (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 30),
    (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 10),
    (socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 3),
)
_Address = tuple[Any, int, int, Any]  # family, type, protocol and the argument of `connect`


class Dialer:
    """Remembers from one connection to the next which addresses failed last. For one thread."""

    def __init__(self) -> None:
        self._addresses: list[_Address] = []
        self._last: Any = None
        self._failed: dict[Any, float] = {}

    def resolve(self, host: str, port: int) -> None:
        """Look up the addresses for `dial`. Raises socket.gaierror."""
        found = socket.getaddrinfo(host, port, 0, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        self._addresses = self._in_order(
            [(family, kind, proto, place) for family, kind, proto, _, place in found]
        )

    def dial(self, timeout_s: float) -> socket.socket:
        """Return a connected socket.

        Raises:
            OSError: no address answered in time (TimeoutError), or the last one refused.
        """
        self._last = None
        with _Race(list(self._addresses), time.monotonic() + timeout_s) as race:
            connected, self._last = race.run()
            return connected

    def distrust(self) -> None:
        """Note that the address of the last connection accepted it, and that it failed later."""
        if self._last is not None:
            self._failed[self._last] = time.monotonic()
        if len(self._failed) > MAX_ADDRESSES:
            del self._failed[min(self._failed, key=self._failed.__getitem__)]

    def _in_order(self, addresses: Sequence[_Address]) -> list[_Address]:
        """Families in turn as the resolver orders them; then failed addresses, the oldest failure first."""
        families = [
            [each for each in addresses if each[0] == family]
            for family in dict.fromkeys(each[0] for each in addresses)
        ]
        mixed = [each for each in chain.from_iterable(zip_longest(*families)) if each is not None]
        return sorted(mixed, key=lambda each: self._failed.get(each[3], 0.0))[:MAX_ADDRESSES]


class _Race:
    """Connections under way, of which the first established one is kept."""

    def __init__(self, addresses: list[_Address], deadline: float) -> None:
        self._left, self._deadline = addresses, deadline
        self._selector = selectors.DefaultSelector()
        self._error: OSError = TimeoutError(errno.ETIMEDOUT, os.strerror(errno.ETIMEDOUT))
        self._won: socket.socket | None = None

    def __enter__(self) -> _Race:
        return self

    def __exit__(self, *_: object) -> None:
        for key in list(self._selector.get_map().values()):
            if key.fileobj is not self._won:
                key.fileobj.close()  # type: ignore[union-attr]
        self._selector.close()

    def run(self) -> tuple[socket.socket, Any]:
        while self._left or self._selector.get_map():
            if self._left and not self._begin(self._left.pop(0)):
                continue
            left_s = self._deadline - time.monotonic()
            if left_s <= 0:
                raise TimeoutError(errno.ETIMEDOUT, os.strerror(errno.ETIMEDOUT))
            won = self._wait(min(left_s, STAGGER_S) if self._left else left_s)
            if won is not None:
                self._won, place = won
                self._won.settimeout(max(0.001, self._deadline - time.monotonic()))
                return self._won, place
        raise self._error

    def _begin(self, address: _Address) -> bool:
        """Begin a connection; false when it failed at once, so that the next need not wait."""
        opened = None
        try:
            opened = socket.socket(*address[:3])
            opened.setblocking(False)
            for option in _OPTIONS:
                opened.setsockopt(*option)
            code = opened.connect_ex(address[3])
            if code not in (0, errno.EINPROGRESS):
                raise OSError(code, os.strerror(code))
        except OSError as error:
            self._error = error
            if opened is not None:
                opened.close()
            return False
        self._selector.register(opened, selectors.EVENT_WRITE, address[3])
        return True

    def _wait(self, seconds: float) -> tuple[socket.socket, Any] | None:
        """Return the first established one; None when none is in time, or when one of them failed."""
        for key, _ in self._selector.select(seconds):
            ready: socket.socket = key.fileobj  # type: ignore[assignment]
            code = ready.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if code == 0:
                return ready, key.data
            self._error = OSError(code, os.strerror(code))
            self._selector.unregister(ready)
            ready.close()
        return None
