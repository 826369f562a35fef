"""The worker's writes: each transaction stores the prices of one batch under their keys and publishes the
batch.

Owns epoch, seq and at. Keys and batch travel in one transaction, so a server that refuses the keys (out of
memory) does not publish the batch either, and no page shows a price as live that the cache does not hold.
Knows no thread and no clock.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Final, NamedTuple

import redis

from ltp import metrics
from ltp.core.ticks.tick import FIRST_CONNECTION, Feed, Tick, TickFields
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
    """The members of a batch that its caller knows, without the ticks; see core.ticks.wire.Batch.

    `now_us`: microseconds since the epoch, from which `at` is made.
    """

    now_us: int
    feed: Feed
    since: int
    phase: Mapping[str, str]
    doubts: Mapping[str, str] = {}
    notice: str = ""
    reassigned: Mapping[str, int] = {}
    connection: str = FIRST_CONNECTION


class Beat(NamedTuple):
    """The keys written once a second beside those of the ticks.

    `heartbeat_at`: ISO 8601 if the heartbeat key is due, else empty. `covered`: ticks whose 30-second keys
    are renewed.
    """

    status: Mapping[str, str]
    heartbeat_at: str
    covered: Sequence[Tick]


class BatchPublisher:
    """Used by one thread at a time."""

    def __init__(self, client: redis.Redis, source: str, *, allowed: Callable[[], object]) -> None:
        """`allowed`: true while this process surely leads; called right before each write."""
        self._client, self._source, self._allowed = client, source, allowed
        self._line, self._writer = RedisLine(client), prices.PriceWriter()
        self._epoch, self._seq, self._at = "", 0, 0

    def begin(
        self, header: BatchHeader, ticks: Sequence[TickFields], beat: Beat, *, purges: bool = False
    ) -> None:
        """Start an epoch: write every price, then publish the first batch. Its readers read the cache again,
        which is complete by then.

        Prices of another source are removed first: an invented price must never pass for the exchange's.

        Args:
            purges: remove every 30-second key first. After a clock was set back, existing ones would live too
                long.

        Raises:
            StoreError: begin again.
        """
        # the rest of a transaction sent ahead belongs to the epoch before, and must not follow
        self._line.cut()
        self._remove_other_source()
        if purges or heartbeat.is_overdue(self._client):
            prices.purge_ltp(self._client)
        for chunk in _chunks(ticks):
            self._carry_out(partial(self._queue_ticks, texts(chunk, NOTHING, header.connection).tick))
            metrics.count("ticks_written", len(chunk))
        self._epoch, self._seq = secrets.token_hex(4), FIRST_SEQ - 1
        metrics.count("ingest_epochs")
        self.send(header, [], NOTHING, beat=beat)

    def send(
        self,
        header: BatchHeader,
        ticks: Sequence[TickFields],
        coverage: Coverage,
        *,
        dropped: Sequence[str] = (),
        beat: Beat | None = None,
    ) -> bool:
        """Write and publish `ticks`; without any, publish an empty batch.

        Args:
            coverage: the ticks that get a 30-second key.
            dropped: keys whose 30-second key is removed.
        Returns:
            False if a beat found the heartbeat key gone, or with more life than it was given: the server was
                emptied, or its clock was set back, and everything must be rewritten.
        Raises:
            StoreError: the server may have carried out any part of it; begin again.
        """
        *first, last = _chunks(ticks) or [[]]
        for chunk in first:
            self._carry_out(self._queued(header, chunk, coverage))
        answers = self._carry_out(self._queued(header, last, coverage, dropped, beat))
        metrics.count("ticks_written", len(ticks))
        metrics.count("batches_written", len(first) + 1)
        return beat is None or heartbeat.is_in_time(answers[0])

    @property
    def unsent(self) -> bool:
        """Part of a transaction sent ahead is still here, because the kernel took no more; `settle` or `send`
        sends it.
        """
        return self._line.unsent

    def ready(self) -> bool:
        """Return whether `send_ahead` is possible: the server has answered everything so far. Waits for
        nothing.

        Raises:
            StoreError: the last batch that was sent ahead did not arrive, or was refused; begin again.
        """
        with translated(_WRITING):
            return self._line.ready()

    def send_ahead(self, header: BatchHeader, ticks: Sequence[TickFields], coverage: Coverage) -> None:
        """Write and publish `ticks` as `send` does, without waiting for the server. They count as written
        once sent.

        Only while `ready`, and never as the first of an epoch: the refusal of a server without MSETEX would
        arrive too late to repeat the transaction.

        Raises:
            StoreError: begin again.
        """
        for chunk in _chunks(ticks):
            transaction = Transaction(self._line)
            self._queued(header, chunk, coverage)(transaction)
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

    def _remove_other_source(self) -> None:
        if heartbeat.read_source(self._client) == self._source:
            return
        removed = prices.purge(self._client)
        heartbeat.write_source(self._client, self._source)
        if removed:
            log.warning(
                "Removed %d prices of another or an unknown source; this worker's are from %s",
                removed,
                self._source,
            )

    def _queue_ticks(self, pairs: Sequence[str], transaction: Transaction) -> None:
        self._writer.ticks(transaction, pairs)

    def _queued(
        self,
        header: BatchHeader,
        ticks: Sequence[TickFields],
        coverage: Coverage,
        dropped: Sequence[str] = (),
        beat: Beat | None = None,
    ) -> Callable[[Transaction], None]:
        """Return the function that queues the next batch; it may be called again after a refusal."""
        batch = self._batch(header)
        return partial(self._queue, batch, texts(ticks, coverage, batch.connection), dropped, beat)

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

    def _batch(self, header: BatchHeader) -> Batch:
        """Return the next batch, without its ticks."""
        self._seq += 1
        # Rises even when the clock is set back: it is the position that a browser resumes from.
        self._at = max(header.now_us, self._at + 1)
        _, feed, since, phase, doubts, notice, reassigned, connection = header
        more = doubts, notice, reassigned, connection
        return Batch(self._epoch, self._seq, self._at, feed, since, self._source, phase, (), *more)

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
        """Called right before each write: the process may have been stopped since the line before, and
        another worker may lead by now.
        """
        if not self._allowed():
            raise StoreError(f"{_WRITING} was refused: this worker's lease ran out")


def _chunks(ticks: Sequence[TickFields]) -> list[list[TickFields]]:
    return [list(ticks[start : start + _CHUNK]) for start in range(0, len(ticks), _CHUNK)]
