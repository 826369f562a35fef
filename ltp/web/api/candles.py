"""`/api/v1/candles`: bars of one instrument in a timeframe, oldest first, as JSON or CSV."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from itertools import islice
from typing import Any, Final, NamedTuple

from flask import Blueprint, Response, request

from ltp.core.bars.bar import Bar, mark_names, source_name
from ltp.core.bars.timeframe import minutes_of
from ltp.core.instrument import parse_key
from ltp.core.money import rupees
from ltp.core.trading_day import IST
from ltp.errors import InputError, NotFoundError
from ltp.web import bars, params
from ltp.web.services import services

bp = Blueprint("candles", __name__)
PATH: Final = "/api/v1/candles"
MOST: Final = 10_000
USUAL: Final = 500
_FORMS: Final = ("rows", "columns")
_COLUMNS: Final = ("start", "open", "high", "low", "close", "volume", "oi", "source", "marks", "forming")
_ACCEPTED: Final = "it is a day such as 2026-11-30 or an instant such as 2026-11-30T10:41:00+05:30"


class _Query(NamedTuple):
    """`since`: None for the newest bars before `until`."""

    key: str
    timeframe: str
    since: datetime | None
    until: datetime
    limit: int
    form: str


@bp.get(PATH)
def candles() -> Response:
    query = _query(request.args.items(multi=True))
    found, following = _bars(query)
    rows = [_row(bar) for bar in found]
    document: dict[str, Any] = {
        "key": query.key,
        "timeframe": query.timeframe,
        "bars": rows if query.form == "rows" else _columns(rows),
        "next": following,
    }
    return _response(json.dumps(document, separators=(",", ":")), "application/json")


@bp.get(f"{PATH}.csv")
def candles_as_csv() -> Response:
    found, _ = _bars(_query(request.args.items(multi=True)))
    target = io.StringIO(newline="")
    writer = csv.DictWriter(target, _COLUMNS)
    writer.writeheader()
    writer.writerows({**row, "marks": " ".join(row["marks"])} for row in map(_row, found))
    return _response(target.getvalue(), "text/csv; charset=utf-8")


def _query(pairs: Any) -> _Query:
    """Read the parameters.

    Raises:
        InputError: names the one that is not accepted.
        NotFoundError: there is no such instrument.
    """
    given = params.single(pairs)
    key = parse_key(given.get("key", ""), "key")
    if services().catalog.instrument(key) is None:
        raise NotFoundError("instrument", key)
    timeframe = given.get("timeframe", "1m")
    minutes_of(timeframe)
    until = _instant(given, "to", end=True) or datetime.now(UTC)
    since = _instant(given, "from", end=False)
    if since is not None and since > until:
        raise InputError("from", given["from"], "it is not after `to`")
    limit = params.whole(given, "limit", MOST, USUAL)
    return _Query(key, timeframe, since, until, limit, params.choice(given, "form", _FORMS, _FORMS[0]))


def _bars(query: _Query) -> tuple[list[Bar], str | None]:
    """Return the bars, and the `from` of the next page, None where there is none."""
    minutes = minutes_of(query.timeframe)
    if query.since is None:
        return bars.latest(query.key, minutes, query.limit, query.until), None
    until = min(query.until, datetime.now(UTC) + timedelta(days=1))
    found = bars.following(query.key, minutes, query.since, until)
    page = list(islice(found, query.limit + 1))
    return page[: query.limit], _start(page[query.limit]) if len(page) > query.limit else None


def _instant(given: Mapping[str, str], name: str, *, end: bool) -> datetime | None:
    """Return a parameter as an aware instant; a day counts from its start, as `to` up to its end."""
    value = given.get(name)
    if value is None:
        return None
    try:
        if len(value) == len("2026-11-30"):
            day = date.fromisoformat(value) + timedelta(days=end)
            return datetime.combine(day, time(), IST)
        at = datetime.fromisoformat(value.replace(" ", "+"))  # a plus sign that was not escaped
    except (ValueError, OverflowError):
        raise InputError(name, value, _ACCEPTED) from None
    if at.tzinfo is None:
        raise InputError(name, value, f"{_ACCEPTED}, with its offset from UTC")
    return at


def _row(bar: Bar) -> dict[str, Any]:
    return {
        "start": _start(bar),
        "open": rupees(bar.open),
        "high": rupees(bar.high),
        "low": rupees(bar.low),
        "close": rupees(bar.close),
        "volume": bar.volume,
        "oi": bar.oi,
        "source": source_name(bar.sources),
        "marks": mark_names(bar.marks),
        "forming": False,
    }


def _columns(rows: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
    return {name: [row[name] for row in rows] for name in _COLUMNS}


def _start(bar: Bar) -> str:
    return datetime.fromtimestamp(bar.start, IST).isoformat()


def _response(body: str, content_type: str) -> Response:
    return Response(body, content_type=content_type, headers={"Cache-Control": "no-store"})
