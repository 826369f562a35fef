"""The one address of a page: what search engines and bookmarks should keep, and where a mistyped one leads."""

from __future__ import annotations

from typing import Final
from urllib.parse import quote, urlencode

from flask import current_app, request

# Parameters of an address that do not say what the page is of.
_PASSING: Final = frozenset({"live", "asked", "saved", "rows", "n"})


def canonical() -> str:
    """Return the address of the present page without what is empty or of the moment."""
    return _address(
        request.path,
        [pair for pair in request.args.items(multi=True) if pair[1].strip() and pair[0] not in _PASSING],
    )


def without_slash() -> str:
    """Return the address without the slashes at its end; empty where it has none, or where there is no such
    page either.
    """
    path = "/" + request.path.strip("/")
    if path == request.path or not request.path.endswith("/"):
        return ""
    adapter = current_app.create_url_adapter(request)
    known = adapter is not None and adapter.test(path, request.method)
    return with_query(path) if known else ""


def with_query(path: str) -> str:
    """Return the address of a path with the parameters of the present request, which say what is shown there."""
    return _address(path, list(request.args.items(multi=True)))


def _address(path: str, pairs: list[tuple[str, str]]) -> str:
    return quote(path) + (f"?{urlencode(pairs, safe=',()')}" if pairs else "")
