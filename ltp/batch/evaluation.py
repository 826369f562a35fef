"""One evaluation of a screen: histories are read, each share is judged, and the ranked run is stored.

A share with damaged candles, or one that the evaluation fails on, is left out and named; it must not cost the
others their run. Where most are left out nothing is stored. A command calls this, in a process of its
own, and stores and shows the progress.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Final, NamedTuple

from ltp.batch import histories
from ltp.batch.histories import LoadedHistory
from ltp.core.counted import counted, listed
from ltp.core.criteria.spec import Spec, parse, text_of
from ltp.core.history.candle import day_number, day_of
from ltp.core.instrument import Instrument
from ltp.core.money import SCALE, Price
from ltp.core.screener import MAX_ROWS, Row
from ltp.core.sizing import Sizing
from ltp.core.watchlists.watchlist import is_kind
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
_BEST: Final = 10
_NAMED: Final = 8
# Part of those with candles that may be left out; if more are, the cause is not in them.
_MAX_LEFT_OUT: Final = 0.5
_BUILT_IN: Final = {"swing": swing.evaluate, "longterm": longterm.evaluate}

Judge = Callable[[Study, Price], Finding | None]


class EvaluationProgress(NamedTuple):
    """`done` of `total` shares. `found`: rows so far, of all screens; `best`: of the first screen, best
    first.
    """

    done: int
    total: int
    found: int
    per_s: float
    best: tuple[Row, ...]


class EvaluatedRun(NamedTuple):
    """A stored run. `evaluated`: shares that have candles; `found`: those in the run. `notes`: see Run."""

    run_id: int
    kind: str
    as_of: date
    evaluated: int
    found: int
    took_s: float
    notes: str = ""


def evaluate(
    engine: Engine,
    kinds: Sequence[str],
    spec: Spec,
    *,
    sizing: Sizing,
    as_of: date | None = None,
    progress: Callable[[EvaluationProgress], None] = lambda _: None,
    monotonic: Callable[[], float] = time.monotonic,
) -> list[EvaluatedRun]:
    """Evaluate screens over one universe in one pass and store a run of each.

    Args:
        kinds: built-in screeners; with criteria, the one kind of such a screen; or the kind of a watchlist, of
            which every member with candles gets a row.
        spec: names its universe.
        as_of: later candles do not count; None: all candles count.
        progress: called every half second and at the end; an exception of it ends the evaluation.
    Raises:
        NotFoundError: there is no such universe.
        InputError: no share of it has candles.
        DatabaseError: most shares cannot be evaluated, the candles became those of another source, or the
            database cannot be used. The run that is being made is not stored.
    """
    began = monotonic()
    evaluation = _Evaluation(engine, kinds, spec, sizing, as_of)
    reported = began
    for loaded in histories.load(engine, list(evaluation.members), as_of):
        evaluation.add(loaded)
        if monotonic() - reported >= PROGRESS_EVERY_S:
            reported = monotonic()
            progress(evaluation.progress(reported - began))
    progress(evaluation.progress(monotonic() - began))
    return [evaluation.store(engine, kind, monotonic() - began) for kind in kinds]


class _Evaluation:
    """One pass over a universe: the rows found so far, and the shares left out."""

    def __init__(
        self, engine: Engine, kinds: Sequence[str], spec: Spec, sizing: Sizing, as_of: date | None
    ) -> None:
        self.members = _members(engine, spec.universe)
        self._spec, self._as_of, self._candle_source = spec, as_of, candle_source.origin(engine)
        self._left_out: dict[str, str] = {}  # key -> reason
        index = histories.load_index(engine, as_of)
        self._index_fault = index.fault or ("" if index.history.days.size else "no candles of it")
        self._index = index.history if index.history.days.size else None
        self._session = day_number(histories.usual_end(engine, self.members, as_of))
        self._judges = {kind: _judge(kind, spec, sizing) for kind in kinds}
        self._rows: dict[str, list[Row]] = {kind: [] for kind in kinds}
        self._done = self._evaluated = self._newest = self._longest = 0
        self._fault_logged = False

    def add(self, loaded: LoadedHistory) -> None:
        """Judge one share."""
        self._done += 1
        if loaded.fault:
            self._left_out[loaded.key] = loaded.fault
        if not loaded.history.days.size:
            return
        try:
            found = self._rows_of(loaded)
        except Exception as error:  # of any kind: it is about this share alone
            if not self._fault_logged:
                log.warning(
                    "%s cannot be evaluated and is left out", self.members[loaded.key].symbol, exc_info=True
                )
            self._fault_logged = True
            self._left_out[loaded.key] = f"its evaluation failed with {type(error).__name__}"
            return
        self._evaluated += 1
        self._newest = max(self._newest, int(loaded.history.days[-1]))
        self._longest = max(self._longest, loaded.history.days.size)
        for kind, row in found.items():
            self._rows[kind].append(row)

    def _rows_of(self, loaded: LoadedHistory) -> dict[str, Row]:
        """Return the share's row for each kind of screen that it meets."""
        study, instrument = Study(loaded.history, self._index, self._session), self.members[loaded.key]
        if not above_floors(study, self._spec):
            return {}
        found = {}
        for kind, judge in self._judges.items():
            finding = judge(study, instrument.tick_size)
            if finding is not None:
                finding = finding._replace(flags=loaded.flags + finding.flags)
                names = (instrument.symbol, instrument.name, instrument.sector)
                found[kind] = Row(loaded.key, 0, *names, **finding._asdict())
        return found

    def progress(self, elapsed_s: float) -> EvaluationProgress:
        found = sum(len(rows) for rows in self._rows.values())
        best = sorted(next(iter(self._rows.values())), key=_order)[:_BEST]
        per_s = round(self._done / max(elapsed_s, 0.001), 1)
        return EvaluationProgress(self._done, len(self.members), found, per_s, tuple(best))

    def store(self, engine: Engine, kind: str, took_s: float) -> EvaluatedRun:
        self._check(engine)
        ranked = sorted(self._rows[kind], key=_order)[:MAX_ROWS]
        rows = [row._replace(rank=rank) for rank, row in enumerate(ranked, start=1)]
        as_of, took_s = day_of(self._newest), round(took_s, 2)
        simulated = self._candle_source == "simulated"
        run_id = runs.insert_run(
            engine,
            kind,
            rows,
            sample=simulated,
            source=candle_source.SIMULATED_RUN if simulated else SOURCE,
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
        """The shares left out with their reasons, and the fault of the index; "" where there are none."""
        left_out = [f"{self.members[key].symbol} ({reason})" for key, reason in self._left_out.items()]
        shares = f"{counted(len(left_out), 'share')} left out: {listed(left_out, _NAMED)}" if left_out else ""
        return "; ".join(filter(None, (shares, self._index_note())))

    def _index_note(self) -> str:
        """Return, once for the run, which facts of every share a missing or short history of NIFTY leaves
        unknown.
        """
        if self._index is None:
            return f"NIFTY left out, and strength relative to it unknown ({self._index_fault})"
        days = self._index.days
        if self._newest - int(days[-1]) > MAX_INDEX_GAP_D:
            return f"NIFTY's candles end on {day_of(int(days[-1]))}, so strength relative to it is unknown"
        for months, sessions in ((6, YEAR // 2), (12, YEAR)):
            if days.size <= sessions < self._longest:
                least = f"{months} months" if months == 12 else "6 and 12 months"
                return (
                    f"NIFTY's candles begin on {day_of(int(days[0]))}, so strength relative to it over "
                    f"{least} is unknown"
                )
        return ""

    def _check(self, engine: Engine) -> None:
        """Refuse a run that does not represent its universe, or has candles of two sources.

        Raises:
            DatabaseError, InputError: as `evaluate` does.
        """
        if candle_source.origin(engine) != self._candle_source:
            raise DatabaseError(
                "The candles were replaced by another source's meanwhile; evaluate the screen again"
            )
        universe, left_out = self._spec.universe, len(self._left_out)
        if left_out > _MAX_LEFT_OUT * (self._evaluated + left_out):
            raise DatabaseError(f"Most shares of {universe} cannot be evaluated; {self.notes}")
        if not self._evaluated:
            until = f" up to {self._as_of}" if self._as_of else ""
            raise InputError(
                "universe",
                universe,
                f"none of its {len(self.members):,} instruments has daily candles{until}; import or fetch "
                "them first",
            )


def _members(engine: Engine, universe: str) -> Mapping[str, Instrument]:
    """Return the instruments of a universe that the master knows, by key."""
    keys = universes.keys(engine, universe)
    segments = {key.partition(":")[0] for key in keys}
    known = {each.key: each for segment in segments for each in instruments.fetch(engine, segment)}
    return {key: known[key] for key in keys if key in known}


def _judge(kind: str, spec: Spec, sizing: Sizing) -> Judge:
    if not spec.criteria:
        built_in = swing.evaluate if is_kind(kind) else _BUILT_IN[kind]
        return lambda study, tick_size: built_in(study, sizing, tick_size)
    criteria = [parse(text) for text in spec.criteria]

    def judge(study: Study, tick_size: Price) -> Finding | None:
        """Judge by the criteria. Score and plan are the swing strategy's for every screen, so that each list
        has an order and live distances.
        """
        found = outcomes(criteria, study.history, lambda: study.facts)
        if not all(outcome.passed for outcome in found):
            return None
        return swing.evaluate(study, sizing, tick_size)._replace(criteria=found)

    return judge


def above_floors(study: Study, spec: Spec) -> bool:
    """Return whether a share reaches the least price and the least turnover of a screen."""
    if study.history.close[-1] * SCALE < spec.min_price:
        return False
    turnover = study.facts["turnover"] if spec.min_turnover else None
    return not spec.min_turnover or (isinstance(turnover, float) and turnover >= spec.min_turnover)


def _order(row: Row) -> tuple[bool, bool, float, float, str]:
    """Sort key: rows with a plan by score, then NOT_READY ones; rows without a score last. Of equals the one
    with more turnover comes first.
    """
    turnover = row.facts.get("turnover")
    traded = turnover if isinstance(turnover, float) else 0
    return row.setup == NOT_READY, row.score is None, -(row.score or 0), -traded, row.symbol
