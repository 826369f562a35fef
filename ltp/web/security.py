"""The headers of every response. Streams write their own head and take `HEADERS` from here."""

from __future__ import annotations

from typing import Final

from flask import Flask, Response, request

MAX_BODY_BYTES: Final = 64 * 1024

# No inline script or style and no eval: a test rejects templates that use htmx features which need them.
# `data:` in connect-src: see `swaps`; such a fetch leaves no browser.
CONTENT_SECURITY_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self' data:; img-src 'self'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
HEADERS: Final = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_FOREVER: Final = "public, max-age=31536000, immutable"


def install(app: Flask) -> None:
    """Bound request bodies and set the headers of every response."""
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY_BYTES
    app.after_request(_protect)


def _protect(response: Response) -> Response:
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    # The path of a vendored file has its version, the query of app.css its hash: their content is fixed.
    if request.endpoint == "static" and response.status_code in {200, 304}:
        versioned = request.path.startswith("/static/vendor/") or "v" in request.args
        response.headers["Cache-Control"] = _FOREVER if versioned else "public, max-age=3600"
    else:
        # A cache would return an old price as the present one.
        response.headers.setdefault("Cache-Control", "no-store")
    return response
