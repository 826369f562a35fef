"""After a session: the day's candles are fetched, and the screens that everybody looks at are asked for
again.

Looks at how things are, so a worker that was down at the time, or starts on an empty database, makes up for
it. Knows neither how candles are fetched nor how screens are evaluated: a command does the one,
`worker.evaluation_queue` the other.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Final

from ltp.core.criteria.spec import BUILT_IN, text_of
from ltp.core.screener import KINDS
from ltp.core.trading_day import IST, settled_day
from ltp.db import candle_source, candles, evaluations, runs, saved_screens, universes
from ltp.db.engine import Engine, reading
from ltp.errors import DatabaseError, LimitError, NotFoundError
from ltp.worker.subprocess_job import SubprocessJob

log = logging.getLogger(__name__)
RETRY_S: Final = 1_800.0
LOOK_EVERY_S: Final = 5.0
WITHIN_S: Final = 3_600.0  # two thousand shares at five calls a second, twice over
_BEHIND: Final = 0.5  # of the universe: some shares are always suspended


class AfterClose:
    """Call it every second or so; it never waits.

    Args:
        session_on: the day of the session that was on, or the last one, at an instant. Raises NotFoundError.
        universe: names what the built-in screeners search. Raises NotFoundError.
        fetches: whether there is anybody to fetch candles from; without, they are imported by hand.
        simulated: that somebody is the simulated exchange, whose candles never join real ones.
        active: whether this worker is the one to do it.
    """

    def __init__(
        self,
        engine: Engine,
        *,
        session_on: Callable[[datetime], date],
        universe: Callable[[], str],
        fetches: bool,
        simulated: bool,
        active: Callable[[], bool],
        child: SubprocessJob | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._engine, self._session_on, self._universe = engine, session_on, universe
        self._fetches, self._simulated, self._active = fetches, simulated, active
        self._now, self._monotonic = now, monotonic
        self._child = child or SubprocessJob(within_s=WITHIN_S)
        self._look_at = self._fetch_at = float("-inf")
        self._asked: set[tuple[str, date, str]] = set()
        self._refusal_told = False

    def __call__(self) -> None:
        ended = self._child.ended()
        if ended is not None:
            self._tell(*ended)
        if self._child.running or self._monotonic() < self._look_at or not self._active():
            return
        self._look_at = self._monotonic() + LOOK_EVERY_S
        try:
            universe, held = self._universe(), candle_source.origin(self._engine)
            if self._fetches and self._lacks(universe, held):
                if self._monotonic() >= self._fetch_at:
                    self._fetch(universe)
            elif self._simulated or held != "simulated":
                self._ask(universe, held)
        except (DatabaseError, NotFoundError) as error:
            log.warning("Candles and screens wait: %s", error)
            self._look_at = self._monotonic() + RETRY_S / 30

    def stop(self) -> None:
        self._child.stop()

    def _lacks(self, universe: str, held: candle_source.Origin) -> bool:
        """Tell whether candles are to be fetched: those of the newest session, or real ones in place of
        simulated ones.
        """
        if self._simulated and held == "real":
            if not self._refusal_told:
                log.warning(
                    "No simulated candles are fetched: the database holds real ones, which screens go on with"
                )
            self._refusal_told = True
            return False
        return (held == "simulated" and not self._simulated) or self._behind(universe)

    def _behind(self, universe: str) -> bool:
        """Tell whether most of the universe lacks the candle of the newest session that has settled."""
        settled = settled_day(self._now())
        due = self._session_on(datetime.combine(settled, datetime.max.time(), IST))
        newest: dict[str, date] = {}
        for basis in candles.BASES:
            for key, day in candles.last_days(self._engine, basis).items():
                newest[key] = max(day, newest.get(key, day))
        members = universes.keys(self._engine, universe)
        return sum(newest.get(key, date.min) < due for key in members) > _BEHIND * len(members)

    def _fetch(self, universe: str) -> None:
        self._fetch_at = (
            self._monotonic() + RETRY_S
        )  # also where it succeeds and the broker has nothing new yet
        log.info("Fetching the daily candles of %s", universe)
        try:
            self._child.start(["candles", "fetch", "--universe", universe])
        except OSError as error:
            log.warning("The candles cannot be fetched: %s", error.strerror)

    def _tell(self, status: int, sentence: str) -> None:
        self._look_at = float("-inf")
        if status == 0:
            log.info("%s", sentence)
        else:
            log.warning("Not all candles were fetched: %s", sentence)

    def _ask(self, universe: str, held: candle_source.Origin) -> None:
        """Ask once for every screen that was not evaluated on the newest candles: the built-in ones and the
        saved.
        """
        newest = candles.newest_day(self._engine)
        if newest is None:
            return
        with reading(self._engine) as connection:
            heads, saved = runs.heads_in(connection), saved_screens.all_in(connection)
        wanted = [(kind, text_of(BUILT_IN), universe) for kind in KINDS]
        wanted += [(screen.kind, text_of(screen.spec), screen.spec.universe) for screen in saved]
        for kind, spec, searched in wanted:
            evaluated = max((head.as_of for head in heads.get(kind, ()) if head.as_of), default=date.min)
            if evaluated >= newest or (kind, newest, held) in self._asked:
                continue
            try:
                evaluations.enqueue(self._engine, kind, spec, searched)
            except LimitError:
                return  # the others follow when these are done
            self._asked.add((kind, newest, held))
