"""The process's one subscription to the worker's batches: follows it, repairs gaps, and never ends.

First step of the read side: it iterates over batches and calls a few plain functions.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import closing, nullcontext
from typing import Any, Final

from ltp import metrics
from ltp.core.alerts.notice import Notice
from ltp.core.ticks.wire import FIRST_SEQ, Batch
from ltp.errors import StoreError

SILENCE_S: Final = 5.0  # the worker publishes a batch at least once a second
_BACK_OFF_S: Final = (0.1, 2.0)

Subscribe = Callable[[], Iterable[Batch | Notice | None]]

log = logging.getLogger(__name__)


class _Dropped(Exception):
    """The subscription has to be made again. The sentence is the reason, one word for the counter."""


class Relay(threading.Thread):
    """Runs until `stop`.

    Args:
        subscribe: see store.channel.subscribe: yields None once the subscription is confirmed, then batches
            and notices, and None when a wait ends without one.
        apply: applies a batch.
        reread: reads every shown instrument from the cache, which repairs any gap; raises StoreError.
        idle: called at least once a second.
        notify: takes a notice. A lost one leaves no gap: `reread` reads the newest notices too.
    """

    def __init__(
        self,
        subscribe: Subscribe,
        apply: Callable[[Batch], None],
        reread: Callable[[], None],
        idle: Callable[[], None],
        notify: Callable[[Notice], None] = lambda _: None,
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(name="relay", daemon=True)
        self._subscribe, self._apply, self._reread, self._idle = subscribe, apply, reread, idle
        self._notify, self._monotonic = notify, monotonic
        self._stopped = threading.Event()
        self._failures = 0
        self._expected: tuple[str, int] | None = None  # epoch and sequence number of the next batch

    def stop(self) -> None:
        self._stopped.set()

    def run(self) -> None:
        while not self._stopped.is_set():
            reason = self.follow_once()
            if self._stopped.is_set():
                return
            metrics.count(f"relay_reconnects.{reason}")
            self._failures += 1
            ceiling = min(_BACK_OFF_S[1], _BACK_OFF_S[0] * 2 ** min(self._failures, 10))
            self._stopped.wait(random.uniform(_BACK_OFF_S[0], ceiling))

    def follow_once(self) -> str:
        """Follow one subscription to its end; return the reason: silent, store, failed or ended."""
        try:
            self._follow()
        except _Dropped as dropped:
            reason = str(dropped)
        except StoreError as error:
            reason = "store"
            level = logging.WARNING if self._failures == 0 else logging.DEBUG
            log.log(level, "This process receives no batches from Redis: %s", error)
        except Exception:  # the loop is the only source of prices, so no fault may end it
            reason = "failed"
            log.exception("The relay failed and starts again")
        else:
            reason = "ended"
        return reason

    def _follow(self) -> None:
        batches: Any = iter(self._subscribe())
        received_s, confirmed, self._expected = self._monotonic(), False, None
        with closing(batches) if hasattr(batches, "close") else nullcontext():
            for batch in batches:
                if self._stopped.is_set():
                    return
                if not confirmed:
                    # Subscribe first, read second: a change in between then arrives twice rather than never.
                    self._repair("subscribed")
                    confirmed = True
                if isinstance(batch, Batch):
                    self._take(batch)
                    received_s, self._failures = self._monotonic(), 0
                elif self._monotonic() - received_s > SILENCE_S:
                    raise _Dropped("silent")
                elif batch is not None:
                    self._notify(batch)
                self._idle()

    def _take(self, batch: Batch) -> None:
        expected = self._expected
        if expected is None:
            # The read after subscribing contains everything published before it. But where the first batch
            # begins an epoch, the prices written at that beginning may be in neither: not in the batch, and
            # not in a read that came before them. Without another read an old price would be shown as live.
            expected = (batch.epoch, batch.seq) if batch.seq != FIRST_SEQ else ("", FIRST_SEQ)
        if (batch.epoch, batch.seq) != expected:
            # Before the batch is applied: its instant must not vouch for the content of lost batches.
            self._repair("epoch" if batch.epoch != expected[0] else "lost")
        self._apply(batch)
        self._expected = batch.epoch, batch.seq + 1

    def _repair(self, reason: str) -> None:
        metrics.count(f"relay_rereads.{reason}")
        self._reread()
