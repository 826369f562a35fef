"""The encoder of server-sent events.

A bare CR inside data would start a new field in the browser, so every kind of line end starts a new line
of data.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

_LINE_END = re.compile(r"\r\n|\r|\n")


def piece(data: str) -> bytes:
    """Return data encoded for `frame`, which joins pieces, each encoded once, into many events."""
    if "\n" in data or "\r" in data:
        data = _LINE_END.sub("\ndata: ", data)
    # A lone surrogate is replaced: it would raise in the middle of a flush and cost every browser its event.
    return data.encode(errors="replace")


def frame(pieces: Iterable[bytes], *, id: int | None = None, retry_ms: int | None = None) -> bytes:
    """Return one event of pieces that are not all empty, ended by LF LF."""
    head = b"" if id is None else b"id: %d\n" % id
    if retry_ms is not None:
        head += b"retry: %d\n" % retry_ms
    return b"".join((head, b"data: ", *pieces, b"\n\n"))


def encode(data: str, *, id: int | None = None, event: str = "", retry_ms: int | None = None) -> bytes:
    """Return one event, ended by LF LF.

    Browsers ignore `retry` on an event without data and name, so data may be empty only if `event` is given.
    """
    if not data and not event:
        raise AssertionError("an event without data or name is ignored by every browser")
    head = "" if id is None else f"id: {id}\n"
    if retry_ms is not None:
        head += f"retry: {retry_ms}\n"
    if event:
        head += f"event: {_LINE_END.sub(' ', event)}\n"
    return b"%bdata: %b\n\n" % (head.encode(errors="replace"), piece(data))
