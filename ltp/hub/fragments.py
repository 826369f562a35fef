"""The cells of an instrument as htmx partials, rendered once per process and version whoever shows them.

Step of the path: quotes become markup. What a cell looks like is the business of the render function it is given.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterable
from typing import Final

from ltp import metrics
from ltp.core.instrument import element_id
from ltp.core.quote import Quote

Cell = Callable[[Quote, str], str]

# Restarts the page's dead-man's switch: its style shows the text some seconds after the last message, whatever has died.
BEAT: Final = '<hx-partial id="beat"><i>not live</i></hx-partial>'
_CAPACITY: Final = 20_000
_STATE: Final = re.compile(r"<i\b.*?</i>", re.DOTALL)

log = logging.getLogger(__name__)


class _Rendered:
    """One instrument in some columns as of `quote`.

    `loud`: what browsers that watch are sent, flash included. `calm`: the same without flash, None until it is needed.
    `changed`: the version at which these columns last looked different; later ones changed something they do not show.
    """

    __slots__ = ("calm", "changed", "loud", "quote")

    def __init__(self, quote: Quote, loud: str, calm: str | None) -> None:
        self.quote, self.changed, self.loud, self.calm = quote, quote.version, loud, calm


class Fragments:
    def __init__(self, cell: Cell) -> None:
        self._cell = cell
        self._rendered: dict[tuple[str, tuple[str, ...]], _Rendered] = {}

    def loud(self, quote: Quote, columns: tuple[str, ...], after: int) -> str:
        """Return the partials of one instrument for browsers that saw it at version `after`; empty when it looks the same."""
        rendered = self._render(quote, columns)
        return rendered.loud if rendered.changed > after else ""

    def calm(self, quote: Quote, columns: tuple[str, ...]) -> str:
        """Return the partials of one instrument for a page that just opened: old moves do not flash again."""
        return self._calm(self._render(quote, columns), columns)

    def state(self, quote: Quote) -> str:
        """Return markup that renews nothing but the state inside the price cell, with the class it is drawn with."""
        found = _STATE.search(self._draw(quote._replace(moved=False), ("ltp",)))
        shown = found[0] if found else f"<i>{quote.state}</i>"
        return f'<hx-partial hx-target="#{element_id("ltp", quote.key)}>i" hx-swap="outerHTML">{shown}</hx-partial>'

    def _render(self, quote: Quote, columns: tuple[str, ...]) -> _Rendered:
        place = quote.key, columns
        known = self._rendered.get(place)
        if known is None:
            if len(self._rendered) >= _CAPACITY:
                self._rendered.clear()  # long gone pages; what is still shown comes back with its next change
            loud = self._draw(quote, columns)
            known = self._rendered[place] = _Rendered(quote, loud, None if quote.moved else loud)
        elif known.quote.version != quote.version:
            self._renew(known, quote, columns)
        return known

    def _renew(self, known: _Rendered, quote: Quote, columns: tuple[str, ...]) -> None:
        # Not `quote.moved`: a move since the last rendering may have been conflated with a later, quieter version.
        before = known.quote.tick.ltp if known.quote.tick else None
        moved = before is not None and quote.tick is not None and quote.tick.ltp != before
        drawn = self._draw(quote if quote.moved is moved else quote._replace(moved=moved), columns)
        looked = known.loud if moved else self._calm(known, columns)
        known.quote = quote
        if drawn != looked:
            known.changed, known.loud = quote.version, drawn
            known.calm = None if moved else drawn

    def _calm(self, known: _Rendered, columns: tuple[str, ...]) -> str:
        if known.calm is None:
            known.calm = self._draw(known.quote._replace(moved=False), columns)
        return known.calm

    def _draw(self, quote: Quote, columns: Iterable[str]) -> str:
        try:
            return "".join(
                f'<hx-partial id="{element_id(column, quote.key)}">{self._cell(quote, column)}</hx-partial>' for column in columns
            )
        except Exception:  # one instrument that cannot be drawn must not stop the events of all others
            metrics.count("cells_failed")
            log.exception("The cells of %s cannot be drawn", quote.key)
            return ""
