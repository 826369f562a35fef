"""The cells of one choice of columns: as deltas for open pages, and as whole pages for new streams."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from typing import Final, NamedTuple

from ltp.core import sse
from ltp.core.ticks.quote import Quote
from ltp.hub.board import Board
from ltp.hub.column_cache import CAPACITY, ColumnCache
from ltp.hub.slots import SlotPicker, Slots

_PAGES_BYTES: Final = 8 << 20  # of all cached pages, each about 10 kB


class CachedPage(NamedTuple):
    """The encoded partials of all instruments of a view, without flash, as of `version`."""

    version: int
    cells: bytes


class PageCache:
    """Cached pages by columns and instruments, up to 8 MB; the least recently used is dropped first."""

    def __init__(self) -> None:
        self._pages: OrderedDict[object, CachedPage] = OrderedDict()
        self._bytes = 0
        self._used: set[object] = set()

    def __len__(self) -> int:
        return len(self._pages)

    def get(self, key: object) -> CachedPage | None:
        page = self._pages.get(key)
        if page is not None:
            self._pages.move_to_end(key)
            self._used.add(key)
        return page

    def put(self, key: object, page: CachedPage) -> CachedPage:
        """Cache `page` and return it."""
        self._drop(key)
        self._used.add(key)
        self._pages[key] = page
        self._bytes += len(page.cells)
        while self._bytes > _PAGES_BYTES:
            self._drop(next(iter(self._pages)))
        return page

    def drop_unused(self) -> None:
        """Drop the pages not used since the last call."""
        for key in [key for key in self._pages if key not in self._used]:
            self._drop(key)
        self._used.clear()

    def _drop(self, key: object) -> None:
        self._used.discard(key)
        page = self._pages.pop(key, None)
        self._bytes -= len(page.cells) if page else 0


class InstrumentDelta(NamedTuple):
    """The encoded partials of one instrument at `version`.

    They are right for browsers that have seen everything up to any version from `least` to `most`.
    """

    version: int
    least: int
    most: int
    partials: bytes


_NO_DELTA: Final = InstrumentDelta(-1, 0, 0, b"")


class CellDelta:
    """The encoded partials of every instrument that changed after version `after`, by slot.

    An instrument is drawn when the first view needs it; for every further view it costs one look-up in C.
    """

    def __init__(self, cell_cache: CellCache, board: Board, slots: Slots, after: int) -> None:
        self._cell_cache, self._board, self._slots = cell_cache, board, slots
        self._after, self._version = after, board.version
        changed = board.changed_since(after)
        self._partials = [b""] * len(slots)  # empty where all cells look the same
        self._undrawn = set(range(1, len(slots))) if changed is None else slots.numbers_of(changed)
        self._drawn = 0

    def is_valid(self, slots: Slots, version: int, after: int) -> bool:
        """Is this cached diff still valid for `after`, with a slot for every instrument?"""
        same = self._after == after and self._version == version and self._slots is slots
        return same and len(self._partials) == len(slots)

    def partials(self, picker: SlotPicker) -> bytes:
        """Return the partials of the picker's instruments, empty where they look the same."""
        undrawn = self._undrawn
        if undrawn and (needed := picker.numbers & undrawn):
            self._draw(needed)
            undrawn -= needed
            self._drawn += len(needed)
            if self._drawn > 2 * len(undrawn):
                # So many views are due that most of the rest will be needed too.
                self._draw(undrawn)
                undrawn.clear()
        return b"".join(picker.pick(self._partials))

    def _draw(self, numbers: AbstractSet[int]) -> None:
        partials_of, keys, after = self._partials, self._slots.keys, self._after
        cached, assemble = self._cell_cache.cached, self._cell_cache.instrument_delta
        quotes = self._board.held([keys[number] for number in numbers])
        for number, quote in zip(numbers, quotes, strict=True):
            if quote is not None and quote.version > after:
                version, least, most, partials = cached(quote.key, _NO_DELTA)
                if version != quote.version or not least <= after <= most:
                    partials = assemble(quote, after).partials
                partials_of[number] = partials


class CellCache:
    """The cells of all instruments on open pages, in one choice of columns.

    `cached`: returns the delta of an instrument key as last assembled, perhaps for an older version, or the
    default.
    """

    def __init__(self, columns: Sequence[ColumnCache], names: tuple[str, ...], pages: PageCache) -> None:
        self._columns, self._names, self._pages = columns, names, pages
        self._delta: CellDelta | None = None
        self._instrument_deltas: dict[str, InstrumentDelta] = {}
        self.cached = self._instrument_deltas.get

    def delta(self, board: Board, slots: Slots, after: int) -> CellDelta:
        """Return the changes after version `after`. One is cached: most views of a round need the same."""
        delta = self._delta
        if delta is None or not delta.is_valid(slots, board.version, after):
            delta = self._delta = CellDelta(self, board, slots, after)
        return delta

    def instrument_delta(self, quote: Quote, after: int) -> InstrumentDelta:
        """Return the changes of one instrument after version `after`, and cache them.

        Between two batches most views need the same.
        """
        if len(self._instrument_deltas) >= CAPACITY:
            self._instrument_deltas.clear()
        delta = self._instrument_deltas[quote.key] = instrument_delta(self._columns, quote, after)
        return delta

    def changes_between(self, quotes: Iterable[Quote], after: int, up_to: int) -> bytes:
        """Return the partials that changed after version `after` and not later than `up_to`.

        An instrument that changed again since counts too: the next flush sends only those of its columns that
        changed after `up_to`, so the others would be lost for a browser that stands at `after`.
        """
        partials: list[bytes] = []
        for quote in quotes:
            if quote.version <= up_to:
                partials.append(self.instrument_delta(quote, after).partials)
            else:
                cells = [column.rendered(quote) for column in self._columns]
                partials += [cell.flashing for cell in cells if after < cell.changed <= up_to]
        return b"".join(partials)

    def steady(self, quotes: Iterable[Quote]) -> str:
        """Return the partials for a page that has just been opened: old moves do not flash again."""
        return "".join([column.steady(quote) for quote in quotes for column in self._columns])

    def page(self, board: Board, keys: tuple[str, ...], least: int) -> CachedPage:
        """Return the cells of all these instruments as of version `least` or a later one.

        Cached for the next browser: after a deploy many reconnect to few pages.
        """
        page = self._pages.get((self._names, keys))
        if page is None or page.version < least:
            cells = sse.piece(self.steady(board.quotes(keys)))
            page = self.put_page(keys, board.version, cells)
        return page

    def put_page(self, keys: tuple[str, ...], version: int, cells: bytes) -> CachedPage:
        """Cache `cells` as the look of these instruments at `version`."""
        return self._pages.put((self._names, keys), CachedPage(version, cells))


def instrument_delta(columns: Sequence[ColumnCache], quote: Quote, after: int) -> InstrumentDelta:
    """Draw the cells that are not drawn yet, and join those that changed after version `after`."""
    key, version = quote.key, quote.version
    least, most, partials = 0, version, []
    for column in columns:
        cell = column.cached(key)
        if cell is None or cell.version != version:
            cell = column.rendered(quote)
        changed = cell.changed
        if changed > after:
            partials.append(cell.flashing)
            most = min(most, changed - 1)
        elif changed > least:
            least = changed
    return InstrumentDelta(version, least, most, b"".join(partials))
