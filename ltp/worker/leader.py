"""The lease: the worker that holds it leads, and it alone connects to the broker and writes.

A worker that was suspended past the end of its lease must not write when it wakes. So the right to write
depends on the time since the last renewal, and not on the result of the last look.
"""

from __future__ import annotations

import logging
import os
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from ltp.errors import LeaseLost, StoreError
from ltp.store.keys import LEASE_TTL_S
from ltp.store.lease import Lease

log = logging.getLogger(__name__)

RENEW_S: Final = 2.0
RETRY_S: Final = 0.5
MARGIN_S: Final = 1.0  # a write that starts within the term must also end within it
# How long the feed is kept while the lease cannot be read: Redis away is no reason to leave the broker, but
# it may be away for this worker alone, and then a standby connects.
UNSURE_S: Final = 60.0
STOP_S: Final = 0.3


class Leader(threading.Thread):
    """The thread that renews the lease. The callables are called on it.

    Args:
        on_change: called when the lease was won or lost.
        check: raises StoreError while Redis cannot be used; not called again once it has returned.
        on_refusal: takes the reason why Redis can never be used, where that shows before the first use:
            waiting does not help.
    """

    def __init__(
        self,
        lease: Lease,
        *,
        on_change: Callable[[], None],
        identity: str,
        check: Callable[[], None] = lambda: None,
        on_refusal: Callable[[str], None] = lambda _sentence: None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(name="leader", daemon=True)
        self._check, self._on_refusal, self._checked = check, on_refusal, False
        self._lease, self._on_change, self._identity, self._monotonic = lease, on_change, identity, monotonic
        self._stopping = threading.Event()
        self._fence = 0
        self._until = float("-inf")
        self._failure = ""  # why Redis could not be used at the last look
        self._standby_for = ""  # the holder that was logged last

    def may_write(self) -> int:
        """Return the fencing number while this worker surely holds the lease, else 0."""
        return self._fence if self._monotonic() < self._until else 0

    def may_feed(self) -> bool:
        """Return whether this worker may be connected: it leads, or did so until a minute ago, and no other
        worker is known to have the lease.
        """
        return bool(self._fence) and self._monotonic() < self._until + UNSURE_S

    def stop(self) -> None:
        """Give the lease back, so that the next worker starts at once."""
        self._stopping.set()
        if self.is_alive():
            self.join(STOP_S)
        try:
            self._lease.release()
        except StoreError as error:
            log.warning("%s", error)
        self._fence = 0

    def run(self) -> None:
        while not self._stopping.is_set():
            try:
                leads = self.step()
            except Exception:
                log.exception("The lease could not be renewed; it is tried again")
                leads = False
            self._stopping.wait(RENEW_S if leads else RETRY_S)

    def step(self) -> bool:
        """Take or renew the lease once; return whether this worker surely holds it."""
        started = self._monotonic()
        try:
            if not self._checked:
                self._check()
                self._checked = True
            fence = self._hold()
        except StoreError as error:
            self._wait_for_redis(error)
            return False
        if self._failure:
            log.info("Redis answers again")
        self._failure = ""
        if fence:
            self._until = started + LEASE_TTL_S - MARGIN_S
        if fence != self._fence:
            self._fence = fence
            self._on_change()
        return bool(fence)

    def _wait_for_redis(self, error: StoreError) -> None:
        """Log each reason once. A password that is refused at the start is wrong; one that is refused later
        may be about to be replaced.
        """
        if error.permanent and not self._checked:
            self._on_refusal(str(error))
        elif str(error) != self._failure:
            log.warning("%s. The worker waits for Redis.", error)
        self._failure = str(error)

    def _hold(self) -> int:
        if self._fence:
            try:
                self._lease.renew()
                return self._fence
            except LeaseLost:
                log.warning("The lease was lost")
        return self._win()

    def _win(self) -> int:
        try:
            fence = self._lease.acquire()
        except LeaseLost as lost:
            if is_dead(lost.holder, self._identity) and self._lease.remove(lost.holder):
                log.info("The worker that held the feed is gone: %s", lost.holder)
                return self._win()
            if lost.holder != self._standby_for:
                log.info("Standing by: %s", lost)
            self._standby_for = lost.holder
            return 0
        self._standby_for = ""
        log.info("This worker leads (fencing number %d)", fence)
        return fence


def identity() -> str:
    """Return host, boot, pid namespace and pid: they show later whether this process still runs."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()[:8]
        namespace = Path("/proc/self/ns/pid").stat().st_ino
    except OSError:
        boot, namespace = "", 0  # not Linux: no holder is ever taken for dead
    return f"{socket.gethostname()}/{boot}/{namespace}/{os.getpid()}"


def is_dead(holder: str, own: str) -> bool:
    """Return whether the lease's holder ran on this host and has ended, so that its lease can be removed.

    Args:
        holder: the lease's value: an identity and a fencing number.
    """
    place, _, pid = holder.split(" ")[0].rpartition("/")
    own_place, _, own_pid = own.rpartition("/")
    if place != own_place or "//" in place or not (pid.isascii() and pid.isdigit()):
        return False
    if pid == own_pid:
        return True  # an earlier process of the same number, as in a container that was restarted
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except (OSError, OverflowError):
        return False
    return False
