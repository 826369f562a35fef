"""Events to descriptors: through io_uring where the kernel lets us, else by one write after another. Both do
the same.

Last step of the path. Says who did not take all of its event; what becomes of them is the business of `late`.
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
Partly = list[
    tuple[Delivery, int, int]
]  # whose descriptor took how many bytes, or refused with minus the error number

PORTION: Final = ENTRIES

log = logging.getLogger(__name__)


def portions(deliveries: Sequence[Delivery], most: int) -> Iterator[Portion]:
    """Cut deliveries into portions of at most so many descriptors."""
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
    """Made in the thread that sends, after any fork; says in the log which way it found."""

    def __init__(self) -> None:
        self._ring: Ring | None = None
        self._given_up: tuple[Ring, Portion] | None = None
        try:
            self._ring = Ring()
        except OSError as error:
            log.info(
                "Streams are written one by one, which costs more: no io_uring here (%s)", error.strerror
            )
        else:
            log.info("Streams are written through io_uring")

    def send(self, portion: Portion) -> Partly:
        """Send each event to its descriptors, none of which is there twice; return who did not take all of
        it.
        """
        ring = self._ring
        if ring is None:
            return _one_by_one(portion)
        partly = _together(ring, portion)
        if ring.broken:
            log.warning("Streams are written one by one from now on: io_uring failed (%s)", ring.broken)
            # Kept for ever: should the kernel come back to a send after all, its bytes have to be there.
            self._given_up, self._ring = (ring, portion), None
        return partly


def _one_by_one(portion: Portion) -> Partly:
    partly: Partly = []
    write = os.write
    for delivery, fds in portion:
        event = delivery.event
        size = len(event)
        for fd in fds:
            try:
                sent = write(fd, event)
            except OSError as error:
                partly.append((delivery, fd, -(error.errno or errno.EIO)))
            else:
                if sent != size:
                    partly.append((delivery, fd, sent))
    return partly


def _together(ring: Ring, portion: Portion) -> Partly:
    """The portion holds the bytes whose addresses are given away until each send is answered."""
    every, addresses, sizes = array("i"), array("Q"), array("i")
    texts = (ctypes.c_char_p * len(portion))(*[delivery.event for delivery, _ in portion])
    for (delivery, fds), address in zip(portion, array("Q", bytes(texts)), strict=True):
        every.extend(fds)
        addresses.extend(array("Q", (address,)) * len(fds))
        sizes.extend(array("i", (len(delivery.event),)) * len(fds))
    partly = ring.send(every, addresses, sizes)
    if not partly:
        return []
    whose = [(delivery, fd) for delivery, fds in portion for fd in fds]
    return [(*whose[index], sent) for index, sent in partly]
