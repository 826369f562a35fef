"""Titles of screener pages: they distinguish bookmarks, tabs and entries of the history. Pure."""

from __future__ import annotations

from typing import Final

from ltp.core.screener import KINDS
from ltp.web.table.columns import BY_NAME, CANDIDATES
from ltp.web.table.facets import setup_label
from ltp.web.table.screen_query import ScreenQuery
from ltp.web.table.screener import Screener

_LONGEST: Final = 70  # of a name or of criteria; browsers cut titles at about this length


def title(screener: Screener, query: ScreenQuery, name: str) -> str:
    """Return a title such as "Swing plans · Ready · Financials · by R". `name`: of the screener."""
    tab = "candidates" if query.tab == CANDIDATES else "plans"
    built_in = screener.kind in KINDS
    parts = [f"{name.removesuffix(' screener')} {tab}"] if built_in else [_shorten(name), tab.capitalize()]
    if screener.is_list and query.tab == CANDIDATES:
        parts.pop()
    if query.setup:
        parts.append(setup_label(query.setup))
    if query.sector:
        parts.append(query.sector)
    if query.q:
        parts.append(f"“{query.q}”")
    parts += [_shorten(each.label) for each in query.filters]
    if order := _order(screener, query):
        parts.append(order)
    if query.group:
        parts.append(f"in groups by {screener.column(query.group).label}")
    if query.page > 1:
        parts.append(f"page {query.page}")
    if query.run:
        parts.append(f"run {query.run}")
    return " · ".join(parts)


def _order(screener: Screener, query: ScreenQuery) -> str:
    """Return the order in words, a direction only if a first click on the column's head gives the other."""
    if query.sort == "rank":
        return "from the last rank" if query.descending else ""
    return "by " + ", then ".join(_in_words(screener, name, descending) for name, descending in query.orders)


def _in_words(screener: Screener, name: str, descending: bool) -> str:
    column = screener.column(name) if name in BY_NAME else None
    textual = column is None or column.text
    direction = (" from Z" if textual else "") if descending else ("" if textual else " from the lowest")
    return f"{column.label if column else 'symbol'}{direction}"


def _shorten(name: str) -> str:
    return name if len(name) <= _LONGEST else f"{name[: _LONGEST - 1]}…"
