"""`/api/v1/alerts`: alerts as JSON, made, read, changed and deleted; what each fired."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any, Final

from flask import Blueprint, Response, request

from ltp.core.alerts import document
from ltp.core.alerts.alert import KEY, MUTED, ON, STATES, Alert, Target, Terms
from ltp.core.alerts.terms import target_of
from ltp.core.trading_day import IST
from ltp.db.alerts import history, rules
from ltp.db.alerts.rules import Choice
from ltp.errors import InputError
from ltp.web import clients, params
from ltp.web.alerts import targets
from ltp.web.json_bodies import json_object
from ltp.web.services import services
from ltp.web.waits import BUSY_TIMEOUT_MS, WRITE_MS, patient

bp = Blueprint("alerts_api", __name__)
PATH: Final = "/api/v1/alerts"
_ID: Final = f"int(max={rules.MAX_ID}):alert_id"
MOST: Final = 1_000
USUAL: Final = 100
_EXAMPLE: Final = '{"key": "NSE_EQ:1333", "rule": "ltp > 1650"}'
_TEXTS: Final = ("rule", "repeat", "note")
_NUMBERS: Final = ("cool_down", "hysteresis")
_LISTS: Final = {"phases": str, "channels": int}
FIELDS: Final = ("key", "target", *_TEXTS, *_NUMBERS, "expires", *_LISTS)
_CHANGES: Final = (*FIELDS, "state", "snoozed_until", "version")


@bp.post(PATH)
def create() -> Response:
    body = json_object(_EXAMPLE, FIELDS)
    if "key" not in body and "target" not in body:
        raise InputError("key", "", 'a key such as "NSE_EQ:1333" is expected, or a target')
    if "rule" not in body:
        raise InputError("rule", "", 'a rule such as "ltp > 1650" is expected')
    terms = targets.accepted(terms_of(body, Terms(Target(KEY, ""), "")))
    made = rules.create(services().engine, terms, clients.client(), busy_timeout_ms=WRITE_MS)
    response = _json(document.alert(made), 201)
    response.headers["Location"] = f"{PATH}/{made.id}"
    return response


@bp.get(PATH)
@patient
def every() -> Response:
    given = params.single(request.args.items(multi=True))
    states = params.several(given, "state", STATES, ())
    limit = params.whole(given, "limit", MOST, USUAL)
    offset = params.whole(given, "offset", 1_000_000, 0, least=0)
    target = Target(KEY, targets.key_of(given["key"], "key")) if "key" in given else None
    choice = Choice(states, target, params.text(given, "q"))
    found = rules.listed(services().engine, choice, first=offset, most=limit, busy_timeout_ms=BUSY_TIMEOUT_MS)
    following = offset + limit if offset + limit < found.total else None
    alerts = [document.alert(each) for each in found.alerts]
    return _json({"alerts": alerts, "total": found.total, "next": following})


@bp.get(f"{PATH}/<{_ID}>")
@patient
def one(alert_id: int) -> Response:
    return _json(document.alert(_fetch(alert_id)))


@bp.get(f"{PATH}/<{_ID}>/history")
@patient
def fired(alert_id: int) -> Response:
    """Return the firings of an alert, newest first, also of one that is deleted."""
    given = params.single(request.args.items(multi=True))
    limit = params.whole(given, "limit", MOST, USUAL)
    before = params.whole(given, "before", rules.MAX_ID, 0)
    engine = services().engine
    found = history.firings(
        engine, alert_id, before=before or None, most=limit + 1, busy_timeout_ms=BUSY_TIMEOUT_MS
    )
    if not found:
        _fetch(alert_id)
    following = found[limit - 1].firing.id if len(found) > limit else None
    return _json({"firings": [each.document() for each in found[:limit]], "next": following})


@bp.patch(f"{PATH}/<{_ID}>")
def change(alert_id: int) -> Response:
    body, engine = json_object(_EXAMPLE, _CHANGES), services().engine
    before = _fetch(alert_id)
    version = _whole(body, "version") if "version" in body else None
    terms = targets.accepted(terms_of(body, before.terms)) if set(body) & set(FIELDS) else None
    state, snooze = _state(body), _instant(body, "snoozed_until") if "snoozed_until" in body else None
    if (version is not None and version != before.version) or terms is not None:
        after = rules.change(
            engine,
            alert_id,
            terms or before.terms,
            before.version if version is None else version,
            busy_timeout_ms=WRITE_MS,
        )
    else:
        after = before
    if state:
        after = rules.mute(engine, alert_id, muted=state == MUTED, busy_timeout_ms=WRITE_MS)
    if "snoozed_until" in body:
        after = rules.snooze(engine, alert_id, snooze, busy_timeout_ms=WRITE_MS)
    return _json(document.alert(after))


@bp.delete(f"{PATH}/<{_ID}>")
def remove(alert_id: int) -> Response:
    rules.remove(services().engine, alert_id, busy_timeout_ms=WRITE_MS)
    return Response(status=204, headers={"Cache-Control": "no-store"})


def terms_of(body: Mapping[str, Any], before: Terms) -> Terms:
    """Return the terms with the fields of a JSON object in place of those before, still to be checked.

    Raises:
        InputError: a field has another type than it needs.
    """
    changed: dict[str, Any] = {name: _text(body, name) for name in _TEXTS if name in body}
    if "key" in body or "target" in body:
        changed["target"] = _target(body)
    if "cool_down" in body:
        changed["cool_down_s"] = round(_number(body, "cool_down") * 60)
    if "hysteresis" in body:
        changed["hysteresis"] = _number(body, "hysteresis")
    if "expires" in body:
        changed["expires"] = _day(body, "expires")
    for name, kind in _LISTS.items():
        if name in body:
            changed[name] = _list(body, name, kind)
    return before._replace(**changed)


def _target(body: Mapping[str, Any]) -> Target:
    if "target" not in body:
        return target_of(KEY, _text(body, "key"))
    accepted = '{"kind": "universe", "name": "nifty50"} is expected, or a key in its place'
    target = body["target"]
    if "key" in body or not isinstance(target, dict) or not {"kind"} <= set(target) <= {"kind", "name"}:
        raise InputError("target", json.dumps(target), accepted)
    return target_of(_text(target, "kind"), _text(target, "name") if "name" in target else "")


def _text(body: Mapping[str, Any], name: str) -> str:
    if not isinstance(body[name], str):
        raise _refused(body, name, "a text is expected")
    return str(body[name])


def _day(body: Mapping[str, Any], name: str) -> date | None:
    return None if body[name] in (None, "") else params.day(_text(body, name), name)


def _number(body: Mapping[str, Any], name: str) -> float:
    value = body[name]
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 1e9:  # also nan
        raise _refused(body, name, "a number is expected")
    return float(value)


def _whole(body: Mapping[str, Any], name: str) -> int:
    if isinstance(body[name], bool) or not isinstance(body[name], int):
        raise _refused(body, name, "a whole number is expected")
    return int(body[name])


def _list(body: Mapping[str, Any], name: str, kind: type) -> tuple[Any, ...]:
    found = body[name]
    is_list = isinstance(found, list) and all(
        isinstance(each, kind) and not isinstance(each, bool) for each in found
    )
    if not is_list:
        raise _refused(body, name, f"a list of {'texts' if kind is str else 'whole numbers'} is expected")
    return tuple(found)


def _state(body: Mapping[str, Any]) -> str:
    if "state" in body and body["state"] not in (ON, MUTED):
        raise _refused(body, "state", f"it is {ON} or {MUTED}")
    return str(body.get("state", ""))


def _instant(body: Mapping[str, Any], name: str) -> datetime | None:
    if body[name] is None:
        return None
    accepted = "it is null, or an instant of the next year such as 2026-12-01T15:30:00+05:30"
    try:
        at = datetime.fromisoformat(_text(body, name))
        days = (at - datetime.now(UTC)).days
    except (ValueError, TypeError, OverflowError):
        raise _refused(body, name, accepted) from None
    if not -1 <= days <= 366:
        raise _refused(body, name, accepted)
    return at.astimezone(IST)


def _refused(body: Mapping[str, Any], name: str, accepted: str) -> InputError:
    return InputError(name, json.dumps(body[name])[:80], accepted)


def _fetch(alert_id: int) -> Alert:
    return rules.fetch(services().engine, alert_id, busy_timeout_ms=BUSY_TIMEOUT_MS)


def _json(document: object, status: int = 200) -> Response:
    text = json.dumps(document, separators=(",", ":"))
    return Response(text, status, {"Cache-Control": "no-store"}, mimetype="application/json")
