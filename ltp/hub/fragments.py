"""Choices of columns, made of the columns that all of them share, and whole pages kept for whoever comes
next.

Between the columns and the views. Everything here is bounded, or lives no longer than the views that use it.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from typing import Final, NamedTuple
from weakref import WeakValueDictionary

from ltp.core import sse
from ltp.core.instrument import element_id
from ltp.core.ticks.quote import Quote
from ltp.hub.board import Board
from ltp.hub.column import CAPACITY, END, Cell, ColumnCache
from ltp.hub.slots import SlotPicker, Slots

# Restarts the page's dead-man's switch: its style shows the text some seconds after the last of these,
# whatever has died.
BEAT: Final = '<hx-partial id="beat"><i>not live</i></hx-partial>'
_PLACES: Final = 2 * CAPACITY
_SHEETS: Final = 16  # kept without a view, for polls: pages know a handful of choices of columns
_WHOLE_BYTES: Final = 8 << 20  # of whole pages, of some ten kilobytes each
_STATE: Final = re.compile(r"<i\b.*?</i>", re.DOTALL)

CachedPage = tuple[int, bytes]


class CellDelta:
    """The partials of each instrument for browsers that saw everything up to version `after`, in a row by
    place.

    Holds what was asked for and makes the rest when it is, so for the second view an instrument costs one
    look-up in C.
    """

    def __init__(self, sheet: CellCache, board: Board, places: Slots, after: int) -> None:
        self._sheet, self._board, self._places, self._after, self._version = (
            sheet,
            board,
            places,
            after,
            board.version,
        )
        changed = board.changed_since(after)
        self._row = [b""] * len(places)  # empty where they look the same
        self._undrawn = set(range(1, len(places))) if changed is None else places.of(changed)
        self._drawn = 0

    def stands(self, places: Slots, version: int, after: int) -> bool:
        """Tell whether these are the news since `after` still, with a place in the row for everybody."""
        same = self._after == after and self._version == version and self._places is places
        return same and len(self._row) == len(places)

    def of(self, seat: SlotPicker) -> bytes:
        """Return the partials of the instruments that sit there and look different."""
        undrawn = self._undrawn
        if undrawn and (wanted := seat.numbers & undrawn):
            self._draw(wanted)
            undrawn -= wanted
            self._drawn += len(wanted)
            if self._drawn > 2 * len(
                undrawn
            ):  # so many views are due that most of the rest will be asked for too
                self._draw(undrawn)
                undrawn.clear()
        return b"".join(seat.pick(self._row))

    def _draw(self, numbers: AbstractSet[int]) -> None:
        row, keys, sheet, after = self._row, self._places.keys, self._sheet, self._after
        get = sheet.known
        for number, quote in zip(
            numbers, self._board.held([keys[number] for number in numbers]), strict=True
        ):
            if quote is not None and quote.version > after:
                known = get(quote.key)
                if known is None or known[0] != quote.version or not known[1] <= after <= known[2]:
                    known = sheet.together(quote, after)
                row[number] = known[3]


class InstrumentDelta(NamedTuple):
    """The partials of one instrument at `version`, for browsers that saw everything up to a version from
    `least` to `most`.
    """

    version: int
    least: int
    most: int
    partials: bytes


def together(columns: Sequence[ColumnCache], quote: Quote, after: int) -> InstrumentDelta:
    """Draw what is not drawn yet, and put together what looks different since version `after`."""
    key, version = quote.key, quote.version
    least, most, partials = 0, version, []
    for column in columns:
        known = column.known(key)
        if known is None or known.seen != version:
            known = column.rendered(quote)
        changed = known.changed
        if changed > after:
            partials.append(known.loud)
            most = min(most, changed - 1)
        elif changed > least:
            least = changed
    return InstrumentDelta(version, least, most, b"".join(partials))


class CellCache:
    """Every instrument somebody shows, in one choice of columns."""

    def __init__(self, columns: Sequence[ColumnCache], names: tuple[str, ...], wholes: PageCache) -> None:
        self._columns, self._names, self._wholes = columns, names, wholes
        self._news: CellDelta | None = None
        self._together: dict[str, InstrumentDelta] = {}
        self.known = (
            self._together.get
        )  # what was put together last of an instrument, maybe of an older version

    def news(self, board: Board, places: Slots, after: int) -> CellDelta:
        """Return what is new since version `after`: views are sent events in groups that stand at the same
        one.
        """
        news = self._news
        if news is None or not news.stands(places, board.version, after):
            news = self._news = CellDelta(self, board, places, after)
        return news

    def caught_up(self, quotes: Iterable[Quote], after: int, up_to: int) -> bytes:
        """Return the partials that changed after version `after` and not later than `up_to`.

        An instrument that changed again since counts too: the next flush sends only those of its columns that
        changed after `up_to`, so the others would be lost for a browser that stands at `after`.
        """
        pieces: list[bytes] = []
        for quote in quotes:
            if quote.version <= up_to:
                pieces.append(self.together(quote, after).partials)
            else:
                cells = [column.rendered(quote) for column in self._columns]
                pieces += [cell.loud for cell in cells if after < cell.changed <= up_to]
        return b"".join(pieces)

    def together(self, quote: Quote, after: int) -> InstrumentDelta:
        """Return the partials of one instrument, and keep them: between two batches most views ask for the
        same.
        """
        if len(self._together) >= CAPACITY:
            self._together.clear()
        made = self._together[quote.key] = together(self._columns, quote, after)
        return made

    def calm(self, quotes: Iterable[Quote]) -> str:
        """Return the partials for a page that just opened: old moves do not flash again."""
        return "".join([column.calm(quote) for quote in quotes for column in self._columns])

    def whole(self, board: Board, keys: tuple[str, ...], since: int) -> CachedPage:
        """Return `calm` of all these instruments and the version it is of, `since` or a later one.

        Kept for the next who asks: after a deploy many come for few pages.
        """
        kept = self._wholes.get((self._names, keys))
        if kept is None or kept[0] < since:
            cells = sse.piece(self.calm(board.quotes(keys)))
            kept = self.keep_whole(keys, board.version, cells)
        return kept

    def keep_whole(self, keys: tuple[str, ...], version: int, cells: bytes) -> CachedPage:
        """Note that this is how these instruments look at this version."""
        return self._wholes.keep((self._names, keys), (version, cells))


class PageCache:
    """Whole pages by columns and instruments, up to so many bytes; who was asked for longest ago goes first."""

    def __init__(self) -> None:
        self._pages: OrderedDict[object, CachedPage] = OrderedDict()
        self._bytes = 0
        self._used: set[object] = set()

    def get(self, key: object) -> CachedPage | None:
        page = self._pages.get(key)
        if page is not None:
            self._pages.move_to_end(key)
            self._used.add(key)
        return page

    def forget_unused(self) -> None:
        for key in [key for key in self._pages if key not in self._used]:
            self._drop(key)
        self._used.clear()

    def keep(self, key: object, page: CachedPage) -> CachedPage:
        self._drop(key)
        self._used.add(key)
        self._pages[key] = page
        self._bytes += len(page[1])
        while self._bytes > _WHOLE_BYTES:
            self._drop(next(iter(self._pages)))
        return page

    def _drop(self, key: object) -> None:
        self._used.discard(key)
        page = self._pages.pop(key, None)
        self._bytes -= len(page[1]) if page else 0


class Fragments:
    """`places`: of all columns, so that a view sits at the same one in each."""

    def __init__(self, cell: Cell) -> None:
        self._cell = cell
        # As long as a view shows them, or they are among the sheets that were asked for last.
        self._columns: WeakValueDictionary[str, ColumnCache] = WeakValueDictionary()
        self._alive: WeakValueDictionary[tuple[str, ...], CellCache] = WeakValueDictionary()
        self._sheets: OrderedDict[tuple[str, ...], CellCache] = OrderedDict()
        self._wholes = PageCache()
        self._used: set[tuple[str, ...]] = set()
        self._price = self._column("ltp")
        self.places = Slots()

    def seat(self, keys: tuple[str, ...]) -> SlotPicker:
        """Return the places of `keys`: good until `places` are others."""
        if len(self.places) > _PLACES:
            self.places = Slots()  # long gone pages took most of them
        return self.places.seat(keys)

    def sheet(self, columns: tuple[str, ...]) -> CellCache:
        """Return the sheet of these columns."""
        self._used.add(columns)
        sheet = self._alive.get(columns)
        if sheet is None:
            sheet = self._alive[columns] = CellCache(
                [self._column(name) for name in columns], columns, self._wholes
            )
        self._sheets[columns] = sheet
        self._sheets.move_to_end(columns)
        if len(self._sheets) > _SHEETS:
            self._sheets.popitem(last=False)
        return sheet

    def forget_unused(self) -> None:
        """Forget what nobody has asked for since the last call. Views keep the sheets and columns that they
        show.
        """
        for columns in [columns for columns in self._sheets if columns not in self._used]:
            del self._sheets[columns]
        self._used.clear()
        self._wholes.forget_unused()

    def state(self, quote: Quote) -> str:
        """Return markup that renews nothing but the state inside the price cell, with the class it is drawn
        with.
        """
        found = _STATE.search(self._price.draw(quote._replace(moved=False)) or "")
        shown = found[0] if found else f"<i>{quote.state}</i>"
        return f'<hx-partial hx-target="#{element_id("ltp", quote.key)}>i" hx-swap="outerHTML">{shown}{END}'

    def _column(self, name: str) -> ColumnCache:
        column = self._columns.get(name)
        if column is None:
            column = self._columns[name] = ColumnCache(self._cell, name)
        return column
