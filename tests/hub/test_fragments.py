"""Fragments: drawn once a version, loud where a price moved, nothing where these columns look the same."""

from __future__ import annotations

import threading

import pytest

from ltp import metrics
from ltp.core.ticks.quote import CachedTick, Quote
from ltp.core.ticks.tick import Tick
from ltp.hub import fragments
from ltp.hub.board import Board
from ltp.hub.fragments import Fragments
from ltp.hub.view import View

KEY = "NSE_EQ:1"


def quote(ltp: int, version: int, *, moved: bool = False, volume: int = 0, state: str = "live") -> Quote:
    return Quote(KEY, Tick(KEY, ltp, volume=volume), state, 1, moved, version)


class Drawn:
    def __init__(self) -> None:
        self.calls = 0
        self.fragments = Fragments(self.cell)

    def cell(self, quote: Quote, column: str) -> str:
        self.calls += 1
        assert quote.tick is not None
        if column == "volume":
            return str(quote.tick.volume)
        if quote.tick.ltp == 13:
            raise ValueError("cannot be drawn")
        return f"{'!' if quote.moved else ''}{quote.tick.ltp}<i class='w'>{quote.state}</i>"

    def loud(self, shown: Quote, after: int, *columns: str) -> str:
        return self.fragments.sheet(columns or ("ltp",)).caught_up([shown], after, shown.version).decode()

    def calm(self, shown: Quote, *columns: str) -> str:
        return self.fragments.sheet(columns or ("ltp",)).calm([shown])


@pytest.fixture
def drawn() -> Drawn:
    return Drawn()


def test_one_version_is_drawn_once_however_many_views_show_it(drawn: Drawn) -> None:
    for _ in range(3):
        drawn.loud(quote(100, 1), 0)
        drawn.calm(quote(100, 1))
    assert drawn.calls == 1


def test_a_move_is_loud_for_who_watches_and_calm_for_who_comes(drawn: Drawn) -> None:
    drawn.loud(quote(100, 1), 0)
    moved = quote(101, 2, moved=True)
    assert drawn.loud(moved, 1) == "<hx-partial id=\"ltp-NSE_EQ-1\">!101<i class='w'>live</i></hx-partial>"
    assert drawn.calm(moved) == "<hx-partial id=\"ltp-NSE_EQ-1\">101<i class='w'>live</i></hx-partial>"


def test_a_move_conflated_with_a_later_version_still_flashes(drawn: Drawn) -> None:
    drawn.loud(quote(100, 1), 0)
    assert "!101" in drawn.loud(quote(101, 3, volume=9), 1)


def test_a_version_that_looks_the_same_in_these_columns_is_not_sent_to_who_saw_it(drawn: Drawn) -> None:
    drawn.loud(quote(100, 1), 0)
    assert drawn.loud(quote(100, 2, volume=9), 1) == ""
    assert drawn.loud(quote(100, 2, volume=9), 0) != ""
    drawn.loud(quote(100, 1), 0, "volume")
    assert "9" in drawn.loud(quote(100, 2, volume=9), 1, "volume")


def test_after_a_move_that_these_columns_do_not_show_the_next_quiet_version_is_not_sent_either(
    drawn: Drawn,
) -> None:
    drawn.loud(quote(100, 1, moved=True), 0)
    assert drawn.loud(quote(100, 2, volume=9), 1) == ""
    assert drawn.loud(quote(100, 3, state="stale"), 2) != ""


def test_several_columns_are_partials_of_their_own(drawn: Drawn) -> None:
    assert drawn.calm(quote(100, 1, volume=7), "volume", "ltp") == (
        '<hx-partial id="volume-NSE_EQ-1">7</hx-partial><hx-partial id="ltp-NSE_EQ-1">100<i class=\'w\'>live</i></hx-partial>'
    )


def test_a_line_end_in_a_cell_cannot_end_the_line_of_data(drawn: Drawn) -> None:
    broken = drawn.loud(quote(100, 1, state="a\rb\n\nc"), 0)
    assert "\r" not in broken
    assert broken.count("\n") == broken.count("\ndata: ") == 3


