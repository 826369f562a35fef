"""The worker's way out: one round trip writes the keys and publishes the batch that tells of them.

Owns epoch, seq and at. Everything travels in one transaction, so a server that refuses the keys (out of
memory) does not publish them either, and no page shows as live what the cache does not hold. Knows no thread
and no clock.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Final, NamedTuple

import redis

from ltp import metrics
from ltp.core.ticks.tick import Feed, Tick, TickFields
from ltp.core.ticks.wire import FIRST_SEQ, Batch
from ltp.errors import StoreError
from ltp.store import channel, heartbeat, prices
from ltp.store.client import translated
from ltp.store.encode import NOTHING, Coverage, Encoded, ltp_pairs, texts
from ltp.store.transaction import RedisLine, Transaction

log = logging.getLogger(__name__)
_CHUNK: Final = prices.CHUNK
_WRITING: Final = "writing prices"


class BatchHeader(NamedTuple):
    """What a batch says besides its ticks. `now_us`: microseconds. `doubts` and what follows: see
    core.ticks.wire.Batch.
    """

    now_us: int
    feed: Feed
    since: int
    phase: Mapping[str, str]
    doubts: Mapping[str, str] = {}
    notice: str = ""
    reassigned: Mapping[str, int] = {}


class Beat(NamedTuple):
    """What is written beside the ticks once a second.

    `heartbeat_at`: ISO 8601 when the heartbeat key is due, else empty. `covered`: ticks whose 30-second keys
    are renewed.
    """

    status: Mapping[str, str]
    heartbeat_at: str
    covered: Sequence[Tick]


class BatchPublisher:
    """One thread at a time uses it."""

    def __init__(self, client: redis.Redis, source: str, *, allowed: Callable[[], object]) -> None:
        """`allowed`: true while this process surely leads; asked at the last moment before each write."""
        self._client, self._source, self._allowed = client, source, allowed
        self._line, self._writer = RedisLine(client), prices.PriceWriter()
        self._epoch, self._seq, self._at = "", 0, 0

    def begin(
        self, moment: BatchHeader, ticks: Sequence[TickFields], beat: Beat, *, purges: bool = False
    ) -> None:
        """Start an epoch: write everything there is, then say so, and whoever reads again finds it whole.

        Prices of another source are removed first: an invented one must never pass for the exchange's.

        Args:
            purges: remove every 30-second key first. Where a clock was set back, those of before would live
                for too long.

        Raises:
            StoreError: begin again.
        """
        self._line.cut()  # what was sent ahead is of an epoch that is over, and its rest must not follow
        if heartbeat.read_source(self._client) != self._source:
            removed = prices.purge(self._client)
            heartbeat.write_source(self._client, self._source)
            if removed:
                log.warning(
                    "Removed %d prices of another or an unknown source; this worker's are from %s",
                    removed,
                    self._source,
                )
        if purges or heartbeat.is_overdue(self._client):
            prices.purge_ltp(self._client)
        for chunk in _chunks(ticks):
            self._carry_out(partial(self._queue_ticks, texts(chunk, NOTHING).tick))
            metrics.count("ticks_written", len(chunk))
        self._epoch, self._seq = secrets.token_hex(4), FIRST_SEQ - 1
        metrics.count("ingest_epochs")
        self.send(moment, [], NOTHING, beat=beat)

    def send(
        self,
        moment: BatchHeader,
        ticks: Sequence[TickFields],
        coverage: Coverage,
        *,
        dropped: Sequence[str] = (),
        beat: Beat | None = None,
    ) -> bool:
        """Write and publish `ticks`; an empty batch when there are none.

        Args:
            coverage: which of them get their 30-second key.
            dropped: keys whose 30-second key goes.
        Returns:
            False when a beat found the heartbeat key gone, or with more life than it was given: the server
                was emptied, or its clock was set back, and everything must be rewritten.
        Raises:
            StoreError: what arrived is unknown; begin again.
        """
        *first, last = _chunks(ticks) or [[]]
        for chunk in first:
            self._carry_out(partial(self._queue, self._batch(moment), texts(chunk, coverage), (), None))
        answers = self._carry_out(
            partial(self._queue, self._batch(moment), texts(last, coverage), dropped, beat)
        )
        metrics.count("ticks_written", len(ticks))
        metrics.count("batches_written", len(first) + 1)
        return beat is None or heartbeat.is_in_time(answers[0])

    @property
    def unsent(self) -> bool:
        """Part of what was sent ahead is still here, because the kernel took no more: it leaves with `settle`
        or `send`.
        """
        return self._line.unsent

    def ready(self) -> bool:
        """Tell whether `send_ahead` is possible: the server has answered everything so far. Waits for
        nothing.

        Raises:
            StoreError: the last batch that was sent ahead did not arrive, or was refused; begin again.
        """
        with translated(_WRITING):
            return self._line.ready()

    def send_ahead(self, moment: BatchHeader, ticks: Sequence[TickFields], coverage: Coverage) -> None:
        """Write and publish `ticks` as `send` does, waiting neither for the server nor for its answers;
        counted when sent.

        Only while `ready`, and never the first of an epoch: a server that knows no MSETEX would be met too
        late.

        Raises:
            StoreError: begin again.
        """
        for chunk in _chunks(ticks):
            transaction = Transaction(self._line)
            self._queue(self._batch(moment), texts(chunk, coverage), (), None, transaction)
            self._must_be_allowed()
            with translated(_WRITING):
                transaction.execute_ahead()
            metrics.count("batches_written")
        metrics.count("ticks_written", len(ticks))

    def settle(self) -> None:
        """Wait until everything that was sent ahead is answered.

        Raises:
            StoreError: it did not arrive, or was refused; begin again.
        """
        self._must_be_allowed()
        with translated(_WRITING):
            self._line.settle()

    def _queue_ticks(self, pairs: Sequence[str], transaction: Transaction) -> None:
        self._writer.ticks(transaction, pairs)

    def _queue(
        self,
        batch: Batch,
        encoded: Encoded,
        dropped: Sequence[str],
        beat: Beat | None,
        transaction: Transaction,
    ) -> None:
        if beat is not None:
            heartbeat.queue_presence(transaction)
            if beat.heartbeat_at:
                heartbeat.write(transaction, beat.heartbeat_at)
            heartbeat.write_status(transaction, beat.status)
            self._writer.ltp(transaction, ltp_pairs(beat.covered))
        prices.drop(transaction, dropped)
        self._writer.ltp(transaction, encoded.ltp)
        self._writer.ticks(transaction, encoded.tick)
        channel.publish(transaction, batch, encoded.items)

    def _batch(self, moment: BatchHeader) -> Batch:
        """Return the next batch, all but its ticks."""
        self._seq += 1
        # Rises even when the clock is set back: it is the position a browser resumes from.
        self._at = max(moment.now_us, self._at + 1)
        _, feed, since, phase, doubts, notice, reassigned = moment
        source = self._source
        return Batch(
            self._epoch, self._seq, self._at, feed, since, source, phase, (), doubts, notice, reassigned
        )

    def _carry_out(self, queue: Callable[[Transaction], None]) -> list[Any]:
        try:
            return self._execute(queue)
        except StoreError as error:
            if not self._writer.refused(error):
                raise
            log.info("The server has no MSETEX; a script takes its place")
            return self._execute(queue)

    def _execute(self, queue: Callable[[Transaction], None]) -> list[Any]:
        transaction = Transaction(self._line)
        queue(transaction)
        self._must_be_allowed()
        with translated(_WRITING):
            return transaction.execute()

    def _must_be_allowed(self) -> None:
        """A process may be stopped between any two lines, and wake when another leads: so it is asked right
        before a write.
        """
        if not self._allowed():
            raise StoreError(f"{_WRITING} was refused: this worker's lease ran out")


def _chunks(ticks: Sequence[TickFields]) -> list[list[TickFields]]:
    return [list(ticks[start : start + _CHUNK]) for start in range(0, len(ticks), _CHUNK)]
