"""The cells of one column as htmx partials, drawn once per process and version whatever else a page shows
beside them.

Step of the path: quotes become markup, and markup the bytes that events are joined from. Every choice of
columns is made of the same cells, so that another choice costs no drawing. What a cell looks like is the
business of the render function.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Final

from ltp import metrics
from ltp.core import sse
from ltp.core.instrument import element_id
from ltp.core.ticks.quote import Quote

Cell = Callable[[Quote, str], str]

CAPACITY: Final = 6_000  # instruments of a column: as many as the board holds
END: Final = "</hx-partial>"

log = logging.getLogger(__name__)


class RenderedCell:
    """One cell as of `quote`, whose version is `seen`.

    `text`: what stands in it for browsers that watch, flash included; `loud`: the same as a partial, empty
    when it cannot be drawn. `calm`: the text without flash, None until it is needed. `changed`: the version
    at which it last looked different; later ones changed something that it does not show.
    """

    __slots__ = ("calm", "changed", "loud", "opened", "quote", "seen", "text")

    def __init__(self, opened: str, quote: Quote, text: str | None) -> None:
        self.opened, self.quote, self.seen, self.calm = (
            opened,
            quote,
            quote.version,
            None if quote.moved else text,
        )
        self.show(quote.version, text)

    def show(self, version: int, text: str | None) -> None:
        self.changed, self.text = version, text
        self.loud = b"" if text is None else sse.piece(f"{self.opened}{text}{END}")


class ColumnCache:
    """One column of every instrument that somebody shows."""

    def __init__(self, cell: Cell, name: str) -> None:
        self._cell, self._name = cell, name
        self._rendered: dict[str, RenderedCell] = {}
        self.known = self._rendered.get  # what was drawn last of an instrument, maybe of an older version

    def calm(self, quote: Quote) -> str:
        """Return the partial for a page that just opened: an old move does not flash again."""
        known = self.rendered(quote)
        text = self._calm(known)
        return "" if text is None else f"{known.opened}{text}{END}"

    def rendered(self, quote: Quote) -> RenderedCell:
        """Return how the cell looks, drawn when this version of it was not yet."""
        known = self._rendered.get(quote.key)
        if known is None:
            if len(self._rendered) >= CAPACITY:
                self._rendered.clear()  # long gone pages; what is still shown comes back with its next change
            opened = f'<hx-partial id="{element_id(self._name, quote.key)}">'
            known = self._rendered[quote.key] = RenderedCell(opened, quote, self.draw(quote))
        elif known.seen != quote.version:
            self._renew(known, quote)
        return known

    def _renew(self, known: RenderedCell, quote: Quote) -> None:
        # Not `quote.moved`: a move since the last rendering may have been conflated with a later, quieter
        # version.
        before, tick = known.quote.tick, quote.tick
        moved = before is not None and tick is not None and before.ltp is not None and tick.ltp != before.ltp
        text = self.draw(quote if quote.moved is moved else quote._replace(moved=moved))
        if text == known.text:
            if not moved:
                known.calm = text
        elif moved:
            known.show(quote.version, text)
            known.calm = None
        elif text != self._calm(known):
            known.show(quote.version, text)
            known.calm = text
        known.quote, known.seen = quote, quote.version

    def _calm(self, known: RenderedCell) -> str | None:
        if known.calm is None:
            known.calm = self.draw(known.quote._replace(moved=False))
        return known.calm

    def draw(self, quote: Quote) -> str | None:
        """Return what stands in the cell, None when it cannot be drawn."""
        try:
            return self._cell(quote, self._name)
        except Exception:  # one cell that cannot be drawn must not stop the events of all others
            metrics.count("cells_failed")
            log.exception("The cell %s of %s cannot be drawn", self._name, quote.key)
            return None
