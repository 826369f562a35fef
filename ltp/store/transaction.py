"""Commands that travel in one write and are carried out together or not at all: MULTI, the commands, EXEC.

redis-py's own pipeline packs every argument of every command in Python, which for two keys and a message a
tick costs more than all the rest of the worker. Here whoever has many arguments hands them over as one text
already in the server's form, and texts are not put together once more: by then a third of a megabyte, they
fit no cache. Opening connections, the second attempt on a closed one and the exceptions are redis-py's.
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
_MORE: Final = object()  # what the reader says when the rest of an answer has not come


class RedisLine:
    """A connection to the server kept for transactions, and read in place: what redis-py does around each of
    them, and each of their answers, costs as much as the answers.

    Opened with the first of them, and again after it broke. One thread at a time uses it. A transaction can
    be sent ahead: then its answers are owed, and taken in by whatever is called next, which also raises what
    was refused in them.
    """

    def __init__(self, client: redis.Redis) -> None:
        self._pool: Any = client.connection_pool
        self._connection: Any = None
        self._reader = _reader()
        self._unsent = b""  # of what was sent ahead: the kernel took no more
        self._owed: deque[int] = deque()  # how many answers each transaction that was sent ahead gets
        self._answers: list[Any] = []  # those of the first of them that have come

    @property
    def unsent(self) -> bool:
        """Part of what was sent ahead is still here: it leaves with `settle` or `exchange`."""
        return bool(self._unsent)

    def exchange(self, parts: Sequence[bytes], count: int) -> list[Any]:
        """Send `parts` one after another and return their `count` answers, refusals among them. Settles
        first.

        Raises:
            redis.RedisError, OSError: the connection failed, or the server refused what was sent ahead.
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
        """Take in the owed answers that have come, and tell whether something can be sent ahead: that was all
        of them, and the connection stands. Waits for nothing. Raises as `exchange`.

        Never over TLS, which may have to read before it can write.
        """
        connected = None if self._connection is None else self._connection._sock
        if connected is None or isinstance(connected, ssl.SSLSocket):
            return False
        if self._owed and not self._unsent:
            self._take_in(0.0)
        return not self._owed

    def send_ahead(self, parts: Sequence[bytes], count: int) -> None:
        """Send of `parts` what the kernel takes at once; their `count` answers are owed. Raises as
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
        """Wait until all that was sent ahead is answered. Raises as `exchange`."""
        if not self._owed:
            return
        timeout_s = self._connection.socket_timeout
        with self._cut_on_failure():
            self._within(timeout_s).sendall(self._unsent)
        self._unsent = b""
        while self._owed:
            self._take_in(timeout_s)

    def cut(self) -> None:
        """Break the connection, and with it forget what is owed: whatever else comes on it would pass for the
        answers of the next transaction.
        """
        if self._connection is not None:
            self._connection.disconnect()
        self._reader = _reader()
        self._unsent, self._answers = b"", []
        self._owed.clear()

    def _exchanged(self, packed: bytes, count: int) -> list[Any]:
        self._connection.connect()  # does nothing where it is
        answers: list[Any] = []
        with self._cut_on_failure():
            connected = self._within(self._connection.socket_timeout)
            connected.sendall(packed)
            while len(answers) < count:
                answers += self._received(connected)
        return answers

    def _take_in(self, timeout_s: float | None) -> None:
        """Receive once, and raise what is refused in the answers of a transaction that is whole by now."""
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
        connected: socket.socket = self._connection._sock  # the one thing of it that has no public name
        if connected.gettimeout() != timeout_s:  # setting it is a system call
            connected.settimeout(timeout_s)
        return connected

    def _received(self, connected: socket.socket) -> list[Any]:
        chunk = connected.recv(_CHUNK)
        if not chunk:
            raise ConnectionResetError("the server closed the connection")
        self._reader.feed(chunk)
        answers = []
        while (answer := self._reader.gets()) is not _MORE:
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
    return hiredis.Reader(replyError=ResponseError, notEnoughData=_MORE)


def carried_out(answers: list[Any]) -> list[Any]:
    """Return what the commands of a transaction answered, out of all of its answers.

    Raises:
        redis.ResponseError: one was refused.
    """
    *queued, last = answers
    for answer in (*queued, *(last if isinstance(last, list) else [last])):
        if isinstance(answer, ResponseError):
            raise answer  # where EXEC only says that there is a reason, the reason came before it
    return cast(list[Any], last)


class Transaction:
    """Used once: commands in, one `execute` or `execute_ahead`. Takes the place of a pipeline where commands
    are only queued.
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
        """Queue a command of `count` arguments; `texts`, a few, are what `bulk` gives of them one after
        another, cut anywhere.
        """
        self._parts.append(f"*{count}\r\n".encode())
        self._parts.extend(map(str.encode, texts))
        self._size += 1

    def execute(self) -> list[Any]:
        """Return the answers, one a command.

        Raises:
            redis.RedisError, OSError: the connection failed, or the server refused a command; then it carried
                out none, or
                (a refusal while carrying out) all others.
        """
        return carried_out(self._line.exchange(*self._whole()))

    def execute_ahead(self) -> None:
        """Send it and wait for nothing: see `RedisLine.send_ahead`."""
        self._line.send_ahead(*self._whole())

    def _whole(self) -> tuple[list[bytes], int]:
        return [*self._parts, command("EXEC").encode()], self._size + 2  # MULTI and EXEC are answered too


def command(*arguments: Argument) -> str:
    return f"*{len(arguments)}\r\n" + "".join(map(bulk, arguments))


def bulk(argument: Argument) -> str:
    """Return one argument in the server's form: its length in bytes, then itself."""
    text = str(argument)
    return f"${len(text) if text.isascii() else len(text.encode())}\r\n{text}\r\n"
