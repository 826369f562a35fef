"""One list: changes at one moment, versions, the members of its universe, and imports of instruments."""

from __future__ import annotations

import threading

import pytest
from sqlalchemy import Engine, event

from ltp.core.watchlists import edits
from ltp.core.watchlists.watchlist import Line
from ltp.db import reassignments, rekey, universes
from ltp.db.engine import writing
from ltp.db.watchlists import lists, store
from ltp.errors import ConflictError, NotFoundError

A, B, C = "NSE_EQ:1333", "NSE_EQ:11536", "NSE_FNO:7"


@pytest.fixture
def banks(engine: Engine) -> Engine:
    lists.create(
        engine, "Banks", [Line(A), Line("SECTION:1", "Rest"), Line(B, "", "note", "red")], source="test"
    )
    return engine


def test_a_list_and_its_universe_are_written_together(banks: Engine) -> None:
    found = store.fetch(banks, "banks")
    assert (found.title, found.version) == ("Banks", 1)
    assert found.lines == (Line(A), Line("SECTION:1", "Rest"), Line(B, "", "note", "red"))
    assert universes.keys(banks, "list-banks") == [A, B]
    assert universes.fetch(banks)["list-banks"].title == "Banks"
    edited = store.change(banks, "banks", edits.add([C], "SECTION:1"), "page")
    assert edited.words == f"{C} added"
    assert store.fetch(banks, "banks") == edited.watchlist
    assert (edited.watchlist.version, len(edited.watchlist.rows)) == (2, 3)
    assert edited.watchlist.members_at > found.members_at
    assert universes.keys(banks, "list-banks") == [A, B, C]
    store.change(banks, "banks", edits.remove([A]), "page")
    store.change(banks, "banks", edits.rename("Big banks"), "page")
    assert universes.keys(banks, "list-banks") == [B, C]
    universe = universes.fetch(banks)["list-banks"]
    assert (universe.title, universe.size, universe.source) == ("Big banks", 2, "page")
    assert [(each.version, each.words) for each in store.changes(banks, "banks", after=2)] == [
        (4, "list renamed to Big banks"), (3, f"{A} removed"),
    ]  # fmt: skip
    assert store.version(banks, "banks")[0] == 4


@pytest.mark.parametrize(
    "edit",
    [
        edits.move(B, "top"),
        edits.move(A, "bottom"),
        edits.mark(A, "<b>", "blue"),
        edits.rename_section("SECTION:1", "Others"),
        edits.add_section("More"),
        edits.remove(["SECTION:1"]),
        edits.replace([Line(B), Line(C), Line("SECTION:9", "x"), Line(A)]),
        edits.replace([]),
    ],
)
def test_each_change_is_stored_as_the_edit_gives_it(banks: Engine, edit: edits.Edit) -> None:
    before = store.fetch(banks, "banks")
    expected = edit(before).watchlist.lines
    assert store.change(banks, "banks", edit, "page").watchlist.lines == expected
    after = store.fetch(banks, "banks")
    assert (after.lines, after.version) == (expected, 2)
    changed = {line.key for line in before.rows} != {line.key for line in after.rows}
    assert (after.members_at > before.members_at) == changed
    assert universes.keys(banks, "list-banks") == sorted(
        (line.key for line in after.rows), key=lambda key: (key.partition(":")[0], int(key.partition(":")[2]))
    )


def test_a_change_that_is_refused_or_nothing_leaves_the_version(banks: Engine) -> None:
    with pytest.raises(ConflictError):
        store.change(banks, "banks", edits.mark(B, "x", "", ("older", "")), "page")
    assert store.change(banks, "banks", edits.add([A]), "page").words == ""
    assert store.fetch(banks, "banks").version == 1
    with pytest.raises(NotFoundError, match="There is no watchlist called 'bank'"):
        store.change(banks, "bank", edits.add([A]), "page")


def test_editors_at_one_moment_lose_nothing(banks: Engine) -> None:
    keys = [f"BSE_EQ:{number}" for number in range(500_000, 500_012)]

    def add(key: str) -> None:
        store.change(banks, "banks", edits.add([key]), "page")

    threads = [threading.Thread(target=add, args=(key,)) for key in keys]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    found = store.fetch(banks, "banks")
    assert found.version == 13
    assert {line.key for line in found.rows} == {A, B, *keys}
    assert len(universes.keys(banks, "list-banks")) == 14


def test_a_move_in_a_long_list_writes_two_lines(banks: Engine) -> None:
    keys = [f"BSE_EQ:{number}" for number in range(500_000, 500_998)]
    store.change(banks, "banks", edits.add(keys), "page")
    written: list[int] = []
    event.listen(
        banks,
        "before_cursor_execute",
        lambda _c, _cursor, statement, parameters, _context, many: (
            written.append(len(parameters) if many else 1)
            if statement.startswith("UPDATE watchlist_lines")
            else None
        ),
    )
    store.change(banks, "banks", edits.move(keys[500], "up"), "page")
    assert sum(written) == 2
    assert [line.key for line in store.fetch(banks, "banks").rows][501:503] == [keys[500], keys[499]]


def test_a_share_with_a_new_id_keeps_its_line_and_one_that_means_another_goes(banks: Engine) -> None:
    store.change(banks, "banks", edits.add([C]), "page")
    with writing(banks) as connection:
        rekey.move(connection, B, "NSE_EQ:99")
        reassignments.clear(connection, [A])
    found = store.fetch(banks, "banks")
    assert found.lines == (Line("SECTION:1", "Rest"), Line("NSE_EQ:99", "", "note", "red"), Line(C))
    assert found.version == 4
    assert universes.keys(banks, "list-banks") == ["NSE_EQ:99", C]
    assert lists.fetch(banks)[0].size == 2
    moved = store.change(banks, "banks", edits.move(C, "up"), "page").watchlist  # across the gap
    assert store.fetch(banks, "banks").lines == moved.lines


def test_fifty_changes_are_kept(banks: Engine) -> None:
    for _ in range(30):
        store.change(banks, "banks", edits.move(A, "bottom"), "page")
        store.change(banks, "banks", edits.move(A, "top"), "page")
    kept = store.changes(banks, "banks")
    assert (len(kept), kept[0].version, kept[-1].version) == (50, 61, 12)


@pytest.mark.parametrize("slug", ["\x00", "a\x00b", "\ud800", "x" * 10_000])
def test_a_slug_that_no_database_takes_is_that_of_no_list(banks: Engine, slug: str) -> None:
    for read_or_change in (
        lambda: store.fetch(banks, slug),
        lambda: store.version(banks, slug),
        lambda: store.change(banks, slug, edits.remove([A]), "page"),
        lambda: lists.remove(banks, slug),
        lambda: lists.restore(banks, slug, "page"),
    ):
        with pytest.raises(NotFoundError, match="There is no watchlist called"):
            read_or_change()
    assert [head.slug for head in lists.fetch(banks)] == ["banks"]