def test_long_gone_pages_do_not_fill_the_memory(drawn: Drawn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ltp.hub.column.CAPACITY", 2)
    monkeypatch.setattr("ltp.hub.fragments._SHEETS", 2)
    kept = drawn.fragments.sheet(("ltp",))
    for id_ in range(5):
        assert kept.caught_up([quote(100, 1)._replace(key=f"NSE_EQ:{id_}")], 0, 1)
        assert drawn.fragments.sheet(("ltp", f"{id_}")) is not kept
    assert len(drawn.fragments._price._rendered) <= 2
    assert len(drawn.fragments._sheets) <= 2
    assert sorted(drawn.fragments._columns) == ["3", "4", "ltp"]


def test_every_choice_of_columns_is_made_of_the_same_cells(drawn: Drawn) -> None:
    shown = quote(100, 1, volume=7)
    for columns in (("ltp",), ("volume",), ("ltp", "volume"), ("volume", "ltp")):
        assert drawn.calm(shown, *columns)
        assert drawn.loud(shown, 0, *columns)
    assert drawn.calls == 2


def test_of_several_columns_only_those_that_look_different_are_sent(drawn: Drawn) -> None:
    drawn.loud(quote(100, 1, volume=7), 0, "ltp", "volume")
    assert (
        drawn.loud(quote(100, 2, volume=8), 1, "ltp", "volume")
        == '<hx-partial id="volume-NSE_EQ-1">8</hx-partial>'
    )


def test_a_column_that_does_not_show_moves_is_drawn_once_a_version(drawn: Drawn) -> None:
    drawn.loud(quote(100, 1, volume=7), 0, "volume")
    drawn.loud(quote(101, 2, volume=7, moved=True), 1, "volume")
    drawn.loud(quote(101, 3, volume=7), 2, "volume")
    assert drawn.calls == 3


def test_a_cell_that_cannot_be_drawn_stops_no_other(drawn: Drawn, caplog: pytest.LogCaptureFixture) -> None:
    before = metrics.value("cells_failed")
    assert drawn.loud(quote(13, 1), 0) == ""
    assert metrics.value("cells_failed") == before + 1
    assert KEY in caplog.text


def test_the_state_alone_is_replaced_with_the_class_it_is_drawn_with(drawn: Drawn) -> None:
    assert drawn.fragments.state(quote(100, 1, state="stale")) == (
        '<hx-partial hx-target="#ltp-NSE_EQ-1>i" hx-swap="outerHTML"><i class=\'w\'>stale</i></hx-partial>'
    )


def test_a_whole_page_is_put_together_once_for_each_view_until_a_newer_one_is_asked_for(drawn: Drawn) -> None:
    board = Board(now=lambda: 1_790_000_000.0, monotonic=lambda: 1.0)
    board.load([CachedTick(key, Tick(key, 100), True) for key in (KEY, "NSE_EQ:2")])
    sheet = drawn.fragments.sheet(("ltp",))
    one, other = (sheet.whole(board, (key,), 1) for key in (KEY, "NSE_EQ:2"))
    assert other == (board.version, sheet.calm(board.quotes(["NSE_EQ:2"])).encode())
    board.load([CachedTick(KEY, Tick(KEY, 101, received_at=2), True)])
    for _ in range(2):
        assert sheet.whole(board, (KEY,), 1) is one
        assert sheet.whole(board, ("NSE_EQ:2",), 1) is other
    version, cells = sheet.whole(board, (KEY,), board.version)
    assert version == board.version
    assert b">101<" in cells


def test_whole_pages_are_kept_up_to_so_many_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fragments, "_WHOLE_BYTES", 150)
    drawn, board = Fragments(lambda quote, _column: quote.state), Board()
    for id_ in range(7):
        for columns in (("ltp",), ("ltp", "chg")):
            assert (
                f'"ltp-NSE_EQ-{id_}"'.encode() in drawn.sheet(columns).whole(board, (f"NSE_EQ:{id_}",), 0)[1]
            )
            assert (
                sum(len(cells) for _, cells in drawn._wholes._pages.values()) == drawn._wholes._bytes <= 150
            )


