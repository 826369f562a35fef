"""A message as a JSON POST to a web address. The status decides; the body of the answer is read and thrown away."""

from __future__ import annotations

import hashlib
import hmac
import json
import ssl
import time
from functools import cache
from typing import Any, Final
from urllib.parse import urlsplit

from requests.utils import DEFAULT_CA_BUNDLE_PATH
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, Timeout
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError
from urllib3.response import BaseHTTPResponse

from ltp.core.alerts.channel import Channel
from ltp.core.alerts.delivery import Attempt, by_http_status
from ltp.core.alerts.message import Message, document
from ltp.core.backoff import parse_retry_after
from ltp.delivery import failures
from ltp.delivery.connect import CONNECT_S, Call, connect

WITHIN_S: Final = 5.0  # from the first packet to the last
_MAX_ANSWER: Final = 64 << 10  # bytes
_AGENT: Final = "ltp-alerts"


def post(channel: Channel, message: Message, *, internal: bool, within_s: float = WITHIN_S) -> Attempt:
    """Send a message; never raises for a fault of the receiver.

    Args:
        internal: whether internal addresses are allowed.
    """
    body = json.dumps(document(message)).encode()
    parts = urlsplit(channel.target.reveal())
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    with Call(within_s) as call, _pool(parts.scheme, parts.hostname or "", parts.port, internal) as pool:
        try:
            answer = pool.urlopen(
                "POST",
                path,
                body=body,
                headers=_headers(channel, message, body),
                redirect=False,
                retries=False,
                timeout=Timeout(connect=CONNECT_S, read=within_s),
                preload_content=False,
            )
        except (HTTPError, OSError, ValueError) as error:
            return failures.of_call(call, error)
        if call.passed:  # the head was cut off, which looks like its end
            answer.close()
            return failures.of_call(call, TimeoutError())
        try:
            answer.read(_MAX_ANSWER, decode_content=False)  # so that no proxy sees a call that was broken off
        except (HTTPError, OSError, ValueError):
            pass  # the status has come
        finally:
            answer.close()
        return _attempt(answer)


def signature(secret: str, body: bytes) -> str:
    """Return the value of X-Signature: HMAC-SHA256 of the body."""
    return f"sha256={hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()}"


def _attempt(answer: BaseHTTPResponse) -> Attempt:
    return by_http_status(
        answer.status, parse_retry_after(answer.headers.get("Retry-After", ""), time.time())
    )


def _headers(channel: Channel, message: Message, body: bytes) -> dict[str, str]:
    headers = {"Content-Type": "application/json", "User-Agent": _AGENT, "Idempotency-Key": message.id}
    if channel.secret:
        headers["X-Signature"] = signature(channel.secret.reveal(), body)
    return headers


def _pool(scheme: str, host: str, port: int | None, internal: bool) -> HTTPConnectionPool:
    """Return a pool for one call: a connection that is kept open would be one that nobody checks again."""
    if scheme == "http":
        plain = HTTPConnectionPool(host, port, maxsize=1)
        plain.ConnectionCls = _Plain if internal else _PlainOutside
        return plain
    secure = HTTPSConnectionPool(host, port, maxsize=1, ssl_context=tls())
    secure.ConnectionCls = _Secure if internal else _SecureOutside
    return secure


@cache
def tls() -> ssl.SSLContext:
    """Return a context that trusts the system's authorities and those of requests: a container has only these."""
    context = ssl.create_default_context()
    context.load_verify_locations(DEFAULT_CA_BUNDLE_PATH)
    return context


class _Plain(HTTPConnection):
    internal = True

    def _new_conn(self) -> Any:
        return connect(self._dns_host, self.port, internal=self.internal)


class _PlainOutside(_Plain):
    internal = False


class _Secure(HTTPSConnection):
    internal = True

    def _new_conn(self) -> Any:
        return connect(self._dns_host, self.port or 443, internal=self.internal)


class _SecureOutside(_Secure):
    internal = False
