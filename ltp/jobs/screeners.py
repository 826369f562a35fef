"""One run of a screener: histories in, each share judged, the best first, stored; or nothing stored and one sentence why.

Called by the command alone, in a process of its own. Knows neither who asked nor how progress is shown.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Final, NamedTuple

from ltp.core.candle import day_number, day_of
from ltp.core.criteria import Spec, parse, text_of
from ltp.core.instrument import Instrument
from ltp.core.money import SCALE, Price
from ltp.core.screener import MAX_ROWS, Row
from ltp.db import instruments, screeners, universes
from ltp.db.engine import Engine
from ltp.errors import InputError
from ltp.jobs import history
from ltp.jobs.history import Loaded
from ltp.screen import longterm, swing
from ltp.screen.evaluate import outcomes
from ltp.screen.finding import Finding
from ltp.screen.plan import Sizing
from ltp.screen.study import Study

PROGRESS_EVERY_S: Final = 0.5
SOURCE: Final = "daily candles"
_SHOWN: Final = 10
_BUILT_IN: Final = {"swing": swing.evaluate, "longterm": longterm.evaluate}

Judge = Callable[[Study, Price], Finding | None]


class Progress(NamedTuple):
    """`found`: rows so far, of all screens; `best`: of the first screen, best first."""

    done: int
    total: int
    found: int
    per_s: float
    best: tuple[Row, ...]


class Result(NamedTuple):
    """A stored run. `evaluated`: shares that have candles; `found`: those that are in the list."""

    run_id: int
    kind: str
    as_of: date
    evaluated: int
    found: int
    took_s: float


def run(
    engine: Engine,
    kinds: Sequence[str],
    spec: Spec,
    *,
    sizing: Sizing,
    as_of: date | None = None,
    progress: Callable[[Progress], None] = lambda _: None,
    monotonic: Callable[[], float] = time.monotonic,
) -> list[Result]:
    """Evaluate screens over one universe in one pass and store a run of each.

    Args:
        kinds: built-in screeners; or, with criteria, the one kind of such a screen.
        spec: names its universe.
        as_of: no candle after it is looked at; None: all there are.
        progress: told every half second and at the end; what it raises ends the run.
    Raises:
        NotFoundError: there is no such universe.
        InputError: no share of it has candles.
        DatabaseError: the run under way is not stored.
    """
    began = monotonic()
    search = _Search(engine, kinds, spec, sizing, as_of)
    told = began
    for loaded in history.load(engine, list(search.members), as_of):
        search.look_at(loaded)
        if monotonic() - told >= PROGRESS_EVERY_S:
            told = monotonic()
            progress(search.progress(told - began))
    progress(search.progress(monotonic() - began))
    return [search.store(engine, kind, monotonic() - began) for kind in kinds]


class _Search:
    """What was found so far, of one pass over a universe."""

    def __init__(self, engine: Engine, kinds: Sequence[str], spec: Spec, sizing: Sizing, as_of: date | None) -> None:
        self.members = _members(engine, spec.universe)
        self._spec, self._as_of = spec, as_of
        self._index = history.load_index(engine, as_of)
        self._session = 0 if self._index is not None else day_number(history.usual_end(engine, self.members, as_of))
        self._judges = {kind: _judge(kind, spec, sizing) for kind in kinds}
        self._rows: dict[str, list[Row]] = {kind: [] for kind in kinds}
        self._done = self._evaluated = self._newest = 0

    def look_at(self, loaded: Loaded) -> None:
        self._done += 1
        if not loaded.history.days.size:
            return
        self._evaluated += 1
        self._newest = max(self._newest, int(loaded.history.days[-1]))
        study, instrument = Study(loaded.history, self._index, self._session), self.members[loaded.key]
        if not _above_floors(study, self._spec):
            return
        for kind, judge in self._judges.items():
            finding = judge(study, instrument.tick_size)
            if finding is not None:
                finding = finding._replace(flags=loaded.flags + finding.flags)
                named = (instrument.symbol, instrument.name, instrument.sector)
                self._rows[kind].append(Row(loaded.key, 0, *named, **finding._asdict()))

    def progress(self, elapsed_s: float) -> Progress:
        found = sum(len(rows) for rows in self._rows.values())
        best = sorted(next(iter(self._rows.values())), key=_order)[:_SHOWN]
        return Progress(self._done, len(self.members), found, round(self._done / max(elapsed_s, 0.001), 1), tuple(best))

    def store(self, engine: Engine, kind: str, took_s: float) -> Result:
        if not self._evaluated:
            until = f" up to {self._as_of}" if self._as_of else ""
            accepted = f"none of its {len(self.members):,} instruments has daily candles{until}; import or fetch them first"
            raise InputError("universe", self._spec.universe, accepted)
        ranked = sorted(self._rows[kind], key=_order)[:MAX_ROWS]
        rows = [row._replace(rank=rank) for rank, row in enumerate(ranked, start=1)]
        as_of, took_s = day_of(self._newest), round(took_s, 2)
        run_id = screeners.insert_run(
            engine,
            kind,
            rows,
            sample=False,
            source=SOURCE,
            as_of=as_of,
            universe=self._spec.universe,
            evaluated=self._evaluated,
            spec=text_of(self._spec),
            took_s=took_s,
        )
        return Result(run_id, kind, as_of, self._evaluated, len(rows), took_s)


def _members(engine: Engine, universe: str) -> Mapping[str, Instrument]:
    """Return the instruments of a universe that the master knows, by key."""
    keys = universes.keys(engine, universe)
    segments = {key.partition(":")[0] for key in keys}
    known = {each.key: each for segment in segments for each in instruments.fetch(engine, segment)}
    return {key: known[key] for key in keys if key in known}


def _judge(kind: str, spec: Spec, sizing: Sizing) -> Judge:
    if not spec.criteria:
        evaluate = _BUILT_IN[kind]
        return lambda study, tick_size: evaluate(study, sizing, tick_size)
    criteria = [parse(text) for text in spec.criteria]

    def judge(study: Study, tick_size: Price) -> Finding | None:
        """Whatever is looked for, score and plan are the swing strategy's: so the list has an order and live distances."""
        said = outcomes(criteria, study.history, lambda: study.facts)
        if not all(outcome.passed for outcome in said):
            return None
        return swing.evaluate(study, sizing, tick_size)._replace(criteria=said)

    return judge


def _above_floors(study: Study, spec: Spec) -> bool:
    if study.history.close[-1] * SCALE < spec.min_price:
        return False
    turnover = study.facts["turnover"] if spec.min_turnover else None
    return not spec.min_turnover or (isinstance(turnover, float) and turnover >= spec.min_turnover)


def _order(row: Row) -> tuple[bool, float, float, str]:
    """Best score first, what has none last; of equals the one that trades more."""
    turnover = row.facts.get("turnover")
    return row.score is None, -(row.score or 0), -(turnover if isinstance(turnover, float) else 0), row.symbol
