"""Commands that travel in one write and are carried out together or not at all: MULTI, the commands, EXEC.

redis-py's own pipeline packs every argument of every command in Python, which for two keys and a message a tick costs more
than all the rest of the worker. Here whoever has many arguments hands them over as one text already in the server's form.
Opening connections, the second attempt on a closed one and the exceptions are redis-py's.
"""

from __future__ import annotations

import socket
from collections.abc import Iterable
from typing import Any, Final, cast

import hiredis
import redis
from redis.exceptions import ResponseError

Argument = str | int | float
_CHUNK: Final = 65_536
_MORE: Final = object()  # what the reader says when the rest of an answer has not come


class Line:
    """A connection to the server kept for transactions, and read in place: what redis-py does around each of them, and each of
    their answers, costs as much as the answers.

    Opened with the first of them, and again after it broke. One thread uses it.
    """

    def __init__(self, client: redis.Redis) -> None:
        self._pool: Any = client.connection_pool
        self._connection: Any = None
        self._reader = _reader()

    def exchange(self, packed: bytes, count: int) -> list[Any]:
        """Send `packed` and return its `count` answers, refusals among them.

        Raises:
            redis.RedisError, OSError: the connection failed.
        """
        if self._connection is None:
            self._connection = self._pool.get_connection()
        connection = self._connection
        answers: list[Any] = connection.retry.call_with_retry(lambda: self._exchanged(packed, count), lambda _: self._cut())
        return answers

    def _exchanged(self, packed: bytes, count: int) -> list[Any]:
        self._connection.connect()  # does nothing where it is
        answers: list[Any] = []
        try:
            connected = self._connection._sock  # the one thing of it that has no public name
            connected.sendall(packed)
            while len(answers) < count:
                self._reader.feed(_received(connected))
                while (answer := self._reader.gets()) is not _MORE:
                    answers.append(answer)
        except TimeoutError:
            self._cut()
            raise redis.TimeoutError("no answer in time") from None
        except (OSError, hiredis.ProtocolError) as error:
            self._cut()
            raise redis.ConnectionError(str(error)) from error
        return answers

    def _cut(self) -> None:
        """Whatever else comes on this connection would pass for the answers of the next transaction."""
        self._connection.disconnect()
        self._reader = _reader()


def _reader() -> hiredis.Reader:
    return hiredis.Reader(replyError=ResponseError, notEnoughData=_MORE)


def _received(connected: socket.socket) -> bytes:
    chunk = connected.recv(_CHUNK)
    if not chunk:
        raise ConnectionResetError("the server closed the connection")
    return chunk


class Transaction:
    """Used once: commands in, one `execute`. Takes the place of a pipeline where commands are only queued."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._texts: list[str] = [command("MULTI")]
        self._size = 0

    def execute_command(self, *arguments: Argument) -> None:
        """Queue a command."""
        self._texts.append(command(*arguments))
        self._size += 1

    def queue(self, count: int, bulks: Iterable[str]) -> None:
        """Queue a command of `count` arguments; `bulks` are their texts as `bulk` gives them, any number in one."""
        self._texts.append(f"*{count}\r\n")
        self._texts.extend(bulks)
        self._size += 1

    def execute(self) -> list[Any]:
        """Return the answers, one a command.

        Raises:
            redis.RedisError, OSError: the connection failed, or the server refused a command; then it carried out none, or
                (a refusal while carrying out) all others.
        """
        self._texts.append(command("EXEC"))
        answers = self._line.exchange("".join(self._texts).encode(), self._size + 2)  # MULTI and EXEC are answered too
        *queued, carried_out = answers
        for answer in (*queued, *(carried_out if isinstance(carried_out, list) else [carried_out])):
            if isinstance(answer, ResponseError):
                raise answer  # where EXEC only says that there is a reason, the reason came before it
        return cast(list[Any], carried_out)


def command(*arguments: Argument) -> str:
    return f"*{len(arguments)}\r\n" + "".join(map(bulk, arguments))


def bulk(argument: Argument) -> str:
    """Return one argument in the server's form: its length in bytes, then itself."""
    text = str(argument)
    return f"${len(text) if text.isascii() else len(text.encode())}\r\n{text}\r\n"
