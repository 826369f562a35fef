"""The process's one subscription to the worker's batches: follows them, notices gaps, repairs them, never
ends.

First step of the read side. Knows neither Redis nor browsers: it is handed an iterable of batches and told
what to call.
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
from ltp.core.ticks.wire import FIRST_SEQ, Batch
from ltp.errors import StoreError

SILENCE_S: Final = 5.0  # the worker speaks once a second
_BACK_OFF_S: Final = (0.1, 2.0)

Subscribe = Callable[[], Iterable[Batch | None]]

log = logging.getLogger(__name__)


class _Dropped(Exception):
    """The subscription is to be made again; the sentence is the reason, a word for the counter."""


class Relay(threading.Thread):
    """Runs until `stop`.

    Args:
        subscribe: see store.channel.subscribe: None once the subscription is confirmed, then batches, None
            when nothing came.
        apply: takes a batch in.
        reread: reads everything shown from the cache, after which nothing is missing; raises StoreError.
        idle: called at least once a second.
    """

    def __init__(
        self,
        subscribe: Subscribe,
        apply: Callable[[Batch], None],
        reread: Callable[[], None],
        idle: Callable[[], None],
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(name="relay", daemon=True)
        self._subscribe, self._apply, self._reread, self._idle = subscribe, apply, reread, idle
        self._monotonic = monotonic
        self._stopped = threading.Event()
        self._failures = 0
        self._followed: tuple[str, int] | None = None

    def stop(self) -> None:
        self._stopped.set()

    def run(self) -> None:
        while not self._stopped.is_set():
            reason = self._follow_once()
            if self._stopped.is_set():
                return
            metrics.count(f"relay_reconnects.{reason}")
            self._failures += 1
            ceiling = min(_BACK_OFF_S[1], _BACK_OFF_S[0] * 2 ** min(self._failures, 10))
            self._stopped.wait(random.uniform(_BACK_OFF_S[0], ceiling))

    def _follow_once(self) -> str:
        """Follow one subscription to its end; return why it ended."""
        try:
            self._follow()
        except _Dropped as dropped:
            reason = str(dropped)
        except StoreError as error:
            reason = "store"
            log.log(
                logging.WARNING if self._failures == 0 else logging.DEBUG,
                "The price feed of this process is cut: %s",
                error,
            )
        except Exception:  # the loop is the only source of prices: it may not die of anything
            reason = "failed"
            log.exception("The relay failed and starts again")
        else:
            reason = "ended"
        return reason

    def _follow(self) -> None:
        batches: Any = iter(self._subscribe())
        heard_s, confirmed, self._followed = self._monotonic(), False, None
        with closing(batches) if hasattr(batches, "close") else nullcontext():
            for batch in batches:
                if self._stopped.is_set():
                    return
                if not confirmed:
                    # Subscribed first, read second: what changes in between comes twice rather than never.
                    self._repair("subscribed")
                    confirmed = True
                if batch is not None:
                    self._take(batch)
                    heard_s, self._failures = self._monotonic(), 0
                elif self._monotonic() - heard_s > SILENCE_S:
                    raise _Dropped("silent")
                self._idle()

    def _take(self, batch: Batch) -> None:
        expected = self._followed
        if expected is None:
            # The read on subscribing holds all that was published before. An epoch that began after it says
            # nothing of what changed while the worker was away: without another read the old price would be
            # shown as live.
            expected = (batch.epoch, batch.seq) if batch.seq != FIRST_SEQ else ("", FIRST_SEQ)
        if (batch.epoch, batch.seq) != expected:
            # Before the batch is applied: its instant may not stand for what the lost ones said.
            self._repair("epoch" if batch.epoch != expected[0] else "lost")
        self._apply(batch)
        self._followed = batch.epoch, batch.seq + 1

    def _repair(self, reason: str) -> None:
        metrics.count(f"relay_rereads.{reason}")
        self._reread()
