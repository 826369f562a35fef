"""A choice of columns: deltas with nothing but changed cells, catch-ups that lose none, and cached pages."""

from __future__ import annotations

import pytest

from ltp.core.ticks.quote import CachedTick, Quote
from ltp.core.ticks.tick import Tick
from ltp.hub import cell_cache
from ltp.hub.board import Board
from ltp.hub.cell_cache import CachedPage, CellCache, PageCache
from ltp.hub.column_cache import ColumnCache
from ltp.hub.slots import Slots

KEY, OTHER = "NSE_EQ:1", "NSE_EQ:2"
PRICE, VOLUME = (
    '<hx-partial id="ltp-NSE_EQ-1">%s</hx-partial>',
    '<hx-partial id="volume-NSE_EQ-1">%s</hx-partial>',
)


def quote(ltp: int, version: int, *, volume: int = 0, moved: bool = False) -> Quote:
    return Quote(KEY, Tick(KEY, ltp, volume=volume), "live", 1, moved, version)


class Drawing:
    """Draws "!" before a price that moved, and counts the cells."""

    def __init__(self) -> None:
        self.calls = 0
        self.columns = {name: ColumnCache(self.cell, name) for name in ("ltp", "volume")}
        self.slots, self.pages = Slots(), PageCache()

    def cell(self, quote: Quote, column: str) -> str:
        self.calls += 1
        assert quote.tick is not None
        return (
            str(quote.tick.volume) if column == "volume" else f"{'!' if quote.moved else ''}{quote.tick.ltp}"
        )

    def cells(self, *names: str) -> CellCache:
        return CellCache([self.columns[name] for name in names], names, self.pages)

    def changes(self, cells: CellCache, shown: Quote, after: int) -> str:
        return cells.changes_between([shown], after, shown.version).decode()


@pytest.fixture
def drawing() -> Drawing:
    return Drawing()


@pytest.fixture
def board() -> Board:
    return Board(now=lambda: 1_790_000_000.0, monotonic=lambda: 1.0)


def load(board: Board, ltp: int, *keys: str, volume: int | None = None, received_at: int = 0) -> None:
    board.load(
        [CachedTick(key, Tick(key, ltp, volume=volume, received_at=received_at), True) for key in keys]
    )


def test_every_choice_of_columns_is_assembled_from_the_same_cells(drawing: Drawing) -> None:
    shown = quote(100, 1, volume=7)
    price, volume = PRICE % 100, VOLUME % 7
    for names, partials in (
        (["ltp"], price),
        (["volume"], volume),
        (["ltp", "volume"], price + volume),
        (["volume", "ltp"], volume + price),
    ):
        cells = drawing.cells(*names)
        assert cells.steady([shown]) == drawing.changes(cells, shown, 0) == partials
    assert drawing.calls == 2


def test_only_the_columns_that_changed_are_sent(drawing: Drawing) -> None:
    cells = drawing.cells("ltp", "volume")
    drawing.changes(cells, quote(100, 1, volume=7), 0)
    changed = quote(100, 2, volume=8)
    assert [drawing.changes(cells, changed, after) for after in (0, 1, 2)] == [
        PRICE % 100 + VOLUME % 8,
        VOLUME % 8,
        "",
    ]


def test_a_delta_of_one_instrument_is_right_for_a_range_of_versions(drawing: Drawing) -> None:
    cells = drawing.cells("ltp", "volume")
    cells.instrument_delta(quote(100, 3, volume=7), 0)
    delta = cells.instrument_delta(quote(100, 9, volume=8), 5)
    assert delta == (9, 3, 8, (VOLUME % 8).encode())
    assert cells.cached(KEY) is delta


def test_a_catch_up_includes_the_cells_that_a_later_version_leaves_as_they_are(drawing: Drawing) -> None:
    """The flush after it sends the volume alone: only that changed after version 5."""
    cells = drawing.cells("ltp", "volume")
    drawing.changes(cells, quote(100, 1, volume=7), 0)
    drawing.changes(cells, quote(101, 4, volume=7, moved=True), 1)
    newest = quote(101, 6, volume=8)
    assert cells.changes_between([newest], 1, 5).decode() == PRICE % "!101"
    assert cells.changes_between([newest], 5, 6).decode() == VOLUME % 8


