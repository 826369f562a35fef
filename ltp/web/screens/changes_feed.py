"""`/screeners/<slug>/changes.atom`: an entry for each session in which a screen's list changed, newest first.

Of several runs of one session the last one counts: the next one changes the entry and adds none.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from typing import Final, NamedTuple

from flask import Blueprint, Response, request
from markupsafe import Markup
from werkzeug.wrappers import Response as BaseResponse

from ltp.core import atom
from ltp.core.screener import KINDS
from ltp.db.runs import Listed, RunHead, fetch_listed
from ltp.errors import NotReadError
from ltp.web import urls
from ltp.web.screens import compare
from ltp.web.screens.counts import previous_run, session_order
from ltp.web.screens.index import find_titled
from ltp.web.services import services

bp = Blueprint("changes_feed", __name__)
MAX_ENTRIES: Final = 20
MAX_NAMED: Final = 100  # shares that one entry names as entered, and as left
MAX_READING_S: Final = 0.5
_MAX_KEPT: Final = 500  # some ten kilobytes each
_BEGINNING: Final = datetime(
    1970, 1, 1, tzinfo=UTC
)  # `updated` of a screen without runs, which Atom requires


class ListChanges(NamedTuple):
    """Shares that one run's list has and the run before it has not, and the reverse, at most MAX_NAMED each."""

    entered: Sequence[Listed]
    left: Sequence[Listed]
    entered_count: int
    left_count: int


_known: OrderedDict[tuple[RunHead, RunHead], ListChanges] = OrderedDict()


@bp.get("/screeners/<slug>/changes.atom")
def feed(slug: str) -> BaseResponse:
    if not services().catalog.site_key:  # an entry with another id would be a new one to every reader
        raise NotReadError("The database has")
    screener, page_url = find_titled(slug)
    heads = services().catalog.runs(screener.kind)
    title = screener.title if len(screener.title) <= 70 else f"{screener.title[:69]}…"
    entries = _entries(screener.kind, screener.path, title, heads)
    updated = max((head.created_at for head in heads), default=_BEGINNING)
    document = atom.render(
        atom.Feed(
            _id(screener.kind),
            f"{title}: changes",
            updated,
            "LTP",
            _absolute(page_url),
            _absolute(f"{screener.path}/changes.atom"),
            entries,
        )
    )
    response = Response(document, content_type=f"{atom.MEDIA_TYPE}; charset=utf-8")
    # Readers ask every few minutes: most of their requests are answered by a 304.
    response.headers["Cache-Control"] = "no-cache"
    response.last_modified = updated
    response.add_etag()
    return response.make_conditional(request)


def last_of_sessions(heads: Sequence[RunHead]) -> list[RunHead]:
    """Return the last run of each session, the newest session first."""
    last = {session_order(head)[0]: head for head in sorted(heads, key=session_order)}
    return [last[session] for session in sorted(last, reverse=True)]


def list_changes(
    head: RunHead, previous: RunHead, read: Callable[[int], Sequence[Listed] | None]
) -> ListChanges | None:
    """Return the changes of a list between two runs, None if one of them is not stored any more.

    Args:
        read: returns the rows of a run by rank, None if it is not stored.
    """
    now, before = read(head.id), read(previous.id)
    if now is None or before is None:
        return None
    all_rows = head.kind not in KINDS
    listed_now, listed_before = (
        {row.key for row in rows if all_rows or row.setup != compare.NOT_LISTED} for rows in (now, before)
    )
    entered = [row for row in now if row.key in listed_now - listed_before]
    left = [row for row in before if row.key in listed_before - listed_now]
    return ListChanges(entered[:MAX_NAMED], left[:MAX_NAMED], len(entered), len(left))


def _entries(kind: str, path: str, title: str, heads: Sequence[RunHead]) -> list[atom.Entry]:
    """Return the entries that are known or can be read within MAX_READING_S, the others with a later request."""
    until, entries, read = time.monotonic() + MAX_READING_S, list[atom.Entry](), _Rows()
    for head in last_of_sessions(heads):
        previous = previous_run(tuple(heads), head)
        if previous is None or len(entries) == MAX_ENTRIES:
            break
        found = _known.get((head, previous))
        if found is None:
            if time.monotonic() > until:
                break
            found = list_changes(head, previous, read)
            if found is None:
                continue
            _known[head, previous] = found
            if len(_known) > _MAX_KEPT:
                _known.popitem(last=False)
        if found.entered_count or found.left_count:
            entries.append(_entry(kind, path, title, head, previous, found))
    return entries


class _Rows(dict[int, "Sequence[Listed] | None"]):
    """The rows of runs, each read once for a request: neighbouring entries share a run."""

    def __call__(self, run_id: int) -> Sequence[Listed] | None:
        if run_id not in self:
            self[run_id] = fetch_listed(services().engine, run_id, pause=lambda: time.sleep(0.001))
        return self[run_id]


def _entry(
    kind: str, path: str, title: str, head: RunHead, previous: RunHead, found: ListChanges
) -> atom.Entry:
    session = session_order(head)[0]
    pairs = [("run", str(head.id)), ("with", str(previous.id))]
    counts = f"{found.entered_count} entered, {found.left_count} left"
    sample = "Sample: " if head.sample else ""
    html = Markup("<p>{}, against {}.</p>{}{}").format(
        _run_name(head),
        _run_name(previous),
        _section("Entered", found.entered, found.entered_count, path, head),
        _section("Left", found.left, found.left_count, path, previous),
    )
    return atom.Entry(
        _id(kind, session.isoformat()),
        f"{sample}{title}, {_day(session)}: {counts}",
        head.created_at,
        _absolute(urls.address(f"{path}/changes", pairs)),
        str(html),
    )


def _section(title: str, rows: Sequence[Listed], count: int, path: str, head: RunHead) -> Markup:
    if not rows:
        return Markup("")
    lines = Markup("").join(
        Markup('<li><a href="{}">{}</a> {}</li>').format(
            _absolute(_row_path(path, row, head)), row.symbol, row.name
        )
        for row in rows
    )
    more = Markup("<p>And {} more.</p>").format(count - len(rows)) if count > len(rows) else ""
    return Markup("<h2>{} ({})</h2><ul>{}</ul>{}").format(title, count, lines, more)


def _row_path(path: str, row: Listed, head: RunHead) -> str:
    segment, _, security_id = row.key.partition(":")
    return urls.address(f"{path}/{segment}/{security_id}", [("run", str(head.id))])


def _run_name(head: RunHead) -> str:
    return f"Run {head.id}" + (f" of the session of {_day(head.as_of)}" if head.as_of else "")


def _day(day: date) -> str:
    return f"{day.day} {day:%b %Y}"


def _id(*names: str) -> str:
    return atom.permanent_id(services().catalog.site_key, "changes", *names)


def _absolute(path: str) -> str:
    return request.host_url.rstrip("/") + path
