"""Every failure to one answer: problem+json (RFC 9457) for programs, a page for people, plain text for
streams and tables.

The only place that chooses a status. Nothing of an exception that was not raised for the reader leaves the
process: he gets an id, and the log has the rest under it.
"""

from __future__ import annotations

import json
import logging
import secrets
from http import HTTPStatus
from typing import Any, Final, NamedTuple
from urllib.parse import quote, urlencode

from flask import Flask, Response, redirect, render_template, request
from werkzeug.exceptions import HTTPException, MethodNotAllowed
from werkzeug.wrappers import Response as BaseResponse

from ltp.errors import (
    DatabaseError,
    InputError,
    LimitError,
    LTPError,
    NotFoundError,
    NotReadError,
    StoreError,
)
from ltp.web import swaps, urls

logger = logging.getLogger(__name__)
PROBLEM: Final = "application/problem+json"
_PROGRAM_PATHS: Final = ("/api/", "/healthz", "/readyz")
_RETRY_AFTER_S: Final = 5
# For people; programs get the protocol's words.
_TITLES: Final = {
    400: "That is not accepted",
    403: "Not allowed",
    404: "Not found",
    405: "Not possible here",
    500: "Something failed",
    503: "Not available just now",
}
_SENTENCES: Final = {
    400: "The request cannot be understood.",
    404: "There is no such page.",
    405: "This address does not take that method.",
    413: "The request is larger than is accepted.",
    414: "The address is longer than is accepted.",
    415: "The request's type is not accepted.",
}


class Problem(NamedTuple):
    """One answer to a failure. `errors`: what exactly was not accepted, for programs. `retry_after_s`: 0 for
    none. `passes`: it is over soon by itself, so an open page asks again.
    """

    status: int
    detail: str
    errors: tuple[dict[str, str], ...] = ()
    retry_after_s: int = 0
    allow: str = ""
    passes: bool = False


def install(app: Flask) -> None:
    """Answer every failure of the app from here."""
    app.register_error_handler(LTPError, _refused)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(Exception, _unexpected)


def problem_of(error: LTPError) -> Problem:
    """Return the answer to a failure that was raised on purpose."""
    if isinstance(error, InputError):
        named = {"where": error.where, "value": error.value, "accepted": error.accepted}
        return Problem(HTTPStatus.BAD_REQUEST, str(error), (named,))
    if isinstance(error, NotFoundError):
        return Problem(HTTPStatus.NOT_FOUND, f"{error}.")
    if isinstance(error, NotReadError):
        return Problem(
            HTTPStatus.SERVICE_UNAVAILABLE, f"{error}.", retry_after_s=error.retry_after_s, passes=True
        )
    if isinstance(error, LimitError):
        return Problem(HTTPStatus.SERVICE_UNAVAILABLE, f"{error}.", retry_after_s=error.retry_after_s)
    if isinstance(error, StoreError):
        return Problem(
            HTTPStatus.SERVICE_UNAVAILABLE, "The price cache cannot be reached.", retry_after_s=_RETRY_AFTER_S
        )
    if isinstance(error, DatabaseError):
        return Problem(
            HTTPStatus.SERVICE_UNAVAILABLE, "The database cannot be reached.", retry_after_s=_RETRY_AFTER_S
        )
    return Problem(HTTPStatus.INTERNAL_SERVER_ERROR, "Something failed on our side.")


def respond(problem: Problem) -> Response:
    """Draw a problem for whoever asks in the present request."""
    response = _drawn(problem)
    response.headers["Cache-Control"] = "no-store"
    if problem.retry_after_s:
        response.headers["Retry-After"] = str(problem.retry_after_s)
    if problem.allow:
        response.headers["Allow"] = problem.allow
    return response


def _drawn(problem: Problem) -> Response:
    title = HTTPStatus(problem.status).phrase
    detail = _printable(problem.detail)
    if request.path.startswith(_PROGRAM_PATHS) or request.path.endswith(".json"):
        return Response(_document(problem, title), problem.status, mimetype=PROBLEM)
    # A fragment's place on the page must keep what it shows, and a stream must not begin: the browser would
    # call it a success.
    if request.path.endswith("/stream") or request.headers.get("HX-Request-Type") == "partial":
        return Response(f"{detail}\n", problem.status, {"HX-Reswap": "none"}, mimetype="text/plain")
    if request.path.endswith(".csv"):
        return Response(f"{detail}\n", problem.status, mimetype="text/plain")
    title = _TITLES.get(problem.status, title)
    again = (
        _address(list(request.args.items(multi=True))) if problem.passes and request.method == "GET" else ""
    )
    page = render_template(
        "error.html",
        title=title,
        detail=detail,
        without=_without(problem),
        again=again,
        again_s=problem.retry_after_s,
    )
    return Response(
        page, problem.status, swaps.refusal() if problem.status >= HTTPStatus.INTERNAL_SERVER_ERROR else {}
    )


def _without(problem: Problem) -> str:
    """Return the address without the parameter that was not accepted, empty where none of the address was to
    blame.
    """
    named = problem.errors[0]["where"] if problem.errors else ""
    if request.method != "GET" or named not in request.args:
        return ""
    return _address([pair for pair in request.args.items(multi=True) if pair[0] != named])


def _address(pairs: list[tuple[str, str]]) -> str:
    """Return the present address with these parameters."""
    return f"{quote(request.path)}?{urlencode(pairs)}" if pairs else quote(request.path)


def _document(problem: Problem, title: str) -> str:
    document: dict[str, Any] = {
        "type": "about:blank",
        "title": title,
        "status": problem.status,
        "detail": problem.detail,
        "instance": request.path,
    }
    if problem.errors:
        document["errors"] = problem.errors
    return json.dumps(document)  # escapes what is not ASCII, lone surrogates included


def _printable(text: str) -> str:
    """Replace what cannot be encoded: JSON and percent escapes can smuggle half a surrogate pair into a
    value.
    """
    return text.encode("utf-8", "replace").decode()


def _refused(error: LTPError) -> Response:
    problem = problem_of(error)
    if problem.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        logger.warning("%s %s: %s", request.method, request.path, error)
    return respond(problem)


def _http(error: HTTPException) -> BaseResponse | HTTPException:
    status = error.code or HTTPStatus.INTERNAL_SERVER_ERROR
    if status < HTTPStatus.BAD_REQUEST:
        return error  # a redirect that routing asked for
    if status == HTTPStatus.NOT_FOUND and (elsewhere := urls.without_slash()):
        return redirect(elsewhere, HTTPStatus.PERMANENT_REDIRECT)
    allow = ", ".join(sorted(error.valid_methods or ())) if isinstance(error, MethodNotAllowed) else ""
    return respond(Problem(status, _SENTENCES.get(status, f"{HTTPStatus(status).phrase}."), allow=allow))


def _unexpected(error: Exception) -> Response:
    id_ = secrets.token_hex(4)
    logger.error("%s %s failed (%s)", request.method, request.path, id_, exc_info=error)
    return respond(
        Problem(HTTPStatus.INTERNAL_SERVER_ERROR, f"Something failed on our side. It is in the log as {id_}.")
    )
