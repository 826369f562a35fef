"""A column: a cell is drawn once per version, flashes if the price moved, and keeps its last change."""

from __future__ import annotations

import pytest

from ltp import metrics
from ltp.core.ticks.quote import Quote
from ltp.core.ticks.tick import Tick
from ltp.hub.column_cache import ColumnCache

KEY = "NSE_EQ:1"
PRICE_100 = b"<hx-partial id=\"ltp-NSE_EQ-1\">100<i class='w'>live</i></hx-partial>"


def quote(ltp: int, version: int, *, moved: bool = False, volume: int = 0, state: str = "live") -> Quote:
    return Quote(KEY, Tick(KEY, ltp, volume=volume), state, 1, moved, version)


class Drawing:
    """Draws cells and counts them. The price flashes as "!", and 13 cannot be drawn."""

    def __init__(self) -> None:
        self.calls = 0
        self.price, self.volume = ColumnCache(self.cell, "ltp"), ColumnCache(self.cell, "volume")

    def cell(self, quote: Quote, column: str) -> str:
        self.calls += 1
        assert quote.tick is not None
        if column == "volume":
            return str(quote.tick.volume)
        if quote.tick.ltp == 13:
            raise ValueError("cannot be drawn")
        return f"{'!' if quote.moved else ''}{quote.tick.ltp}<i class='w'>{quote.state}</i>"


@pytest.fixture
def drawing() -> Drawing:
    return Drawing()


def test_one_version_is_drawn_once_however_often_it_is_needed(drawing: Drawing) -> None:
    for _ in range(3):
        assert drawing.price.rendered(quote(100, 1)).flashing == PRICE_100
        assert drawing.price.steady(quote(100, 1)) == PRICE_100.decode()
    assert drawing.calls == 1


def test_the_cell_is_cached_as_it_was_last_drawn(drawing: Drawing) -> None:
    assert drawing.price.cached(KEY) is None
    cell = drawing.price.rendered(quote(100, 1))
    assert drawing.price.cached(KEY) is cell
    assert (cell.version, cell.changed, cell.text) == (1, 1, "100<i class='w'>live</i>")


def test_a_move_flashes_on_open_pages_and_not_on_a_page_that_opens_later(drawing: Drawing) -> None:
    drawing.price.rendered(quote(100, 1))
    moved = quote(101, 2, moved=True)
    assert drawing.price.rendered(moved).flashing == PRICE_100.replace(b"100", b"!101")
    assert drawing.price.steady(moved) == PRICE_100.decode().replace("100", "101")


def test_a_move_conflated_with_a_later_version_still_flashes(drawing: Drawing) -> None:
    drawing.price.rendered(quote(100, 1))
    assert b"!101" in drawing.price.rendered(quote(101, 3, volume=9)).flashing


def test_a_version_that_looks_the_same_in_this_column_is_no_change_of_the_cell(drawing: Drawing) -> None:
    for column, changed in ((drawing.price, [1, 1, 3]), (drawing.volume, [1, 2, 2])):
        versions = quote(100, 1), quote(100, 2, volume=9), quote(100, 3, volume=9, state="stale")
        assert [column.rendered(version).changed for version in versions] == changed
        assert column.rendered(versions[-1]).version == 3


def test_the_end_of_a_flash_is_no_change_of_the_cell(drawing: Drawing) -> None:
    drawing.price.rendered(quote(100, 1, moved=True))
    assert drawing.price.rendered(quote(100, 2, volume=9)).changed == 1
    assert drawing.price.rendered(quote(100, 3, state="stale")).changed == 3


def test_a_column_that_does_not_show_moves_is_drawn_once_a_version(drawing: Drawing) -> None:
    for version, ltp in enumerate((100, 101, 101), 1):
        drawing.volume.rendered(quote(ltp, version, volume=7, moved=version == 2))
    assert drawing.calls == 3


def test_a_line_end_in_a_cell_cannot_end_the_line_of_data(drawing: Drawing) -> None:
    broken = drawing.price.rendered(quote(100, 1, state="a\rb\n\nc")).flashing
    assert b"\r" not in broken
    assert broken.count(b"\n") == broken.count(b"\ndata: ") == 3


def test_a_cell_that_cannot_be_drawn_is_empty_counted_and_logged(
    drawing: Drawing, caplog: pytest.LogCaptureFixture
) -> None:
    before = metrics.value("cells_failed")
    assert drawing.price.rendered(quote(13, 1)).flashing == b""
    assert metrics.value("cells_failed") == before + 1
    assert caplog.messages == ["The cell ltp of NSE_EQ:1 cannot be drawn"]
    assert drawing.price.steady(quote(13, 1)) == ""


def test_cells_of_pages_closed_long_ago_do_not_fill_the_memory(
    drawing: Drawing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ltp.hub.column_cache.CAPACITY", 2)
    kept = []
    for id_ in range(5):
        drawing.price.rendered(quote(100, 1)._replace(key=f"NSE_EQ:{id_}"))
        kept.append(len(drawing.price))
    assert kept == [1, 2, 1, 2, 1]
