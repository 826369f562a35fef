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


def encode(data: str, *, id: int | None = None, retry_ms: int | None = None) -> bytes:
    """Return one event, ended by LF LF.

    Browsers ignore an event without data, and its `retry`.
    """
    if not data:
        raise AssertionError("browsers ignore an event without data")
    return frame((piece(data),), id=id, retry_ms=retry_ms)
