"""Numbers of rows of runs: all, ready, waiting, entered and left. Counted once for each run and kept.

Runs of custom screens have to be read from SQL, and a list of many screens would read all of them in one
request. So each request counts for 50 ms at most; later requests count the remaining runs.
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
from ltp.web.table.facets import is_waiting

READY: Final = "READY"
MAX_COUNTING_S: Final = 0.05
_MAX_KEPT: Final = 2_000
_counted: dict[tuple[RunHead, RunHead | None], RunCounts] = {}


class RunCounts(NamedTuple):
    """Numbers of rows of a run. `entered`, `left`: since the previous run, None without one."""

    found: int
    ready: int
    waiting: int
    entered: int | None = None
    left: int | None = None


def count(run: Run, previous: Run | None = None) -> RunCounts:
    ready = sum(row.setup == READY for row in run.rows)
    counts = RunCounts(len(run.rows), ready, sum(map(is_waiting, run.rows)))
    if previous is None:
        return counts
    all_rows = run.kind not in KINDS
    now, before = compare.keys(run, all_rows=all_rows), compare.keys(previous, all_rows=all_rows)
    return counts._replace(entered=len(now - before), left=len(before - now))


class RunCounter:
    """Counts the rows of runs for one request, within its time limit."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._until = monotonic() + MAX_COUNTING_S

    def counts(self, head: RunHead, previous: RunHead | None = None) -> RunCounts | None:
        """Return the counts of a run, None if the request has no time left or the run cannot be read."""
        known = _counted.get((head, previous))
        if known is not None or self._monotonic() > self._until:
            return known
        run, before = read_run(head), None if previous is None else read_run(previous)
        if run is None or (previous is not None and before is None):
            return None
        if len(_counted) >= _MAX_KEPT:
            _counted.clear()
        _counted[head, previous] = counts = count(run, before)
        return counts


def session_order(head: RunHead) -> tuple[date, int]:
    """Return the sort key by session, then by id. An import has no session and counts by the day it was made.

    A run made today for a past session so comes before yesterday's.
    """
    return head.as_of or head.created_at.date(), head.id


def previous_run(heads: tuple[RunHead, ...], head: RunHead) -> RunHead | None:
    """Return the run to compare `head` with: the last of an earlier session, else the one made before.

    Two runs of the same session have the same candles and so hardly a difference. A run of the same universe
    is preferred: a share that was not evaluated has not left the list.
    """
    earlier = [each for each in heads if session_order(each) < session_order(head)]
    sessions_before = [each for each in earlier if session_order(each)[0] < session_order(head)[0]]
    same_universe = [each for each in sessions_before if each.universe == head.universe]
    return max(same_universe or sessions_before or earlier, key=session_order, default=None)


def read_run(head: RunHead) -> Run | None:
    """Return a run with its rows, None if it cannot be read."""
    current = services().catalog.current(head.kind)
    return current if current is not None and current.id == head.id else services().run(head.id)
