"""The rows of a screener's table as markup.

The values of a run never change, so their markup is made once for each choice of columns and cached. Only
live cells are drawn for each page. A template engine would take five times as long for both.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from markupsafe import Markup, escape

from ltp.core.criteria.facts import is_change
from ltp.core.instrument import element_id
from ltp.core.money import SCALE, Price, group_indian, grouped_text, is_currency
from ltp.core.screener import Outcome, Row
from ltp.core.ticks.quote import Quote
from ltp.web.table import cells
from ltp.web.table.columns import BY_NAME, FLAG, NOTE, Column, stored_value
from ltp.web.table.sparkline import sparkline
from ltp.web.table.values import count_met, missed_criterion, summary

_CACHED_ROWS: Final = 2_000  # of some ten kilobytes each
_ROW_END: Final = "</tr>\n"
_NEXT_BODY: Final = "</tbody>\n<tbody>\n"
_CRORE: Final = 10_000_000
_CHIPS: Final = {"READY": "ready", "NOT_READY": "not"}


class RowLink(NamedTuple):
    """The target of the rows' links: the page of a row.

    `path`: above those of all rows, such as /screeners/swing. `run`: 0 for the newest run. `query`: the other
    parameters of the list, from which the row's page finds its neighbours.
    """

    path: str
    run: int = 0
    query: str = ""

    @property
    def suffix(self) -> str:
        parameters = "&".join(each for each in (self.query, f"run={self.run}" if self.run else "") if each)
        return f"?{parameters}" if parameters else ""

    def of(self, row: Row) -> str:
        """Return the address of a row's page, without the query."""
        return f"{self.path}/{row.segment}/{row.security_id}"


def rows(
    shown: Iterable[Row],
    columns: Sequence[str],
    quotes: Mapping[str, Quote],
    cell: Callable[[Quote, str], str],
    link: RowLink,
    *,
    sized: bool = False,
    headings: Mapping[str, Markup] = MappingProxyType({}),
) -> Markup:
    """Return the rows of a table body.

    Their cells are steady: a price that moved before the page was opened does not flash.

    Args:
        columns: names of `columns.COLUMNS`, with "@<run id>" behind the name of a column that follows a plan.
        quotes: by key, of at least these rows.
        cell: draws the cell of a column.
        sized: the quantities of the rows were computed for this view alone. Their markup is not cached: it
            would evict markup that many views share.
        headings: of groups or sections, by the key of the row that each precedes. A group has a table body of its own, so
            that its heading is that of its rows only.
    """
    names, query, bare = tuple(columns), escape(link.suffix), RowLink(link.path)
    static_parts = _static_parts.__wrapped__ if sized else _static_parts
    markup: list[str] = []
    for row in shown:
        quote = quotes[row.key]._replace(moved=False)
        if row.key in headings:
            markup += (_NEXT_BODY if markup else "", headings[row.key])
        begin, live_cells, end = static_parts(_Identity(row), names, bare)
        markup += (begin, query)
        markup += [before + cell(quote, name) for before, name in live_cells]
        markup.append(end)
    return Markup("".join(markup))  # noqa: S704 (the texts of runs are escaped)


def row_id(row: Row) -> str:
    """Return the id of a row's link and of the heading of its page.

    htmx keeps the focus on an element with the same id and scrolls to it, so Back leads to the row.
    """
    return f"i-{row.segment}-{row.security_id}"


def money(price: Price | None, key: str) -> str:
    return cells.DASH if price is None else grouped_text(price, currency=is_currency(key))


def number(value: float | None) -> str:
    """Return a score with one decimal, two if the second is not 0; a count without; a dash for None."""
    if value is None or isinstance(value, int):
        return cells.DASH if value is None else str(value)
    return f"{value:.2f}".removesuffix("0")


def chip(setup: str) -> Markup | str:
    """Return a setup as a coloured word."""
    if not setup:
        return cells.DASH
    kind = _CHIPS.get(setup, "wait" if setup.startswith("WAIT_") else "other")
    return Markup('<strong class="chip {}">{}</strong>').format(
        kind, setup.replace("_", " ") if kind != "other" else setup
    )


