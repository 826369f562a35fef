"""`/api/v1/watchlists`: lists as JSON; documented in docs/api.md."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any, Final

from flask import Blueprint, Response, request

from ltp.core.watchlists import edits
from ltp.core.watchlists.edits import new_section_key
from ltp.core.watchlists.watchlist import (
    MAX_LISTS,
    MAX_ROWS,
    MAX_SECTIONS,
    Line,
    Watchlist,
    parse_flag,
    parse_note,
    parse_slug,
    parse_title,
)
from ltp.db.watchlists import lists as stored
from ltp.db.watchlists import store
from ltp.db.watchlists.named import finder
from ltp.errors import InputError, NotFoundError
from ltp.web.json_bodies import json_object
from ltp.web.services import services
from ltp.web.waits import BUSY_TIMEOUT_MS, patiently
from ltp.web.watchlists.lists import lists

bp = Blueprint("api_watchlists", __name__)
PATH: Final = "/api/v1/watchlists"
MAX_BODY: Final = 512 * 1024  # a thousand lines with notes
_SOURCE: Final = "API"
_FIELDS: Final = ("title", "slug", "version", "lines")
_LINE_FIELDS: Final = {"key", "note", "flag", "section", "symbol", "name"}


@bp.get(PATH)
def index() -> Response:
    heads = patiently(partial(stored.fetch, services().engine, busy_timeout_ms=BUSY_TIMEOUT_MS))
    found = [
        {
            "slug": head.slug,
            "title": head.title,
            "version": head.version,
            "count": head.size,
            "changed_at": _instant(head.changed_at),
        }
        for head in heads
    ]
    return _json({"watchlists": found, "limit": MAX_LISTS})


@bp.post(PATH)
def create() -> Response:
    """Make a list of `title`, and perhaps `slug` and `lines`."""
    body = _body()
    slug = _text(body, "slug")
    if slug:
        parse_slug(slug)
    return _made(slug, _text(body, "title"), _lines(body))


@bp.get(f"{PATH}/<slug>")
def show(slug: str) -> Response:
    return _json(_document(lists().get(slug)))


@bp.put(f"{PATH}/<slug>")
def replace(slug: str) -> Response:
    """Replace `lines`, and `title` where it is given; with `version` only while the list has that version. A list that is
    not there is made.
    """
    body = _body()
    parse_slug(slug)
    if _text(body, "slug") not in ("", slug):
        raise InputError("slug", str(body["slug"]), f"it is {slug}, as in the address, or left out")
    title, version, lines = _text(body, "title"), body.get("version"), _lines(body)
    if version is not None and (not isinstance(version, int) or isinstance(version, bool)):
        raise InputError("version", str(version), "it is the number that a GET has returned, or left out")
    edit = edits.replace(lines, title or None, version)
    try:
        changed = patiently(
            lambda: store.change(services().engine, slug, edit, _SOURCE, busy_timeout_ms=BUSY_TIMEOUT_MS)
        )
    except NotFoundError:
        if version is not None:
            raise
        return _made(slug, title or slug.replace("-", " ").capitalize(), lines)
    return _json(_document(changed.watchlist))


@bp.delete(f"{PATH}/<slug>")
def delete(slug: str) -> Response:
    patiently(partial(stored.remove, services().engine, slug, busy_timeout_ms=BUSY_TIMEOUT_MS))
    return Response(status=204)


def _made(slug: str, title: str, lines: Sequence[Line]) -> Response:
    make = partial(stored.create, services().engine, title, lines, slug=slug, source=_SOURCE)
    new = patiently(lambda: make(busy_timeout_ms=BUSY_TIMEOUT_MS))
    return _json(_document(new), 201, {"Location": f"{PATH}/{new.slug}"})


def _document(watchlist: Watchlist) -> dict[str, Any]:
    return {
        "slug": watchlist.slug,
        "title": watchlist.title,
        "version": watchlist.version,
        "changed_at": _instant(watchlist.changed_at),
        "count": len(watchlist.rows),
        "limit": MAX_ROWS,
        "lines": [_line_document(line) for line in watchlist.lines],
    }


def _line_document(line: Line) -> dict[str, Any]:
    if line.is_section:
        return {"section": line.title}
    instrument = services().catalog.instrument(line.key)
    symbol, name = (instrument.symbol, instrument.name) if instrument else (None, None)
    return {"key": line.key, "symbol": symbol, "name": name, "note": line.note, "flag": line.flag}


def _body() -> Mapping[str, Any]:
    """Return the JSON object of the request; raises as `json_object`."""
    request.max_content_length = MAX_BODY
    return json_object('{"title": "Banks", "lines": []}', _FIELDS)


def _text(body: Mapping[str, Any], name: str) -> str:
    value = body.get(name, "")
    if not isinstance(value, str):
        raise InputError(name, json.dumps(value), "it is a text")
    return value


def _lines(body: Mapping[str, Any]) -> list[Line]:
    """Return the lines of a body: objects, or texts that name instruments.

    Raises:
        InputError: names the line, counted from 0.
    """
    given = body.get("lines", [])
    if not isinstance(given, list) or len(given) > MAX_ROWS + MAX_SECTIONS:
        value = f"{len(given):,} lines" if isinstance(given, list) else json.dumps(given)
        raise InputError("lines", value, f"it is a list of at most {MAX_ROWS + MAX_SECTIONS:,} lines")
    objects = [_line_object(f"lines[{number}]", each) for number, each in enumerate(given)]
    texts = {each["key"] for each in objects if "key" in each}
    find = patiently(lambda: finder(services().engine, texts, busy_timeout_ms=BUSY_TIMEOUT_MS))
    lines: dict[str, Line] = {}
    for number, each in enumerate(objects):
        where = f"lines[{number}]"
        if "section" in each:
            line = Line(new_section_key(lines.values()), parse_title(each["section"], f"{where}.section"))
        else:
            key = find(each["key"])
            if key is None:
                raise InputError(where, each["key"], "no instrument is called so")
            note = parse_note(each.get("note", ""), f"{where}.note")
            line = Line(key, "", note, parse_flag(each.get("flag", ""), f"{where}.flag"))
        if line.key in lines:
            raise InputError(where, each["key"], "the instrument is there already, further up")
        lines[line.key] = line
    return list(lines.values())


def _line_object(where: str, given: Any) -> dict[str, str]:
    """Return a line as an object of texts: a text alone names an instrument; null is an empty text."""
    found = {"key": given} if isinstance(given, str) else given
    accepted = 'it is a key or symbol, {"key": …, "note": …, "flag": …} or {"section": …}'
    if (
        not isinstance(found, dict)
        or not found.keys() <= _LINE_FIELDS
        or ("key" in found) == ("section" in found)
    ):
        raise InputError(where, json.dumps(given), accepted)
    texts = {name: "" if value is None else value for name, value in found.items()}
    if not all(isinstance(value, str) for value in texts.values()):
        raise InputError(where, json.dumps(given), accepted)
    return texts


def _instant(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds")


def _json(document: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    body = json.dumps(document, ensure_ascii=False)
    response = Response(body, status, dict(headers or {}), mimetype="application/json")
    response.headers["Cache-Control"] = "no-store"
    return response
