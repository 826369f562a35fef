"""The channel from the worker to every web process: batches out, batches in.

Pub/Sub forgets: what is published while a subscriber is away is lost to it. Hence each batch carries epoch and seq, and
a reader that cannot be sure of continuity is told so by a StoreError. Knows nothing of what a batch means.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any, Final

import orjson

from ltp import metrics
from ltp.core.wire import Batch, batch_from_plain, batch_to_plain
from ltp.errors import StoreError
from ltp.store.client import connect, translated
from ltp.store.keys import CHANNEL

_POLL_S: Final = 1.0
_TIMEOUT_S: Final = 3.0
_MAX_MESSAGE: Final = 4 << 20  # twenty times the largest batch of ours; what is longer is not even parsed


def publish(pipe: Any, batch: Batch) -> None:
    """Queue `batch` in a pipeline, behind the keys it tells of."""
    pipe.execute_command("PUBLISH", CHANNEL, orjson.dumps(batch_to_plain(batch)))


def subscribe(url: str) -> Iterator[Batch | None]:
    """Subscribe when first asked for a value, then yield.

    Yields:
        None once the subscription is confirmed (only now does a read of the cache miss nothing); then each batch, and None
        at least once a second while nothing that is a batch comes.
    Raises:
        StoreError: the connection was cut, or was remade behind our back so that messages may be missing.
    """
    client: Any = connect(url, timeout_s=_TIMEOUT_S, retries=0)
    pubsub = client.pubsub(ignore_subscribe_messages=False)
    try:
        _confirm(pubsub)
        yield None
        while True:
            yield _next(pubsub)
    finally:
        pubsub.close()
        client.close()


def _confirm(pubsub: Any) -> None:
    deadline = time.monotonic() + _TIMEOUT_S
    with translated("subscribing"):
        pubsub.subscribe(CHANNEL)
        while time.monotonic() < deadline:
            message = pubsub.get_message(timeout=_POLL_S)
            if message is not None and message["type"] == "subscribe":
                return
    raise StoreError(f"subscribing failed: no confirmation for {_TIMEOUT_S:.0f} s")


def _next(pubsub: Any) -> Batch | None:
    with translated("reading the channel"):
        message = pubsub.get_message(timeout=_POLL_S)
    if message is None:
        return None
    if message["type"] != "message":
        # redis-py connects again without a word; this confirmation is the only sign that messages were missed.
        raise StoreError("reading the channel failed: it was subscribed anew, messages may be missing")
    return _decode(message["data"])


def _decode(body: Any) -> Batch | None:
    """Anybody may publish: what is no version-1 batch is counted and skipped."""
    batch = None
    if isinstance(body, bytes) and len(body) <= _MAX_MESSAGE:
        try:
            batch = batch_from_plain(orjson.loads(body))
        except orjson.JSONDecodeError:
            pass
    if batch is None:
        metrics.count("store_skipped_messages")
    return batch
