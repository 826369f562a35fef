"""`/instruments`: the search for an instrument; `/instruments/suggest`: the first hits, for the list below a form."""

from __future__ import annotations

from typing import Final, NamedTuple

from flask import Blueprint, redirect, render_template, request
from werkzeug.wrappers import Response as BaseResponse

from ltp.core.instrument import Instrument
from ltp.db.former_names import is_isin
from ltp.db.instrument_index import SearchResult
from ltp.web import params, urls
from ltp.web.services import services

bp = Blueprint("search", __name__)
_MAX_FOUND: Final = 50
_MAX_SUGGESTED: Final = 8


class Hit(NamedTuple):
    """One line of a list of hits. `former`: the former symbols, with commas between."""

    instrument: Instrument
    address: str
    former: str


@bp.get("/instruments")
def search() -> str | BaseResponse:
    """List the instruments that match the words typed; redirect to the page of a complete symbol or key."""
    words, found = _found(_MAX_FOUND)
    exact = [each for each in found.instruments if words.upper() in {each.symbol.upper(), each.key}]
    if len(exact) == 1:
        return redirect(urls.of_instrument(exact[0]))
    return render_template("search/index.html", words=words, hits=_hits(found), found=found)


@bp.get("/instruments/suggest")
def suggest() -> str:
    """Return the list below the form, empty where no words are typed."""
    words, found = _found(_MAX_SUGGESTED)
    return render_template("search/_hits.html", words=words, hits=_hits(found), found=found)


def _found(limit: int) -> tuple[str, SearchResult]:
    words = params.text(params.single(request.args.items(multi=True)), "q")
    return words, services().catalog.search(words, limit)


def _hits(found: SearchResult) -> list[Hit]:
    return [
        Hit(
            each,
            urls.of_instrument(each),
            ", ".join(name for name in found.former.get(each.key, ()) if not is_isin(name)),
        )
        for each in found.instruments
    ]
