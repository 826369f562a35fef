"""The plans of the runs that pages show, each in the stage that the candles since its run have brought it to.

Read once when a run is loaded and again when candles or corporate actions are new, never for a request or a
price: what a cell needs of a plan is one look-up in memory. Which touches make which stage is
`core.history.plan`'s.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Mapping
from datetime import date
from typing import Final

from sqlalchemy import Engine

from ltp.core.history import candle
from ltp.core.history.plan import Plan, followed, plans_of
from ltp.core.screener import Run
from ltp.core.trading_day import session_date
from ltp.db import candles, corporate_actions
from ltp.db.engine import reading
from ltp.errors import DatabaseError

_KEPT: Final = 32  # runs; the newest of each screen and a few older ones that somebody looks at
_CHUNK: Final = 400  # shares read at once; between two reads browsers of this process go on
_PATIENCE_MS: Final = 50


class Plans:
    """By run and key. A mapping that was given out stays the one that is kept current."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._runs: OrderedDict[int, dict[str, Plan]] = OrderedDict()
        self._marks: dict[int, object] = {}
        self._seen: object = None

    def learn(self, run: Run) -> None:
        """Take in a run that is about to be shown; one that is known costs nothing.

        Where the database cannot be read, its plans stand as they were made until `renew` can.
        """
        if run.id in self._runs:
            self._runs.move_to_end(run.id)
            return
        plans = plans_of(run)
        try:
            mark = _mark(self._engine)
            _bring_up(self._engine, plans, mark[0])
            self._marks[run.id] = mark
        except DatabaseError:
            pass  # its mark is missing, so that `renew` tries again
        self._runs[run.id] = plans
        if len(self._runs) > _KEPT:
            self._marks.pop(self._runs.popitem(last=False)[0], None)

    def of(self, run_id: int) -> Mapping[str, Plan]:
        return self._runs.get(run_id, {})

    def renew(self) -> None:
        """Bring every plan up to the candles that are there; nothing is read where none are new, or while
        they are coming in.

        Raises:
            DatabaseError: what was known stays.
        """
        if not self._runs:
            return
        mark = _mark(self._engine)
        # An import takes seconds, a batch at a time: it is read when it is through, not at each look while it
        # goes on.
        through, self._seen = mark == self._seen, mark
        if not through:
            return
        for run_id, plans in list(self._runs.items()):
            if self._marks.get(run_id) != mark:
                _bring_up(self._engine, plans, mark[0])
                self._marks[run_id] = mark


def _mark(engine: Engine) -> tuple[date | None, object]:
    """Return the newest session with candles, and what differs whenever one was imported or an action stored."""
    with reading(engine, patience_ms=_PATIENCE_MS) as connection:
        told = candles.changed_in(connection)
        return told.newest, (told, corporate_actions.changed_in(connection))


def _bring_up(engine: Engine, plans: dict[str, Plan], newest: date | None) -> None:
    made = session_date(next(iter(plans.values())).as_of) if plans else None
    if made is None:
        return
    splits = corporate_actions.first_after(engine, made, patience_ms=_PATIENCE_MS)
    keys = list(plans)
    for start in range(0, len(keys), _CHUNK):
        chunk = keys[start : start + _CHUNK]
        packed = _since(engine, chunk, made, newest) if newest and newest > made else {}
        for key in chunk:
            split = splits.get(key)
            # In place: cells hold this mapping.
            plans[key] = followed(plans[key], packed.get(key, b""), split.isoformat() if split else "")
        if packed:
            time.sleep(0.001)


def _since(engine: Engine, keys: list[str], first: date, newest: date) -> dict[str, bytes]:
    """Return the candles since a day; as traded where they are there, for a plan's prices are those of its
    day.
    """
    raw, restated = (
        candles.fetch_since(engine, basis, keys, first, newest, patience_ms=_PATIENCE_MS)
        for basis in candles.BASES
    )
    return {
        key: candle.merge(restated.get(key, b""), raw.get(key, b"")) for key in raw.keys() | restated.keys()
    }
