"""The JSON object in the body of a request to the API."""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any

from flask import request
from werkzeug.exceptions import RequestEntityTooLarge, UnsupportedMediaType

from ltp.errors import InputError, shortened
from ltp.web import params


def json_object(example: str, fields: Collection[str] | None = None) -> dict[str, Any]:
    """Return the object of the request.

    Args:
        example: of an object that is accepted, for the sentence of an error.
        fields: the names that it may have; None: any.
    Raises:
        InputError: it is no JSON, no object, has another field, or a name twice.
        UnsupportedMediaType, RequestEntityTooLarge: to be answered by the application.
    """
    if not request.is_json:
        raise UnsupportedMediaType
    content = request.get_data()
    # Werkzeug refuses a longer body by its Content-Length. Of a body without one it reads as much as is
    # allowed and drops the rest without an error, which could leave other values than were sent.
    if request.content_length is None and len(content) == request.max_content_length:
        raise RequestEntityTooLarge
    try:
        body = json.loads(content, object_pairs_hook=params.once)
    except (ValueError, RecursionError):
        raise InputError("body", content[:80].decode("utf-8", "replace"), "JSON is expected") from None
    if not isinstance(body, dict):
        raise InputError("body", type(body).__name__, f"an object such as {example} is expected")
    unknown = [] if fields is None else [name for name in body if name not in fields]
    if unknown:
        raise InputError(
            shortened(unknown[0]), str(body[unknown[0]]), "the fields are " + ", ".join(fields or ())
        )
    return body
