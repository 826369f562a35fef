"""What pages, streams and API calls want to see: sorted sets, the score of a key is the instant until which it is wanted.

The one way back from web to worker. Knows nothing of who wants it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import redis

from ltp import metrics
from ltp.store.client import translated
from ltp.store.keys import DEMAND, DEMAND_REST

MOST: Final = 10_000  # members of a set: twice what a connection takes. The rest is removed, whoever wrote it


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

    At most MOST keys, the soonest to expire: whoever may write to Redis may write anything, and its memory and this
    process's time are everybody's.

    Raises:
        StoreError: Redis cannot be read.
    """
    with translated("reading demand"):
        pipe: Any = client.pipeline(transaction=True)
        pipe.zremrangebyscore(DEMAND, "-inf", f"({now}")
        pipe.zremrangebyrank(DEMAND, MOST, -1)
        pipe.zrange(DEMAND, 0, -1, withscores=True)
        _, cut, found = pipe.execute()
    metrics.count("demand_cut", cut)
    return {_text(key): float(until) for key, until in found}


def forget(client: redis.Redis, keys: Iterable[str]) -> None:
    """Remove keys that `wanted` returned and that are no instruments.

    Raises:
        StoreError: Redis cannot be written.
    """
    members = [key.encode("ascii", "surrogateescape") for key in keys]
    if members:
        with translated("removing demand"):
            client.zrem(DEMAND, *members)


def take_rest(client: redis.Redis, now: float, *, wait_s: float = 0) -> list[str]:
    """Return the keys asked for by REST and still wanted at `now`, at most MOST, and forget them all: each is taken once.

    Args:
        wait_s: how long the server may hold the answer back until something is asked for; shorter than the client's time-out.
    Raises:
        StoreError: Redis cannot be read.
    """
    with translated("reading demand"):
        first: Any = client.bzpopmin(DEMAND_REST, timeout=wait_s) if wait_s else ()
        if first is None:
            return []
        pipe: Any = client.pipeline(transaction=True)
        pipe.zremrangebyscore(DEMAND_REST, "-inf", f"({now}")
        pipe.zpopmin(DEMAND_REST, MOST)
        pipe.delete(DEMAND_REST)
        found: Any = [*([first[1:]] if first else []), *pipe.execute()[1]]
    return [_text(key) for key, until in found if until >= now]


def _text(member: bytes) -> str:
    return member.decode("ascii", "surrogateescape")  # so that what is no text can be removed as it came
