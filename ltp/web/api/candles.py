"""`/api/v1/candles`: bars of one instrument in a timeframe, oldest first, as JSON or CSV."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final, NamedTuple

from flask import Blueprint, Response, request

from ltp.core.bars import timeframe as intraday
from ltp.core.bars.columns import BarColumns, of_bars
from ltp.core.counted import counted
from ltp.core.history import periods
from ltp.core.instrument import parse_key
from ltp.core.market import kinds
from ltp.core.trading_day import IST
from ltp.errors import DatabaseError, InputError, NotFoundError
from ltp.web import bars, day_bars, params, urls
from ltp.web.api import bar_texts
from ltp.web.services import services

bp = Blueprint("candles", __name__)
PATH: Final = "/api/v1/candles"
MOST: Final = 10_000
USUAL: Final = 500
_MOST_MINUTES: Final = 100_000  # of one page: some 100 ms of CPU in which the streams of the process wait
_KEPT_LONGEST: Final = "5m"
TIMEFRAMES: Final = (*intraday.NAMES, *periods.NAMES)
_FORMS: Final = ("rows", "columns")
_ACCEPTED: Final = "it is a day such as 2026-11-30 or an instant such as 2026-11-30T10:41:00+05:30"
# No bar is older or younger: without these bounds the search for the newest bars before the year 9999 would
# take minutes, and dates before the year 1 would be computed.
_EARLIEST: Final = datetime(1970, 1, 1, tzinfo=IST)
_AHEAD: Final = timedelta(days=1)


class _Query(NamedTuple):
    """`since`: None for the newest bars before `until`. `adjusted`: never of intraday bars. `sessions`: phases
    of the market, of intraday bars.
    """

    key: str
    timeframe: str
    since: datetime | None
    until: datetime
    limit: int
    form: str
    adjusted: bool
    sessions: tuple[str, ...]


class _Page(NamedTuple):
    """`following`: the `from` of the next page, None where there is none. `adjusted`: None of intraday bars."""

    bars: BarColumns
    following: str | None
    adjusted: bool | None = None


@bp.get(PATH)
def candles() -> Response:
    query = _query(request.args.items(multi=True))
    page = _page(query)
    of = _columns(query, page)
    head: dict[str, Any] = {"key": query.key, "timeframe": query.timeframe}
    if page.adjusted is not None:
        head["adjusted"] = page.adjusted
    tail: dict[str, Any] = {"next": page.following}
    if note := _note(query):
        tail["note"] = note
    found = bar_texts.as_rows(of) if query.form == "rows" else bar_texts.as_columns(of)
    # The bars are a text already: a page of 10,000 costs half of what it costs as objects.
    before, after = (json.dumps(part, separators=(",", ":")) for part in (head, tail))
    return _response(f'{before[:-1]},"bars":{found},{after[1:]}', "application/json")


@bp.get(f"{PATH}.csv")
def candles_as_csv() -> Response:
    query = _query(request.args.items(multi=True))
    page = _page(query)
    response = _response(bar_texts.as_csv(_columns(query, page)), "text/csv; charset=utf-8")
    if page.following:  # a CSV has no place for it
        pairs = [pair for pair in request.args.items(multi=True) if pair[0] != "from"]
        following = urls.address(request.path, [*pairs, ("from", page.following)])
        response.headers["Link"] = f'<{following}>; rel="next"'
    return response


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
    timeframe = params.choice(given, "timeframe", TIMEFRAMES, "1m")
    if "adjusted" in given and timeframe in intraday.NAMES:
        accepted = f"it is for {', '.join(periods.NAMES)}: shorter bars are as traded"
        raise InputError("adjusted", given["adjusted"], accepted)
    adjusted = params.choice(given, "adjusted", ("0", "1"), "0") == "1"
    sessions = _sessions(given, timeframe)
    until = _instant(given, "to", end=True) or datetime.now(UTC)
    since = _instant(given, "from", end=False)
    if since is not None and since > until:
        raise InputError("from", given["from"], "it is not after `to`")
    limit = params.whole(given, "limit", MOST, USUAL)
    form = params.choice(given, "form", _FORMS, _FORMS[0])
    until = min(until, datetime.now(UTC) + _AHEAD)
    return _Query(key, timeframe, since and min(since, until), until, limit, form, adjusted, sessions)


def _sessions(given: dict[str, str], timeframe: str) -> tuple[str, ...]:
    if "sessions" in given and timeframe in periods.NAMES:
        accepted = f"it is for {intraday.NAMES[0]} to {intraday.NAMES[-1]}: a day has all of its trades"
        raise InputError("sessions", given["sessions"], accepted)
    return params.several(given, "sessions", kinds.ALL, kinds.ALL)


def _page(query: _Query) -> _Page:
    if query.timeframe in periods.NAMES:
        return _page_of_days(query)
    minutes = intraday.minutes_of(query.timeframe)
    limit = min(query.limit, _MOST_MINUTES // minutes)
    if query.since is None:
        return _Page(bars.latest(query.key, minutes, limit, query.until, query.sessions), None)
    found = bars.following(query.key, minutes, limit + 1, query.since, query.until, query.sessions)
    return _cut(found, limit)


def _page_of_days(query: _Query) -> _Page:
    key, timeframe, since, until, limit, _, adjusted, _ = query
    try:
        if since is None:
            found = day_bars.latest(key, timeframe, limit, until, adjusted=adjusted)
        else:
            found = day_bars.following(key, timeframe, since, until, limit + 1, adjusted=adjusted)
    except ValueError:
        damaged = f"The stored daily candles of {key} are damaged; import them again"
        raise DatabaseError(damaged, permanent=True) from None
    return _cut(of_bars(found.bars), limit)._replace(adjusted=found.adjusted)


def _note(query: _Query) -> str:
    """Return a sentence where bars are asked for that are older than is kept, "" otherwise."""
    if query.timeframe in periods.NAMES or query.since is None:
        return ""
    days = bars.kept_days(intraday.minutes_of(query.timeframe))
    if query.since.astimezone(IST).date() >= datetime.now(IST).date() - timedelta(days=days):
        return ""
    longest = bars.kept_days(intraday.minutes_of(_KEPT_LONGEST))
    others = "" if days == longest else f", those of {_KEPT_LONGEST} and its multiples for {longest}"
    return f"Bars of {query.timeframe} are kept for {counted(days, 'day')}{others}; imported history stays."


def _cut(found: BarColumns, limit: int) -> _Page:
    """Return the page of the first `limit` bars; the next page starts with the one after them."""
    following = bar_texts.start_text(found.starts[limit]) if len(found.starts) > limit else None
    return _Page(found.part(0, limit), following)


def _instant(given: Mapping[str, str], name: str, *, end: bool) -> datetime | None:
    """Return a parameter as an aware instant; a day counts from its start, as `to` up to its end."""
    value = given.get(name)
    if value is None:
        return None
    try:
        if len(value) == len("2026-11-30"):
            day = date.fromisoformat(value) + timedelta(days=end)
            return max(datetime.combine(day, time(), IST), _EARLIEST)
        at = datetime.fromisoformat(value.replace(" ", "+"))  # a plus sign that was not escaped
    except (ValueError, OverflowError):
        raise InputError(name, value, _ACCEPTED) from None
    if at.tzinfo is None:
        raise InputError(name, value, f"{_ACCEPTED}, with its offset from UTC")
    return max(at, _EARLIEST)


def _columns(query: _Query, page: _Page) -> bar_texts.Columns:
    daily = query.timeframe in periods.NAMES
    minutes = 0 if daily else intraday.minutes_of(query.timeframe)
    forming_from = bars.forming_from(query.key, minutes, datetime.now(UTC))
    starts = page.bars.starts
    sessions = [None] * len(starts) if daily else bars.kinds_of(query.key, starts)
    return bar_texts.columns(page.bars, sessions, forming_from)


def _response(body: str, content_type: str) -> Response:
    return Response(body, content_type=content_type, headers={"Cache-Control": "no-store"})
