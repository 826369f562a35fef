"""Cell caches by choice of columns, all assembled from the same columns; the markup of heartbeats and states.

Everything here has a bound, or lives no longer than the views that use it.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from typing import Final
from weakref import WeakValueDictionary

from ltp.core.instrument import element_id
from ltp.core.ticks.quote import Quote
from ltp.hub.cell_cache import CellCache, PageCache
from ltp.hub.column_cache import CAPACITY, END, ColumnCache, RenderCell
from ltp.hub.slots import SlotPicker, Slots

# Restarts the page's dead-man's switch: its style shows the text some seconds after the last of these,
# whichever part has died.
BEAT: Final = '<hx-partial id="beat"><i>not live</i></hx-partial>'
_MOST_SLOTS: Final = 2 * CAPACITY
_RECENT_CHOICES: Final = 16  # kept without a view, for polls: pages know a handful of choices of columns
_STATE: Final = re.compile(r"<i\b.*?</i>", re.DOTALL)


class Fragments:
    """`slots`: shared by all choices of columns, so that a view has the same slots in each."""

    def __init__(self, render_cell: RenderCell) -> None:
        self._render_cell = render_cell
        # An entry lives as long as a view shows it, or it is among the most recent choices.
        self._columns: WeakValueDictionary[str, ColumnCache] = WeakValueDictionary()
        self._cell_caches: WeakValueDictionary[tuple[str, ...], CellCache] = WeakValueDictionary()
        self._recent: OrderedDict[tuple[str, ...], CellCache] = OrderedDict()
        self._pages = PageCache()
        self._used: set[tuple[str, ...]] = set()
        self._price = self._column("ltp")
        self.slots = Slots()

    def picker(self, keys: tuple[str, ...]) -> SlotPicker:
        """Return the slots of `keys`; valid until `slots` is another object."""
        if len(self.slots) > _MOST_SLOTS:
            self.slots = Slots()  # pages closed long ago took most of them
        return self.slots.picker(keys)

    def cell_cache(self, columns: tuple[str, ...]) -> CellCache:
        """Return the cell cache of this choice of columns."""
        self._used.add(columns)
        cells = self._cell_caches.get(columns)
        if cells is None:
            cells = CellCache([self._column(name) for name in columns], columns, self._pages)
            self._cell_caches[columns] = cells
        self._recent[columns] = cells
        self._recent.move_to_end(columns)
        if len(self._recent) > _RECENT_CHOICES:
            self._recent.popitem(last=False)
        return cells

    def drop_unused(self) -> None:
        """Drop everything not used since the last call. Views keep the cell caches that they show."""
        for columns in [columns for columns in self._recent if columns not in self._used]:
            del self._recent[columns]
        self._used.clear()
        self._pages.drop_unused()

    def state(self, quote: Quote) -> str:
        """Return markup that replaces only the state inside the price cell, with its class."""
        found = _STATE.search(self._price.draw(quote._replace(moved=False)) or "")
        shown = found[0] if found else f"<i>{quote.state}</i>"
        return f'<hx-partial hx-target="#{element_id("ltp", quote.key)}>i" hx-swap="outerHTML">{shown}{END}'

    def _column(self, name: str) -> ColumnCache:
        column = self._columns.get(name)
        if column is None:
            column = self._columns[name] = ColumnCache(self._render_cell, name)
        return column
