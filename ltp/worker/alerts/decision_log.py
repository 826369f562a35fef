"""Decisions for the page that explains an alert: equal ones in a row are one, and they are written in batches."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from ltp.core.alerts.alert import NOT_MET
from ltp.db.alerts import decisions
from ltp.db.alerts.decisions import Decision
from ltp.db.engine import Engine
from ltp.worker.alerts.roster import Place

MAX_WAITING: Final = 20_000  # decisions: of more the oldest are lost, as while the database is away
JOINED_S: Final = 900  # a decision grows for a quarter of an hour, so that a session has its course


class _Open:
    """The newest decision of a place. `id`: None until it is stored."""

    __slots__ = ("decision", "id")

    def __init__(self, decision: Decision) -> None:
        self.decision = decision
        self.id: int | None = None


class DecisionLog:
    """For the thread "alerts". `lost`: decisions that were never written."""

    def __init__(self) -> None:
        self._newest: dict[Place, _Open] = {}
        self._changed: dict[int, _Open] = {}  # by identity, oldest first: to be stored
        self.lost = 0

    def note(
        self,
        place: Place,
        outcome: str,
        at: datetime,
        *,
        value: float | None = None,
        bound: float | None = None,
        detail: str = "",
    ) -> None:
        """Add a decision; it joins the one before if it is equal, or not met with the same bound."""
        new = Decision(*place, at, at, outcome, value, bound, detail)
        newest = self._newest.get(place)
        if newest is not None and _is_same(newest.decision, new):
            newest.decision = _joined(newest.decision, new)
        else:
            newest = self._newest[place] = _Open(new)
        self._changed[id(newest)] = newest
        if len(self._changed) > MAX_WAITING:
            del self._changed[next(iter(self._changed))]
            self.lost += 1

    def forget(self, alert_ids: Iterable[int]) -> None:
        """Begin anew for alerts that are gone or changed: nothing joins a decision of an earlier version."""
        gone = frozenset(alert_ids)
        if gone:
            self._newest = {place: each for place, each in self._newest.items() if place[0] not in gone}

    def flush(self, engine: Engine) -> None:
        """Write what changed. Raises DatabaseError: it is tried again."""
        every = list(self._changed.values())
        new = [each for each in every if each.id is None]
        for each, id_ in zip(new, decisions.insert(engine, [each.decision for each in new]), strict=True):
            each.id = id_
            del self._changed[id(each)]
        longer = [(each.id, each.decision) for each in self._changed.values() if each.id is not None]
        decisions.extend(engine, longer)
        self._changed.clear()


def _is_same(old: Decision, new: Decision) -> bool:
    if (old.outcome, old.bound, old.detail) != (new.outcome, new.bound, new.detail):
        return False
    is_fresh = (new.at - old.at).total_seconds() < JOINED_S
    return is_fresh and (new.outcome == NOT_MET or old.value == new.value)


def _joined(old: Decision, new: Decision) -> Decision:
    return old._replace(until=max(old.until, new.until), value=_nearest(old, new))


def _nearest(old: Decision, new: Decision) -> float | None:
    """Return the value that is nearest to the bound."""
    if old.value is None or new.value is None or old.bound is None:
        return new.value if old.value is None else old.value
    return min(old.value, new.value, key=lambda value: abs(value - (old.bound or 0)))
