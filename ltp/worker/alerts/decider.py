"""From a hit to a firing: whether the alert fires is decided, stored, and then announced."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence, Set
from datetime import UTC, datetime
from typing import Final, NamedTuple

from ltp import metrics
from ltp.core.alerts.alert import BROKER_CANDLE, EVENT, FIRED, NO_DATA, ONCE, WHILE_DISCONNECTED, Alert
from ltp.core.alerts.book import RuleBook
from ltp.core.alerts.notice import Notice
from ltp.core.alerts.policy import ends, judge, token
from ltp.core.alerts.watch import Hit
from ltp.core.money import Price, rupees
from ltp.db.alerts import firings
from ltp.db.alerts.firings import DEPOSED, EDITED, NewFiring, Occasion
from ltp.db.alerts.states import State
from ltp.db.engine import Engine
from ltp.errors import DatabaseError, StoreError
from ltp.worker.alerts.decision_log import DecisionLog
from ltp.worker.alerts.remembered import Remembered, instant
from ltp.worker.alerts.roster import NOBODY, Place, Roster
from ltp.worker.alerts.sentences import detail

log = logging.getLogger(__name__)
MAX_WAITING: Final = 10_000  # firings, while the database is away; later ones are lost
_AT_ONCE: Final = 200  # firings in one transaction
_US: Final = 1_000_000

Limits = Callable[[Sequence[str]], Mapping[str, tuple[Price | None, Price | None]]]


class Surroundings(NamedTuple):
    """What a decision asks for besides the hit; each returns at once, or within a Redis command.

    `phase`: of a segment's market at a second since the epoch. `symbol`: of a key. `limits`: the day's lowest and
    highest allowed price by key, where known. `delays`: by segment, by how many seconds prices come late. `publish`:
    announces a firing, raises StoreError. `clock`: seconds since the epoch.
    """

    phase: Callable[[str, int], str]
    symbol: Callable[[str], str]
    limits: Limits
    delays: Callable[[], Mapping[str, float]]
    publish: Callable[[Notice], None]
    clock: Callable[[], float]


class _Waiting(NamedTuple):
    """A firing that is not stored yet. `before`: the state of its place until then."""

    occasion: Occasion
    hit: Hit
    before: State | None


class Decider:
    """For the thread "alerts". `roster`, `fence`: set by it; with fence 0 nothing is stored. `is_deposed`: another
    worker has begun to lead. `fired`, `lost`: counts of firings.
    """

    def __init__(
        self, engine: Engine, book: RuleBook, around: Surroundings, seen: Remembered, decisions: DecisionLog
    ) -> None:
        self._engine, self._book, self._around = engine, book, around
        self._seen, self._decisions = seen, decisions
        self.roster: Roster = NOBODY
        self.fence = 0
        self.is_deposed = False
        self.fired = self.lost = 0
        self._waiting: list[_Waiting] = []
        self._edited: list[Hit] = []  # hits of alerts that were changed just before their firing was stored
        self._carried: dict[tuple[int, int], int] = {}  # see `carry`
        self._lost: dict[Place, None] = {}  # watches whose firings found no room
        self._late: dict[Place, str] = {}  # hits of delayed segments, by place
        self._refusal = ""

    @property
    def pending(self) -> Set[Place]:
        """The places with firings that are not stored yet, and their alerts on no instrument."""
        hits = *(each.hit for each in self._waiting), *self._edited
        places = {(hit.alert_id, hit.key) for hit in hits}
        return places | {(alert_id, "") for alert_id, _ in places}

    def take(self, hits: Sequence[Hit]) -> None:
        """Decide hits, and store those that fire."""
        if not hits:
            return
        delays = self._around.delays()
        limits = self._around.limits(list(dict.fromkeys(hit.key for hit in hits)))
        for hit in map(self._of_now, hits):
            alert = self.roster.alerts.get(hit.alert_id)
            if (
                alert is None
                or alert.version != hit.version
                or (alert.id, hit.key) not in self.roster.watches
            ):
                continue  # it was changed meanwhile, and what it is now has not seen this packet
            refusal = self._refused(hit, delays, limits)
            if refusal:
                self._note(hit, NO_DATA, refusal)
            else:
                self._decide(alert, hit)
        self.store()

    def carry(self, versions: Mapping[int, tuple[int, int]]) -> None:
        """Decide hits of an earlier version by the later one, where both judge packets alike: who edits a note must
        not lose the touch of that moment.

        Args:
            versions: the earlier and the later one, by alert; the roster has the later ones.
        """
        if len(self._carried) > MAX_WAITING:
            self._carried.clear()
        self._carried.update({(id_, old): new for id_, (old, new) in versions.items()})
        edited, self._edited = self._edited, []
        self.take(edited)

    def _of_now(self, hit: Hit) -> Hit:
        version = hit.version
        while (later := self._carried.get((hit.alert_id, version))) is not None:
            version = later
        return hit if version == hit.version else hit._replace(version=version)

    def occur(self, alert: Alert, hit: Hit, symbol: str, sentence: str, *, phase: str | None) -> bool:
        """Decide an event, which no packet shows; return whether the alert fires. `store` follows."""
        place, now = (alert.id, hit.key), self._now()
        outcome = judge(alert, self._fired_at(place), instant(hit.at), phase, now)
        self._decisions.note(place, outcome, instant(hit.at), detail=sentence)
        if outcome == FIRED:
            last = alert.terms.repeat == ONCE and not hit.key
            self._queue(alert, hit, symbol, sentence, is_armed=False, ltp=None, last=last)
        return outcome == FIRED

    def rearm_late(self) -> None:
        """Let watches fire again whose hits came while their segment was delayed, once it is not any more."""
        if not self._late:
            return
        delays = self._around.delays()
        for place, segment in list(self._late.items()):
            if not delays.get(segment):
                del self._late[place]
                self._book.rearm(*place)

    def store(self) -> None:
        """Store and announce the firings that wait. While the database is away they go on waiting."""
        while self._waiting and self.fence:
            part = self._waiting[:_AT_ONCE]
            try:
                results = firings.store(self._engine, [each.occasion for each in part], fence=self.fence)
            except DatabaseError as error:
                self._refuse(error)
                return
            del self._waiting[: len(part)]
            self._refusal = ""
            for each, result in zip(part, results, strict=True):
                if isinstance(result, int):
                    self.fired += 1
                    metrics.count("alerts_fired")
                    self._announce(result, each.occasion.firing)
                elif result == DEPOSED:
                    self.is_deposed = True
            edited = [each for each, result in zip(part, results, strict=True) if result == EDITED]
            self._undo(edited)
        if not self._waiting:
            for place in self._lost:
                self._book.rearm(*place)
            self._lost.clear()

    def _undo(self, edited: Sequence[_Waiting]) -> None:
        """Forget that these fired; `carry` decides them again by what their alerts are now."""
        for each in reversed(edited):
            self._seen.undo(each.occasion.state, each.before)
        self._edited += [each.hit for each in edited if each.hit.how != EVENT]

    def drop(self) -> None:
        """Forget what waits: another worker leads, and asks the bars of the time between."""
        for each in (self._waiting, self._late, self._edited, self._carried, self._lost):
            each.clear()

    def _refused(
        self, hit: Hit, delays: Mapping[str, float], limits: Mapping[str, tuple[Price | None, Price | None]]
    ) -> str:
        """Return why a hit's price does not count, "" if it does."""
        segment = hit.key.partition(":")[0]
        # What is found about earlier minutes is late by its nature, and says so.
        late_s = 0.0 if hit.how in {WHILE_DISCONNECTED, BROKER_CANDLE} else delays.get(segment, 0.0)
        if late_s:
            self._late[hit.alert_id, hit.key] = segment
            return f"prices of {segment} come {late_s:.0f} s late"
        lower, upper = limits.get(hit.key, (None, None))
        if (lower is not None and hit.ltp < lower) or (upper is not None and hit.ltp > upper):
            self._book.rearm(hit.alert_id, hit.key)
            return f"{rupees(hit.ltp)} is outside the day's circuit limits"
        return ""

    def _decide(self, alert: Alert, hit: Hit) -> None:
        place = alert.id, hit.key
        phase = self._around.phase(hit.key.partition(":")[0], hit.at // _US)
        outcome = judge(alert, self._fired_at(place), instant(hit.at), phase, self._now())
        sentence = detail(hit, self.roster.watches[place])
        self._note(hit, outcome, sentence if outcome == FIRED else "")
        if outcome == FIRED:
            # The price may have come back already, above all where bars show the hit.
            armed = self._book.is_armed(*place)
            symbol = self._around.symbol(hit.key)
            self._queue(alert, hit, symbol, sentence, is_armed=armed, ltp=hit.ltp, last=ends(alert))

    def _queue(
        self,
        alert: Alert,
        hit: Hit,
        symbol: str,
        sentence: str,
        *,
        is_armed: bool,
        ltp: Price | None,
        last: bool,
    ) -> None:
        """`last`: the alert is over with it."""
        at, now = instant(hit.at), self._now()
        if len(self._waiting) >= MAX_WAITING:
            self.lost += 1
            self._lost[alert.id, hit.key] = None
            metrics.count("alert_firings_lost")
            return
        before = self._seen.of.get((alert.id, hit.key))
        state = self._seen.fired((alert.id, hit.key), alert.version, at, price=ltp, is_armed=is_armed)
        terms = alert.terms
        firing = NewFiring(
            alert.id, alert.version, token(alert, hit), hit.key, symbol, self.roster.rules[alert.id].text, terms.note,
            at, now, ltp, hit.how, instant(hit.since) if hit.since else None,
            instant(hit.until) if hit.until else None, sentence,
        )  # fmt: skip
        self._waiting.append(_Waiting(Occasion(firing, state, last, terms.channels), hit, before))

    def _announce(self, id_: int, firing: NewFiring) -> None:
        notice = Notice(
            id_, firing.alert_id, firing.key, firing.symbol, firing.rule, firing.note, firing.at, firing.ltp,
            firing.how, firing.detail,
        )  # fmt: skip
        try:
            self._around.publish(notice)
        except StoreError as error:
            log.warning("%s. The firing is in the history.", error)

    def _note(self, hit: Hit, outcome: str, sentence: str) -> None:
        place = hit.alert_id, hit.key
        price = rupees(hit.ltp)
        self._decisions.note(place, outcome, instant(hit.at), value=price, bound=hit.level, detail=sentence)

    def _fired_at(self, place: Place) -> datetime | None:
        state = self._seen.of.get(place)
        return None if state is None else state.fired_at

    def _refuse(self, error: DatabaseError) -> None:
        """Log a failure once for as long as it stays the same."""
        if str(error) != self._refusal:
            log.warning("%s. Firings of alerts wait, at most %d.", error, MAX_WAITING)
        self._refusal = str(error)

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._around.clock(), UTC)
