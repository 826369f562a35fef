"""The thread "alerts": hits are decided as they come; once a second it looks at all else.

It alone calls SQL and Redis for alerts. The feed's thread leaves hits in the inbox and goes on, so a database that
is away costs neither prices nor bars: firings wait, and nothing fires twice afterwards.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

from ltp import metrics
from ltp.core.alerts.alert import ENDED, INVALID, MUTED, ON
from ltp.core.alerts.book import RuleBook
from ltp.core.counted import counted
from ltp.core.ticks.tick import TickFields
from ltp.core.trading_day import IST
from ltp.db.alerts import decisions, firings, leaders, states
from ltp.db.engine import Engine
from ltp.errors import DatabaseError, StoreError
from ltp.worker.alerts import roster as rosters
from ltp.worker.alerts import sources
from ltp.worker.alerts.decider import Decider
from ltp.worker.alerts.decision_log import DecisionLog
from ltp.worker.alerts.events import Events
from ltp.worker.alerts.inbox import Inbox
from ltp.worker.alerts.past import PastTouches
from ltp.worker.alerts.remembered import MOST, Remembered, judges_alike
from ltp.worker.alerts.roster import NOBODY, Roster
from ltp.worker.alerts.unmet import UnmetNotes

log = logging.getLogger(__name__)
LOOK_S: Final = 1.0
FLUSH_S: Final = 5.0
BARS_S: Final = 30.0
MINUTE_S: Final = 60.0
PRUNE_S: Final = 600.0
STOP_S: Final = 5.0


class Parts(NamedTuple):
    """The parts of the thread, which it alone calls."""

    decider: Decider
    seen: Remembered
    decisions: DecisionLog
    past: PastTouches
    events: Events


class Alerts(threading.Thread):
    """Its end does not end the worker: prices go on without alerts.

    Args:
        lease: the fencing number of the lease while this worker surely leads, else 0.
        simulated: prices are of the simulated exchange.
        last: returns the last packets of instruments that are on the feed, as far as they are known. Raises
            StoreError.
    """

    def __init__(
        self,
        engine: Engine,
        book: RuleBook,
        inbox: Inbox,
        parts: Parts,
        *,
        lease: Callable[[], int],
        simulated: bool,
        last: Callable[[Sequence[str]], Sequence[TickFields]] = lambda _keys: (),
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(name="alerts", daemon=True)
        self._engine, self._book, self._inbox = engine, book, inbox
        self._decider, self._seen, self._log, self._past, self._events = parts
        self._lease, self._simulated, self._last = lease, simulated, last
        self._clock, self._monotonic = clock, monotonic
        self._unmet = UnmetNotes()
        self._stopping = threading.Event()
        self._leads_by = 0  # the lease that the book was made for
        self._today = ""
        self._roster: Roster = NOBODY
        self._due: dict[str, float] = {}
        self._refusal = ""

    def keys(self) -> tuple[str, ...]:
        """Return the instruments that alerts need on the feed, those of the first alerts first. Thread-safe."""
        return self._roster.keys

    def wake(self) -> None:
        """Look at once: the lease changed, and packets come soon. Thread-safe."""
        self._due.pop("look", None)
        self._inbox.wake()

    @property
    def counts(self) -> dict[str, int]:
        """Watches and firings of this worker; of the latter also those that wait, and lost hits."""
        return {
            "alerts": len(self._roster.alerts),
            "watches": len(self._roster.watches),
            "left_out": self._roster.left_out,
            "fired": self._decider.fired,
            "waiting": len(self._decider.pending),
            "lost": self._inbox.lost + self._decider.lost,
            "questions": self._past.waiting,
        }

    def run(self) -> None:
        while not self._stopping.is_set():
            try:
                self.step(LOOK_S)
            except Exception:
                metrics.count("alert_faults")
                log.exception("A round of alerts failed; the next one follows")
                self._stopping.wait(LOOK_S)

    def stop(self) -> None:
        """Write all that is left and end, within five seconds."""
        self._stopping.set()
        self._inbox.close()
        if self.is_alive():
            self.join(STOP_S)
        if not self.is_alive() and self._decider.fence:
            try:
                self._take_hits(0)
                self._flush(all_of_it=True)
            except DatabaseError as error:
                log.warning("%s. A restart asks the bars since the last states that were stored.", error)

    def step(self, wait_s: float) -> None:
        """Decide the hits that come within `wait_s`, then look at all else that is due."""
        self._take_hits(wait_s)
        if not self._is_due("look", LOOK_S):
            return
        try:
            if self._lead():
                self._look()
            self._refusal = ""
        except (DatabaseError, StoreError) as error:
            if str(error) != self._refusal:
                log.warning("%s. Alerts go on with what they know.", error)
            self._refusal = str(error)

    def _take_hits(self, wait_s: float) -> None:
        hits = self._inbox.take(wait_s)
        if hits and self._leads_by and self._lease() == self._leads_by:
            self._decider.take(hits)
        for place in self._inbox.take_lost():
            self._book.rearm(*place)

    def _lead(self) -> bool:
        """Follow the lease; return whether this worker leads. Raises DatabaseError."""
        lease = 0 if self._decider.is_deposed and self._lease() == self._leads_by else self._lease()
        if lease == self._leads_by:
            return bool(lease)
        self._leads_by = self._decider.fence = 0
        self._decider.drop()
        self._replace(NOBODY)
        if not lease:
            return False
        fence = leaders.begin(self._engine)
        self._seen.load(states.fetch(self._engine))
        self._decider.fence, self._decider.is_deposed = fence, False
        self._leads_by = lease
        return True

    def _look(self) -> None:
        """First all that needs no database: while it is away the other half fails."""
        now = self._now()
        now_us = int(now.timestamp() * 1e6)
        for (
            gap
        ) in self._book.take_gaps():  # before the news of the book: what was armed before the gap counts
            self._past.after_gap(gap, self._book.armed_levels(gap.key), self._roster)
        self._seen.take(self._book.memory(), now_us)
        self._decider.rearm_late()
        self._events.look_at_feed(self._roster, now.timestamp())
        if self._is_due("minute", MINUTE_S):
            self._past.note_blind(self._book.blind(), self._roster, now_us)
            self._unmet.begin(self._roster)
        self._unmet.step(self._book, self._log, now)
        self._decider.store()
        self._renew()
        self._events.compare_runs(self._roster, now)
        if self._is_due("bars", BARS_S):
            self._decider.take(self._past.look(self._roster, int(now.timestamp())))
        if self._is_due("flush", FLUSH_S):
            self._flush()
        if self._is_due("prune", PRUNE_S):
            decisions.prune(self._engine, now)
            states.prune(self._engine)

    def _renew(self) -> None:
        """Make the roster anew where a source changed, or a day began. Raises DatabaseError."""
        today = self._now().astimezone(IST).date()
        known = None if self._roster.sources is None else self._roster.sources.version
        if f"{today}" == self._today and known == sources.version(self._engine):
            return
        read = sources.read(self._engine, simulated=self._simulated, before=self._roster.sources)
        self._take_hits(0)  # reading took its time, and what follows takes as long again
        old = self._roster
        self._seen.keep(dict(old.alerts), {alert.id: alert for alert in read.alerts})
        new = rosters.make(read, self._seen.of, today)
        self._report(new)
        self._replace(new)
        self._follow(old, new)
        self._today = f"{today}"
        self._end_those_that_are_over(read)
        there = frozenset(old.keys)
        self._book.begin(self._last([key for key in new.keys if key not in there]))

    def _follow(self, old: Roster, new: Roster) -> None:
        """Go on with the alerts that were changed by a person."""
        gone, carried = [], {}
        for id_, before in old.alerts.items():
            now = new.alerts.get(id_)
            if now is not None and now.version == before.version:
                continue
            gone.append(id_)
            if now is not None and judges_alike(before, now):
                carried[id_] = before.version, now.version
        self._log.forget(gone)
        self._decider.carry(carried)

    def _replace(self, new: Roster) -> None:
        self._roster = self._decider.roster = new
        self._book.replace(new.watches.values())
        if new is NOBODY:
            self._today = ""

    def _end_those_that_are_over(self, read: sources.Sources) -> None:
        now = self._now()
        today = now.astimezone(IST).date()
        for alert in read.alerts:
            reason, state = self._roster.invalid.get(alert.id, ""), INVALID
            expires = alert.terms.expires
            if expires is not None and expires < today:
                reason, state = f"its last day was {expires:%d %b %Y}", ENDED
            if reason and alert.state in {ON, MUTED}:
                firings.end_one(
                    self._engine, alert.id, alert.version, state, reason, now, fence=self._decider.fence
                )

    def _report(self, new: Roster) -> None:
        """Log bounds that were reached, once."""
        if new.left_out and not self._roster.left_out:
            log.warning(
                "%s of alerts are left out: there are more than %d",
                counted(new.left_out, "watch", "watches"),
                rosters.MAX_WATCHES,
            )
        beside = new.sources is not None and new.sources.is_beside_real
        was = self._roster.sources is not None and self._roster.sources.is_beside_real
        if beside and not was:
            log.warning("Alerts do not fire: prices are simulated, and the stored candles are real")

    def _flush(self, *, all_of_it: bool = False) -> None:
        """Write states and decisions. Raises DatabaseError."""
        self._decider.store()
        fence, pending = self._decider.fence, self._decider.pending | self._inbox.places
        if all_of_it:
            self._seen.take(self._book.memory(), int(self._clock() * 1e6))
        most = rosters.MAX_WATCHES if all_of_it else MOST
        self._seen.flush(self._engine, fence, pending, most=most)
        self._log.flush(self._engine)

    def _is_due(self, what: str, every_s: float) -> bool:
        now = self._monotonic()
        if now < self._due.get(what, float("-inf")):
            return False
        self._due[what] = now + every_s
        return True

    def _now(self) -> datetime:
        return datetime.fromtimestamp(0, UTC) + timedelta(seconds=self._clock())
