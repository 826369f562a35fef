"""The channel from the worker to every web process: batches are published and received here, firings received.

Pub/Sub keeps nothing: a batch published while a subscriber is away is lost to it. Hence each batch carries
epoch and seq, and a cut connection raises a StoreError, after which the reader must read the cache again. The
values in a batch mean nothing here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from ltp import metrics
from ltp.core.alerts.notice import Notice
from ltp.core.ticks.wire import Batch
from ltp.store import decode
from ltp.store.alerts import firing_of
from ltp.store.encode import message
from ltp.store.keys import ALERTS, CHANNEL
from ltp.store.subscription import messages
from ltp.store.transaction import Transaction, bulk

_MAX_MESSAGE: Final = 4 << 20  # bytes, twenty times the worker's largest batch; a longer message is not kept


def publish(transaction: Transaction, batch: Batch, items: Sequence[str]) -> None:
    """Queue the publishing of `batch`, whose ticks are `items` as text, behind the keys of these ticks."""
    head, ticks, tail = message(batch, items)
    length = len(head.encode()) + len(ticks) + len(tail)  # `ticks` and `tail` are ASCII
    transaction.queue(3, (f"{bulk('PUBLISH')}{bulk(CHANNEL)}${length}\r\n{head}", ticks, f"{tail}\r\n"))


def subscribe(url: str) -> Iterator[Batch | Notice | None]:
    """Subscribe when the first value is requested, then yield.

    Firings of alerts come by the same connection: a process needs one, and browsers get both in one event.

    Yields:
        None once the subscription is confirmed (from now on, reading the cache misses nothing); then each
            batch and each firing, and None at least once a second while none comes.
    Raises:
        StoreError: the connection was cut, so batches may be missing.
    """
    for received in messages(url, (CHANNEL, ALERTS), longest=_MAX_MESSAGE):
        if received is None:
            yield None
        else:
            channel, body = received
            yield _decode(body) if channel == CHANNEL else firing_of(body)


def _decode(body: memoryview) -> Batch | None:
    """Any program may publish: a message that is no batch of a readable version is counted and skipped."""
    batch = decode.batch(body)
    if batch is None:
        metrics.count("store_skipped_messages")
    return batch
