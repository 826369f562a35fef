"""What pages, streams and API calls want to see: sorted sets, the score of a key is the instant until which it is wanted.

The one way back from web to worker. Knows nothing of who wants it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import redis

from ltp.store.client import translated
from ltp.store.keys import DEMAND, DEMAND_REST

_ALL: Final = 1 << 20  # more than anybody asks for between two looks


def want(client: redis.Redis, keys: Iterable[str], until: float) -> None:
    """Keep `keys` subscribed until `until` (seconds since the epoch), in one command; never shortens a wish.

    Raises:
        StoreError: Redis cannot be written.
    """
    _add(client, DEMAND, keys, until)


def forget(client: redis.Redis) -> None:
    """Forget every wish: what is still shown is asked for again within seconds.

    After a clock was set back, wishes of before would stand for hours and take the places of others.

    Raises:
        StoreError: Redis cannot be written.
    """
    with translated("forgetting demand"):
        client.unlink(DEMAND, DEMAND_REST)


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
    with translated("reading demand"):
        pipe: Any = client.pipeline(transaction=True)
        pipe.zrangebyscore(DEMAND, now, "+inf", withscores=True)
        pipe.zremrangebyscore(DEMAND, "-inf", f"({now}")
        found = pipe.execute()[0]
    return {key.decode("ascii", "replace"): float(until) for key, until in found}


def take_rest(client: redis.Redis, now: float, *, wait_s: float = 0) -> list[str]:
    """Return the keys asked for by REST and still wanted at `now`, and forget them all: each request is taken once.

    Args:
        wait_s: how long the server may hold the answer back until something is asked for; shorter than the client's time-out.
    Raises:
        StoreError: Redis cannot be read.
    """
    with translated("reading demand"):
        first: Any = client.bzpopmin(DEMAND_REST, timeout=wait_s) if wait_s else ()
        if first is None:
            return []
        found: Any = [first[1:], *client.zpopmin(DEMAND_REST, _ALL)] if first else client.zpopmin(DEMAND_REST, _ALL)
    return [key.decode("ascii", "replace") for key, until in found if until >= now]
