"""One row of a screener's table to markup.

What a run says of a row never changes, so that is drawn once for each choice of columns and kept; only the live cells are
drawn for every page. A template engine would take five times as long for both.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Final

from markupsafe import Markup, escape

from ltp.core.instrument import element_id
from ltp.core.money import Price, grouped_text, is_currency
from ltp.core.quote import Quote
from ltp.core.screener import MAX_ROWS, Row
from ltp.web import cells
from ltp.web.filters import BY_NAME

_PRICES: Final = frozenset({"entry", "stop", "target"})
_ROW_END: Final = "</tr>\n"


def rows(shown: Iterable[Row], columns: Sequence[str], quotes: Mapping[str, Quote]) -> Markup:
    """Return the rows of a table body. No old move flashes on a page that has just opened.

    Args:
        columns: names out of `filters.COLUMNS`, in their order.
        quotes: of at least these rows.
    """
    names, cell = tuple(columns), cells.cell
    drawn = []
    for row in shown:
        quote = quotes[row.key]._replace(moved=False)
        pieces, end = _fixed(row, names)
        drawn += [before + cell(quote, name) for before, name in pieces]
        drawn.append(end)
    return Markup("".join(drawn))  # noqa: S704 (every text of the run was escaped, and a cell is made of numbers and words)


def money(price: Price | None, key: str) -> str:
    return cells.DASH if price is None else grouped_text(price, currency=is_currency(key))


def number(value: float | None) -> str:
    """Write a score with at most two decimals, and none that say nothing."""
    return cells.DASH if value is None else f"{value:.2f}".rstrip("0").rstrip(".")


@lru_cache(maxsize=MAX_ROWS)
def _fixed(row: Row, names: tuple[str, ...]) -> tuple[list[tuple[str, str]], str]:
    """Return what stands before each live cell, with that cell's column, and what stands after the last."""
    pieces, before = [], _head(row)
    for name in names:
        if BY_NAME[name].live:
            pieces.append((f'{before}<td id="{element_id(name, row.key)}" data-instrument-key="{row.key}">', name))
            before = "</td>"
        else:
            before += _fact(row, name)
    return pieces, before + _ROW_END


def _head(row: Row) -> str:
    place = f"{row.segment}/{row.security_id}"
    return (
        f'<tr><th scope="row"><a href="/instruments/{place}" id="i-{row.segment}-{row.security_id}">{escape(row.symbol)}</a>'
        f" <small>{escape(row.name)}</small></th>"
    )


def _fact(row: Row, name: str) -> str:
    if name in _PRICES:
        return f"<td>{money(getattr(row, name), row.key)}</td>"
    if name == "score":
        return f"<td>{number(row.score)}</td>"
    return f'<td class="t">{escape(getattr(row, name) or cells.DASH)}</td>'