def test_a_delta_is_drawn_once_for_all_views_and_empty_where_the_cells_look_the_same(
    drawing: Drawing, board: Board
) -> None:
    keys = [f"NSE_EQ:{id_}" for id_ in range(1, 5)]
    load(board, 100, *keys)
    after = board.version
    cells = drawing.cells("ltp")
    cells.steady(board.quotes(keys))
    load(board, 100, *keys[:2], volume=7, received_at=2)
    load(board, 101, KEY, volume=7, received_at=3)
    all_four, first, unchanged = (drawing.slots.picker(tuple(some)) for some in (keys, keys[:1], keys[2:]))
    delta = cells.delta(board, drawing.slots, after)
    assert [delta.partials(picker) for picker in (all_four, first, unchanged)] == [
        (PRICE % "!101").encode(),
        (PRICE % "!101").encode(),
        b"",
    ]
    assert cells.delta(board, drawing.slots, after) is delta
    assert cells.delta(board, drawing.slots, board.version).partials(all_four) == b""
    assert drawing.calls == 4 + 2


def test_a_view_that_opens_later_has_a_slot_in_the_next_delta_of_the_same_versions(
    drawing: Drawing, board: Board
) -> None:
    load(board, 100, KEY, OTHER)
    cells, picker = drawing.cells("ltp"), drawing.slots.picker((KEY,))
    earlier = cells.delta(board, drawing.slots, 0)
    assert earlier.partials(picker) == (PRICE % 100).encode()
    later = drawing.slots.picker((OTHER,))
    assert not earlier.is_valid(drawing.slots, board.version, 0)
    assert b"ltp-NSE_EQ-2" in cells.delta(board, drawing.slots, 0).partials(later)
    assert cells.delta(board, drawing.slots, 0).partials(picker) == (PRICE % 100).encode()


def test_once_two_thirds_of_a_delta_are_drawn_the_rest_is_drawn_with_them(
    drawing: Drawing, board: Board
) -> None:
    keys = [f"NSE_EQ:{id_}" for id_ in range(1, 7)]
    load(board, 100, *keys)
    cells, pickers = drawing.cells("ltp"), [drawing.slots.picker((key,)) for key in keys]
    delta = cells.delta(board, drawing.slots, 0)
    drawn = []
    for picker in pickers:
        delta.partials(picker)
        drawn.append(drawing.calls)
    assert drawn == [1, 2, 3, 4, 6, 6]


def test_a_page_is_assembled_once_until_a_newer_version_is_needed(drawing: Drawing, board: Board) -> None:
    load(board, 100, KEY, OTHER)
    cells = drawing.cells("ltp")
    page = cells.page(board, (KEY,), 1)
    assert page == (2, (PRICE % 100).encode())
    load(board, 101, KEY, received_at=2)
    assert cells.page(board, (KEY,), 2) is page
    assert cells.page(board, (KEY,), 3) == (3, (PRICE % 101).encode())


def test_a_page_known_to_look_the_same_at_a_later_version_is_cached_as_such(
    drawing: Drawing, board: Board
) -> None:
    cells = drawing.cells("ltp")
    cells.put_page((KEY,), 9, b"cells")
    assert cells.page(board, (KEY,), 9) == (9, b"cells")


def test_cached_pages_have_a_bound_in_bytes_and_the_least_recently_used_is_dropped(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(cell_cache, "_PAGES_BYTES", 30)
    pages = PageCache()
    for key in "abc":
        pages.put(key, CachedPage(1, b"x" * 10))
    assert pages.get("a") == (1, b"x" * 10)
    pages.put("d", CachedPage(1, b"x" * 5))
    assert [key for key in "abcd" if pages.get(key)] == ["a", "c", "d"]
    pages.put("a", CachedPage(2, b"x" * 15))
    assert [key for key in "abcd" if pages.get(key)] == ["a", "c", "d"]
    pages.put("e", CachedPage(2, b"x" * 31))
    assert len(pages) == 0


def test_pages_that_were_not_used_lately_are_dropped() -> None:
    pages = PageCache()
    for key in "ab":
        pages.put(key, CachedPage(1, b""))
    pages.drop_unused()
    pages.get("b")
    pages.drop_unused()
    assert (pages.get("a"), pages.get("b")) == (None, (1, b""))
