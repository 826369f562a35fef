from __future__ import annotations

import os
import signal
import socket
from collections.abc import Callable
from typing import Any

import pytest
import redis

from ltp.errors import ConfigError, StoreError
from ltp.store.client import connect, translated


def test_a_client_of_ours_speaks_the_old_protocol(valkey: Any) -> None:
    """Protocol 3 answers differently, and pushes what nobody reads."""
    client = connect(valkey.url, timeout_s=0.5)
    client.set("a", "b")
    assert b"resp=2" in client.execute_command("CLIENT", "INFO")


def test_a_closed_connection_is_opened_again_without_an_error(valkey: Any) -> None:
    client = connect(valkey.url, timeout_s=0.5)
    client.ping()
    valkey.client.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
    assert client.ping()


def test_a_frozen_server_is_waited_for_once(valkey: Any) -> None:
    """With a second try a page would wait twice as long, and longer than it may."""
    client = connect(valkey.url, timeout_s=0.2)
    client.ping()
    os.kill(valkey.pid, signal.SIGSTOP)
    try:
        with pytest.raises(StoreError), translated("asking"):
            client.ping()
    finally:
        os.kill(valkey.pid, signal.SIGCONT)


def test_nobody_listening_is_a_store_error(free_port: Callable[[], int]) -> None:
    client = connect(f"redis://user:hush@127.0.0.1:{free_port()}/0", timeout_s=0.2)
    with pytest.raises(StoreError) as raised, translated("reading prices"):
        client.get("a")
    assert "reading prices failed" in str(raised.value)
    assert "hush" not in str(raised.value)


def test_a_refused_password_is_a_store_error_without_it(valkey: Any) -> None:
    client = connect(valkey.url.replace("//", "//somebody:hush@"), timeout_s=0.5)
    with pytest.raises(StoreError) as raised, translated("reading prices"):
        client.get("a")
    assert "hush" not in str(raised.value)


def test_no_driver_exception_chains_into_a_traceback() -> None:
    with pytest.raises(StoreError) as raised, translated("reading prices"):
        raise redis.ConnectionError("redis://user:hush@host")
    assert raised.value.__suppress_context__
    assert "hush" not in str(raised.value)


@pytest.mark.parametrize(
    "url",
    [
        "http://localhost",
        "localhost:6379",
        "redis://localhost:port/0",
        "ftp://user:hush@host",
        "redis://:hush@localhost:99999",
        "redis://localhost/first",
        "redis://localhost/0?hush=1",
        "redis://localhost/0?socket_timeout=hush",
        "redis://:p@hush#w/rd@host",
        "redis://:p/hush@host",
        "redis://:p?hush@host",
        "redis://localhost:0/hush",
        "redis://:hush@local host",
        "redis://:hush@256.1.1.1",
        "unix://hush/redis.sock",
        "unix://",
        "rediss://localhost?ssl_cert_reqs=CERT_NONE",
        "rediss://localhost?ssl_ca_certs=/no/such/file",
        "rediss://localhost?ssl_check_hostname=perhaps",
        "redis://localhost/0?db=1",
    ],
)
def test_an_address_that_is_none_is_a_setting_that_is_not_accepted(url: str) -> None:
    with pytest.raises(ConfigError) as raised:
        connect(url, timeout_s=0.5)
    assert "REDIS_URL" in str(raised.value)
    assert "hush" not in str(raised.value)


def test_socket_errors_are_translated_too() -> None:
    with pytest.raises(StoreError), translated("asking"):
        raise socket.gaierror("no such host")


@pytest.mark.parametrize(
    "option",
    [
        "protocol=3",
        "decode_responses=true",
        "max_connections=1",
        "socket_timeout=60",
        "health_check_interval=1",
    ],
)
def test_an_option_that_the_product_sets_is_refused_by_name(option: str) -> None:
    name = option.partition("=")[0]
    with pytest.raises(
        ConfigError,
        match=f"^REDIS_URL='redis://\\*\\*\\*' is not accepted: {name} is not allowed in an address",
    ):
        connect(f"redis://:hush@localhost/0?{option}", timeout_s=0.5)


@pytest.mark.parametrize(
    ("url", "options"),
    [
        (
            "redis://u:p%40%23@h:7/3?client_name=x",
            {"username": "u", "password": "p@#", "host": "h", "port": 7, "db": 3},
        ),
        ("redis://[::1]", {"host": "::1"}),
        (
            "unix://u:p@/run/redis.sock?db=2",
            {"username": "u", "password": "p", "path": "/run/redis.sock", "db": 2},
        ),
        ("rediss://h/0?ssl_cert_reqs=none", {"host": "h", "ssl_cert_reqs": "none"}),
    ],
)
def test_what_an_address_may_say(url: str, options: dict[str, Any]) -> None:
    made = connect(url, timeout_s=0.5).connection_pool.connection_kwargs
    assert {name: made[name] for name in options} == options
    assert (made["protocol"], made["socket_timeout"]) == (2, 0.5)
