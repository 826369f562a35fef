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


def encode(data: str, *, id: int | None = None, retry_ms: int | None = None) -> bytes:
    """Return one event, ended by LF LF.

    Browsers ignore an event without data, and its `retry`.
    """
    if not data:
        raise AssertionError("browsers ignore an event without data")
    return frame((piece(data),), id=id, retry_ms=retry_ms)
