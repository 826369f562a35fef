"""What alerts have seen and when they fired: in memory, and in SQL every few seconds."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Final

from ltp.core.alerts.alert import Alert
from ltp.core.alerts.watch import Memory
from ltp.core.money import Price
from ltp.db.alerts import states
from ltp.db.alerts.states import State
from ltp.db.engine import Engine
from ltp.worker.alerts.roster import Place

MOST: Final = 2_000  # states in one flush: hits wait meanwhile, and other programs write to the database too


class Remembered:
    """For the thread "alerts". `of`: by place."""

    def __init__(self) -> None:
        self.load(())

    def load(self, stored: Iterable[State]) -> None:
        """Begin with stored states, and forget all others."""
        self.of: dict[Place, State] = {(state.alert_id, state.key): state for state in stored}
        self._dirty: dict[Place, None] = {}  # the oldest change first
        self._urgent: dict[
            Place, None
        ] = {}  # armed or not any more: a restart that forgot it could miss a touch
        self._armed_at: dict[Place, int] = {}  # microseconds

    def keep(self, before: dict[int, Alert], now: dict[int, Alert]) -> None:
        """Follow changes of alerts: one whose rule is the same has seen what its earlier version saw."""
        for place, state in list(self.of.items()):
            alert, old = now.get(place[0]), before.get(place[0])
            if alert is not None and alert.version == state.version:
                continue
            if alert is not None and old is not None and is_same_rule(old, alert):
                self.of[place] = state._replace(version=alert.version)
                self._dirty[place] = None
                continue
            del self.of[place]
            self._armed_at.pop(place, None)
            self._dirty.pop(place, None)
            self._urgent.pop(place, None)

    def take(self, memories: Iterable[Memory], now_us: int) -> None:
        """Take the news of the book."""
        for alert_id, version, key, armed, last, last_at in memories:
            place = alert_id, key
            before = self.of.get(place)
            fired_at = None if before is None else before.fired_at
            was_armed = True if before is None else before.is_armed
            if armed is not was_armed:
                self._urgent[place] = None
                self._armed_at[place] = now_us
            self.of[place] = State(alert_id, key, version, armed, instant(last_at), last, fired_at)
            self._dirty[place] = None

    def fired(
        self, place: Place, version: int, at: datetime, *, price: Price | None, is_armed: bool
    ) -> State:
        """Note a firing; return the state after it. A firing that bars show is older than the last packet."""
        before = self.of.get(place)
        state = State(*place, version, is_armed, at, price, at)
        if before is not None and before.seen_at is not None and before.seen_at > at:
            state = state._replace(seen_at=before.seen_at, ltp=before.ltp)
        if before is not None and before.fired_at is not None and before.fired_at > at:
            state = state._replace(fired_at=before.fired_at)
        self.of[place] = state
        return state

    def undo(self, state: State, before: State | None) -> None:
        """Forget a firing that was not stored. `state`: after it; `before`: that before it."""
        place = state.alert_id, state.key
        if self.of.get(place) is not state:
            there = self.of.get(place)
            if there is not None and there.version == state.version and there.fired_at == state.fired_at:
                fired_at = None if before is None else before.fired_at
                self.of[place] = there._replace(fired_at=fired_at)
        elif before is None:
            del self.of[place]
        else:
            self.of[place] = before

    def put(self, state: State) -> None:
        """Note the state of an alert that no packet changes."""
        self.of[state.alert_id, state.key] = state
        self._dirty[state.alert_id, state.key] = None
        self._urgent[state.alert_id, state.key] = None

    def was_armed(self, place: Place, at_us: int) -> bool:
        """Return whether a watch was armed at an instant, as far as it is known."""
        state = self.of.get(place)
        return state is not None and state.is_armed and self._armed_at.get(place, 0) <= at_us

    def flush(self, engine: Engine, fence: int, pending: Collection[Place] = (), *, most: int = MOST) -> None:
        """Write what changed, at most `most` states, those first that may not wait.

        Args:
            pending: places with hits that are not stored yet. Were their states stored first, a restart would take
                these hits for judged.
        Raises:
            DatabaseError: it is tried again.
        """
        waiting = (place for places in (self._urgent, self._dirty) for place in places)
        free = (place for place in dict.fromkeys(waiting) if place in self.of and place not in pending)
        places = list(islice(free, most))
        states.store(engine, [self.of[place] for place in places], fence=fence)
        for place in places:
            self._urgent.pop(place, None)
            self._dirty.pop(place, None)


def is_same_rule(old: Alert, new: Alert) -> bool:
    """Return whether two versions judge packets alike, so that the later one goes on where the earlier one was."""
    a, b = old.terms, new.terms
    return (a.target, a.rule, a.repeat, a.hysteresis) == (b.target, b.rule, b.repeat, b.hysteresis)


def judges_alike(old: Alert, new: Alert) -> bool:
    """Return whether a packet that meets one version meets the other."""
    a, b = old.terms, new.terms
    return (a.target, a.rule, a.hysteresis) == (b.target, b.rule, b.hysteresis)


def instant(microseconds: int) -> datetime:
    return datetime.fromtimestamp(0, UTC) + timedelta(microseconds=microseconds)
