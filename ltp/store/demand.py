"""Demand: the instruments that pages, streams and API calls want, as sorted sets scored by the end of the
wish.

The only way from the web processes to the worker.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

import redis

from ltp import metrics
from ltp.core.clients.allotment import Demand
from ltp.store.client import translated
from ltp.store.keys import DEMAND, DEMAND_PAGES, DEMAND_PROGRAMS, DEMAND_REST

PAGES: Final = DEMAND_PAGES
PROGRAMS: Final = DEMAND_PROGRAMS
EVERY: Final = DEMAND
_LAST: Final = 99  # behind every rank that a web process writes
# Members of a set: twice as many as a connection takes. Further members are removed, whichever program wrote
# them.
MOST: Final = 10_000


def forget_all(client: redis.Redis) -> None:
    """Remove every wish: web processes write those that they still have within seconds.

    After a clock was set back, earlier wishes would last for hours and take the places of others.

    Raises:
        StoreError: Redis cannot be written.
    """
    with translated("forgetting demand"):
        client.unlink(PAGES, PROGRAMS, EVERY, DEMAND_REST)


def want_rest(client: redis.Redis, keys: Iterable[str], until: float) -> None:
    """Request `keys` by REST; the worker skips the request if it comes to it after `until`.

    Raises:
        StoreError: Redis cannot be written.
    """
    scores = dict.fromkeys(keys, until)
    if not scores:
        return
    with translated("writing demand"):
        client.zadd(DEMAND_REST, scores, gt=True)


def want(client: redis.Redis, ranks: Mapping[str, Mapping[str, int]], now: float, until: float) -> None:
    """Keep keys subscribed until `until`, in the order of their ranks.

    Args:
        ranks: rank by kind of wish and by key; 0 is served first.

    Raises:
        StoreError: Redis cannot be written.
    """
    with translated("writing demand"):
        pipe: Any = client.pipeline(transaction=True)
        pipe.zadd(DEMAND, dict.fromkeys((key for kind in ranks.values() for key in kind), until), gt=True)
        for kind, of_keys in ranks.items():
            if of_keys:
                pipe.zadd(kind, {f"{rank} {key}": until for key, rank in of_keys.items()}, gt=True)
        for name in (DEMAND, *ranks):
            pipe.zremrangebyscore(name, "-inf", f"({now}")
        pipe.execute()


def wanted(client: redis.Redis, now: float) -> dict[str, dict[str, Demand]]:
    """Return the wishes at `now`, by kind and by key; remove the expired ones.

    PAGES and PROGRAMS hold the wishes that web processes wrote with `want`. EVERY holds all keys, the
    soonest to expire first, including those that other programs wrote, which have no rank. At most MOST of
    each, the soonest to expire: any program with access to Redis may write any number, at the cost of its
    memory and of this process's time.

    Raises:
        StoreError: Redis cannot be read.
    """
    with translated("reading demand"):
        pipe: Any = client.pipeline(transaction=True)
        for name in (PAGES, PROGRAMS, EVERY):
            pipe.zremrangebyscore(name, "-inf", f"({now}")
            pipe.zremrangebyrank(name, MOST, -1)
            pipe.zrange(name, 0, -1, withscores=True)
        answers = pipe.execute()
    metrics.count("demand_cut", sum(answers[1::3]))
    pages, programs, others = answers[2::3]
    unranked = {_text(key): Demand(_LAST, float(until)) for key, until in others}
    return {PAGES: _ranked(pages), PROGRAMS: _ranked(programs), EVERY: unranked}


def _ranked(members: Iterable[tuple[bytes, float]]) -> dict[str, Demand]:
    """Return the wishes in members "RANK KEY"; of several ranks of a key, the lowest counts."""
    found: dict[str, Demand] = {}
    for member, until in members:
        rank, _, key = _text(member).partition(" ")
        if len(rank) > 2 or not (rank.isascii() and rank.isdigit()):
            continue
        wish = found.get(key, Demand(_LAST, until))
        found[key] = Demand(min(int(rank), wish.rank), max(until, wish.until))
    return found


def forget(client: redis.Redis, keys: Iterable[str]) -> None:
    """Remove keys of EVERY that are no instruments.

    Raises:
        StoreError: Redis cannot be written.
    """
    members = [key.encode("ascii", "surrogateescape") for key in keys]
    if members:
        with translated("removing demand"):
            client.zrem(DEMAND, *members)


def take_rest(client: redis.Redis, now: float, *, wait_s: float = 0) -> list[str]:
    """Return the keys requested by REST and not expired at `now`, at most MOST, and remove all requests: each
    is returned once.

    Args:
        wait_s: how long the server may wait for a first request; shorter than the client's time-out.
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
    return member.decode("ascii", "surrogateescape")  # so that `forget` can remove any bytes as they came
