"""The cells of an instrument as htmx partials, rendered once per process and version whoever shows them.

Step of the path: quotes become markup, and markup the bytes that events are joined from. What a cell looks like is the
business of the render function it is given.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterable
from collections.abc import Set as AbstractSet
from typing import Final

from ltp import metrics
from ltp.core import sse
from ltp.core.instrument import element_id
from ltp.core.quote import Quote
from ltp.hub.board import Board
from ltp.hub.places import Places, Seat

Cell = Callable[[Quote, str], str]

# Restarts the page's dead-man's switch: its style shows the text some seconds after the last of these, whatever has died.
BEAT: Final = '<hx-partial id="beat"><i>not live</i></hx-partial>'
_CAPACITY: Final = 6_000  # instruments of a sheet: as many as the board holds
_PLACES: Final = 2 * _CAPACITY
_WHOLES: Final = 512  # pages, of some ten kilobytes each
_SHEETS: Final = 16  # pages know a handful of choices of columns
_STATE: Final = re.compile(r"<i\b.*?</i>", re.DOTALL)
_END: Final = "</hx-partial>"

log = logging.getLogger(__name__)


class Rendered:
    """One instrument in some columns as of `quote`, whose version is `seen`.

    `loud`: what browsers that watch are sent, flash included. `calm`: the same without flash, None until it is needed.
    `changed`: the version at which these columns last looked different; later ones changed something they do not show.
    """

    __slots__ = ("calm", "changed", "loud", "quote", "seen")

    def __init__(self, quote: Quote, loud: bytes, calm: str | None) -> None:
        self.quote, self.changed, self.seen, self.loud, self.calm = quote, quote.version, quote.version, loud, calm


class News:
    """The partials of each instrument for browsers that saw everything up to version `after`, in a row by place.

    Holds what was asked for and makes the rest when it is, so for the second view an instrument costs one look-up in C.
    `version`: of the board.
    """

    def __init__(self, sheet: Sheet, board: Board, after: int) -> None:
        self._sheet, self._board, self.after, self.version = sheet, board, after, board.version
        self.places = places = sheet.places
        changed = board.changed_since(after)
        self._row = [b""] * len(places)  # empty where they look the same
        self._undrawn = set(range(1, len(places))) if changed is None else places.of(changed)
        self._drawn = 0

    def stands(self, places: Places, version: int, after: int) -> bool:
        """Tell whether these are the news since `after` still, with a place in the row for everybody."""
        same = self.after == after and self.version == version and self.places is places
        return same and len(self._row) == len(places)

    def of(self, seat: Seat) -> bytes:
        """Return the partials of the instruments that sit there and look different."""
        undrawn = self._undrawn
        if undrawn and (wanted := seat.numbers & undrawn):
            self._draw(wanted)
            undrawn -= wanted
            self._drawn += len(wanted)
            if self._drawn > 2 * len(undrawn):  # so many views are due that most of the rest will be asked for too
                self._draw(undrawn)
                undrawn.clear()
        return b"".join(seat.pick(self._row))

    def _draw(self, numbers: AbstractSet[int]) -> None:
        row, keys, rendered, after = self._row, self.places.keys, self._sheet.rendered, self.after
        for number, quote in zip(numbers, self._board.held([keys[number] for number in numbers]), strict=True):
            if quote is not None and quote.version > after:
                known = rendered(quote)
                if known.changed > after:
                    row[number] = known.loud


class Sheet:
    """Every instrument somebody shows, in one choice of columns."""

    def __init__(self, cell: Cell, columns: tuple[str, ...]) -> None:
        self._cell, self._columns = cell, columns
        self._news: News | None = None
        self.places = Places()
        self._wholes: dict[tuple[str, ...], tuple[int, bytes]] = {}
        self._rendered: dict[str, Rendered] = {}
        self._tags: dict[str, list[str]] = {}

    def loud(self, quotes: Iterable[Quote], after: int) -> dict[str, bytes]:
        """Return the partials for browsers that saw everything up to version `after`, without what looks the same since."""
        rendered = [self.rendered(quote) for quote in quotes]
        return {known.quote.key: known.loud for known in rendered if known.changed > after}

    def seat(self, keys: tuple[str, ...]) -> Seat:
        """Return the places of `keys`: good until `places` are others."""
        if len(self.places) > _PLACES:
            self.places = Places()  # long gone pages took most of them
        return self.places.seat(keys)

    def news(self, board: Board, after: int) -> News:
        """Return what is new since version `after`: views are sent events in groups that stand at the same one."""
        news = self._news
        if news is None or not news.stands(self.places, board.version, after):
            news = self._news = News(self, board, after)
        return news

    def calm(self, quotes: Iterable[Quote]) -> str:
        """Return the partials for a page that just opened: old moves do not flash again."""
        return "".join([self._calm(self.rendered(quote)) for quote in quotes])

    def whole(self, board: Board, keys: tuple[str, ...], since: int) -> tuple[int, bytes]:
        """Return `calm` of all these instruments and the version it is of, `since` or a later one.

        Kept for the next who asks: after a deploy many come for few pages.
        """
        kept = self._wholes.get(keys)
        if kept is None or kept[0] < since:
            cells = sse.piece(self.calm(board.quotes(keys)))
            kept = self.keep_whole(keys, board.version, cells)
        return kept

    def keep_whole(self, keys: tuple[str, ...], version: int, cells: bytes) -> tuple[int, bytes]:
        """Note that this is how these instruments look at this version."""
        if len(self._wholes) >= _WHOLES and keys not in self._wholes:
            self._wholes.clear()
        kept = self._wholes[keys] = version, cells
        return kept

    def rendered(self, quote: Quote) -> Rendered:
        """Return how the instrument looks, drawn when this version of it was not yet."""
        known = self._rendered.get(quote.key)
        if known is None:
            if len(self._rendered) >= _CAPACITY:
                self._rendered.clear()  # long gone pages; what is still shown comes back with its next change
                self._tags.clear()
            drawn = self.draw(quote)
            known = self._rendered[quote.key] = Rendered(quote, sse.piece(drawn), None if quote.moved else drawn)
        elif known.seen != quote.version:
            self._renew(known, quote)
        return known

    def _renew(self, known: Rendered, quote: Quote) -> None:
        # Not `quote.moved`: a move since the last rendering may have been conflated with a later, quieter version.
        before, tick = known.quote.tick, quote.tick
        moved = before is not None and tick is not None and before.ltp is not None and tick.ltp != before.ltp
        drawn = self.draw(quote if quote.moved is moved else quote._replace(moved=moved))
        loud = sse.piece(drawn)
        if moved:
            news, calm = loud != known.loud, None
        else:
            news, calm = drawn != self._calm(known), drawn
        known.quote, known.seen = quote, quote.version
        if news:
            known.changed, known.loud, known.calm = quote.version, loud, calm

    def _calm(self, known: Rendered) -> str:
        if known.calm is None:
            known.calm = self.draw(known.quote._replace(moved=False))
        return known.calm

    def draw(self, quote: Quote) -> str:
        """Return the partials of one instrument; empty when they cannot be drawn."""
        cell, key = self._cell, quote.key
        tags = (self._tags.get(key) or self._open(key)).copy()
        try:
            tags[1::2] = [cell(quote, column) for column in self._columns]
            return "".join(tags)
        except Exception:  # one instrument that cannot be drawn must not stop the events of all others
            metrics.count("cells_failed")
            log.exception("The cells of %s cannot be drawn", quote.key)
            return ""

    def _open(self, key: str) -> list[str]:
        """Return what stands around the cells of an instrument, which is the same in every version, with room for each."""
        opened = [f'<hx-partial id="{element_id(column, key)}">' for column in self._columns]
        opened[1:] = [_END + tag for tag in opened[1:]]
        tags = self._tags[key] = [text for tag in opened for text in (tag, "")] + [_END]
        return tags


class Fragments:
    def __init__(self, cell: Cell) -> None:
        self._cell = cell
        self._sheets: dict[tuple[str, ...], Sheet] = {}

    def sheet(self, columns: tuple[str, ...]) -> Sheet:
        """Return the sheet of these columns, the same for all who show them."""
        sheet = self._sheets.get(columns)
        if sheet is None:
            if len(self._sheets) >= _SHEETS:
                self._sheets.clear()  # views keep theirs; they only share it no longer with those to come
            sheet = self._sheets[columns] = Sheet(self._cell, columns)
        return sheet

    def state(self, quote: Quote) -> str:
        """Return markup that renews nothing but the state inside the price cell, with the class it is drawn with."""
        found = _STATE.search(self.sheet(("ltp",)).draw(quote._replace(moved=False)))
        shown = found[0] if found else f"<i>{quote.state}</i>"
        return f'<hx-partial hx-target="#{element_id("ltp", quote.key)}>i" hx-swap="outerHTML">{shown}{_END}'