def test_what_is_new_is_drawn_once_for_all_views_and_is_nothing_where_it_looks_the_same(drawn: Drawn) -> None:
    board = Board(now=lambda: 1_790_000_000.0, monotonic=lambda: 1.0)
    keys = [f"NSE_EQ:{id_}" for id_ in range(1, 5)]
    board.load([CachedTick(key, Tick(key, 100), True) for key in keys])
    after = board.version
    board.load([CachedTick(key, Tick(key, 100, volume=7, received_at=2), True) for key in keys[:2]])
    board.load([CachedTick(KEY, Tick(KEY, 101, volume=7, received_at=3), True)])
    sheet = drawn.fragments.sheet(("ltp",))
    all_of_them, first, quiet = (drawn.fragments.seat(tuple(some)) for some in (keys, keys[:1], keys[2:]))
    sheet.calm(board.quotes(keys))
    calls = drawn.calls
    event = sheet.news(board, drawn.fragments.places, after).of(all_of_them)
    assert event.count(b"ltp-NSE_EQ-1") == 1
    assert (
        sheet.news(board, drawn.fragments.places, after).of(first)
        == b"<hx-partial id=\"ltp-NSE_EQ-1\">!101<i class='w'>stale</i></hx-partial>"
    )
    assert sheet.news(board, drawn.fragments.places, after).of(quiet) == b""
    assert drawn.calls == calls
    assert sheet.news(board, drawn.fragments.places, board.version).of(all_of_them) == b""


def test_a_view_that_opens_later_has_its_place_in_the_same_news(drawn: Drawn) -> None:
    board = Board(now=lambda: 1_790_000_000.0, monotonic=lambda: 1.0)
    board.load([CachedTick(key, Tick(key, 100), True) for key in (KEY, "NSE_EQ:2")])
    sheet = drawn.fragments.sheet(("ltp",))
    seat = drawn.fragments.seat((KEY,))
    assert b">100<" in sheet.news(board, drawn.fragments.places, 0).of(seat)
    later = drawn.fragments.seat(("NSE_EQ:2",))
    assert b"ltp-NSE_EQ-2" in sheet.news(board, drawn.fragments.places, 0).of(later)
    assert b"ltp-NSE_EQ-1" in sheet.news(board, drawn.fragments.places, 0).of(seat)


def test_when_the_places_of_long_gone_pages_are_given_up_a_view_takes_others_and_shows_its_own(
    drawn: Drawn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fragments, "_PLACES", 1)
    board, lock = Board(now=lambda: 1_790_000_000.0, monotonic=lambda: 1.0), threading.RLock()
    views = [View(((f"NSE_EQ:{id_}",), ("ltp",)), board, drawn.fragments, lock) for id_ in range(1, 8)]
    for ltp in (100, 101, 102):
        board.load(
            [CachedTick(view.keys[0], Tick(view.keys[0], ltp, received_at=ltp), True) for view in views]
        )
        for view in views:
            event = view.flush()
            assert event.count(b'id="ltp-') == 1
            assert f'id="ltp-{view.keys[0].replace(":", "-")}">'.encode() in event
            assert b"%d<i" % ltp in event


def test_what_nobody_asked_for_lately_is_forgotten(drawn: Drawn) -> None:
    board = Board()
    for columns in (("ltp",), ("ltp", "volume")):
        drawn.fragments.sheet(columns).whole(board, (), 0)
    drawn.fragments.forget_unused()
    drawn.fragments.sheet(("ltp",)).whole(board, (), 0)
    drawn.fragments.forget_unused()
    assert list(drawn.fragments._sheets) == [("ltp",)]
    assert [key[0] for key in drawn.fragments._wholes._pages] == [("ltp",)]
    assert list(drawn.fragments._columns) == ["ltp"]


def test_a_sheet_that_a_view_keeps_is_the_next_views_too(drawn: Drawn) -> None:
    kept = drawn.fragments.sheet(("ltp",))
    for _ in range(2):
        drawn.fragments.forget_unused()
    assert drawn.fragments.sheet(("ltp",)) is kept
