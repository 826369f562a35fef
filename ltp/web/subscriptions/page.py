"""`/subscriptions`: the instruments on the feed and those that wait, renewed every few seconds, and as CSV."""

from __future__ import annotations

import csv
import io
from typing import Any, Final

from flask import Blueprint, Response, render_template, request

from ltp.core.clients import allotment
from ltp.core.instrument import SEGMENTS
from ltp.core.subscriptions.pins import MAX_NOTE, MAX_PINS, MODES
from ltp.core.subscriptions.table import REASONS, STATES, SubscriptionTable
from ltp.hub.fragments import BEAT
from ltp.web import errors, params
from ltp.web.errors import Problem
from ltp.web.live import poll, status_line
from ltp.web.services import services
from ltp.web.subscriptions import document, query
from ltp.web.subscriptions.latest import Latest, latest, name_of
from ltp.web.subscriptions.lines import STATE_TITLES, Why, line, why
from ltp.web.subscriptions.query import HEADS, PATH, SIZES, Query
from ltp.web.subscriptions.select import Counts, select
from ltp.web.table.export import safe

bp = Blueprint("subscriptions", __name__)
_NAMED: Final = 12  # screens and watchlists with a count beside the filters
NOTHING_TYPED: Final = {"key": "", "mode": "default", "note": "", "error": "", "field": ""}


@bp.get(PATH)
def page() -> str:
    return render()


@bp.get(f"{PATH}/poll")
def polled() -> str:
    asked, found = _asked(), latest()
    values = {**_figures(asked, found), "live": None}
    parts = "".join(
        f'<hx-partial id="{name}">{render_template(f"subscriptions/_{name}.html", **values)}</hx-partial>'
        for name in ("rows", "counts", "pager")
    )
    summary = render_template("subscriptions/_summary.html", **values)
    return summary + parts + status_line.render_partial(services().hub) + BEAT


@bp.get(f"{PATH}.csv")
def table_as_csv() -> Response:
    asked, found = query.parse(params.single(request.args.items(multi=True))), latest(wait=True)
    if found.table is None:
        return errors.respond(Problem(503, found.trouble, retry_after_s=2))
    response = Response(_csv(found.table, asked, found.age_s), content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = 'inline; filename="subscriptions.csv"'
    response.headers["Cache-Control"] = "no-store"
    return response


def render(typed: dict[str, str] | None = None) -> str:
    """Return the page. `typed`: the form to pin an instrument, as NOTHING_TYPED, after a refusal."""
    given = params.single(request.args.items(multi=True)) if typed is None else {}
    asked, live = query.parse(given), params.is_live(given)
    pairs = asked.pairs()
    return render_template(
        "subscriptions/index.html",
        **_figures(asked, latest(wait=True)),
        live=poll.LiveAddresses("", asked.url(f"{PATH}/poll", page=asked.page)) if live else None,
        pause_url=asked.url(page=asked.page) if not live else _paused(asked),
        csv_url=asked.url(f"{PATH}.csv"),
        json_url=asked.url("/api/v1/subscriptions"),
        hidden=[pair for pair in pairs if pair[0] in ("reason", "sort")],
        states=STATES,
        state_titles=STATE_TITLES,
        segments=SEGMENTS,
        sizes_offered=SIZES,
        rule=allotment.RULE,
        form=typed or NOTHING_TYPED,
        modes=MODES,
        most_pins=MAX_PINS,
        most_note=MAX_NOTE,
    )


def _asked() -> Query:
    given = params.single(pair for pair in request.args.items(multi=True) if pair[0] not in poll.PASSING)
    return query.parse(given)


def _paused(asked: Query) -> str:
    address = asked.url(page=asked.page)
    return f"{address}{'&' if '?' in address else '?'}live=0"


def _figures(asked: Query, found: Latest) -> dict[str, Any]:
    """Return the values of those parts of the page that are renewed."""
    values: dict[str, Any] = {
        "query": asked,
        "trouble": found.trouble,
        "heads": [_head(name, asked) for name in HEADS],
        "connections": allotment.CONNECTIONS,
    }
    if found.table is None:
        return values | {"lines": [], "matching": 0, "shown_page": 1, "pages": 1, "counted": None}
    table, chosen = found.table, select(found.table, asked, name_of)
    counted = found.counted
    return values | {
        "lines": [line(table, row, name_of, found.age_s) for row in chosen.rows],
        "matching": chosen.matching,
        "shown_page": chosen.page,
        "pages": chosen.pages,
        "first": (chosen.page - 1) * (asked.size or 1) + 1,
        "counted": counted,
        "limit": table.limit,
        "waiting": table.waiting,
        "feed": table.feed,
        "choices": _choices(asked, counted),
        "previous": asked.url(page=chosen.page - 1) if chosen.page > 1 else "",
        "following": asked.url(page=chosen.page + 1) if chosen.page < chosen.pages else "",
    }


def _head(name: str, asked: Query) -> dict[str, str]:
    title, largest_first = HEADS[name]
    is_sorted = asked.column == name
    descends = not asked.descending if is_sorted else largest_first
    return {
        "name": name,
        "title": title,
        "url": asked.url(sort="-" * descends + name),
        "sorted": ("descending" if asked.descending else "ascending") if is_sorted else "",
    }


def _choices(asked: Query, counted: Counts) -> list[tuple[str, list[tuple[str, str, int, bool]]]]:
    """Return the counts that are links: label, and of each choice its title, address, number, and whether it is
    chosen, in which case the address is that without it.
    """
    states = [
        (STATE_TITLES[name], asked.url(state="" if asked.state == name else name), n, asked.state == name)
        for name, n in counted.states.items()
    ]
    reasons = [
        (REASONS[name], asked.url(reason="" if asked.reason == name else name), n, asked.reason == name)
        for name, n in counted.reasons.items()
    ]
    largest = sorted(counted.named.items(), key=lambda each: -each[1][1])[:_NAMED]
    named = [
        (why(reason).text, asked.url(reason="" if asked.reason == name else name), n, asked.reason == name)
        for name, (reason, n) in largest
    ]
    return [("State", states), ("Why", reasons), ("Screens and watchlists", named)]


def _csv(table: SubscriptionTable, asked: Query, age_s: float) -> str:
    """Return all rows that the query selects, whatever its page."""
    target = io.StringIO(newline="")
    writer = csv.writer(target)
    chosen = select(table, asked._replace(size=0, page=1), name_of)
    writer.writerow(document.FIELDS)
    for row in document.paced(chosen.rows):
        values = document.values(table, row, name_of, age_s)
        texts: list[Why] = [why(table.reasons[number]) for number in row.reasons]
        values["reasons"] = "; ".join(each.text for each in texts)
        writer.writerow([safe(values[name]) for name in document.FIELDS])
    return target.getvalue()
