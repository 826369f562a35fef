"""After a session: the day's candles are fetched, and screens and watchlists are evaluated on them.

Decides by the state of the database and not by the hour, so a worker that was down at the time, or starts on
an empty database, catches up. Fetching is a command's work, evaluating that of `worker.evaluation_queue`.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Final

from ltp.core.criteria.spec import BUILT_IN, text_of
from ltp.core.screener import KINDS
from ltp.core.trading_day import IST, settled_day
from ltp.core.watchlists.watchlist import universe_of
from ltp.db import candle_source, candles, evaluations, runs, saved_screens, universes
from ltp.db.engine import Engine, reading
from ltp.db.watchlists import lists
from ltp.errors import DatabaseError, LimitError, NotFoundError
from ltp.worker.subprocess_job import SubprocessJob

log = logging.getLogger(__name__)
RETRY_S: Final = 1_800.0
LOOK_EVERY_S: Final = 5.0
WITHIN_S: Final = 3_600.0  # two thousand shares at five calls a second, twice over
_FAILED_LOOK_S: Final = 60.0
_BEHIND: Final = 0.5  # of the universe: some shares are always suspended


class AfterClose:
    """A background job: called about once a second, it never waits.

    Args:
        session_on: the day of the session that is on, or of the last one, at an instant. Raises
            NotFoundError.
        universe: names the universe of the built-in screeners. Raises NotFoundError.
        fetches: whether there is a broker to fetch candles from; without one they are imported by hand.
        simulated: whether that broker is the simulated exchange, whose candles never join real ones.
        active: whether this worker leads.
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
        command: SubprocessJob | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._engine, self._session_on, self._universe = engine, session_on, universe
        self._fetches, self._simulated, self._active = fetches, simulated, active
        self._now, self._monotonic = now, monotonic
        self._command = command or SubprocessJob(within_s=WITHIN_S)
        self._look_at = self._fetch_at = float("-inf")
        self._requested: set[tuple[str, date, str, datetime | None]] = set()
        self._refusal_logged = False

    def __call__(self) -> None:
        ended = self._command.ended()
        if ended is not None:
            self._log_end(*ended)
        if self._command.running or self._monotonic() < self._look_at or not self._active():
            return
        self._look_at = self._monotonic() + LOOK_EVERY_S
        try:
            universe, source = self._universe(), candle_source.origin(self._engine)
            if self._fetches and self._needs_candles(universe, source):
                if self._monotonic() >= self._fetch_at:
                    self._fetch(universe)
            elif self._simulated or source != "simulated":
                self._request_evaluations(universe, source)
        except (DatabaseError, NotFoundError) as error:
            log.warning("Candles and screens wait: %s", error)
            self._look_at = self._monotonic() + _FAILED_LOOK_S

    @property
    def fetching(self) -> bool:
        """Whether the broker's charts are being called."""
        return self._command.running

    def stop(self) -> None:
        self._command.stop()

    def _needs_candles(self, universe: str, source: candle_source.Origin) -> bool:
        """Return whether candles are to be fetched: the newest session's, or real ones in place of simulated
        ones.
        """
        if self._simulated and source == "real":
            if not self._refusal_logged:
                log.warning(
                    "No simulated candles are fetched: the database holds real ones, which screens go on with"
                )
            self._refusal_logged = True
            return False
        return (source == "simulated" and not self._simulated) or self._is_behind(universe)

    def _is_behind(self, universe: str) -> bool:
        """Return whether most of the universe lacks the candle of the newest session that has settled."""
        settled = settled_day(self._now())
        due = self._session_on(datetime.combine(settled, datetime.max.time(), IST))
        newest: dict[str, date] = {}
        for basis in candles.BASES:
            for key, day in candles.last_days(self._engine, basis).items():
                newest[key] = max(day, newest.get(key, day))
        members = universes.keys(self._engine, universe)
        return sum(newest.get(key, date.min) < due for key in members) > _BEHIND * len(members)

    def _fetch(self, universe: str) -> None:
        # Also for a fetch that succeeds: the broker may have nothing new yet.
        self._fetch_at = self._monotonic() + RETRY_S
        log.info("Fetching the daily candles of %s", universe)
        try:
            self._command.start(["candles", "fetch", "--universe", universe])
        except OSError as error:
            log.warning("The candles cannot be fetched: %s", error.strerror)

    def _log_end(self, status: int, last_line: str) -> None:
        self._look_at = float("-inf")
        if status == 0:
            log.info("%s", last_line)
        else:
            log.warning("Not all candles were fetched: %s", last_line)

    def _request_evaluations(self, universe: str, source: candle_source.Origin) -> None:
        """Request an evaluation of each built-in and saved screen that has no run on the newest candles, and of each
        watchlist that has none of its present members; once for each newest day, source of candles and change.
        """
        newest = candles.newest_day(self._engine)
        if newest is None:
            return
        with reading(self._engine) as connection:
            heads, saved = runs.heads_in(connection), saved_screens.all_in(connection)
            # One that is open may have read the members before their change: it is asked for again when it has ended.
            is_open = evaluations.open_kinds_in(connection)
            watched = [each for each in lists.all_in(connection) if each.size and each.kind not in is_open]
        screens: list[tuple[str, str, str, datetime | None]] = [
            (kind, text_of(BUILT_IN), universe, None) for kind in KINDS
        ]
        screens += [(each.kind, text_of(each.spec), each.spec.universe, None) for each in saved]
        screens += [(each.kind, "", universe_of(each.slug), each.members_at) for each in watched]
        for kind, spec, screen_universe, members_at in screens:
            made = heads.get(kind, ())
            evaluated = max((head.as_of for head in made if head.as_of), default=date.min)
            is_current = members_at is None or any(_began(head) > members_at for head in made)
            request = (kind, newest, source, members_at)
            if (evaluated >= newest and is_current) or request in self._requested:
                continue
            try:
                evaluations.enqueue(self._engine, kind, spec, screen_universe)
            except LimitError:
                return  # the other screens follow when these are done
            self._requested.add(request)


def _began(head: runs.RunHead) -> datetime:
    """Return when the evaluation of a run began to read its members, or a moment before."""
    return head.created_at - timedelta(seconds=head.took_s + 1)
