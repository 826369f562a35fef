"""What pages, streams and API calls want to see: sorted sets, the score of a key is the instant until which
it is wanted.

The one way back from web to worker. Knows nothing of who wants it.
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
OTHERS: Final = DEMAND
_LAST: Final = 99  # after every rank

MOST: Final = 10_000  # members of a set: twice what a connection takes. The rest is removed, whoever wrote it


def forget_all(client: redis.Redis) -> None:
    """Forget every wish: what is still shown is asked for again within seconds.

    After a clock was set back, wishes of before would stand for hours and take the places of others.

    Raises:
        StoreError: Redis cannot be written.
    """
    with translated("forgetting demand"):
        client.unlink(PAGES, PROGRAMS, OTHERS, DEMAND_REST)


def want_rest(client: redis.Redis, keys: Iterable[str], until: float) -> None:
    """Ask the worker to fetch `keys` by REST, unless `until` has passed when it gets to it.

    Raises:
        StoreError: Redis cannot be written.
    """
    scores = dict.fromkeys(keys, until)
    if not scores:
        return
    with translated("writing demand"):
        client.zadd(DEMAND_REST, scores, gt=True)


def want(client: redis.Redis, ranks: Mapping[str, Mapping[str, int]], now: float, until: float) -> None:
    """Keep keys subscribed until `until`, and say how early each is served: its rank, by kind of wish and by
    key.

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
    """Return what is wanted at `now`, by kind of wish and by key; forget what is over.

    PAGES and PROGRAMS are what web processes wrote with `want`. OTHERS is everything, the soonest to expire
    first: also what other programs wrote, which has no rank. At most MOST of each, the soonest to expire:
    whoever may write to Redis may write anything, and its memory and this process's time are everybody's.

    Raises:
        StoreError: Redis cannot be read.
    """
    with translated("reading demand"):
        pipe: Any = client.pipeline(transaction=True)
        for name in (PAGES, PROGRAMS, OTHERS):
            pipe.zremrangebyscore(name, "-inf", f"({now}")
            pipe.zremrangebyrank(name, MOST, -1)
            pipe.zrange(name, 0, -1, withscores=True)
        answers = pipe.execute()
    metrics.count("demand_cut", sum(answers[1::3]))
    pages, programs, others = answers[2::3]
    unranked = {_text(key): Demand(_LAST, float(until)) for key, until in others}
    return {PAGES: _ranked(pages), PROGRAMS: _ranked(programs), OTHERS: unranked}


def _ranked(members: Iterable[tuple[bytes, float]]) -> dict[str, Demand]:
    """Read members that are a rank and a key; of several ranks of a key the lowest counts."""
    found: dict[str, Demand] = {}
    for member, until in members:
        rank, _, key = _text(member).partition(" ")
        if len(rank) > 2 or not (rank.isascii() and rank.isdigit()):
            continue
        held = found.get(key)
        found[key] = (
            Demand(int(rank), until)
            if held is None
            else Demand(min(int(rank), held.rank), max(until, held.until))
        )
    return found


def forget(client: redis.Redis, keys: Iterable[str]) -> None:
    """Remove keys that `wanted` returned among the OTHERS and that are no instruments.

    Raises:
        StoreError: Redis cannot be written.
    """
    members = [key.encode("ascii", "surrogateescape") for key in keys]
    if members:
        with translated("removing demand"):
            client.zrem(DEMAND, *members)


def take_rest(client: redis.Redis, now: float, *, wait_s: float = 0) -> list[str]:
    """Return the keys asked for by REST and still wanted at `now`, at most MOST, and forget them all: each is
    taken once.

    Args:
        wait_s: how long the server may hold the answer back until something is asked for; shorter than the
            client's time-out.
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
