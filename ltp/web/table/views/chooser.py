"""Named views of tables: the built-in and the saved ones, `view=SLUG` in an address, and the links to them.

A view decides the tab, columns, order, filters and groups of a table. The rest of an address stays: page size,
run, capital and risk, and whether prices move.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Final, NamedTuple
from urllib.parse import parse_qsl, urlencode

from ltp.db.views.named_views import View
from ltp.web import params
from ltp.web.table.columns import CANDIDATES, RECOMMENDATIONS
from ltp.web.table.links import Carried
from ltp.web.table.screen_query import VIEW, ScreenQuery
from ltp.web.table.views.column_sets import SETS
from ltp.web.table.views.form import columns_of

Pairs = list[tuple[str, str]]
PARTS: Final = frozenset({"tab", "q", "setup", "sector", "f", "sort", "group", "columns"})
_OF_THE_ORDER: Final = frozenset({"sort", "then", "dir"})
# Names of parameters beside `view` that take the place of those of the view.
_OVERRIDING: Final = PARTS | _OF_THE_ORDER
_TABS: Final = {"levels": RECOMMENDATIONS, "risk": RECOMMENDATIONS}
_SORTS: Final = {"momentum": ("rs6m", True), "risk": ("risk", True)}


class BuiltIn(NamedTuple):
    slug: str
    name: str
    query: str


class ViewLink(NamedTuple):
    slug: str
    name: str
    url: str
    current: bool


class Chooser(NamedTuple):
    """The views for a table. `name`: of the one that the page shows, empty if it is none."""

    name: str
    built_in: tuple[ViewLink, ...]
    saved: tuple[ViewLink, ...]


def text_of(query: ScreenQuery) -> str:
    """Return a query's part of a view as the parameters of an address; equal views have equal texts."""
    return urlencode([pair for pair in query.pairs() if pair[0] in PARTS], safe=",")


def expand(pairs: Iterable[tuple[str, str]], query_of: Callable[[str], str]) -> Pairs:
    """Return the parameters of an address with those of the view that it names in place of `view`.

    A parameter that is given beside `view` takes the place of the view's, all filters of all of the view's.

    Args:
        query_of: returns the query of a view by its slug; raises if there is none.
    Raises:
        InputError: `view` comes twice.
    """
    given = list(pairs)
    rest = [pair for pair in given if pair[0] != VIEW]
    slug = params.single(pair for pair in given if pair[0] == VIEW).get(VIEW)
    if not slug:
        return rest
    rest = [pair for pair in rest if pair[1].strip()]
    named = {name for name, _ in rest}
    named |= {"sort"} if named & _OF_THE_ORDER else set()
    return [pair for pair in parse_qsl(query_of(slug)) if pair[0] not in named & _OVERRIDING] + rest


def chooser(views: Mapping[str, View], query: ScreenQuery, path: str, carried: Carried) -> Chooser:
    """Return the links from a page to the same table in each view. `path`, `carried`: of the page."""
    shown = text_of(query)
    kept = ScreenQuery(
        size=query.size, capital=query.capital, risk=query.risk, live=query.live, run=query.run
    )
    rest = [*carried, *kept.pairs()]

    def link(view: BuiltIn | View) -> ViewLink:
        address = f"{path}?{urlencode([*rest, (VIEW, view.slug)], safe=',')}"
        return ViewLink(view.slug, view.name, address, view.query == shown)

    built_in, saved = tuple(map(link, BUILT_IN.values())), tuple(map(link, views.values()))
    name = next((each.name for each in (*saved, *built_in) if each.current), "")
    return Chooser(name, built_in, saved)


def _built_in(slug: str, title: str, names: tuple[str, ...]) -> BuiltIn:
    tab = _TABS.get(slug, CANDIDATES)
    sort, descending = _SORTS.get(slug, ("rank", False))
    query = ScreenQuery(sort, descending, columns=columns_of(names, tab), tab=tab)
    return BuiltIn(slug, title, text_of(query))


BUILT_IN: Final = {each.slug: _built_in(*each) for each in SETS}
