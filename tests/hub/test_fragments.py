"""Fragments: cell caches share their columns, live as long as views or the most recent choices use them; and the
slots that number the instruments of views.
"""

from __future__ import annotations

import threading

import pytest

from ltp.core.ticks.quote import CachedTick, Quote
from ltp.core.ticks.tick import Tick
from ltp.hub import fragments
from ltp.hub.board import Board
from ltp.hub.fragments import Fragments
from ltp.hub.slots import Slots
from ltp.hub.view import View

KEY = "NSE_EQ:1"
QUOTE = Quote(KEY, Tick(KEY, 100), "live", 1, False, 1)


class Drawing:
    """Draws cells and notes their columns."""

    def __init__(self) -> None:
        self.columns: list[str] = []
        self.fragments = Fragments(self.cell)

    def cell(self, quote: Quote, column: str) -> str:
        self.columns.append(column)
        assert quote.tick is not None
        return f"{'!' if quote.moved else ''}{quote.tick.ltp}<i class='w'>{quote.state}</i>"

    def show(self, *columns: str) -> None:
        self.fragments.cell_cache(columns).steady([QUOTE])

    def drawn(self) -> list[str]:
        """Return the columns drawn since the last call."""
        columns, self.columns = self.columns, []
        return columns


@pytest.fixture
def drawing() -> Drawing:
    return Drawing()


def test_a_column_is_drawn_once_for_all_choices_that_contain_it(drawing: Drawing) -> None:
    drawing.show("ltp", "chg")
    drawing.show("chg", "volume")
    assert drawing.drawn() == ["ltp", "chg", "volume"]


def test_the_state_alone_is_replaced_with_the_class_it_is_drawn_with(drawing: Drawing) -> None:
    assert drawing.fragments.state(QUOTE._replace(state="stale")) == (
        '<hx-partial hx-target="#ltp-NSE_EQ-1>i" hx-swap="outerHTML"><i class=\'w\'>stale</i></hx-partial>'
    )


def test_a_price_cell_without_a_state_gets_a_plain_one() -> None:
    assert Fragments(lambda _quote, _column: "100").state(QUOTE) == (
        '<hx-partial hx-target="#ltp-NSE_EQ-1>i" hx-swap="outerHTML"><i>live</i></hx-partial>'
    )


def test_only_the_most_recent_choices_are_kept_without_a_view(
    drawing: Drawing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fragments, "_RECENT_CHOICES", 2)
    kept = drawing.fragments.cell_cache(("chg",))
    for column in ("chg", "a", "b", "c"):
        drawing.show(column)
    drawing.drawn()
    for column in ("c", "b", "chg", "a"):
        drawing.show(column)
    assert drawing.drawn() == ["a"]
    assert drawing.fragments.cell_cache(("chg",)) is kept


def test_choices_that_were_not_used_lately_are_dropped_unless_a_view_shows_them(drawing: Drawing) -> None:
    kept = drawing.fragments.cell_cache(("chg",))
    for columns in (("chg",), ("ltp", "volume"), ("open",)):
        drawing.show(*columns)
    drawing.fragments.drop_unused()
    drawing.show("open")
    drawing.fragments.drop_unused()
    drawing.drawn()
    for columns in (("chg",), ("ltp", "volume"), ("open",)):
        drawing.show(*columns)
    assert drawing.drawn() == ["volume"]  # the price is kept for `state`
    assert drawing.fragments.cell_cache(("chg",)) is kept


def test_pages_that_were_not_used_lately_are_dropped(drawing: Drawing) -> None:
    board, cells = Board(), drawing.fragments.cell_cache(("ltp",))
    page = cells.page(board, (KEY,), 0)
    drawing.fragments.drop_unused()
    assert cells.page(board, (KEY,), 0) is page
    for _ in range(2):
        drawing.fragments.drop_unused()
    assert cells.page(board, (KEY,), 0) is not page


def test_when_the_slots_of_closed_pages_are_given_up_every_view_takes_new_ones_and_shows_its_own(
    drawing: Drawing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fragments, "_MOST_SLOTS", 1)
    board, lock = Board(now=lambda: 1_790_000_000.0, monotonic=lambda: 1.0), threading.RLock()
    views = [View(((f"NSE_EQ:{id_}",), ("ltp",), ()), board, drawing.fragments, lock) for id_ in range(1, 8)]
    for ltp in (100, 101, 102):
        board.load(
            [CachedTick(view.keys[0], Tick(view.keys[0], ltp, received_at=ltp), True) for view in views]
        )
        for view in views:
            event = view.flush()
            assert event.count(b'id="ltp-') == 1
            assert f'id="ltp-{view.keys[0].replace(":", "-")}">'.encode() in event
            assert b"%d<i" % ltp in event


def test_instruments_of_several_views_have_one_slot_each() -> None:
    slots = Slots()
    first, second = slots.picker(("NSE_EQ:1", "NSE_EQ:2")), slots.picker(("NSE_EQ:2", "NSE_EQ:3"))
    assert (first.numbers, second.numbers) == ({1, 2}, {2, 3})
    assert slots.keys == ["", "NSE_EQ:1", "NSE_EQ:2", "NSE_EQ:3"]
    assert len(slots) == 4


def test_a_view_picks_its_own_slots_in_its_own_order() -> None:
    slots = Slots()
    slots.picker(("NSE_EQ:1", "NSE_EQ:2"))
    partials = [b"", b"one ", b"two ", b"three "]
    assert b"".join(slots.picker(("NSE_EQ:3", "NSE_EQ:1")).pick(partials)) == b"three one "
    assert b"".join(slots.picker(("NSE_EQ:2",)).pick(partials)) == b"two "
    assert b"".join(slots.picker(()).pick(partials)) == b""


def test_instruments_without_a_slot_are_left_out() -> None:
    slots = Slots()
    slots.picker(("NSE_EQ:1", "NSE_EQ:2"))
    assert slots.numbers_of({"NSE_EQ:2", "NSE_EQ:9"}) == {2}
    assert slots.numbers_of(()) == set()
