"""Transactions: MULTI, commands and EXEC in one write, carried out together or not at all.

redis-py's pipeline packs every argument of every command in Python, which for two keys and a message a tick
costs more than the rest of the worker. Here a caller with many arguments passes them as one text already in
the server's form, and the texts are not joined again: a third of a megabyte fits no processor cache. redis-py
opens the connections, repeats the attempt on a closed one and defines the exceptions.
"""

from __future__ import annotations

import socket
import ssl
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, Final, cast

import hiredis
import redis
from redis.exceptions import ResponseError

Argument = str | int | float
_CHUNK: Final = 4_096  # answers are short
_INCOMPLETE: Final = object()  # returned by the reader while part of an answer is missing


class RedisLine:
    """A connection kept for transactions, with a reader of its own: redis-py's work around each transaction
    and each answer costs as much as the answers.

    Opened with the first transaction, and again after a failure. One thread at a time uses it. A transaction
    can be sent ahead: its answers are then owed, the next call takes them in, and raises if one is a refusal.
    """

    def __init__(self, client: redis.Redis) -> None:
        self._pool: Any = client.connection_pool
        self._connection: Any = None
        self._reader = _reader()
        self._unsent = b""  # end of a transaction sent ahead, of which the kernel took no more
        self._owed: deque[int] = deque()  # numbers of answers to the transactions sent ahead
        self._answers: list[Any] = []  # received answers to the first of these

    @property
    def unsent(self) -> bool:
        """Part of a transaction sent ahead is still here; `settle` or `exchange` sends it."""
        return bool(self._unsent)

    def exchange(self, parts: Sequence[bytes], count: int) -> list[Any]:
        """Settle, send `parts` one after another, and return their `count` answers, which may be refusals.

        Raises:
            redis.RedisError, OSError: the connection failed, or the server refused a command that was sent
                ahead.
        """
        self.settle()
        if self._connection is None:
            self._connection = self._pool.get_connection()
        retry, packed = self._connection.retry, b"".join(parts)
        answers: list[Any] = retry.call_with_retry(
            lambda: self._exchanged(packed, count), lambda _: self.cut()
        )
        return answers

    def ready(self) -> bool:
        """Take in owed answers without waiting; return whether a transaction can be sent ahead: none is owed
        any more, and there is a connection. Raises as `exchange`.

        Always False over TLS, which may have to read before it can write.
        """
        connected = None if self._connection is None else self._connection._sock
        if connected is None or isinstance(connected, ssl.SSLSocket):
            return False
        if self._owed and not self._unsent:
            self._take_in(0.0)
        return not self._owed

    def send_ahead(self, parts: Sequence[bytes], count: int) -> None:
        """Send as much of `parts` as the kernel takes at once; their `count` answers are owed. Raises as
        `exchange`.
        """
        self._owed.append(count)
        sent = 0
        if not self._unsent:
            with self._cut_on_failure(), suppress(BlockingIOError):
                sent = self._within(0.0).sendmsg(parts)
        if self._unsent or sent < sum(map(len, parts)):
            self._unsent += b"".join(parts)[sent:]

    def settle(self) -> None:
        """Wait until everything sent ahead is answered. Raises as `exchange`."""
        if not self._owed:
            return
        timeout_s = self._connection.socket_timeout
        with self._cut_on_failure():
            self._within(timeout_s).sendall(self._unsent)
        self._unsent = b""
        while self._owed:
            self._take_in(timeout_s)

    def cut(self) -> None:
        """Close the connection and forget the owed answers, which would pass for those of the next
        transaction.
        """
        if self._connection is not None:
            self._connection.disconnect()
        self._reader = _reader()
        self._unsent, self._answers = b"", []
        self._owed.clear()

    def _exchanged(self, packed: bytes, count: int) -> list[Any]:
        self._connection.connect()  # does nothing if it is connected
        answers: list[Any] = []
        with self._cut_on_failure():
            connected = self._within(self._connection.socket_timeout)
            connected.sendall(packed)
            while len(answers) < count:
                answers += self._received(connected)
        return answers

    def _take_in(self, timeout_s: float | None) -> None:
        """Receive once; raise if a transaction, completely answered by now, contains a refusal."""
        with self._cut_on_failure():
            try:
                self._answers += self._received(self._within(timeout_s))
            except BlockingIOError:
                return
        while self._owed and len(self._answers) >= self._owed[0]:
            count = self._owed.popleft()
            answers, self._answers = self._answers[:count], self._answers[count:]
            carried_out(answers)

    def _within(self, timeout_s: float | None) -> socket.socket:
        connected: socket.socket = self._connection._sock  # redis-py has no public name for it
        if connected.gettimeout() != timeout_s:  # setting it is a system call
            connected.settimeout(timeout_s)
        return connected

    def _received(self, connected: socket.socket) -> list[Any]:
        chunk = connected.recv(_CHUNK)
        if not chunk:
            raise ConnectionResetError("the server closed the connection")
        self._reader.feed(chunk)
        answers = []
        while (answer := self._reader.gets()) is not _INCOMPLETE:
            answers.append(answer)
        return answers

    @contextmanager
    def _cut_on_failure(self) -> Iterator[None]:
        try:
            yield
        except TimeoutError:
            self.cut()
            raise redis.TimeoutError("no answer in time") from None
        except (OSError, hiredis.ProtocolError) as error:
            self.cut()
            raise redis.ConnectionError(str(error)) from error


