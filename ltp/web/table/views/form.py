"""The form of a table's columns, order and groups: one submit, without JavaScript too. Pure.

A form sends each ticked column as a parameter of its own; the page then redirects to the short address.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from ltp.core.screener import Run
from ltp.web.table.columns import FLAG, GROUPS, OF_LISTS, SYMBOL, Column, of_tab
from ltp.web.table.links import Carried, Links
from ltp.web.table.screen_query import BY_SCORE, ScreenQuery
from ltp.web.table.screener import Screener, default_columns, in_table_order
from ltp.web.table.views.column_sets import SETS, SUBJECTS


class Box(NamedTuple):
    column: Column
    ticked: bool


class Subject(NamedTuple):
    title: str
    boxes: tuple[Box, ...]


class SetLink(NamedTuple):
    slug: str
    title: str
    url: str
    current: bool


class Option(NamedTuple):
    value: str
    label: str
    current: bool


class ColumnForm(NamedTuple):
    """`hidden`: the parameters that it keeps. `sorts`, `thens`: orders by the columns that are shown."""

    subjects: tuple[Subject, ...]
    sets: tuple[SetLink, ...]
    hidden: tuple[tuple[str, str], ...]
    sorts: tuple[Option, ...]
    thens: tuple[Option, ...]
    groups: tuple[Option, ...]


def column_form(
    screener: Screener,
    run: Run | None,
    query: ScreenQuery,
    shown: Sequence[Column],
    links: Links,
    carried: Carried,
) -> ColumnForm:
    """Return the form for a page. `shown`: its columns. `links`, `carried`: of the page."""
    kept = query.with_(columns=(), page=1, rows=(), group="", best_first=False)
    kept = kept.sorted_by("rank", descending=False)
    then = f"{'-' if query.then_descending else ''}{query.then}"
    return ColumnForm(
        subjects=_subjects(screener, query, {column.name for column in shown}),
        sets=_sets(screener, run, query, links),
        hidden=(*carried, *kept.pairs()),
        sorts=_orders(screener, query, shown, f"{'-' if query.descending else ''}{query.sort}"),
        thens=(
            Option("", "place" if screener.is_list else "rank", not query.then),
            *_orders(screener, query, shown, then)[1:],
        ),
        groups=_groups(screener, query),
    )


def _subjects(screener: Screener, query: ScreenQuery, shown: set[str]) -> tuple[Subject, ...]:
    offered = {column.name for column in of_tab(query.tab)} - {"ltp"}  # the price is always there
    if not screener.is_list:
        offered -= {column.name for column in OF_LISTS}
    subjects = (
        Subject(title, tuple(Box(screener.column(name), name in shown) for name in names if name in offered))
        for title, names in SUBJECTS.items()
    )
    return tuple(subject for subject in subjects if subject.boxes)


def _sets(screener: Screener, run: Run | None, query: ScreenQuery, links: Links) -> tuple[SetLink, ...]:
    default = default_columns(screener, run, query.tab)
    shown = query.columns or default
    choices = [("own", "The list's own" if screener.is_list else "The screener's own", default)]
    choices += [(each.slug, each.title, columns_of(each.names, query.tab)) for each in SETS]
    return tuple(
        SetLink(
            slug, title, links.url(query.with_(columns=() if names == default else names)), names == shown
        )
        for slug, title, names in choices
    )


def columns_of(names: Sequence[str], tab: str) -> tuple[str, ...]:
    """Return those of `names` that a tab has, in the order of tables."""
    offered = {column.name for column in of_tab(tab)}
    return tuple(name for name in in_table_order(names) if name in offered)


def _orders(
    screener: Screener, query: ScreenQuery, shown: Sequence[Column], current: str
) -> tuple[Option, ...]:
    """Return both directions of each column that is shown or orders the rows; the rank, best first, is the first."""
    shown_names = [column.name for column in shown]
    names = dict.fromkeys([SYMBOL.name, *shown_names, *(name for name, _ in query.orders)])
    rank, best = ("Place in the list", "") if screener.is_list else ("Rank", ", best first")
    options = [("rank", f"{rank}{best}"), ("-rank", f"{rank}, last first")]
    for name in names:
        if name != "rank":
            column = SYMBOL if name == SYMBOL.name else screener.column(name)
            up, down = ("A to Z", "Z to A") if column.text else ("lowest first", "highest first")
            options += [(f"-{name}", f"{column.label}, {down}"), (name, f"{column.label}, {up}")]
    return tuple(Option(value, label, value == current) for value, label in options)


def _groups(screener: Screener, query: ScreenQuery) -> tuple[Option, ...]:
    current = f"{query.group},{BY_SCORE}" if query.best_first else query.group
    options = [("", "no groups")]
    for name in GROUPS:
        if name == FLAG and not screener.is_list:
            continue
        label = screener.column(name).label
        options += [(name, f"{label}, by name"), (f"{name},{BY_SCORE}", f"{label}, best score first")]
    return tuple(Option(value, label, value == current) for value, label in options)
