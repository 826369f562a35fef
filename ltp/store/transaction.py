"""Commands that travel in one write and are carried out together or not at all: MULTI, the commands, EXEC.

redis-py's own pipeline packs every argument of every command in Python, which for two keys and a message a tick costs more
than all the rest of the worker. Here whoever has many arguments hands them over as one text already in the server's form.
Connections, time-outs, the second attempt on a closed one and the exceptions are redis-py's.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import redis
from redis.exceptions import ExecAbortError, ResponseError

Argument = str | int | float


class Transaction:
    """Used once: commands in, one `execute`. Takes the place of a pipeline where commands are only queued."""

    def __init__(self, client: redis.Redis) -> None:
        self._pool: Any = client.connection_pool
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
        packed = "".join(self._texts).encode()
        connection = self._pool.get_connection()
        try:
            answers: list[Any] = connection.retry.call_with_retry(
                lambda: self._exchange(connection, packed), lambda _: connection.disconnect()
            )
        finally:
            self._pool.release(connection)
        return answers

    def _exchange(self, connection: Any, packed: bytes) -> list[Any]:
        connection.send_packed_command([packed])
        refusals = []
        for _ in range(1 + self._size):  # MULTI is answered too; what is left unread would answer the next command
            try:
                connection.read_response()
            except ResponseError as error:
                refusals.append(error)
        try:
            answers: list[Any] = connection.read_response()
        except ExecAbortError:
            if refusals:
                raise refusals[0] from None  # the reason, where EXEC only says that there is one
            raise
        for answer in answers:
            if isinstance(answer, ResponseError):
                raise answer
        return answers


def command(*arguments: Argument) -> str:
    return f"*{len(arguments)}\r\n" + "".join(map(bulk, arguments))


def bulk(argument: Argument) -> str:
    """Return one argument in the server's form: its length in bytes, then itself."""
    text = str(argument)
    return f"${len(text) if text.isascii() else len(text.encode())}\r\n{text}\r\n"
