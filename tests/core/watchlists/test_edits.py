"""Changes of a list, and that each keeps its meaning after a change of somebody else."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from ltp.core.watchlists import edits
from ltp.core.watchlists.edits import BOTTOM, DOWN, TOP, UP
from ltp.core.watchlists.watchlist import MAX_ROWS, MAX_SECTIONS, Line, Watchlist
from ltp.errors import ConflictError, InputError

AT = datetime(2026, 11, 23, tzinfo=UTC)
A, B, C, D = "NSE_EQ:1", "NSE_EQ:2", "NSE_FNO:3", "MCX_COMM:4"
BANKS, REST = "SECTION:1", "SECTION:2"
LIST = Watchlist(
    "my",
    "My",
    7,
    AT,
    AT,
    (Line(A), Line(BANKS, "Banks"), Line(B, note="why"), Line(C), Line(REST, "Rest"), Line(D)),
)


def keys(edit: edits.Edit, now: Watchlist = LIST) -> list[str]:
    return [line.key for line in edit(now).watchlist.lines]


def test_instruments_are_added_once_at_the_end_of_the_list_or_of_a_section() -> None:
    assert keys(edits.add(["NSE_EQ:9", A, "NSE_EQ:9"])) == [A, BANKS, B, C, REST, D, "NSE_EQ:9"]
    assert keys(edits.add(["NSE_EQ:9"], BANKS)) == [A, BANKS, B, C, "NSE_EQ:9", REST, D]
    assert keys(edits.add(["NSE_EQ:9"], REST))[-1] == "NSE_EQ:9"
    assert edits.add(["NSE_EQ:9", "NSE_EQ:10"])(LIST).words == "NSE_EQ:9, NSE_EQ:10 added"
    assert edits.add([A, B])(LIST) == (LIST, "")


def test_a_removed_section_leaves_its_instruments_to_the_one_before() -> None:
    edited = edits.remove([REST, "NSE_EQ:99"])(LIST)
    assert [line.key for line in edited.watchlist.lines] == [A, BANKS, B, C, D]
    assert edited.words == "section Rest removed"
    assert list(edited.watchlist.in_sections())[-1] == ("Banks", Line(D))
    assert edits.remove(["NSE_EQ:99"])(LIST) == (LIST, "")


@pytest.mark.parametrize(
    ("key", "how", "expected"),
    [
        (C, UP, [A, BANKS, C, B, REST, D]),
        (C, DOWN, [A, BANKS, B, REST, C, D]),
        (D, TOP, [D, A, BANKS, B, C, REST]),
        (A, BOTTOM, [BANKS, B, C, REST, D, A]),
        (A, UP, [A, BANKS, B, C, REST, D]),
        (D, DOWN, [A, BANKS, B, C, REST, D]),
        (REST, UP, [A, REST, D, BANKS, B, C]),
        (BANKS, UP, [A, BANKS, B, C, REST, D]),
        (BANKS, BOTTOM, [A, REST, D, BANKS, B, C]),
        (REST, TOP, [A, REST, D, BANKS, B, C]),
    ],
)
def test_moves(key: str, how: str, expected: list[str]) -> None:
    edited = edits.move(key, how)(LIST)
    assert [line.key for line in edited.watchlist.lines] == expected
    assert bool(edited.words) == (edited.watchlist != LIST)


def test_a_section_is_moved_to_the_top_of_a_list_that_begins_with_one() -> None:
    lines = (Line(BANKS, "Banks"), Line(A), Line(REST, "Rest"), Line(B))
    assert keys(edits.move(REST, TOP), LIST._replace(lines=lines)) == [REST, B, BANKS, A]


def test_a_line_that_is_gone_is_said() -> None:
    for edit in (edits.move("NSE_EQ:9", UP), edits.mark("NSE_EQ:9", "x", ""), edits.add([D], "SECTION:9")):
        now = LIST._replace(lines=LIST.lines[:-1])
        with pytest.raises(ConflictError, match="no longer in the list"):
            edit(now)
    with pytest.raises(InputError, match="it is one of up, down, top, bottom"):
        edits.move(A, "sideways")


def test_a_note_replaces_only_the_one_that_its_editor_has_seen() -> None:
    edited = edits.mark(B, "  new\n reason ", "Red", ("why", ""))(LIST)
    assert edited.watchlist.line(B) == Line(B, "", "new reason", "red")
    assert edited.words == "note or flag of NSE_EQ:2 changed"
    with pytest.raises(ConflictError, match="The note or flag of NSE_EQ:2 was changed meanwhile"):
        edits.mark(B, "new", "", ("older", ""))(LIST)
    assert edits.mark(B, "why", "", ("older", ""))(LIST) == (LIST, "")  # both typed the same
    assert edits.mark(B, "older", "", ("older", ""))(LIST) == (LIST, "")  # this editor has changed nothing
    assert edits.mark(B, "new", "")(LIST).watchlist.line(B) == Line(B, "", "new")
    with pytest.raises(InputError, match="flag: 'pink' is not accepted; it is empty or one of red"):
        edits.mark(B, "", "pink")
    with pytest.raises(InputError, match="it is at most 200 characters"):
        edits.mark(B, "x" * 201, "")


def test_names_of_lists_and_sections() -> None:
    assert edits.rename("Other", "My")(LIST).watchlist.title == "Other"
    with pytest.raises(ConflictError, match="The list is called My meanwhile"):
        edits.rename("Other", "Old")(LIST)
    assert edits.rename_section(BANKS, "Big", "Banks")(LIST).words == "section Banks renamed to Big"
    with pytest.raises(ConflictError, match="The section is called Banks meanwhile"):
        edits.rename_section(BANKS, "Big", "Small")(LIST)
    assert edits.add_section("New")(LIST).watchlist.lines[-1] == Line("SECTION:3", "New")
    with pytest.raises(InputError, match="section: '' is not accepted; it is 1 to 80 characters"):
        edits.add_section(" \n ")


def test_all_lines_are_replaced_at_one_version_or_at_any() -> None:
    edited = edits.replace([Line(B), Line(A)], "Two", 7)(LIST)
    assert (edited.watchlist.lines, edited.watchlist.title) == ((Line(B), Line(A)), "Two")
    with pytest.raises(ConflictError, match="The list has version 7 and not 6"):
        edits.replace([], version=6)(LIST)
    assert edits.replace(LIST.lines)(LIST) == (LIST, "")
    kept = edits.replace([Line(A), Line(B)], keep_marks=True)(LIST).watchlist
    assert kept.lines == (Line(A), Line(B, note="why"))
    assert edits.replace([Line(B)])(LIST).watchlist.lines == (Line(B),)


def test_limits_are_said() -> None:
    full = LIST._replace(lines=tuple(Line(f"NSE_EQ:{number}") for number in range(1, MAX_ROWS + 1)))
    with pytest.raises(InputError, match="My: '1,001 instruments' is not accepted; a list has at most 1,000"):
        edits.add(["BSE_EQ:1"])(full)
    assert edits.add(["NSE_EQ:1"])(full) == (full, "")
    sections = tuple(Line(f"SECTION:{number}", "S") for number in range(1, MAX_SECTIONS + 1))
    with pytest.raises(InputError, match="at most 100 sections"):
        edits.add_section("One more")(LIST._replace(lines=sections))
    with pytest.raises(InputError, match="at most 100 sections"):
        edits.replace([*sections, Line("SECTION:101", "S")])


def test_pasted_lines_join_sections_of_the_same_title() -> None:
    new = (
        Line("NSE_EQ:9"),
        Line("SECTION:1", "Rest"),
        Line("NSE_EQ:10", "", "n"),
        Line("SECTION:2", "New"),
        Line(A, "", "m", "red"),
        Line(B, "", "m"),
    )
    edited = edits.append(new)(LIST)
    assert [line.key for line in edited.watchlist.lines] == [
        A,
        BANKS,
        B,
        C,
        REST,
        D,
        "NSE_EQ:9",
        "NSE_EQ:10",
        "SECTION:3",
    ]
    assert edited.watchlist.line(A) == Line(A, "", "m", "red")
    assert edited.watchlist.line(B) == Line(B, "", "why")
    assert edited.words == "NSE_EQ:9, NSE_EQ:10 added"
    assert edits.append([Line(A), Line(BANKS, "Banks")])(LIST) == (LIST, "")
    with pytest.raises(InputError, match="at most 1,000"):
        edits.append([Line(f"BSE_EQ:{number}") for number in range(1, MAX_ROWS)])(LIST)


def test_edits_are_made_together_or_not_at_all() -> None:
    edited = edits.together([edits.mark(A, "new", ""), edits.move(A, DOWN)])(LIST)
    assert [line.key for line in edited.watchlist.lines][:2] == [BANKS, A]
    assert edited.watchlist.line(A) == Line(A, "", "new")
    assert edited.words == "note or flag of NSE_EQ:1 changed; NSE_EQ:1 moved down"
    assert edits.together([edits.mark(A, "", ""), edits.move(A, UP)])(LIST) == (LIST, "")
    with pytest.raises(ConflictError):
        edits.together([edits.mark(A, "new", ""), edits.move("NSE_EQ:99", UP)])(LIST)
