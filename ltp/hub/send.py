"""Events to descriptors: through io_uring if the kernel permits it, otherwise one `write` after another.

Both ways return the same: the browsers that did not take the whole event.
"""

from __future__ import annotations

import ctypes
import errno
import logging
import os
from array import array
from collections.abc import Iterator, Sequence
from typing import Final

from ltp.hub.ring import ENTRIES, Ring
from ltp.hub.view import Delivery

Portion = Sequence[tuple[Delivery, Sequence[int]]]
# Delivery, descriptor, and how many bytes it took, or minus the error number if it took none.
ShortSends = list[tuple[Delivery, int, int]]

PORTION: Final = ENTRIES

log = logging.getLogger(__name__)


def portions(deliveries: Sequence[Delivery], most: int) -> Iterator[Portion]:
    """Divide deliveries into portions of at most `most` descriptors."""
    portion: list[tuple[Delivery, Sequence[int]]] = []
    room = most
    for delivery in deliveries:
        start, fds = 0, delivery.fds
        while start < len(fds):
            part = fds[start : start + room]
            portion.append((delivery, part))
            start, room = start + len(part), room - len(part)
            if not room:
                yield portion
                portion, room = [], most
    if portion:
        yield portion


class Sender:
    """Made in the thread that sends, after any fork; logs which way it uses.

    `fallback_reason`: why events are written one by one, empty while io_uring sends them.
    """

    def __init__(self) -> None:
        self._ring: Ring | None = None
        self._broken: tuple[Ring, Portion] | None = None
        self.fallback_reason = ""
        try:
            self._ring = Ring()
        except OSError as error:
            self.fallback_reason = error.strerror or str(error)
            log.info(
                "Streams are written one by one, which costs more: no io_uring here (%s)",
                self.fallback_reason,
            )
        else:
            log.info("Streams are written through io_uring")

    def send(self, portion: Portion) -> ShortSends:
        """Send each event to its descriptors, none of which may occur twice; return the short sends."""
        ring = self._ring
        if ring is None:
            return _write_each(portion)
        short = _send_at_once(ring, portion)
        if ring.broken:
            log.warning("Streams are written one by one from now on: io_uring failed (%s)", ring.broken)
            # Kept for ever: if the kernel still carries out a send after all, its bytes have to be there.
            self._broken, self._ring = (ring, portion), None
            self.fallback_reason = ring.broken
        return short


def _write_each(portion: Portion) -> ShortSends:
    short: ShortSends = []
    write = os.write
    for delivery, fds in portion:
        event = delivery.event
        size = len(event)
        for fd in fds:
            try:
                sent = write(fd, event)
            except OSError as error:
                short.append((delivery, fd, -(error.errno or errno.EIO)))
            else:
                if sent != size:
                    short.append((delivery, fd, sent))
    return short


def _send_at_once(ring: Ring, portion: Portion) -> ShortSends:
    """The kernel is given addresses of bytes that the portion owns, until each send is answered."""
    every, addresses, sizes = array("i"), array("Q"), array("i")
    texts = (ctypes.c_char_p * len(portion))(*[delivery.event for delivery, _ in portion])
    for (delivery, fds), address in zip(portion, array("Q", bytes(texts)), strict=True):
        every.extend(fds)
        addresses.extend(array("Q", (address,)) * len(fds))
        sizes.extend(array("i", (len(delivery.event),)) * len(fds))
    short = ring.send(every, addresses, sizes)
    if not short:
        return []
    targets = [(delivery, fd) for delivery, fds in portion for fd in fds]
    return [(*targets[index], sent) for index, sent in short]
