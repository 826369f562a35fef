"""A check of the server before its first use: login, rights, and that it is no part of a Cluster.

Without it, each refusal would come later and alone, in whichever thread sends that command first.
"""

from __future__ import annotations

from typing import Any, Final

import redis

from ltp.store import keys
from ltp.store.client import translated

Commands = tuple[tuple[str | int, ...], ...]
_LTP, _TICK = keys.ltp("NSE_EQ:0"), keys.tick("NSE_EQ:0")
_READ: Final = (keys.DEMAND, keys.DEMAND_PAGES, keys.DEMAND_PROGRAMS, keys.DEMAND_DEPTH, keys.DEMAND_BARS)
_WRITTEN: Final = (*_READ, keys.DEMAND_REST)
# Every command that a process sends, with each key or kind of keys. MSETEX is left out: without it a script is used.
WORKER: Final[Commands] = (
    ("GET", keys.LEASE),
    ("SET", keys.LEASE, "", "PX", 1, "NX"),
    ("EVAL", "return 0", 1, keys.LEASE),
    ("PEXPIRE", keys.LEASE, 1),
    ("DEL", keys.LEASE),
    ("INCRBY", keys.FENCE, 1),
    ("GET", keys.NOT_BEFORE),
    ("SET", keys.NOT_BEFORE, ""),
    ("GET", keys.SOURCE),
    ("SET", keys.SOURCE, ""),
    ("SET", keys.HEARTBEAT, "", "EX", 1),
    ("PTTL", keys.HEARTBEAT),
    ("DEL", keys.HEARTBEAT),
    ("HSET", keys.STATUS, "feed", "off"),
    ("EXPIRE", keys.STATUS, 1),
    ("SET", _LTP, "", "PX", 1),
    ("SET", _TICK, "", "PX", 1),
    ("MGET", _LTP, _TICK),
    ("UNLINK", _LTP),
    ("UNLINK", _TICK),
    ("SCAN", 0),
    ("PUBLISH", keys.CHANNEL, ""),
    *(("ZREMRANGEBYSCORE", name, 0, 0) for name in _WRITTEN),
    *(("ZREMRANGEBYRANK", name, 0, 0) for name in _READ),
    *(("ZRANGE", name, 0, -1) for name in _READ),
    ("ZREM", keys.DEMAND, ""),
    ("UNLINK", keys.DEMAND_PAGES, keys.DEMAND_PROGRAMS, keys.DEMAND, keys.DEMAND_REST),
    ("BZPOPMIN", keys.DEMAND_REST, 1),
    ("ZPOPMIN", keys.DEMAND_REST),
    ("DEL", keys.DEMAND_REST),
    ("SET", keys.depth("NSE_EQ:0"), "", "EX", 1),
    ("SET", keys.details("NSE_EQ:0"), "", "EX", 1),
    ("SET", keys.bars("NSE_EQ:0"), "", "EX", 1),
    ("PUBLISH", keys.BARS, ""),
    ("PUBLISH", keys.ALERTS, ""),
    ("MGET", keys.depth("NSE_EQ:0"), keys.details("NSE_EQ:0")),
    ("EXISTS", keys.DEMAND_TABLE),
    ("HGETALL", keys.DEMAND_VIEWERS),
    ("HDEL", keys.DEMAND_VIEWERS, ""),
    ("SET", keys.TABLE, "", "EX", 1),
)
_RENEWED: Final = (keys.DEMAND, keys.DEMAND_PAGES, keys.DEMAND_PROGRAMS, keys.DEMAND_BARS)
WEB: Final[Commands] = (
    ("GET", keys.HEARTBEAT),
    ("HGETALL", keys.STATUS),
    ("MGET", _LTP, _TICK),
    *(("ZADD", name, 0, "NSE_EQ:0") for name in _WRITTEN),
    *(("ZREMRANGEBYSCORE", name, 0, 0) for name in _RENEWED),
    ("MGET", keys.depth("NSE_EQ:0"), keys.details("NSE_EQ:0")),
    ("GET", keys.bars("NSE_EQ:0")),
    ("SET", keys.DEMAND_TABLE, "", "EX", 1),
    ("EXISTS", keys.DEMAND_TABLE),
    ("HSET", keys.DEMAND_VIEWERS, "", ""),
    ("EXPIRE", keys.DEMAND_VIEWERS, 1),
    ("GET", keys.TABLE),
)


def check(client: redis.Redis, commands: Commands) -> None:
    """Let the server check `commands` without carrying out any: they are queued, and the queue is discarded.

    Raises:
        StoreError: the server is away, or (`permanent`) it refuses the login or one of the commands.
    """
    with translated("checking the rights on Redis"):
        pool: Any = client.connection_pool
        connection = pool.get_connection()
        try:
            for command in (("MULTI",), *commands, ("DISCARD",)):
                connection.send_command(*command)
                connection.read_response()
        finally:
            connection.disconnect()
            pool.release(connection)
