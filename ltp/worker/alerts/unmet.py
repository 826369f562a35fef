"""Once a minute, for the page that explains an alert: how near its rule came, or which value is missing."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from ltp.core.alerts.alert import NO_DATA, NOT_MET
from ltp.core.alerts.book import RuleBook
from ltp.core.alerts.watch import Reading
from ltp.worker.alerts.decision_log import DecisionLog
from ltp.worker.alerts.roster import Place, Roster

MOST_OF_ALERT: Final = 20  # instruments: of an alert on a list those that are nearest to their bound
READ_AT_ONCE: Final = 1_000
MOST: Final = 1_000  # in one minute, of all alerts: those of the first alerts
_FRESH: Final = timedelta(minutes=2)  # an older price was noted before


class UnmetNotes:
    """The watches whose rule is not met, or cannot be judged. For the thread "alerts": a part at each look, because
    hits wait meanwhile.
    """

    def __init__(self) -> None:
        self._waiting: list[list[Place]] = []
        self._count = 0

    def begin(self, roster: Roster) -> None:
        """Begin a minute."""
        by_alert: dict[int, list[Place]] = {}
        for place in roster.watches:
            by_alert.setdefault(place[0], []).append(place)
        self._waiting, self._count = [*by_alert.values()][::-1], 0

    def step(self, book: RuleBook, log: DecisionLog, now: datetime) -> None:
        """Read about a thousand watches."""
        read = 0
        while self._waiting and read < READ_AT_ONCE and self._count < MOST:
            places = self._waiting.pop()
            read += len(places)
            readings = [(place, book.reading(*place)) for place in places]
            unmet = [(place, each) for place, each in readings if each.met is not True]
            unmet.sort(key=lambda pair: _distance(pair[1]))
            for place, reading in unmet[:MOST_OF_ALERT]:
                self._count += _note(place, reading, log, now)


def _note(place: Place, reading: Reading, log: DecisionLog, now: datetime) -> bool:
    if reading.missing:
        log.note(place, NO_DATA, now, detail=f"{reading.missing} is not known")
        return True
    if now.timestamp() * 1e6 - reading.at > _FRESH / timedelta(microseconds=1):
        return False
    log.note(place, NOT_MET, now, value=reading.value, bound=reading.bound)
    return True


def _distance(reading: Reading) -> float:
    if reading.value is None or not reading.bound:
        return float("inf")
    return abs(reading.value - reading.bound) / abs(reading.bound)
