"""The cells of one column as htmx partials, each drawn once per version of its instrument.

Every choice of columns is assembled from these cells, so another choice costs no drawing. How a cell looks is
decided by the render function.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Final

from ltp import metrics
from ltp.core import sse
from ltp.core.instrument import element_id
from ltp.core.ticks.quote import Quote

RenderCell = Callable[[Quote, str], str]

CAPACITY: Final = 6_000  # instruments of a column: as many as the board keeps
END: Final = "</hx-partial>"

log = logging.getLogger(__name__)


class RenderedCell:
    """One cell as of `quote`.

    `text`: its content on pages that are open, flash included, None if it cannot be drawn. `flashing`: the
    same as an encoded partial, empty if it cannot be drawn. `steady`: the content without flash, None until
    it is needed. `version`: of the quote. `changed`: the version at which the cell last looked different;
    later versions changed only fields that it does not show.
    """

    __slots__ = ("changed", "flashing", "opening_tag", "quote", "steady", "text", "version")

    def __init__(self, opening_tag: str, quote: Quote, text: str | None) -> None:
        self.opening_tag, self.quote, self.version = opening_tag, quote, quote.version
        self.steady = None if quote.moved else text
        self.show(quote.version, text)

    def show(self, version: int, text: str | None) -> None:
        self.changed, self.text = version, text
        self.flashing = b"" if text is None else sse.piece(f"{self.opening_tag}{text}{END}")


class ColumnCache:
    """One column of every instrument on an open page.

    `cached`: returns the cell of an instrument key as last drawn, perhaps from an older version, or None.
    """

    def __init__(self, render_cell: RenderCell, name: str) -> None:
        self._render_cell, self._name = render_cell, name
        self._rendered: dict[str, RenderedCell] = {}
        self.cached = self._rendered.get

    def __len__(self) -> int:
        return len(self._rendered)

    def steady(self, quote: Quote) -> str:
        """Return the partial for a page that has just been opened: an old move does not flash again."""
        cell = self.rendered(quote)
        text = self._steady(cell)
        return "" if text is None else f"{cell.opening_tag}{text}{END}"

    def rendered(self, quote: Quote) -> RenderedCell:
        """Return the cell at the version of `quote`, drawing it unless that was done before."""
        cell = self._rendered.get(quote.key)
        if cell is None:
            if len(self._rendered) >= CAPACITY:
                # Most are of pages closed long ago; cells still shown are drawn again when they change.
                self._rendered.clear()
            opening_tag = f'<hx-partial id="{element_id(self._name, quote.key)}">'
            cell = self._rendered[quote.key] = RenderedCell(opening_tag, quote, self.draw(quote))
        elif cell.version != quote.version:
            self._renew(cell, quote)
        return cell

    def _renew(self, cell: RenderedCell, quote: Quote) -> None:
        # Not `quote.moved`: a move since the last rendering may have been conflated with a later version in
        # which only other fields changed.
        before, tick = cell.quote.tick, quote.tick
        moved = before is not None and tick is not None and before.ltp is not None and tick.ltp != before.ltp
        text = self.draw(quote if quote.moved is moved else quote._replace(moved=moved))
        if text == cell.text:
            if not moved:
                cell.steady = text
        elif moved:
            cell.show(quote.version, text)
            cell.steady = None
        elif text != self._steady(cell):
            cell.show(quote.version, text)
            cell.steady = text
        cell.quote, cell.version = quote, quote.version

    def _steady(self, cell: RenderedCell) -> str | None:
        if cell.steady is None:
            cell.steady = self.draw(cell.quote._replace(moved=False))
        return cell.steady

    def draw(self, quote: Quote) -> str | None:
        """Return the content of the cell, None if it cannot be drawn."""
        try:
            return self._render_cell(quote, self._name)
        except Exception:  # one cell that cannot be drawn must not stop the events of all others
            metrics.count("cells_failed")
            log.exception("The cell %s of %s cannot be drawn", self._name, quote.key)
            return None
