"""`/candles/audit`: in how many minutes the bars built here were the broker's, by session and by instrument, and
the minutes that differed most.
"""

from __future__ import annotations

import csv
import io
import json
import time
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final, NamedTuple

from flask import Blueprint, Response, render_template, request

from ltp.core.bars.bar import Bar, mark_names
from ltp.core.bars.comparison import VALUES, Comparison
from ltp.core.instrument import split_key
from ltp.core.money import group_indian, grouped_text, is_currency, rupees
from ltp.core.trading_day import IST
from ltp.db.bars import bar_audits, worst_minutes
from ltp.db.bars.worst_minutes import WorstMinute
from ltp.errors import InputError
from ltp.web import params, urls
from ltp.web.services import services
from ltp.web.waits import BUSY_TIMEOUT_MS

bp = Blueprint("audit", __name__)
PATH: Final = "/candles/audit"
MOST_SESSIONS: Final = 60
MOST_INSTRUMENTS: Final = 200
_DAYS_AT_ONCE: Final = 5  # of 5,000 instruments: some 25 ms inside SQLite, where the streams wait
_PAUSE_S: Final = 0.001  # between two reads, in which the streams go on
_SHARES: Final = tuple(f"equal_{value}_pct" for value in VALUES)
_INFERRED: Final = ("inferred", "inferred_right")
_OF_SESSION: Final = ("day", "instruments", "minutes", *_SHARES, *_INFERRED, "final")
_OF_INSTRUMENT: Final = ("key", "minutes", *_SHARES, *_INFERRED, "final")
_OF_MINUTE: Final = ("key", "start", *VALUES, *(f"broker_{value}" for value in VALUES), "marks")
_ROWS: Final = ("instruments", "minutes")


class Line(NamedTuple):
    """An instrument of a session. `url`: of its page with the bars, "" if the instrument master lacks it."""

    audit: bar_audits.OfInstrument
    symbol: str
    url: str


class Minute(NamedTuple):
    """A minute that differs. `time`: its start in India, "10:41". `values`: in the order of VALUES, the text of
    the bar built here and of the broker's, "" where that is the same.
    """

    key: str
    symbol: str
    url: str
    time: str
    values: list[tuple[str, str]]
    marks: str


@bp.get(PATH)
def page() -> str:
    day = _day(_given())
    query = [("day", day.isoformat())] if day else []
    return render_template(
        "candles/audit.html",
        day_shown=day,
        sessions=_sessions(day),
        lines=[_line(each) for each in _worst(day)] if day else [],
        minutes=[_minute(each) for each in _worst_minutes(day)] if day else [],
        most=MOST_INSTRUMENTS,
        percentages=percentages,
        path=PATH,
        files=_files(query),
        live=None,
    )


@bp.get(f"{PATH}.json")
def as_json() -> Response:
    day = _day(_given())
    document: dict[str, Any] = {"sessions": [_session_row(each) for each in _sessions(day)]}
    if day:
        document["instruments"] = [_instrument_row(each) for each in _worst(day)]
        document["minutes"] = [_minute_row(each) for each in _worst_minutes(day)]
    return _response(json.dumps(document, separators=(",", ":")), "application/json")


@bp.get(f"{PATH}.csv")
def as_csv() -> Response:
    given = _given()
    day, rows = _day(given), params.choice(given, "rows", _ROWS, _ROWS[0])
    if rows == "minutes":
        if day is None:
            raise InputError("rows", rows, "it is for a session: give its `day` too")
        found = [_minute_row(each) for each in _worst_minutes(day)]
        return _csv(_OF_MINUTE, [{**row, "marks": " ".join(row["marks"])} for row in found])
    if day:
        return _csv(_OF_INSTRUMENT, [_instrument_row(each) for each in _worst(day)])
    return _csv(_OF_SESSION, [_session_row(each) for each in _sessions(None)])


