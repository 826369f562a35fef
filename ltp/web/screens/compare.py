"""Differences between two runs of a screener. Pure: two runs in, rows out.

A built-in screener has a row for every share of its universe, so its list is made of the rows that are ready
or wait. The list of a custom screen or an import is all of its rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from ltp.core.screener import Row, Run

NOT_LISTED: Final = "NOT_READY"


class RankMove(NamedTuple):
    """An instrument in both runs. `places`: ranks gained. `score`: change of the score, None if unknown."""

    row: Row
    was: Row
    places: int
    score: float | None


class RunChanges(NamedTuple):
    """`entered`, `left`: rows, best first, each with its row in the other run if that has one. `setups`:
    listed in both, with another setup. `moved`: in both, the largest change of score first.
    """

    entered: tuple[tuple[Row, Row | None], ...]
    left: tuple[tuple[Row, Row | None], ...]
    setups: tuple[RankMove, ...]
    moved: tuple[RankMove, ...]


def listed(row: Row) -> bool:
    return row.setup != NOT_LISTED


def keys(run: Run, *, all_rows: bool) -> frozenset[str]:
    """Return the keys in the run's list. `all_rows`: of any setup, as for a custom screen."""
    return frozenset(row.key for row in run.rows if all_rows or listed(row))


def compare(run: Run, previous: Run, *, all_rows: bool) -> RunChanges:
    """Return how `run` differs from `previous`, an earlier run of the same screener."""
    listed_now, listed_before = keys(run, all_rows=all_rows), keys(previous, all_rows=all_rows)
    before, after = _by_key(previous), _by_key(run)
    both = [_move(row, before[row.key]) for row in run.rows if row.key in before]
    return RunChanges(
        tuple((row, before.get(row.key)) for row in run.rows if row.key in listed_now - listed_before),
        tuple((row, after.get(row.key)) for row in previous.rows if row.key in listed_before - listed_now),
        tuple(
            move
            for move in both
            if move.row.key in listed_now & listed_before and move.row.setup != move.was.setup
        ),
        tuple(sorted((move for move in both if move.places or move.score), key=_size, reverse=True)),
    )


def _by_key(run: Run) -> Mapping[str, Row]:
    return {row.key: row for row in run.rows}


def _move(row: Row, was: Row) -> RankMove:
    score = None if row.score is None or was.score is None else round(row.score - was.score, 2)
    return RankMove(row, was, was.rank - row.rank, score)


def _size(move: RankMove) -> tuple[float, int, int]:
    return abs(move.score or 0), abs(move.places), -move.row.rank
