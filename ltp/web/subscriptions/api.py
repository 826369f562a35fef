"""`/api/v1/subscriptions`: the same table and pins for programs."""

from __future__ import annotations

import json
from typing import Any, Final

from flask import Blueprint, Response, request

from ltp.core.instrument import parse_key
from ltp.core.subscriptions.pins import DEFAULT, MAX_PINS, parse_mode, parse_note
from ltp.errors import InputError
from ltp.web import errors, params
from ltp.web.errors import Problem
from ltp.web.json_bodies import json_object
from ltp.web.subscriptions import document, pinning, query
from ltp.web.subscriptions.latest import latest, name_of

bp = Blueprint("api_subscriptions", __name__)
PATH: Final = "/api/v1/subscriptions"
_EXAMPLE: Final = '{"keys": ["NSE_EQ:1333", ...], "mode": "default", "note": ""}'
_KEYS: Final = f"1 to {MAX_PINS} keys such as NSE_EQ:1333 are expected"


@bp.get(PATH)
def table() -> Response:
    asked = query.parse(params.single(request.args.items(multi=True)), size=0)
    found = latest(wait=True)
    if found.table is None:
        return errors.respond(Problem(503, found.trouble, retry_after_s=2))
    return _response(document.of_table(found.table, found.counted, asked, name_of, found.age_s))


@bp.get(f"{PATH}/pins")
def pinned() -> Response:
    return _json({"limit": MAX_PINS, "pins": [document.of_pin(pin) for pin in pinning.all_pins()]})


@bp.post(PATH)
def pin() -> Response:
    """Pin the instruments of the body, or change their pins; answer with their pins."""
    body = json_object(_EXAMPLE, ("keys", "mode", "note"))
    keys = _known(body.get("keys"))
    pinning.pin(keys, parse_mode(_text(body, "mode") or DEFAULT), parse_note(_text(body, "note")))
    return _json({"pins": [document.of_pin(each) for each in pinning.all_pins() if each.key in keys]})


@bp.delete(PATH)
def unpin() -> Response:
    """Unpin the instruments of `?keys=`; where one of them is not pinned, none is."""
    given = params.single(request.args.items(multi=True))
    keys = _keys(given.get("keys", "").split(",") if given.get("keys") else [])
    pinning.unpin(keys)
    return _json({"unpinned": keys})


def _text(body: dict[str, Any], name: str) -> str:
    value = body.get(name)
    if value is not None and not isinstance(value, str):
        raise InputError(name, str(value), "it is a text")
    return value or ""


def _known(given: Any) -> list[str]:
    keys = _keys(given if isinstance(given, list) else [])
    for key in keys:
        pinning.key_of(key, "keys")
    return keys


def _keys(given: list[Any]) -> list[str]:
    """Return well-formed keys, each once. Raises InputError."""
    if not 0 < len(given) <= MAX_PINS:
        raise InputError("keys", f"{len(given)} keys", _KEYS)
    for key in given:
        if not isinstance(key, str):
            raise InputError("keys", str(key), _KEYS)
    return list(dict.fromkeys(parse_key(key) for key in given))


def _json(values: dict[str, Any]) -> Response:
    return _response(json.dumps(values, separators=(",", ":")))


def _response(body: str) -> Response:
    return Response(body, content_type="application/json", headers={"Cache-Control": "no-store"})
