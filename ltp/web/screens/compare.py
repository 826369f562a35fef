"""What changed from one run of a screener to another. Pure: two runs in, rows out.

A built-in screener judges every share of its universe, so to be in its list means that there is something to
do or to wait for; a custom screen, and an import, lists what it found.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from ltp.core.screener import Row, Run

NOT_LISTED: Final = "NOT_READY"


class RankMove(NamedTuple):
    """One instrument in both runs. `places`: how many ranks it rose; `score`: by how much that changed, None
    where unknown.
    """

    row: Row
    was: Row
    places: int
    score: float | None


class RunChanges(NamedTuple):
    """`entered` and `left`: of the list, best first, each with its row in the other run where that has one.
    `setups`: listed in both, with another setup now. `moved`: in both, the largest change of score first."""

    entered: tuple[tuple[Row, Row | None], ...]
    left: tuple[tuple[Row, Row | None], ...]
    setups: tuple[RankMove, ...]
    moved: tuple[RankMove, ...]


def listed(row: Row) -> bool:
    return row.setup != NOT_LISTED


def keys(run: Run, *, all_rows: bool) -> frozenset[str]:
    """Return the keys in the run's list. `all_rows`: whatever their setup, as for a custom screen."""
    return frozenset(row.key for row in run.rows if all_rows or listed(row))


def compare(run: Run, was: Run, *, all_rows: bool) -> RunChanges:
    """Return how `run` differs from `was`, an earlier one of the same screener."""
    now_in, was_in = keys(run, all_rows=all_rows), keys(was, all_rows=all_rows)
    before, after = _by_key(was), _by_key(run)
    both = [_move(row, before[row.key]) for row in run.rows if row.key in before]
    return RunChanges(
        tuple((row, before.get(row.key)) for row in run.rows if row.key in now_in - was_in),
        tuple((row, after.get(row.key)) for row in was.rows if row.key in was_in - now_in),
        tuple(move for move in both if move.row.key in now_in & was_in and move.row.setup != move.was.setup),
        tuple(sorted((move for move in both if move.places or move.score), key=_size, reverse=True)),
    )


def _by_key(run: Run) -> Mapping[str, Row]:
    return {row.key: row for row in run.rows}


def _move(row: Row, was: Row) -> RankMove:
    score = None if row.score is None or was.score is None else round(row.score - was.score, 2)
    return RankMove(row, was, was.rank - row.rank, score)


def _size(move: RankMove) -> tuple[float, int, int]:
    return abs(move.score or 0), abs(move.places), -move.row.rank
