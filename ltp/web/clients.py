"""The client of a request, as quotas count clients."""

from __future__ import annotations

from flask import has_request_context, request

from ltp.core.clients.client_address import EXEMPT, client_of
from ltp.web.services import services


def client() -> str:
    """Return the client of the present request, the exempt one where there is none."""
    if not has_request_context():
        return EXEMPT
    environ = request.environ
    return client_of(
        environ.get("REMOTE_ADDR", ""), environ.get("HTTP_X_FORWARDED_FOR", ""), services().trusted
    )
