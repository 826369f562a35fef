"""The loop of the process that sends: it claims messages, sends each on a thread of its own and stores its end.

One thread uses SQL, the one that calls `run`. A channel has one message under way at a time, so a receiver that is
slow holds up its own channel only.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

from sqlalchemy import Engine

from ltp.core.alerts.channel import Channel
from ltp.core.alerts.delivery import Attempt, failed, next_try_s
from ltp.core.alerts.message import Message
from ltp.core.counted import counted
from ltp.db.alerts import deliveries, delivery_upkeep
from ltp.db.alerts.deliveries import Claimed
from ltp.errors import DatabaseError

log = logging.getLogger(__name__)
LOOK_S: Final = 1.0  # between two looks into SQL where nothing wakes the loop
BEAT_S: Final = 5.0
LONGEST_S: Final = 45.0  # of a message; the senders end earlier, but for a resolver that does not answer
THREADS: Final = 16
END_S: Final = 1.2  # the worker kills the process after 2 s
_POLL_S: Final = 0.25
_ABANDONED: Final = failed("it did not end in time")


class _UnderWay(NamedTuple):
    claimed: Claimed
    since: float  # monotonic


class Outbox:
    """`woken`: set by any thread when a firing was stored.

    Args:
        send: sends a message and never raises; many threads call it at once.
        now: the clock of the rows.
    """

    def __init__(
        self,
        engine: Engine,
        send: Callable[[Channel, Message], Attempt],
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.woken = threading.Event()
        self._engine, self._send, self._now, self._monotonic = engine, send, now, monotonic
        self._under_way: dict[int, _UnderWay] = {}  # by the channel's id
        self._ended: queue.SimpleQueue[tuple[Claimed, Attempt]] = queue.SimpleQueue()
        self._unstored: list[tuple[Claimed, Attempt]] = []
        self._beat_at, self._stopping, self._logged = float("-inf"), False, ""

    def stop(self) -> None:
        """Have `run` end; may be called by a signal handler, so it takes no lock."""
        self._stopping = True

    def run(self) -> None:
        """Send until `stop` is called; then finish what is under way, or give it back."""
        look_at = self._monotonic()
        while not self._stopping:
            if self.woken.wait(_POLL_S) or self._monotonic() >= look_at:
                self.woken.clear()
                look_at = self._monotonic() + LOOK_S
                self._try(self.round)
        self._try(self._finish)

    def round(self) -> None:
        """Store what has ended and begin what is due. Raises DatabaseError; nothing is lost by it."""
        self._store()
        self._abandon()
        if self._monotonic() >= self._beat_at:
            self._beat_at = self._monotonic() + BEAT_S
            self._beat()
        for channel_id in deliveries.due_channels(self._engine, self._now()):
            if channel_id not in self._under_way and len(self._under_way) < THREADS:
                claimed = deliveries.claim(self._engine, channel_id, self._now())
                if claimed is not None:
                    self._begin(claimed)

    @property
    def is_idle(self) -> bool:
        return not self._under_way and not self._unstored

    def _begin(self, claimed: Claimed) -> None:
        self._under_way[claimed.channel.id] = _UnderWay(claimed, self._monotonic())

        def work() -> None:
            attempt = self._send(claimed.channel, claimed.message)
            self._ended.put((claimed, attempt))
            self.woken.set()

        threading.Thread(target=work, name=f"channel {claimed.channel.id}", daemon=True).start()

    def _store(self) -> None:
        while not self._ended.empty():
            claimed, attempt = self._ended.get()
            begun = self._under_way.get(claimed.channel.id)
            if begun is not None and begun.claimed is claimed:  # else it was abandoned
                self._unstored.append((claimed, attempt))
        while self._unstored:
            claimed, attempt = self._unstored[0]
            self._store_one(claimed, attempt)
            del self._unstored[0]
            del self._under_way[claimed.channel.id]

    def _store_one(self, claimed: Claimed, attempt: Attempt) -> None:
        now = self._now()
        is_test = not claimed.message.fired  # a person waits for its end, and may repeat it
        wait_s = None if is_test else next_try_s(claimed.channel.kind, claimed.tries, attempt)
        if wait_s is None:
            deliveries.end(self._engine, claimed, attempt, now)
        else:
            deliveries.retry(self._engine, claimed, attempt, now + timedelta(seconds=wait_s))
        level = logging.INFO if attempt.sent else logging.WARNING
        then = f"; it is tried again in {wait_s:.0f} s" if wait_s is not None else ""
        what = "a test" if is_test else counted(len(claimed.message.fired), "firing")
        where = (claimed.message.id, what, claimed.channel.id)
        log.log(level, "Message %s with %s to channel %d: %s%s", *where, attempt.outcome, then)

    def _abandon(self) -> None:
        """Give up a thread that hangs, as in a resolver that does not answer. It may still send later."""
        ended = {claimed.channel.id for claimed, _ in self._unstored}
        for channel_id, begun in list(self._under_way.items()):
            if channel_id not in ended and self._monotonic() - begun.since > LONGEST_S:
                self._unstored.append((begun.claimed, _ABANDONED))
        self._store()

    def _beat(self) -> None:
        ids = [each for begun in self._under_way.values() for each in begun.claimed.ids]
        if ids:
            deliveries.beat(self._engine, ids, self._now())
        delivery_upkeep.tidy(self._engine, self._now())

    def _finish(self) -> None:
        until = self._monotonic() + END_S
        while self._under_way and self._monotonic() < until:
            self.woken.wait(_POLL_S)
            self.woken.clear()
            self._store()
        for begun in self._under_way.values():
            deliveries.give_back(self._engine, begun.claimed, self._now())

    def _try(self, action: Callable[[], None]) -> None:
        try:
            action()
        except DatabaseError as error:
            if str(error) != self._logged:
                log.warning("%s. Messages of alerts wait.", error)
            self._logged = str(error)
        else:
            self._logged = ""
