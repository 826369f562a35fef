"""One server-sent event to bytes: the only encoder.

A bare CR inside data would start a new field in the browser, so every kind of line end becomes a data line of
its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

_LINE_END = re.compile(r"\r\n|\r|\n")


def piece(data: str) -> bytes:
    """Return data as it stands in an event, so that what was encoded once can be joined into many events by
    `frame`.
    """
    if "\n" in data or "\r" in data:
        data = _LINE_END.sub("\ndata: ", data)
    # A lone surrogate would raise in the middle of a flush, for every viewer; one wrong character costs
    # nobody anything.
    return data.encode(errors="replace")


def frame(pieces: Iterable[bytes], *, id: int | None = None, retry_ms: int | None = None) -> bytes:
    """Return one event of such pieces, ended by LF LF; there has to be something in them."""
    head = b"" if id is None else b"id: %d\n" % id
    if retry_ms is not None:
        head += b"retry: %d\n" % retry_ms
    return b"".join((head, b"data: ", *pieces, b"\n\n"))


def encode(data: str, *, id: int | None = None, event: str = "", retry_ms: int | None = None) -> bytes:
    """Return one event, ended by LF LF.

    `retry` is honoured by browsers only on an event with data or a name, so data may be empty only when
    `event` is given.
    """
    if not data and not event:
        raise AssertionError("an event without data or name is ignored by every browser")
    head = "" if id is None else f"id: {id}\n"
    if retry_ms is not None:
        head += f"retry: {retry_ms}\n"
    if event:
        head += f"event: {_LINE_END.sub(' ', event)}\n"
    return b"%bdata: %b\n\n" % (head.encode(errors="replace"), piece(data))
