"""Connections to Redis or Valkey, and the translation of its exceptions into StoreError."""

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

Client = redis.Redis  # the name for other layers, of which none imports redis
_CREDENTIALS: Final = re.compile(r"://[^/@\s]*@")
# Failures that waiting does not end: their names in redis-py, or words of the server where it has no name,
# and the remedy.
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
    ): "REDIS_URL must name a server with the TLS that it states",
}
# A command waits for a free one instead of opening more: a burst must not use up the server's clients.
_MAX_CONNECTIONS: Final = 32


def connect(url: str, *, timeout_s: float, retries: int = 1) -> redis.Redis:
    """Return a client; nothing is sent before its first command.

    Args:
        timeout_s: longest wait for a connection, and for each answer. 0.5 on a request's path, 2 in the
            worker.
        retries: how often a connection closed by the server is opened again. A command without an answer
            is not repeated: the second wait would double the time that a page takes while the server is frozen.
    Raises:
        ConfigError: `url` is not acceptable.
    """
    address = options_of(url)
    try:
        pool = redis.BlockingConnectionPool(**address | _options(timeout_s, retries))  # type: ignore[no-untyped-call]
        # Without this, an impossible option would be found only by the first command.
        pool.connection_class(**pool.connection_kwargs)
    except (ValueError, TypeError, OSError, redis.RedisError):
        raise refused(url, ACCEPTED) from None
    return redis.Redis.from_pool(pool)


def _options(timeout_s: float, retries: int) -> dict[str, Any]:
    return {
        "max_connections": _MAX_CONNECTIONS,
        "timeout": timeout_s,
        "protocol": 2,  # 3 changes the shape of many answers, and adds pushes that nothing here reads
        "socket_timeout": timeout_s,
        "socket_connect_timeout": timeout_s,
        "retry": Retry(NoBackoff(), retries, supported_errors=(redis.ConnectionError,)),
        # Its pings only delay the discovery of a dead peer: redis-py sends them and does not wait for
        # answers.
        "health_check_interval": 0,
        "maint_notifications_config": MaintNotificationsConfig(enabled=False),
    }


@contextmanager
def translated(action: str) -> Iterator[None]:
    """Turn exceptions of redis-py inside into a StoreError: `action` failed and why, without address and
    password.
    """
    try:
        yield
    except (redis.RedisError, OSError) as error:
        metrics.count(f"store_errors.{type(error).__name__}")
        sentence = _CREDENTIALS.sub("://***@", str(error))[:200].rstrip(". ")
        hint = next((hint for signs, hint in _PERMANENT.items() if _shows(error, signs)), "")
        shown = f"{action} failed: {type(error).__name__}: {sentence}"
        raise StoreError(f"{shown}. {hint}" if hint else shown, permanent=bool(hint)) from None


def _shows(error: Exception, signs: tuple[str, ...]) -> bool:
    text = str(error)
    return any(sign == type(error).__name__ or sign in text for sign in signs)
