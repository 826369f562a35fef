"""Connecting to Redis or Valkey, and the one place where its exceptions become ours."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final
from urllib.parse import urlsplit

import redis
from redis.backoff import NoBackoff
from redis.maint_notifications import MaintNotificationsConfig
from redis.retry import Retry

from ltp import metrics
from ltp.errors import ConfigError, StoreError

Client = redis.Redis  # what the other layers call it: none but this one imports redis
_CREDENTIALS: Final = re.compile(r"://[^/@\s]*@")
_MAX_CONNECTIONS: Final = 32  # waits for a free one instead of opening more: a burst must not use up the server's clients


def connect(url: str, *, timeout_s: float, retries: int = 1) -> redis.Redis:
    """Return a client; nothing is sent before its first command.

    Args:
        timeout_s: longest wait for a connection, and for each answer. 0.5 on a request's path, 2 in the worker.
        retries: a connection that was closed under us is opened again so often. An answer that does not come is not
            asked for again: the second wait would double the time a page takes while the server is frozen.
    Raises:
        ConfigError: the address is none.
    """
    try:
        pool = redis.BlockingConnectionPool.from_url(_checked(url), **_options(timeout_s, retries))
        pool.connection_class(**pool.connection_kwargs)  # an option that is none would be met at the first command only
    except (ValueError, TypeError):
        raise _refused(url) from None
    return redis.Redis.from_pool(pool)


def _options(timeout_s: float, retries: int) -> dict[str, Any]:
    return {
        "max_connections": _MAX_CONNECTIONS,
        "timeout": timeout_s,
        "protocol": 2,  # 3 changes the shape of many answers, and adds pushes that nobody here reads
        "socket_timeout": timeout_s,
        "socket_connect_timeout": timeout_s,
        "retry": Retry(NoBackoff(), retries, supported_errors=(redis.ConnectionError,)),
        "health_check_interval": 0,  # its pings only delay the notice of a dead peer (redis-py sends, and never waits)
        "maint_notifications_config": MaintNotificationsConfig(enabled=False),
    }


def _checked(url: str) -> str:
    parts = urlsplit(url)
    _ = parts.port  # raises where it is no port
    database = parts.path.strip("/")
    if parts.scheme not in {"redis", "rediss", "unix"} or (parts.scheme != "unix" and database and not database.isdecimal()):
        raise ValueError(url)
    return url


def _refused(url: str) -> ConfigError:
    scheme, separator, _ = url.partition("://")
    # An address whose parts cannot be told apart may hide its password anywhere.
    return ConfigError(
        "REDIS_URL",
        f"{scheme}://***" if separator else "***",
        "an address such as redis://localhost:6379/0, rediss:// or unix://, with options that redis-py knows",
    )


@contextmanager
def translated(what: str) -> Iterator[None]:
    """Turn whatever redis-py raises inside into a StoreError that says `what` failed, without address or password."""
    try:
        yield
    except (redis.RedisError, OSError) as error:
        metrics.count(f"store_errors.{type(error).__name__}")
        sentence = _CREDENTIALS.sub("://***@", str(error))[:200].rstrip(". ")
        raise StoreError(f"{what} failed: {type(error).__name__}: {sentence}") from None
