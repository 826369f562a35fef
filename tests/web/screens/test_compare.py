from __future__ import annotations

from datetime import UTC, datetime

from ltp.core.screener import Row, Run
from ltp.web.screens.compare import compare, keys


def run(id_: int, *rows: tuple[str, float | None, str], kind: str = "swing") -> Run:
    made = tuple(
        Row(f"NSE_EQ:{n}", place, n, score=score, setup=setup)
        for place, (n, score, setup) in enumerate(rows, 1)
    )
    return Run(id_, kind, datetime(2026, 11, 23, tzinfo=UTC), False, "", made)


WAS = run(
    1, ("1", 90.0, "READY"), ("2", 80.0, "WAIT_PULLBACK"), ("3", 70.0, "NOT_READY"), ("4", None, "NOT_READY")
)
NOW = run(
    2, ("2", 85.5, "READY"), ("3", 84.0, "READY"), ("1", 60.0, "NOT_READY"), ("5", 50.0, "WAIT_BREAKOUT")
)


def test_a_built_in_list_has_the_ready_and_the_waiting_rows() -> None:
    assert keys(WAS, all_rows=False) == {"NSE_EQ:1", "NSE_EQ:2"}
    changes = compare(NOW, WAS, all_rows=False)
    assert [(row.symbol, other and other.setup) for row, other in changes.entered] == [
        ("3", "NOT_READY"),
        ("5", None),
    ]
    assert [(row.symbol, other and other.setup) for row, other in changes.left] == [("1", "NOT_READY")]


def test_a_custom_list_has_all_rows() -> None:
    changes = compare(NOW, WAS, all_rows=True)
    assert [row.symbol for row, _ in changes.entered] == ["5"]
    assert [row.symbol for row, _ in changes.left] == ["4"]


def test_moves_are_counted_upwards_and_the_largest_change_of_score_comes_first() -> None:
    changes = compare(NOW, WAS, all_rows=False)
    assert [(move.row.symbol, move.places, move.score) for move in changes.moved] == [
        ("1", -2, -30.0),
        ("3", 1, 14.0),
        ("2", 1, 5.5),
    ]
    assert [(move.row.symbol, move.was.setup, move.row.setup) for move in changes.setups] == [
        ("2", "WAIT_PULLBACK", "READY")
    ]


def test_an_unknown_score_is_no_change() -> None:
    [move] = compare(
        run(2, ("x", 9.0, "READY"), ("4", 5.0, "READY")), run(1, ("4", None, "READY")), all_rows=True
    ).moved
    assert (move.row.symbol, move.places, move.score) == ("4", -1, None)


def test_equal_runs_have_no_changes() -> None:
    assert compare(NOW, NOW, all_rows=False) == ((), (), (), ())
