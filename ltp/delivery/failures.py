"""Why a connection failed, in words that quote neither address nor path: those hold tokens."""

from __future__ import annotations

import socket
import ssl
from http.client import HTTPException
from typing import Final

from ltp.core.alerts.delivery import Attempt, failed, refused
from ltp.delivery.connect import Call

INTERNAL: Final = "its host is inside of this network; only ALERTS_ALLOW_INTERNAL=true allows that"
_MAX_CAUSES: Final = 20


def of_call(call: Call, error: BaseException) -> Attempt:
    """Return the failure of a call that ended with an exception, whatever library wraps its cause."""
    if call.refused:
        return refused(INTERNAL)
    if call.passed:
        return failed("no answer in time")
    causes = _causes(error)
    for kind, words in (
        (ssl.SSLCertVerificationError, "its certificate cannot be verified"),
        (ssl.SSLError, "it does not speak TLS"),
        (socket.gaierror, "its host name cannot be resolved"),
        (TimeoutError, "no answer in time"),
        (ConnectionRefusedError, "it refuses connections"),
        (ConnectionError, "it closed the connection without an answer"),
        (HTTPException, "its answer is no HTTP"),
    ):
        if any(isinstance(each, kind) for each in causes):
            return failed(words)
    return failed(f"the connection failed ({type(error).__name__})")


def _causes(error: BaseException) -> list[BaseException]:
    """Return an exception with those that led to it: causes, contexts and exceptions among its arguments."""
    found: list[BaseException] = []
    waiting: list[object] = [error]
    while waiting and len(found) < _MAX_CAUSES:
        each = waiting.pop()
        if not isinstance(each, BaseException) or each in found:
            continue
        found.append(each)
        waiting += [each.__cause__, each.__context__, getattr(each, "reason", None), *each.args]
    return found