def percentages(compared: Comparison) -> list[float | None]:
    """Return the per cent of equal minutes by value, in the order of `VALUES`; None if none was compared.

    Cut to two decimals, so that 100 is never shown for less than all minutes.
    """
    if not compared.minutes:
        return [None] * len(VALUES)
    return [equal * 10_000 // compared.minutes / 100 for equal in compared.equal]


def _given() -> dict[str, str]:
    return params.single(request.args.items(multi=True))


def _files(query: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return name and address of the files of the page."""
    files = [(name, urls.address(f"{PATH}.{name.lower()}", query)) for name in ("CSV", "JSON")]
    if query:
        files.insert(1, ("CSV of the minutes", urls.address(f"{PATH}.csv", [*query, ("rows", "minutes")])))
    return files


def _day(given: Mapping[str, str]) -> date | None:
    """Return the session that the address asks for, None for all.

    Raises:
        InputError: it is no day.
    """
    return params.day(given["day"], "day") if "day" in given else None


def _sessions(day: date | None) -> list[bar_audits.Session]:
    """Return the sums of a session, [] if none is stored; without `day` of the newest ones.

    Raises:
        DatabaseError: the database cannot be read, or not within a moment.
    """
    engine = services().engine
    if day:
        return bar_audits.sessions(engine, [day], busy_timeout_ms=BUSY_TIMEOUT_MS)
    days = bar_audits.newest_days(engine, MOST_SESSIONS, busy_timeout_ms=BUSY_TIMEOUT_MS)
    found: list[bar_audits.Session] = []
    for first in range(0, len(days), _DAYS_AT_ONCE):
        time.sleep(_PAUSE_S)
        some = days[first : first + _DAYS_AT_ONCE]
        found += bar_audits.sessions(engine, some, busy_timeout_ms=BUSY_TIMEOUT_MS)
    return found


def _worst(day: date) -> list[bar_audits.OfInstrument]:
    return bar_audits.worst(services().engine, day, MOST_INSTRUMENTS, busy_timeout_ms=BUSY_TIMEOUT_MS)


def _worst_minutes(day: date) -> list[WorstMinute]:
    return worst_minutes.fetch(services().engine, day, busy_timeout_ms=BUSY_TIMEOUT_MS)


def _line(audit: bar_audits.OfInstrument) -> Line:
    return Line(audit, *_named(audit.key))


def _named(key: str) -> tuple[str, str]:
    """Return symbol and address of an instrument; its key and "" if the instrument master lacks it."""
    known = services().catalog.instrument(key)
    if known is None:
        return key, ""
    segment, security_id = split_key(key)
    return known.symbol, f"/instruments/{segment}/{security_id}?timeframe=1m"


def _minute(each: WorstMinute) -> Minute:
    texts = [_texts(each.key, bar) for bar in (each.own, each.broker)]
    values = [(own, "" if own == broker else broker) for own, broker in zip(*texts, strict=True)]
    time_text = datetime.fromtimestamp(each.own.start, IST).strftime("%H:%M")
    return Minute(each.key, *_named(each.key), time_text, values, ", ".join(mark_names(each.own.marks)))


def _texts(key: str, bar: Bar) -> list[str]:
    prices = [grouped_text(price, currency=is_currency(key)) for price in bar[1:5]]
    return [*prices, group_indian(str(bar.volume))]


def _session_row(session: bar_audits.Session) -> dict[str, Any]:
    return {
        "day": session.day.isoformat(),
        "instruments": session.instruments,
        **_values(session.compared),
        "final": session.final,
    }


def _instrument_row(audit: bar_audits.OfInstrument) -> dict[str, Any]:
    return {"key": audit.key, **_values(audit.compared), "final": audit.final}


def _minute_row(each: WorstMinute) -> dict[str, Any]:
    own, broker = ([*map(rupees, bar[1:5]), bar.volume] for bar in (each.own, each.broker))
    return {
        "key": each.key,
        "start": datetime.fromtimestamp(each.own.start, IST).isoformat(),
        **dict(zip(VALUES, own, strict=True)),
        **{f"broker_{value}": found for value, found in zip(VALUES, broker, strict=True)},
        "marks": mark_names(each.own.marks),
    }


def _values(compared: Comparison) -> dict[str, Any]:
    return {
        "minutes": compared.minutes,
        **dict(zip(_SHARES, percentages(compared), strict=True)),
        "inferred": compared.inferred,
        "inferred_right": compared.inferred_right,
    }


def _csv(columns: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> Response:
    target = io.StringIO(newline="")
    writer = csv.DictWriter(target, columns)
    writer.writeheader()
    writer.writerows(rows)
    return _response(target.getvalue(), "text/csv; charset=utf-8")


def _response(body: str, content_type: str) -> Response:
    return Response(body, content_type=content_type, headers={"Cache-Control": "no-store"})
