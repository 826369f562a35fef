"""One row of a screener's table to markup.

What a run says of a row never changes, so that is drawn once for each choice of columns and kept; only the
live cells are drawn for every page. A template engine would take five times as long for both.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final, NamedTuple

from markupsafe import Markup, escape

from ltp.core.instrument import element_id
from ltp.core.money import Price, group_indian, grouped_text, is_currency
from ltp.core.screener import Outcome, Row
from ltp.core.ticks.quote import Quote
from ltp.web.table import cells
from ltp.web.table.columns import BY_NAME, Column, value
from ltp.web.table.sparkline import sparkline
from ltp.web.table.values import met, missing, summary

_KEPT: Final = 2_000  # rows; each holds what the run says of it, some ten kilobytes
_ROW_END: Final = "</tr>\n"
_CRORE: Final = 10_000_000
_CHIPS: Final = {"READY": "ready", "NOT_READY": "not"}


class RowLink(NamedTuple):
    """Where rows lead: the detail of a run's row. `run`: 0 for whichever run is the newest. `query`: the rest
    of the list's, so that the row's page knows its neighbours there.
    """

    kind: str
    run: int = 0
    query: str = ""

    @property
    def suffix(self) -> str:
        said = "&".join(each for each in (self.query, f"run={self.run}" if self.run else "") if each)
        return f"?{said}" if said else ""

    def of(self, row: Row) -> str:
        """Return the address without the query."""
        return f"/screeners/{self.kind}/{row.segment}/{row.security_id}"


def rows(
    shown: Iterable[Row],
    columns: Sequence[str],
    quotes: Mapping[str, Quote],
    cell: Callable[[Quote, str], str],
    link: RowLink,
    *,
    sized: bool = False,
) -> Markup:
    """Return the rows of a table body. No old move flashes on a page that has just opened.

    Args:
        columns: as `cell` draws them: names out of `columns.COLUMNS`, in their order, with @run where a plan
            is followed.
        quotes: of at least these rows.
        sized: the rows were made for this one view, so what is drawn of them is not kept: it would drive out
            what others share.
    """
    names, query, bare = tuple(columns), escape(link.suffix), RowLink(link.kind)
    fixed = _fixed.__wrapped__ if sized else _fixed
    drawn: list[str] = []
    for row in shown:
        quote = quotes[row.key]._replace(moved=False)
        begin, pieces, end = fixed(_Same(row), names, bare)
        drawn += (begin, query)
        drawn += [before + cell(quote, name) for before, name in pieces]
        drawn.append(end)
    return Markup("".join(drawn))  # noqa: S704 (every text of the run was escaped, and a cell is made of numbers and words)


def row_id(row: Row) -> str:
    """Return the id of a row's link. The heading of the row's page has it too: htmx keeps the focus on an id
    and scrolls to it, so Back leads to the row.
    """
    return f"i-{row.segment}-{row.security_id}"


def money(price: Price | None, key: str) -> str:
    return cells.DASH if price is None else grouped_text(price, currency=is_currency(key))


def number(value: float | None) -> str:
    """Write a score with one decimal, a second where it says something; a count as it is. Below each other
    they stay in line.
    """
    if value is None or isinstance(value, int):
        return cells.DASH if value is None else str(value)
    return f"{value:.2f}".removesuffix("0")


def chip(setup: str) -> Markup | str:
    """Return a setup as a word that stands out: colour helps, the word says it."""
    if not setup:
        return cells.DASH
    kind = _CHIPS.get(setup, "wait" if setup.startswith("WAIT_") else "other")
    return Markup('<strong class="chip {}">{}</strong>').format(
        kind, setup.replace("_", " ") if kind != "other" else setup
    )


def fact(name: str, held: Any, key: str) -> str:
    """Return a value of a run as text, in the unit of its column; `key` says how many decimals its prices
    have.
    """
    column = BY_NAME[name]
    if held is None or held == "" or held == ():
        return cells.DASH
    if isinstance(held, str):
        return held
    if column.kind == "price":
        # Sums are read in rupees; paise belong to prices.
        return group_indian(str(round(held / 10_000))) if name in {"risk", "allocation"} else money(held, key)
    if column.kind == "zone":
        return f"{money(held[0], key)}–{money(held[1], key)}"
    return _plain(name, column, held)


def _plain(name: str, column: Column, held: float) -> str:
    if name == "turnover":
        return f"{held / _CRORE:,.1f} cr"
    if column.kind == "₹":
        return grouped_text(round(held * 10_000))
    if column.kind == "count":
        return group_indian(str(round(held)))
    decimals = 2 if column.kind in {"×", "R"} else 1
    text = f"{abs(held):.{decimals}f}"
    sign = "" if float(text) == 0 else "-" if held < 0 else "+" if _is_change(name) else ""
    return f"{sign}{text}{column.kind if column.kind in {'%', '×'} else ''}"


def _is_change(name: str) -> bool:
    """Tell whether a value is one that is read with its sign: a way from a line, a return, a strength against
    another.
    """
    return name.startswith(("dist_", "weekly_dist_", "ret", "rs6m", "rs12m", "slope_")) or name in {
        "change_pct",
        "gap_pct",
    }


class _Same:
    """A row by identity: rows of a run never change, and comparing what is in them would cost more than
    drawing it.
    """

    __slots__ = ("row",)

    def __init__(self, row: Row) -> None:
        self.row = row

    def __hash__(self) -> int:
        return id(self.row)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other.row is self.row


@lru_cache(maxsize=_KEPT)
def _fixed(same: _Same, names: tuple[str, ...], link: RowLink) -> tuple[str, list[tuple[str, str]], str]:
    """Return the row to the query of its link, then what stands before each live cell, with that cell's
    column, and the rest.
    """
    row = same.row
    pieces, before = [], _head(row)
    for name in names:
        column = BY_NAME[name.partition("@")[0]]
        if column.live:
            pieces.append((before + _live(row.key, column), name))
            before = "</span></td>"
        else:
            before += _cell(row, column)
    return f'<tr><th scope="row"><a href="{escape(link.of(row))}', pieces, before + _ROW_END


def _head(row: Row) -> str:
    doubt = f' <abbr title="{escape(" ".join(row.flags))}">!</abbr>' if row.flags else ""
    return f'" id="{row_id(row)}">{escape(row.symbol)}</a>{doubt} <small>{escape(row.name)}</small></th>'


def _live(key: str, column: Column) -> str:
    """Return what stands before a live cell: the same as `live_cell` in `_live.html`, and for the reasons
    given there.
    """
    return f'<td class="c-{column.name}"><span id="{element_id(column.name, key)}" data-instrument-key="{key}" hx-ignore>'


def _cell(row: Row, column: Column) -> str:
    held = value(row, column.name)
    if column.kind == "chip":
        return f'<td class="t">{chip(held)}</td>'
    if column.kind == "spark":
        return f'<td class="c-spark">{sparkline(held) or cells.DASH}</td>'
    if column.kind == "criteria":
        return f'<td class="t long" title="{escape(summary(held))}">{_criteria(held)}</td>'
    text = escape(fact(column.name, held, row.key))
    if not column.text:
        return f"<td>{text}</td>"
    if column.name in {"why", "invalid"}:
        return f'<td class="t long" title="{text}">{text}</td>'
    mark = {"up": ' class="g"', "down": ' class="l"'}.get(str(held))
    return f'<td class="t">{f"<b{mark}>{text}</b>" if mark else text}</td>'


def _criteria(criteria: tuple[Outcome, ...]) -> str:
    if not criteria:
        return cells.DASH
    missed = "; ".join(missing(outcome) for outcome in criteria if not outcome.passed)
    return str(escape(f"{met(criteria)} of {len(criteria)}" + (f", missed: {missed}" if missed else "")))
