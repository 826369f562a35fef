"""Connecting to Redis or Valkey, and the one place where its exceptions become ours."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import redis
from redis.backoff import NoBackoff
from redis.maint_notifications import MaintNotificationsConfig
from redis.retry import Retry

from ltp import metrics
from ltp.errors import StoreError
from ltp.store.address import ACCEPTED, options_of, refused

Client = redis.Redis  # what the other layers call it: none but this one imports redis
_CREDENTIALS: Final = re.compile(r"://[^/@\s]*@")
# What no waiting mends: the names redis-py has for it, the words of the server where it has none, and what an
# operator can do.
_PERMANENT: Final = {
    ("AuthenticationError", "NOAUTH", "WRONGPASS", "without any password configured"): (
        "Correct the user and password in REDIS_URL"
    ),
    ("NoPermissionError", "NOPERM"): "Give the user in REDIS_URL this right",
    ("MovedError", "AskError", "ClusterDownError", "MOVED ", "CROSSSLOT", "CLUSTERDOWN"): (
        "REDIS_URL must name a server that is no part of a Cluster"
    ),
    ("DB index is out of range", "invalid DB index", "SELECT is not allowed in cluster mode"): (
        "REDIS_URL must name a database that the server has, such as 0"
    ),
    ("InvalidResponse", "Protocol error, got "): "REDIS_URL must name a Redis or Valkey server",
    (
        "CERTIFICATE_VERIFY_FAILED",
        "WRONG_VERSION_NUMBER",
    ): "REDIS_URL must name a server whose TLS is as it says",
}
_MAX_CONNECTIONS: Final = (
    32  # waits for a free one instead of opening more: a burst must not use up the server's clients
)


def connect(url: str, *, timeout_s: float, retries: int = 1) -> redis.Redis:
    """Return a client; nothing is sent before its first command.

    Args:
        timeout_s: longest wait for a connection, and for each answer. 0.5 on a request's path, 2 in the
            worker.
        retries: a connection that was closed under us is opened again so often. An answer that does not come
            is not
            asked for again: the second wait would double the time a page takes while the server is frozen.
    Raises:
        ConfigError: the address is none.
    """
    address = options_of(url)
    try:
        pool = redis.BlockingConnectionPool(**address | _options(timeout_s, retries))  # type: ignore[no-untyped-call]
        pool.connection_class(
            **pool.connection_kwargs
        )  # an option that is none would be met at the first command only
    except (ValueError, TypeError, OSError, redis.RedisError):
        raise refused(url, ACCEPTED) from None
    return redis.Redis.from_pool(pool)


def _options(timeout_s: float, retries: int) -> dict[str, Any]:
    return {
        "max_connections": _MAX_CONNECTIONS,
        "timeout": timeout_s,
        "protocol": 2,  # 3 changes the shape of many answers, and adds pushes that nobody here reads
        "socket_timeout": timeout_s,
        "socket_connect_timeout": timeout_s,
        "retry": Retry(NoBackoff(), retries, supported_errors=(redis.ConnectionError,)),
        # its pings only delay the notice of a dead peer (redis-py sends, and never waits)
        "health_check_interval": 0,
        "maint_notifications_config": MaintNotificationsConfig(enabled=False),
    }


@contextmanager
def translated(what: str) -> Iterator[None]:
    """Turn whatever redis-py raises inside into a StoreError that says `what` failed, without address or
    password.
    """
    try:
        yield
    except (redis.RedisError, OSError) as error:
        metrics.count(f"store_errors.{type(error).__name__}")
        sentence = _CREDENTIALS.sub("://***@", str(error))[:200].rstrip(". ")
        hint = next((hint for signs, hint in _PERMANENT.items() if _shows(error, signs)), "")
        shown = f"{what} failed: {type(error).__name__}: {sentence}"
        raise StoreError(f"{shown}. {hint}" if hint else shown, permanent=bool(hint)) from None


def _shows(error: Exception, signs: tuple[str, ...]) -> bool:
    said = str(error)
    return any(sign == type(error).__name__ or sign in said for sign in signs)
