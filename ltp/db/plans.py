"""The plans of the runs that pages show, each with its stage after the candles since the run.

Candles are read once when a run is loaded and again after new candles or corporate actions, never for a
request or a price: for a cell a plan is one look-up in memory. `core.history.plan` has the rules of stages.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Mapping
from datetime import date
from typing import Final

from sqlalchemy import Engine

from ltp.core.history import candle
from ltp.core.history.plan import Plan, follow, plans_of
from ltp.core.screener import Run
from ltp.core.trading_day import session_date
from ltp.db import candles, corporate_actions, recent_candles
from ltp.db.engine import reading
from ltp.errors import DatabaseError

_KEPT: Final = 32  # runs: the newest of each screen and a few older ones on open pages
_CHUNK: Final = 400  # shares in one query; between two queries other greenlets of this process run
_BUSY_TIMEOUT_MS: Final = 50


class Plans:
    """Plans by run and key. A mapping that `of` returned is updated in place."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._runs: OrderedDict[int, dict[str, Plan]] = OrderedDict()
        self._versions: dict[int, object] = {}  # by run: of the candles and actions that its plans include
        self._seen: object = None

    def learn(self, run: Run) -> None:
        """Add a run that a page is about to show; a known one costs nothing.

        If the database cannot be read, its plans keep the stage of the run until `renew` succeeds.
        """
        if run.id in self._runs:
            self._runs.move_to_end(run.id)
            return
        plans = plans_of(run)
        try:
            version = _version(self._engine)
            _update(self._engine, plans, version[0])
            self._versions[run.id] = version
        except DatabaseError:
            pass  # its version is missing, so that `renew` tries again
        self._runs[run.id] = plans
        if len(self._runs) > _KEPT:
            self._versions.pop(self._runs.popitem(last=False)[0], None)

    def of(self, run_id: int) -> Mapping[str, Plan]:
        return self._runs.get(run_id, {})

    def renew(self) -> None:
        """Update the stages of all plans after an import. Without new candles or actions no candle is read.

        Raises:
            DatabaseError: the plans stay as they are.
        """
        if not self._runs:
            return
        version = _version(self._engine)
        # An import writes in batches for several seconds. The plans are updated once it has ended: when two
        # calls in a row have seen the same version.
        ended, self._seen = version == self._seen, version
        if not ended:
            return
        for run_id, plans in list(self._runs.items()):
            if self._versions.get(run_id) != version:
                _update(self._engine, plans, version[0])
                self._versions[run_id] = version


def _version(engine: Engine) -> tuple[date | None, object]:
    """Return the newest session with candles, and a value that changes with every stored candle or action."""
    with reading(engine, busy_timeout_ms=_BUSY_TIMEOUT_MS) as connection:
        sessions = candles.version_in(connection)
        return sessions.newest, (sessions, corporate_actions.version_in(connection))


def _update(engine: Engine, plans: dict[str, Plan], newest: date | None) -> None:
    made = session_date(next(iter(plans.values())).as_of) if plans else None
    if made is None:
        return
    splits = corporate_actions.first_after(engine, made, busy_timeout_ms=_BUSY_TIMEOUT_MS)
    keys = list(plans)
    for start in range(0, len(keys), _CHUNK):
        chunk = keys[start : start + _CHUNK]
        packed = _since(engine, chunk, made, newest) if newest and newest > made else {}
        for key in chunk:
            split = splits.get(key)
            # In place, because cells refer to this mapping.
            plans[key] = follow(plans[key], packed.get(key, b""), split.isoformat() if split else "")
        if packed:
            time.sleep(0.001)


def _since(engine: Engine, keys: list[str], first: date, newest: date) -> dict[str, bytes]:
    """Return the candles since a day, raw where there are both: a plan's prices are as traded on its day."""
    raw, restated = (
        recent_candles.fetch_since(engine, basis, keys, first, newest, busy_timeout_ms=_BUSY_TIMEOUT_MS)
        for basis in candles.BASES
    )
    return {
        key: candle.merge(restated.get(key, b""), raw.get(key, b"")) for key in raw.keys() | restated.keys()
    }