def _reader() -> hiredis.Reader:
    return hiredis.Reader(replyError=ResponseError, notEnoughData=_INCOMPLETE)


def carried_out(answers: list[Any]) -> list[Any]:
    """Return the answers to the commands of a transaction, out of all its answers.

    Raises:
        redis.ResponseError: a command was refused.
    """
    *queued, last = answers
    for answer in (*queued, *(last if isinstance(last, list) else [last])):
        if isinstance(answer, ResponseError):
            raise answer  # the reason for EXEC's own refusal stands in an answer before it
    return cast(list[Any], last)


class Transaction:
    """Used once: queue commands, then `execute` or `execute_ahead`. Accepted in place of a redis-py pipeline
    by functions that only queue commands.
    """

    def __init__(self, line: RedisLine) -> None:
        self._line = line
        self._parts: list[bytes] = [command("MULTI").encode()]
        self._size = 0

    def execute_command(self, *arguments: Argument) -> None:
        """Queue a command."""
        self._parts.append(command(*arguments).encode())
        self._size += 1

    def queue(self, count: int, texts: Iterable[str]) -> None:
        """Queue a command of `count` arguments; `texts`, few, are these arguments in the form of `bulk`, cut
        anywhere.
        """
        self._parts.append(f"*{count}\r\n".encode())
        self._parts.extend(map(str.encode, texts))
        self._size += 1

    def execute(self) -> list[Any]:
        """Return the answers, one a command.

        Raises:
            redis.RedisError, OSError: the connection failed, or the server refused a command. Then it carried
                out none, or all others if the refusal came while carrying out.
        """
        return carried_out(self._line.exchange(*self._whole()))

    def execute_ahead(self) -> None:
        """Send it without waiting for answers, see `RedisLine.send_ahead`."""
        self._line.send_ahead(*self._whole())

    def _whole(self) -> tuple[list[bytes], int]:
        return [*self._parts, command("EXEC").encode()], self._size + 2  # MULTI and EXEC are answered too


def command(*arguments: Argument) -> str:
    return f"*{len(arguments)}\r\n" + "".join(map(bulk, arguments))


def bulk(argument: Argument) -> str:
    """Return one argument in the server's form: its length in bytes, then itself."""
    text = str(argument)
    return f"${len(text) if text.isascii() else len(text.encode())}\r\n{text}\r\n"
