"""What pages, streams and API calls want to see: sorted sets, the score of a key is the instant until which it is wanted.

The one way back from web to worker. Knows nothing of who wants it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import redis

from ltp.store.client import translated
from ltp.store.keys import DEMAND, DEMAND_REST


def want(client: redis.Redis, keys: Iterable[str], until: float) -> None:
    """Keep `keys` subscribed until `until` (seconds since the epoch), in one command; never shortens a wish.

    Raises:
        StoreError: Redis cannot be written.
    """
    _add(client, DEMAND, keys, until)


def want_rest(client: redis.Redis, keys: Iterable[str], until: float) -> None:
    """Ask the worker to fetch `keys` by REST, unless `until` has passed when it gets to it.

    Raises:
        StoreError: Redis cannot be written.
    """
    _add(client, DEMAND_REST, keys, until)


def _add(client: redis.Redis, name: str, keys: Iterable[str], until: float) -> None:
    scores = dict.fromkeys(keys, until)
    if not scores:
        return
    with translated("writing demand"):
        client.zadd(name, scores, gt=True)


def wanted(client: redis.Redis, now: float) -> dict[str, float]:
    """Return until when each key is wanted that is wanted at `now`, the soonest to expire first; forget the others.

    Raises:
        StoreError: Redis cannot be read.
    """
    return _read(client, DEMAND, now, take=False)


def take_rest(client: redis.Redis, now: float) -> list[str]:
    """Return the keys asked for by REST and still wanted at `now`, and forget them all: each request is taken once.

    Raises:
        StoreError: Redis cannot be read.
    """
    return list(_read(client, DEMAND_REST, now, take=True))


def _read(client: redis.Redis, name: str, now: float, *, take: bool) -> dict[str, float]:
    with translated("reading demand"):
        pipe: Any = client.pipeline(transaction=True)
        pipe.zrangebyscore(name, now, "+inf", withscores=True)
        pipe.zremrangebyscore(name, "-inf", "+inf" if take else f"({now}")
        found = pipe.execute()[0]
    return {key.decode("ascii", "replace"): float(until) for key, until in found}
