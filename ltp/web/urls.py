"""Addresses of pages: how one is written, the canonical one, and where a slash at the end leads."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final
from urllib.parse import quote, urlencode

from flask import current_app, request

from ltp.core.instrument import Instrument

# Parameters that do not decide which page it is.
_PASSING: Final = frozenset({"live", "asked", "saved", "rows", "n"})


def address(path: str, pairs: Iterable[tuple[str, str]] = (), *, safe: str = ",()") -> str:
    """Return a path with its parameters, percent-encoded but for the characters in `safe`."""
    query = urlencode(list(pairs), safe=safe)
    return f"{quote(path)}?{query}" if query else quote(path)


def of_instrument(shown: Instrument) -> str:
    """Return the address of the page of an instrument."""
    return f"/instruments/{shown.segment}/{shown.security_id}"


def canonical() -> str:
    """Return the address of the present page without empty and passing parameters."""
    pairs = request.args.items(multi=True)
    return address(request.path, [pair for pair in pairs if pair[1].strip() and pair[0] not in _PASSING])


def without_slash() -> str:
    """Return the present address without the slashes at its end, "" if it has none or no page is there."""
    path = "/" + request.path.strip("/")
    if path == request.path or not request.path.endswith("/"):
        return ""
    adapter = current_app.create_url_adapter(request)
    known = adapter is not None and adapter.test(path, request.method)
    return with_query(path) if known else ""


def with_query(path: str) -> str:
    """Return the address of `path` with all parameters of the present request."""
    return address(path, request.args.items(multi=True))
