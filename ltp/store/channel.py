"""The channel from the worker to every web process: batches out, batches in.

Pub/Sub forgets: what is published while a subscriber is away is lost to it. Hence each batch carries epoch
and seq, and a reader that cannot be sure of continuity is told so by a StoreError. Knows nothing of what a
batch means.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import Final

from ltp import metrics
from ltp.core.ticks.wire import Batch
from ltp.errors import StoreError
from ltp.store import decode
from ltp.store.client import Client, connect, translated
from ltp.store.encode import message
from ltp.store.keys import CHANNEL
from ltp.store.subscription import Subscription
from ltp.store.transaction import Transaction, bulk

_TIMEOUT_S: Final = 3.0
_MAX_MESSAGE: Final = 4 << 20  # twenty times the largest batch of ours; what is longer is not even held


def publish(transaction: Transaction, batch: Batch, items: Sequence[str]) -> None:
    """Queue `batch`, whose ticks are `items` as text, behind the keys it tells of."""
    head, ticks, tail = message(batch, items)
    length = len(head.encode()) + len(ticks) + len(tail)  # of these two every character is a byte
    transaction.queue(3, (f"{bulk('PUBLISH')}{bulk(CHANNEL)}${length}\r\n{head}", ticks, f"{tail}\r\n"))


def subscribe(url: str) -> Iterator[Batch | None]:
    """Subscribe when first asked for a value, then yield.

    Yields:
        None once the subscription is confirmed (only now does a read of the cache miss nothing); then each
            batch, and None at least once a second while nothing that is a batch comes.
    Raises:
        StoreError: the connection was cut, so that messages may be missing.
    """
    client = connect(url, timeout_s=_TIMEOUT_S, retries=0)
    try:
        with translated("subscribing"):
            subscription = _subscribed(client)
        yield None
        while True:
            with translated("reading the channel"):
                body = subscription.read()
            yield None if body is None else _decode(body)
    finally:
        client.close()


def _subscribed(client: Client) -> Subscription:
    subscription, until_s = Subscription(client, CHANNEL, longest=_MAX_MESSAGE), time.monotonic() + _TIMEOUT_S
    while not subscription.confirmed():
        if time.monotonic() >= until_s:
            raise StoreError(f"subscribing failed: no confirmation for {_TIMEOUT_S:.0f} s")
    return subscription


def _decode(body: memoryview) -> Batch | None:
    """Anybody may publish: what is no version-1 batch is counted and skipped."""
    batch = decode.batch(body)
    if batch is None:
        metrics.count("store_skipped_messages")
    return batch