def fact(name: str, value: Any, key: str) -> str:
    """Return a stored value as text with the unit of its column. `key` decides the decimals of a price."""
    column = BY_NAME[name]
    if value is None or value == "" or value == ():
        return cells.DASH
    if isinstance(value, str):
        return value
    if column.kind == "price":
        if name in {"risk", "allocation"}:  # sums are read in whole rupees
            return group_indian(str(round(value / SCALE)))
        return money(value, key)
    if column.kind == "zone":
        return f"{money(value[0], key)}–{money(value[1], key)}"
    return _number_with_unit(name, column, value)


def _number_with_unit(name: str, column: Column, value: float) -> str:
    if name == "turnover":
        return f"{value / _CRORE:,.1f} cr"
    if column.kind == "₹":
        return grouped_text(round(value * SCALE))
    if column.kind == "count":
        return group_indian(str(round(value)))
    decimals = 2 if column.kind in {"×", "R"} else 1
    text = f"{abs(value):.{decimals}f}"
    sign = "" if float(text) == 0 else "-" if value < 0 else "+" if is_change(name) else ""
    return f"{sign}{text}{column.kind if column.kind in {'%', '×'} else ''}"


class _Identity:
    """A row as a cache key that compares by identity.

    Rows of a run never change, and comparing their values would cost more than making the markup.
    """

    __slots__ = ("row",)

    def __init__(self, row: Row) -> None:
        self.row = row

    def __hash__(self) -> int:
        return id(self.row)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Identity) and other.row is self.row


@lru_cache(maxsize=_CACHED_ROWS)
def _static_parts(
    identity: _Identity, names: tuple[str, ...], link: RowLink
) -> tuple[str, list[tuple[str, str]], str]:
    """Return the markup of a row around its live cells.

    Returns:
        The markup up to the query of the row's link; for each live cell the markup before it, and its column;
        the markup after the last.
    """
    row = identity.row
    live_cells, before = [], _heading(row)
    for name in names:
        column = BY_NAME[name.partition("@")[0]]
        if column.live:
            live_cells.append((before + _live_cell_opening(row.key, column), name))
            before = "</span></td>"
        else:
            before += _cell(row, column)
    return f'<tr><th scope="row"><a href="{escape(link.of(row))}', live_cells, before + _ROW_END


def _heading(row: Row) -> str:
    doubt = f' <abbr title="{escape(" ".join(row.flags))}">!</abbr>' if row.flags else ""
    return f'" id="{row_id(row)}">{escape(row.symbol)}</a>{doubt} <small>{escape(row.name)}</small></th>'


def _live_cell_opening(key: str, column: Column) -> str:
    """Return the tags before a live cell: those of the macro in `_live.html`, which has the reasons."""
    id_ = element_id(column.name, key)
    return f'<td class="c-{column.name}"><span id="{id_}" data-instrument-key="{key}" hx-ignore>'


def _cell(row: Row, column: Column) -> str:
    value = stored_value(row, column.name)
    if column.kind == "chip":
        return f'<td class="t">{chip(value)}</td>'
    if column.kind == "spark":
        return f'<td class="c-spark">{sparkline(value) or cells.DASH}</td>'
    if column.kind == "criteria":
        return f'<td class="t long" title="{escape(summary(value))}">{_criteria(value)}</td>'
    text = escape(fact(column.name, value, row.key))
    if not column.text:
        return f"<td>{text}</td>"
    if column.name == FLAG and value:
        return f'<td class="t"><span class="flag {text}">{text}</span></td>'
    if column.name in {"why", "invalid", NOTE}:
        return f'<td class="t {"c-note" if column.name == NOTE else "long"}" title="{text}">{text}</td>'
    mark = {"up": ' class="g"', "down": ' class="l"'}.get(str(value))
    return f'<td class="t">{f"<b{mark}>{text}</b>" if mark else text}</td>'


def _criteria(criteria: tuple[Outcome, ...]) -> str:
    if not criteria:
        return cells.DASH
    missed = "; ".join(missed_criterion(outcome) for outcome in criteria if not outcome.passed)
    return str(
        escape(f"{count_met(criteria)} of {len(criteria)}" + (f", missed: {missed}" if missed else ""))
    )
