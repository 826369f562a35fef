from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import redis

from ltp.store.client import connect
from ltp.store.transaction import RedisLine, Transaction, bulk, command


@pytest.fixture
def client(valkey: Any) -> Iterator[Any]:
    connected = connect(valkey.url, timeout_s=0.5)
    yield connected
    connected.close()


def test_an_argument_is_its_length_in_bytes_and_itself() -> None:
    assert bulk("ltp:NSE_EQ:1333") == "$15\r\nltp:NSE_EQ:1333\r\n"
    assert bulk(30) == "$2\r\n30\r\n"
    assert bulk("") == "$0\r\n\r\n"
    assert bulk("₹5") == "$4\r\n₹5\r\n"
    assert command("EX", 30) == "*2\r\n$2\r\nEX\r\n$2\r\n30\r\n"


def test_answers_are_those_of_the_commands_in_their_order(client: Any) -> None:
    transaction = Transaction(RedisLine(client))
    transaction.execute_command("SET", "a", "₹ 5\r\n$1")
    transaction.queue(3, [bulk("SET") + bulk("b"), bulk(7)])
    transaction.execute_command("MGET", "a", "b", "c")
    assert transaction.execute() == [b"OK", b"OK", ["₹ 5\r\n$1".encode(), b"7", None]]
    assert Transaction(RedisLine(client)).execute() == []


def test_all_travel_together(client: Any, valkey: Any) -> None:
    listener = valkey.client.pubsub(ignore_subscribe_messages=True)
    listener.subscribe("news")
    listener.get_message(timeout=2)
    transaction = Transaction(RedisLine(client))
    transaction.execute_command("SET", "a", 1)
    transaction.execute_command("PUBLISH", "news", "x")
    assert valkey.client.get("a") is None
    transaction.execute()
    assert valkey.client.get("a") == b"1"
    assert listener.get_message(timeout=2)["data"] == b"x"
    listener.close()


def test_a_command_the_server_does_not_know_stops_all_and_is_named(client: Any, valkey: Any) -> None:
    transaction = Transaction(RedisLine(client))
    transaction.execute_command("SET", "a", 1)
    transaction.execute_command("NOSUCH", 1)
    with pytest.raises(redis.ResponseError, match="NOSUCH"):
        transaction.execute()
    assert valkey.client.get("a") is None
    assert client.ping(), "the answers behind the refusal were read too"


def test_a_command_that_fails_while_carried_out_is_raised(client: Any, valkey: Any) -> None:
    valkey.client.lpush("list", "x")
    transaction = Transaction(RedisLine(client))
    transaction.execute_command("INCR", "list")
    with pytest.raises(redis.ResponseError, match="wrong kind"):
        transaction.execute()
    assert client.ping()


def test_a_connection_that_was_closed_under_us_is_opened_again_once(client: Any, valkey: Any) -> None:
    client.ping()
    valkey.client.client_kill_filter(_type="normal", skipme=True)
    transaction = Transaction(RedisLine(client))
    transaction.execute_command("SET", "a", 1)
    assert transaction.execute() == [b"OK"]


def test_a_line_is_one_connection_whatever_happens(valkey: Any) -> None:
    client: Any = redis.Redis.from_pool(
        redis.BlockingConnectionPool.from_url(valkey.url, max_connections=1, timeout=0.2, protocol=2)
    )
    line = RedisLine(client)
    for name in ("PING", "NOSUCH", "PING"):
        transaction = Transaction(line)
        transaction.execute_command(name)
        if name == "PING":
            assert transaction.execute() == [b"PONG"]
        else:
            with pytest.raises(redis.ResponseError):
                transaction.execute()
    client.close()


def test_answers_that_come_too_late_are_not_those_of_the_next_transaction(client: Any, valkey: Any) -> None:
    line = RedisLine(client)
    first = Transaction(line)
    first.execute_command("SET", "a", 1)
    first.execute()
    valkey.client.client_pause(1_500, all=True)
    second = Transaction(line)
    second.execute_command("SET", "a", 2)
    with pytest.raises(redis.TimeoutError):
        second.execute()
    valkey.client.client_unpause()
    third = Transaction(line)
    third.execute_command("GET", "a")
    (found,) = third.execute()
    assert found in (b"1", b"2")


