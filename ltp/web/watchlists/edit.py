"""`/watchlists/<slug>/edit`: the lines of a list with the forms that change them; nothing on it moves by itself."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

from flask import Blueprint, Response, make_response, render_template, request

from ltp.core.watchlists.watchlist import FLAGS, MAX_NOTE, MAX_ROWS, MAX_TITLE, Line, Watchlist
from ltp.web import params
from ltp.web.services import services
from ltp.web.watchlists import words
from ltp.web.watchlists.lists import PATH, lists

bp = Blueprint("watchlist_edit", __name__)
SIZE: Final = 50  # lines a page
_MAX_PAGE: Final = 10_000


class Typed(NamedTuple):
    """What an editor has typed into a line: `title` of a section, `note` and `flag` of an instrument."""

    title: str = ""
    note: str = ""
    flag: str = ""


class Refusal(NamedTuple):
    """Why a change was not made. `meanwhile`: the changes of others since the editor's page was opened. `typed`: values
    that were not stored, by the keys of their lines. `title`: of the list, "" unless it was not stored.
    """

    sentence: str = ""
    meanwhile: tuple[str, ...] = ()
    typed: Mapping[str, Typed] = MappingProxyType({})
    title: str = ""


NOTHING_REFUSED: Final = Refusal()


class EditedLine(NamedTuple):
    """A line of the page. `typed`: values that were not stored, None for none. `known`: in the instrument master."""

    line: Line
    symbol: str
    name: str
    url: str
    typed: Typed | None


@bp.get(f"{PATH}/<slug>/edit")
def page(slug: str) -> Response:
    given = params.single(request.args.items(multi=True))
    return render(lists().get(slug), params.whole(given, "page", _MAX_PAGE, 1))


def render(
    watchlist: Watchlist, page: int, refusal: Refusal = NOTHING_REFUSED, status: int = 200
) -> Response:
    """Render the page. `refusal`: shown above the lines, with the typed values in their lines."""
    pages = max(1, -(-len(watchlist.lines) // SIZE))
    page = min(page, pages)
    first = (page - 1) * SIZE
    typed = refusal.typed
    known = {line.key for line in watchlist.lines}
    return make_response(
        render_template(
            "watchlists/edit.html",
            watchlist=watchlist,
            lines=[_line(line, typed.get(line.key)) for line in watchlist.lines[first : first + SIZE]],
            refusal=refusal,
            lost=[(words.symbol_of(key), each) for key, each in typed.items() if key not in known],
            typed_title=refusal.title or watchlist.title,
            page=page,
            pages=pages,
            first=first + 1,
            changes=words.changes_after(watchlist.slug, 0),
            flags=FLAGS,
            longest_note=MAX_NOTE,
            longest_title=MAX_TITLE,
            most=MAX_ROWS,
            live=None,
        ),
        status,
    )


def page_of(watchlist: Watchlist, key: str) -> int:
    """Return the page that has a line, 1 for a line that is not there."""
    return next((place // SIZE + 1 for place, line in enumerate(watchlist.lines) if line.key == key), 1)


def _line(line: Line, own: Typed | None) -> EditedLine:
    if line.is_section:
        return EditedLine(line, line.title, "", "", own)
    instrument = services().catalog.instrument(line.key)
    if instrument is None:
        return EditedLine(line, line.key, "no longer in the instrument master", "", own)
    url = f"/instruments/{instrument.segment}/{instrument.security_id}"
    return EditedLine(line, instrument.symbol, instrument.name, url, own)
