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
# Every command that a process sends, each with one of its keys.
WORKER: Final[Commands] = (
    ("GET", keys.LEASE),
    ("SET", _LTP, "", "PX", 1),
    ("SET", keys.SOURCE, ""),
    ("SET", keys.NOT_BEFORE, ""),
    ("MGET", _LTP, _TICK),
    ("INCR", keys.FENCE),
    ("EVAL", "return 0", 1, keys.LEASE),
    ("PEXPIRE", keys.LEASE, 1),
    ("DEL", keys.LEASE),
    ("EXPIRE", keys.STATUS, 1),
    ("EXISTS", keys.HEARTBEAT),
    ("HSET", keys.STATUS, "feed", "off"),
    ("SCAN", 0),
    ("UNLINK", _TICK),
    ("ZRANGEBYSCORE", keys.DEMAND, 0, 0),
    ("ZREMRANGEBYSCORE", keys.DEMAND, 0, 0),
    ("ZREMRANGEBYSCORE", keys.DEMAND_DEPTH, 0, 0),
    ("SET", keys.depth("NSE_EQ:0"), "", "EX", 1),
    ("SET", keys.details("NSE_EQ:0"), "", "EX", 1),
    ("BZPOPMIN", keys.DEMAND_REST, 1),
    ("ZPOPMIN", keys.DEMAND_REST),
    ("PUBLISH", keys.CHANNEL, ""),
    ("PUBLISH", keys.BARS, ""),
    ("SET", keys.bars("NSE_EQ:0"), "", "EX", 1),
    ("ZRANGE", keys.DEMAND_BARS, 0, -1),
)
WEB: Final[Commands] = (
    ("GET", keys.HEARTBEAT),
    ("HGETALL", keys.STATUS),
    ("MGET", _LTP, _TICK),
    ("ZADD", keys.DEMAND, 0, "NSE_EQ:0"),
    ("ZADD", keys.DEMAND_REST, 0, "NSE_EQ:0"),
    ("ZADD", keys.DEMAND_DEPTH, 0, "NSE_EQ:0"),
    ("MGET", keys.depth("NSE_EQ:0"), keys.details("NSE_EQ:0")),
    ("ZADD", keys.DEMAND_BARS, 0, "NSE_EQ:0"),
    ("GET", keys.bars("NSE_EQ:0")),
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