def test_a_server_that_is_not_there_is_a_connection_error(free_port: Callable[[], int]) -> None:
    transaction = Transaction(RedisLine(connect(f"redis://127.0.0.1:{free_port()}/0", timeout_s=0.2)))
    transaction.execute_command("PING")
    with pytest.raises(redis.ConnectionError):
        transaction.execute()


def ahead(line: RedisLine, *command_: str | int) -> None:
    transaction = Transaction(line)
    transaction.execute_command(*command_)
    transaction.execute_ahead()


@pytest.fixture
def line(client: Any) -> RedisLine:
    made = RedisLine(client)
    Transaction(made).execute()  # a connection that stands
    return made


def test_nothing_is_sent_ahead_where_there_is_no_connection_yet(client: Any) -> None:
    line = RedisLine(client)
    assert not line.ready()
    Transaction(line).execute()
    assert line.ready()


def test_what_was_sent_ahead_arrives_in_order_and_its_answers_are_nobody_elses(
    line: RedisLine, valkey: Any, wait_for: Callable[..., Any]
) -> None:
    for number in range(3):
        ahead(line, "RPUSH", "list", number)
    wait_for(line.ready)
    assert not line.unsent
    ahead(line, "RPUSH", "list", 3)
    last = Transaction(line)
    last.execute_command("LRANGE", "list", 0, -1)
    assert last.execute() == [[b"0", b"1", b"2", b"3"]]
    assert valkey.client.llen("list") == 4


def test_a_refusal_of_what_was_sent_ahead_is_told_by_whatever_comes_next(
    line: RedisLine, wait_for: Callable[..., Any]
) -> None:
    ahead(line, "NOSUCH")
    with pytest.raises(redis.ResponseError, match="NOSUCH"):
        wait_for(line.ready)
    ahead(line, "NOSUCH")
    with pytest.raises(redis.ResponseError, match="NOSUCH"):
        line.settle()
    ahead(line, "NOSUCH")
    with pytest.raises(redis.ResponseError, match="NOSUCH"):
        Transaction(line).execute()
    assert Transaction(line).execute() == []


def test_what_a_server_that_reads_nothing_leaves_behind_waits_and_then_arrives_whole(
    line: RedisLine, valkey: Any
) -> None:
    os.kill(valkey.pid, signal.SIGSTOP)
    try:
        for number in range(3):
            ahead(line, "SET", f"big{number}", "x" * (4 << 20))
        assert line.unsent
        assert not line.ready()
        with pytest.raises(redis.TimeoutError):
            line.settle()
    finally:
        os.kill(valkey.pid, signal.SIGCONT)
    assert not line.unsent, "what is left of a broken connection would be garbage on the next"
    assert not line.ready()
    again = Transaction(line)
    again.execute_command("SET", "big0", "y" * (4 << 20))
    assert again.execute() == [b"OK"]
    assert valkey.client.get("big0") == b"y" * (4 << 20)


def test_what_the_kernel_did_not_take_leaves_before_what_comes_next(line: RedisLine, valkey: Any) -> None:
    big = "x" * (16 << 20)  # more than a socket's buffers hold
    ahead(line, "SET", "big", big)
    ahead(line, "RPUSH", "list", 1)
    line.settle()
    assert not line.unsent
    assert valkey.client.strlen("big") == len(big)
    assert valkey.client.lrange("list", 0, -1) == [b"1"]


def test_a_connection_that_ends_is_told_and_its_rest_forgotten(
    line: RedisLine, valkey: Any, wait_for: Callable[..., Any]
) -> None:
    ahead(line, "SET", "a", 1)
    valkey.client.client_kill_filter(_type="normal", skipme=True)
    with pytest.raises(redis.ConnectionError):
        wait_for(lambda: line.ready() and ahead(line, "SET", "a", 2))
    assert not line.ready()
    assert Transaction(line).execute() == []
