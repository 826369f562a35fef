"""One run of a screener: histories in, each share judged, the best first, stored; or nothing stored and one
sentence why.

A share whose candles are damaged, or that an evaluation fails on, is left out and named; it must not cost the
others their run. Called by the command alone, in a process of its own. Knows neither who asked nor how
progress is shown.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Final, NamedTuple

from ltp.batch import histories
from ltp.batch.histories import LoadedHistory
from ltp.core.counted import counted
from ltp.core.criteria.spec import Spec, parse, text_of
from ltp.core.history.candle import day_number, day_of
from ltp.core.instrument import Instrument
from ltp.core.money import SCALE, Price
from ltp.core.screener import MAX_ROWS, Row
from ltp.core.sizing import Sizing
from ltp.db import candle_source, instruments, runs, universes
from ltp.db.engine import Engine
from ltp.errors import DatabaseError, InputError
from ltp.screen import longterm, swing
from ltp.screen.evaluate import outcomes
from ltp.screen.facts import YEAR
from ltp.screen.finding import NOT_READY, Finding
from ltp.screen.indicators import MAX_INDEX_GAP_D
from ltp.screen.study import Study

log = logging.getLogger(__name__)
PROGRESS_EVERY_S: Final = 0.5
SOURCE: Final = "daily candles"
_SHOWN: Final = 10
_NAMED: Final = 8
_MOST_LEFT_OUT: Final = (
    0.5  # of the shares that have candles; beyond it something is wrong with more than shares
)
_BUILT_IN: Final = {"swing": swing.evaluate, "longterm": longterm.evaluate}

Judge = Callable[[Study, Price], Finding | None]


class Progress(NamedTuple):
    """`found`: rows so far, of all screens; `best`: of the first screen, best first."""

    done: int
    total: int
    found: int
    per_s: float
    best: tuple[Row, ...]


class EvaluatedRun(NamedTuple):
    """A stored run. `evaluated`: shares that have candles; `found`: those that are in the list. `notes`: see
    Run.
    """

    run_id: int
    kind: str
    as_of: date
    evaluated: int
    found: int
    took_s: float
    notes: str = ""


def run(
    engine: Engine,
    kinds: Sequence[str],
    spec: Spec,
    *,
    sizing: Sizing,
    as_of: date | None = None,
    progress: Callable[[Progress], None] = lambda _: None,
    monotonic: Callable[[], float] = time.monotonic,
) -> list[EvaluatedRun]:
    """Evaluate screens over one universe in one pass and store a run of each.

    Args:
        kinds: built-in screeners; or, with criteria, the one kind of such a screen.
        spec: names its universe.
        as_of: no candle after it is looked at; None: all there are.
        progress: told every half second and at the end; what it raises ends the run.
    Raises:
        NotFoundError: there is no such universe. InputError: no share of it has candles. DatabaseError: most
            shares cannot be evaluated, the candles became those of another source, or the database cannot be
            used; the run under way is not stored.
    """
    began = monotonic()
    search = _Search(engine, kinds, spec, sizing, as_of)
    told = began
    for loaded in histories.load(engine, list(search.members), as_of):
        search.look_at(loaded)
        if monotonic() - told >= PROGRESS_EVERY_S:
            told = monotonic()
            progress(search.progress(told - began))
    progress(search.progress(monotonic() - began))
    return [search.store(engine, kind, monotonic() - began) for kind in kinds]


class _Search:
    """What was found so far, of one pass over a universe."""

    def __init__(
        self, engine: Engine, kinds: Sequence[str], spec: Spec, sizing: Sizing, as_of: date | None
    ) -> None:
        self.members = _members(engine, spec.universe)
        self._spec, self._as_of, self._held = spec, as_of, candle_source.origin(engine)
        self._left_out: dict[str, str] = {}
        index = histories.load_index(engine, as_of)
        self._index_fault = index.fault or ("" if index.history.days.size else "no candles of it")
        self._index = index.history if index.history.days.size else None
        self._session = day_number(histories.usual_end(engine, self.members, as_of))
        self._judges = {kind: _judge(kind, spec, sizing) for kind in kinds}
        self._rows: dict[str, list[Row]] = {kind: [] for kind in kinds}
        self._done = self._evaluated = self._newest = self._longest = 0
        self._failing = False

    def look_at(self, loaded: LoadedHistory) -> None:
        self._done += 1
        if loaded.fault:
            self._left_out[loaded.key] = loaded.fault
        if not loaded.history.days.size:
            return
        try:
            found = self._judged(loaded)
        except Exception as error:  # whatever it is, it is of this share alone
            if not self._failing:
                log.warning(
                    "%s cannot be evaluated and is left out", self.members[loaded.key].symbol, exc_info=True
                )
            self._failing = True
            self._left_out[loaded.key] = f"its evaluation failed with {type(error).__name__}"
            return
        self._evaluated += 1
        self._newest = max(self._newest, int(loaded.history.days[-1]))
        self._longest = max(self._longest, loaded.history.days.size)
        for kind, row in found.items():
            self._rows[kind].append(row)

    def _judged(self, loaded: LoadedHistory) -> dict[str, Row]:
        """Return the share's row in each list that it belongs in."""
        study, instrument = Study(loaded.history, self._index, self._session), self.members[loaded.key]
        if not above_floors(study, self._spec):
            return {}
        found = {}
        for kind, judge in self._judges.items():
            finding = judge(study, instrument.tick_size)
            if finding is not None:
                finding = finding._replace(flags=loaded.flags + finding.flags)
                named = (instrument.symbol, instrument.name, instrument.sector)
                found[kind] = Row(loaded.key, 0, *named, **finding._asdict())
        return found

    def progress(self, elapsed_s: float) -> Progress:
        found = sum(len(rows) for rows in self._rows.values())
        best = sorted(next(iter(self._rows.values())), key=_order)[:_SHOWN]
        return Progress(
            self._done, len(self.members), found, round(self._done / max(elapsed_s, 0.001), 1), tuple(best)
        )

    def store(self, engine: Engine, kind: str, took_s: float) -> EvaluatedRun:
        self._check(engine)
        ranked = sorted(self._rows[kind], key=_order)[:MAX_ROWS]
        rows = [row._replace(rank=rank) for rank, row in enumerate(ranked, start=1)]
        as_of, took_s = day_of(self._newest), round(took_s, 2)
        run_id = runs.insert_run(
            engine,
            kind,
            rows,
            sample=self._held == "simulated",
            source=candle_source.SIMULATED_RUN if self._held == "simulated" else SOURCE,
            as_of=as_of,
            universe=self._spec.universe,
            evaluated=self._evaluated,
            spec=text_of(self._spec),
            took_s=took_s,
            notes=self.notes,
        )
        return EvaluatedRun(run_id, kind, as_of, self._evaluated, len(rows), took_s, self.notes)

    @property
    def notes(self) -> str:
        """Say what was left out and why, empty where nothing was."""
        told = [f"{self.members[key].symbol} ({why})" for key, why in self._left_out.items()]
        named = ", ".join(told[:_NAMED]) + (f" and {len(told) - _NAMED:,} more" if len(told) > _NAMED else "")
        shares = f"{counted(len(told), 'share')} left out: {named}" if told else ""
        return "; ".join(filter(None, (shares, self._index_note())))

    def _index_note(self) -> str:
        """Say once what a missing or partial history of NIFTY leaves unknown of every share."""
        if self._index is None:
            return f"NIFTY left out, and strength relative to it unknown ({self._index_fault})"
        days = self._index.days
        if self._newest - int(days[-1]) > MAX_INDEX_GAP_D:
            return f"NIFTY's candles end on {day_of(int(days[-1]))}, so strength relative to it is unknown"
        for months, sessions in ((6, YEAR // 2), (12, YEAR)):
            if days.size <= sessions < self._longest:
                least = f"{months} months" if months == 12 else "6 and 12 months"
                return f"NIFTY's candles begin on {day_of(int(days[0]))}, so strength relative to it over {least} is unknown"
        return ""

    def _check(self, engine: Engine) -> None:
        """Refuse a run that would say nothing of its universe, or of which nobody could say whose candles it
        is made of.
        """
        if candle_source.origin(engine) != self._held:
            raise DatabaseError(
                "The candles became those of another source meanwhile; evaluate the screen again"
            )
        universe, out = self._spec.universe, len(self._left_out)
        if out > _MOST_LEFT_OUT * (self._evaluated + out):
            raise DatabaseError(f"Most shares of {universe} cannot be evaluated; {self.notes}")
        if not self._evaluated:
            until = f" up to {self._as_of}" if self._as_of else ""
            accepted = f"none of its {len(self.members):,} instruments has daily candles{until}; import or fetch them first"
            raise InputError("universe", universe, accepted)


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
        """Whatever is looked for, score and plan are the swing strategy's: so the list has an order and live
        distances.
        """
        said = outcomes(criteria, study.history, lambda: study.facts)
        if not all(outcome.passed for outcome in said):
            return None
        return swing.evaluate(study, sizing, tick_size)._replace(criteria=said)

    return judge


def above_floors(study: Study, spec: Spec) -> bool:
    if study.history.close[-1] * SCALE < spec.min_price:
        return False
    turnover = study.facts["turnover"] if spec.min_turnover else None
    return not spec.min_turnover or (isinstance(turnover, float) and turnover >= spec.min_turnover)


def _order(row: Row) -> tuple[bool, bool, float, float, str]:
    """What has a plan first, by score; what is NOT_READY after it, and without a score last; of equals the
    one that trades more.
    """
    turnover = row.facts.get("turnover")
    traded = turnover if isinstance(turnover, float) else 0
    return row.setup == NOT_READY, row.score is None, -(row.score or 0), -traded, row.symbol
