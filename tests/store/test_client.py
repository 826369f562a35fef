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
