"""The client of a request, as quotas count clients."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import has_request_context, request

from ltp.core.clients.client_address import EXEMPT, TrustedProxies, client_of
from ltp.web.services import services


def client() -> str:
    """Return the client of the present request, EXEMPT outside of one."""
    return client_of_environ(request.environ, services().trusted) if has_request_context() else EXEMPT


def client_of_environ(environ: Mapping[str, Any], trusted: TrustedProxies) -> str:
    """Return the client of a request by its WSGI environ."""
    return client_of(environ.get("REMOTE_ADDR", ""), environ.get("HTTP_X_FORWARDED_FOR", ""), trusted)
