from __future__ import annotations

from datetime import UTC, datetime
from itertools import count

from ltp.core.screener import Row, Run
from ltp.web.table.facets import facets

IDS = count(1)


def run(*setups: str) -> Run:
    rows = tuple(
        Row(f"NSE_EQ:{n}", n, f"S{n}", sector="IT" if n % 2 else "", setup=setup)
        for n, setup in enumerate(setups, 1)
    )
    return Run(next(IDS), "swing", datetime(2026, 11, 23, tzinfo=UTC), False, "", rows)


def choices(*setups: str) -> list[tuple[str, str, int]]:
    return [(each.value, each.label, each.found) for each in facets(run(*setups)).setups]


def test_waiting_setups_are_one_choice_and_zero_ready_rows_are_counted() -> None:
    assert choices("WAIT_PULLBACK", "NOT_READY", "WAIT_BREAKOUT") == [
        ("", "All", 3),
        ("READY", "Ready", 0),
        ("waiting", "Waiting", 2),
        ("NOT_READY", "Not ready", 1),
    ]


def test_setups_of_an_import_are_choices_as_written() -> None:
    assert choices("Pullback", "Breakout", "Pullback", "") == [
        ("", "All", 4),
        ("Breakout", "Breakout", 1),
        ("Pullback", "Pullback", 2),
    ]


def test_many_setups_are_a_list_and_no_setups_no_choice() -> None:
    assert facets(run(*"abcdefg")).many
    assert not facets(run(*"abcdef")).many
    assert facets(run("", "")).setups == ()
    assert facets(None) == facets(run())


def test_sectors_are_those_of_the_rows() -> None:
    assert facets(run("a", "a")).sectors == ("IT",)
