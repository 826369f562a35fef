"""The title of a screener's page: what tells one bookmark, tab or line of a browser's history from another.
Pure.
"""

from __future__ import annotations

from typing import Final

from ltp.core.screener import KINDS
from ltp.web.table.columns import BY_NAME, CANDIDATES
from ltp.web.table.facets import label
from ltp.web.table.screen_query import ScreenQuery
from ltp.web.table.screener import Screener

_LONGEST: Final = 70  # of a name or of criteria; browsers cut a title at about so much


def title(shown: Screener, query: ScreenQuery, name: str) -> str:
    """Return the title, such as "Swing plans · Ready · Financials · by R". `name`: what the screener is
    called.
    """
    tab = "candidates" if query.tab == CANDIDATES else "plans"
    parts = (
        [f"{name.removesuffix(' screener')} {tab}"] if shown.kind in KINDS else [_cut(name), tab.capitalize()]
    )
    if query.setup:
        parts.append(label(query.setup))
    if query.sector:
        parts.append(query.sector)
    if query.q:
        parts.append(f"“{query.q}”")
    if order := _order(shown, query):
        parts.append(order)
    if query.page > 1:
        parts.append(f"page {query.page}")
    if query.run:
        parts.append(f"run {query.run}")
    return " · ".join(parts)


def _order(shown: Screener, query: ScreenQuery) -> str:
    """Return by what the rows are sorted, and from which end where that is not the one a first click sorts
    from.
    """
    if query.sort == "rank":
        return "from the last rank" if query.descending else ""
    column = shown.column(query.sort) if query.sort in BY_NAME else None
    words = column is None or column.text
    turned = (" from Z" if words else "") if query.descending else ("" if words else " from the lowest")
    return f"by {column.label if column else 'symbol'}{turned}"


def _cut(name: str) -> str:
    return name if len(name) <= _LONGEST else f"{name[: _LONGEST - 1]}…"
