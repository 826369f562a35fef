"""How many rows of a run are ready or wait, and how many came and went since the run before: counted once and
kept.

Runs of other screeners than the built-in ones lie in SQL, and a list of many screens would read them all at
once; so one page counts for a moment only, and what is left is counted by the next.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import date
from typing import Final, NamedTuple

from ltp.core.screener import KINDS, Run
from ltp.db.runs import RunHead
from ltp.web.screens import compare
from ltp.web.services import services
from ltp.web.table.facets import waits

READY: Final = "READY"
FOR_S: Final = 0.05
_KEPT: Final = 2_000
_counted: dict[tuple[RunHead, RunHead | None], RunCounts] = {}


class RunCounts(NamedTuple):
    """Rows of a run: all, READY ones and waiting ones. `entered`, `left`: since the run before, None where
    there is none.
    """

    found: int
    ready: int
    waiting: int
    entered: int | None = None
    left: int | None = None


def count(run: Run, was: Run | None = None) -> RunCounts:
    tally = RunCounts(len(run.rows), sum(row.setup == READY for row in run.rows), sum(map(waits, run.rows)))
    if was is None:
        return tally
    every = run.kind not in KINDS
    now, before = compare.keys(run, all_rows=every), compare.keys(was, all_rows=every)
    return tally._replace(entered=len(now - before), left=len(before - now))


class RunCounter:
    """Counts for one page."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._until = monotonic() + FOR_S

    def tally(self, head: RunHead, was: RunHead | None = None) -> RunCounts | None:
        """Return what is counted of a run; None where there is no time to, or it cannot be read."""
        kept = _counted.get((head, was))
        if kept is not None or self._monotonic() > self._until:
            return kept
        run, before = run_of(head), None if was is None else run_of(was)
        if run is None or (was is not None and before is None):
            return None
        if len(_counted) >= _KEPT:
            _counted.clear()
        _counted[head, was] = tally = count(run, before)
        return tally


def place(head: RunHead) -> tuple[date, int]:
    """Sort key: by session, for a look back made today comes before yesterday's run; an import has the day it
    was made on.
    """
    return head.as_of or head.created_at.date(), head.id


def before(heads: tuple[RunHead, ...], head: RunHead) -> RunHead | None:
    """Return the run that one is compared with, None where there is none (any more): the last of an earlier
    session, for another one on the same candles says nothing new; where there is none, the one made before.
    One of the same universe before any other: what was not searched did not leave.
    """
    earlier = [each for each in heads if place(each) < place(head)]
    session_before = [each for each in earlier if place(each)[0] < place(head)[0]]
    alike = [each for each in session_before if each.universe == head.universe]
    return max(alike or session_before or earlier, key=place, default=None)


def run_of(head: RunHead) -> Run | None:
    """Return a run with its rows, None when it cannot be read."""
    held = services()
    current = held.catalog.current(head.kind)
    return current if current is not None and current.id == head.id else held.run(head.id)
