"""Responses to failures: problem+json (RFC 9457) for the API, pages for browsers, text for other requests.

Statuses of failures are chosen only here. The text of an unexpected exception never leaves the process: the
client receives an error id, and the log has the exception under that id.
"""

from __future__ import annotations

import json
import logging
import secrets
from http import HTTPStatus
from typing import Any, Final, NamedTuple

from flask import Flask, Response, redirect, render_template, request
from werkzeug.exceptions import HTTPException, MethodNotAllowed
from werkzeug.wrappers import Response as BaseResponse

from ltp.errors import (
    ConflictError,
    DatabaseError,
    InputError,
    LimitError,
    LTPError,
    NotFoundError,
    NotReadError,
    StoreError,
    shortened,
)
from ltp.web import swaps, urls

logger = logging.getLogger(__name__)
PROBLEM: Final = "application/problem+json"
_API_PATHS: Final = ("/api/", "/healthz", "/readyz")
_RETRY_AFTER_S: Final = 5
_FILTER: Final = "f"  # may be in an address several times, and one is refused
# Titles of pages; the API has the phrases of HTTP.
_TITLES: Final = {
    400: "That is not accepted",
    403: "Not allowed",
    404: "Not found",
    405: "Not possible here",
    409: "Changed meanwhile",
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
    """The response to a failure.

    `errors`: the refused values, for programs. `retry_after_s`: 0 for none. `temporary`: ends soon by itself,
    so an open page repeats its request. `allow`: the methods of the address, after a 405.
    """

    status: int
    detail: str
    errors: tuple[dict[str, str], ...] = ()
    retry_after_s: int = 0
    allow: str = ""
    temporary: bool = False


def install(app: Flask) -> None:
    """Register the handlers of all failures of the app."""
    app.register_error_handler(LTPError, _respond_to_refusal)
    app.register_error_handler(HTTPException, _respond_to_http)
    app.register_error_handler(Exception, _respond_to_unexpected)


def problem_of(error: LTPError) -> Problem:
    """Return the problem for an exception of this program; a driver's own text stays inside."""
    if isinstance(error, InputError):
        refused = {"where": error.where, "value": error.value, "accepted": error.accepted}
        return Problem(HTTPStatus.BAD_REQUEST, str(error), (refused,))
    if isinstance(error, NotFoundError):
        return Problem(HTTPStatus.NOT_FOUND, f"{error}.")
    if isinstance(error, ConflictError):
        return Problem(HTTPStatus.CONFLICT, f"{error}.")
    if isinstance(error, NotReadError):
        return _unavailable(f"{error}.", error.retry_after_s)._replace(temporary=True)
    if isinstance(error, LimitError):
        return _unavailable(f"{error}.", error.retry_after_s)
    if isinstance(error, StoreError):
        return _unavailable("The price cache cannot be reached.")
    if isinstance(error, DatabaseError):
        return _unavailable("The database cannot be reached.")
    return Problem(HTTPStatus.INTERNAL_SERVER_ERROR, "Something failed on our side.")


def _unavailable(detail: str, retry_after_s: int = _RETRY_AFTER_S) -> Problem:
    return Problem(HTTPStatus.SERVICE_UNAVAILABLE, detail, retry_after_s=retry_after_s)


def respond(problem: Problem) -> Response:
    """Return the response to the present request, in the form that its client reads."""
    response = _render(problem)
    response.headers["Cache-Control"] = "no-store"
    if problem.retry_after_s:
        response.headers["Retry-After"] = str(problem.retry_after_s)
    if problem.allow:
        response.headers["Allow"] = problem.allow
    return response


def _render(problem: Problem) -> Response:
    phrase = HTTPStatus(problem.status).phrase
    detail = _printable(problem.detail)
    if request.path.startswith(_API_PATHS) or request.path.endswith(".json"):
        return Response(_document(problem, phrase), problem.status, mimetype=PROBLEM)
    # htmx keeps the content of a fragment's place. A stream must not begin, or the browser counts a success
    # and reconnects at once.
    if request.path.endswith("/stream") or request.headers.get("HX-Request-Type") == "partial":
        return Response(f"{detail}\n", problem.status, {"HX-Reswap": "none"}, mimetype="text/plain")
    if request.path.endswith(".csv"):
        return Response(f"{detail}\n", problem.status, mimetype="text/plain")
    page = render_template(
        "error.html",
        title=_TITLES.get(problem.status, phrase),
        detail=detail,
        without=_address_without_refused(problem),
        again=_address_to_repeat(problem),
        again_s=problem.retry_after_s,
    )
    headers = swaps.refusal_headers() if problem.status >= HTTPStatus.INTERNAL_SERVER_ERROR else {}
    return Response(page, problem.status, headers)


def _address_without_refused(problem: Problem) -> str:
    """Return the address without the parameter that was refused, "" if none of its parameters was.

    The other filters of a table stay.
    """
    refused = problem.errors[0]["where"] if problem.errors else ""
    if request.method != "GET" or refused not in request.args:
        return ""
    value = problem.errors[0]["value"] if refused == _FILTER else None
    pairs = [
        pair
        for pair in request.args.items(multi=True)
        if pair[0] != refused or value not in {None, shortened(pair[1])}
    ]
    return urls.address(request.path, pairs, safe="")


def _address_to_repeat(problem: Problem) -> str:
    """Return the present address if the page is to repeat its request, else ""."""
    if not problem.temporary or request.method != "GET":
        return ""
    return urls.address(request.path, request.args.items(multi=True), safe="")


def _document(problem: Problem, phrase: str) -> str:
    document: dict[str, Any] = {
        "type": "about:blank",
        "title": phrase,
        "status": problem.status,
        "detail": problem.detail,
        "instance": request.path,
    }
    if problem.errors:
        document["errors"] = problem.errors
    return json.dumps(document)  # as ASCII: also lone surrogates are escaped


def _printable(text: str) -> str:
    """Replace lone surrogates: they cannot be encoded, and JSON escapes can bring them into a value."""
    return text.encode("utf-8", "replace").decode()


def _respond_to_refusal(error: LTPError) -> Response:
    problem = problem_of(error)
    if problem.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        logger.warning("%s %s: %s", request.method, request.path, error)
    return respond(problem)


def _respond_to_http(error: HTTPException) -> BaseResponse | HTTPException:
    status = error.code or HTTPStatus.INTERNAL_SERVER_ERROR
    if status < HTTPStatus.BAD_REQUEST:
        return error  # a redirect by Flask's routing
    if status == HTTPStatus.NOT_FOUND and (address := urls.without_slash()):
        return redirect(address, HTTPStatus.PERMANENT_REDIRECT)
    allow = ", ".join(sorted(error.valid_methods or ())) if isinstance(error, MethodNotAllowed) else ""
    return respond(Problem(status, _SENTENCES.get(status, f"{HTTPStatus(status).phrase}."), allow=allow))


def _respond_to_unexpected(error: Exception) -> Response:
    error_id = secrets.token_hex(4)
    logger.error("%s %s failed (%s)", request.method, request.path, error_id, exc_info=error)
    detail = f"Something failed on our side. It is in the log as {error_id}."
    return respond(Problem(HTTPStatus.INTERNAL_SERVER_ERROR, detail))
