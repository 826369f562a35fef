"""Wishes of the web processes for something the worker makes only on demand: sorted sets of keys, scored by the end of
the wish in seconds since the epoch.
"""

from __future__ import annotations

from typing import Any

import redis


def read(client: redis.Redis, name: str, now: float, *, latest: float, most: int) -> list[str]:
    """Return the wished keys at `now`, the latest end first, and remove the others from the set.

    Args:
        latest: a later end was written by a clock that is ahead, or by another program, and is removed.
        most: of more those that were renewed longest ago are removed: an open page renews its wish.
    """
    pipe: Any = client.pipeline(transaction=True)
    pipe.zremrangebyscore(name, "-inf", f"({now}")
    pipe.zremrangebyscore(name, f"({latest}", "+inf")
    pipe.zremrangebyrank(name, 0, -most - 1)
    pipe.zrange(name, 0, -1)
    return [member.decode("ascii", "replace") for member in reversed(pipe.execute()[-1])]
