"""Times in which no packet could show a touch: the bars of their minutes are asked, once they are there.

After a gap of the feed the refill brings the broker's bars a few minutes later, after the session for all. A touch
that came back is found then. The minute in which the gap began has trades that packets showed as well; a level that
was met in it before the gap would have fired, and then its bar is not asked.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from typing import Final, NamedTuple

from ltp import metrics
from ltp.core.alerts.alert import BROKER_CANDLE, NO_DATA, NOT_MET, WHILE_DISCONNECTED
from ltp.core.alerts.level import Level
from ltp.core.alerts.past import first_touch
from ltp.core.alerts.watch import Blind, Gap, Hit
from ltp.core.bars.bar import BROKER, MINUTE_S, Bar
from ltp.core.money import SCALE
from ltp.worker.alerts.decision_log import DecisionLog
from ltp.worker.alerts.remembered import Remembered, instant
from ltp.worker.alerts.roster import Place, Roster
from ltp.worker.alerts.sentences import between

log = logging.getLogger(__name__)
MOST: Final = 20_000  # questions that wait
KEYS_A_ROUND: Final = 100  # instruments whose bars are read in one round, about a millisecond each
# How long a question waits for the broker's bars. Those of blind minutes may come only after the session.
KEPT_S: Final = {WHILE_DISCONNECTED: 2 * 3_600, BROKER_CANDLE: 12 * 3_600}
_US: Final = 1_000_000

Bars = Callable[[str, int, int], Sequence[Bar]]


class Question(NamedTuple):
    """Whether a level was met in `[since, until]`, microseconds. `how`: WHILE_DISCONNECTED or BROKER_CANDLE.
    `first`: the first minute to ask, seconds.
    """

    place: Place
    version: int
    level: Level
    since: int
    until: int
    first: int
    how: str


class PastTouches:
    """For the thread "alerts". `blind_keys`: instruments with blind watches, about once a minute; for any thread.
    `waiting`, `lost`: counts of questions.

    Args:
        bars: returns the stored bars of a key that start in a range of seconds. Raises DatabaseError.
    """

    def __init__(self, bars: Bars, seen: Remembered, decisions: DecisionLog) -> None:
        self._bars, self._seen, self._decisions = bars, seen, decisions
        self._waiting: dict[str, list[Question]] = {}  # by key, in the order in which they are asked
        self._blind: dict[Place, Question] = {}  # the time in which a watch is blind, while it grows
        self.blind_keys: tuple[str, ...] = ()
        self.waiting = self.lost = 0

    def after_gap(self, gap: Gap, levels: dict[int, Level], roster: Roster) -> None:
        """Ask about an instrument's gap.

        Args:
            levels: of the watches that are armed since, by alert; others fired with the first packet, or wait for
                the price to come back.
        """
        for alert_id, level in levels.items():
            place = alert_id, gap.key
            watch = roster.watches.get(place)
            if watch is None or not self._seen.was_armed(place, gap.since):
                continue
            first = self._first_minute(place, gap.since)
            self._add(Question(place, watch.version, level, gap.since, gap.until, first, WHILE_DISCONNECTED))

    def note_blind(self, blind: Iterable[Blind], roster: Roster, now_us: int) -> None:
        """Take the watches that are blind now, about once a minute; of those that were, the time is asked."""
        now_blind = {(each.alert_id, each.key): each.level for each in blind}
        for place, question in list(self._blind.items()):
            watch = roster.watches.get(place)
            if watch is None or watch.version != question.version:
                del self._blind[place]
            elif now_blind.get(place) != question.level:
                self._add(self._blind.pop(place)._replace(until=now_us))
        next_minute = (now_us // _US // MINUTE_S + 1) * MINUTE_S
        for place, level in now_blind.items():
            watch = roster.watches.get(place)
            if watch is not None and place not in self._blind and len(self._blind) < MOST:
                begins = Question(
                    place, watch.version, level, next_minute * _US, 0, next_minute, BROKER_CANDLE
                )
                self._blind[place] = begins
        self.blind_keys = tuple(dict.fromkeys(key for _, key in self._blind))

    def look(self, roster: Roster, now_s: int) -> list[Hit]:
        """Read the bars of some instruments; return the touches. Raises DatabaseError."""
        hits: list[Hit] = []
        for key in list(self._waiting)[:KEYS_A_ROUND]:
            questions = [each for each in self._waiting[key] if self._is_open(each, roster)]
            if questions:
                first, last = (
                    min(each.first for each in questions),
                    max(each.until for each in questions) // _US,
                )
                bars = self._bars(key, first, last + 1)
                hits += [hit for each in questions if (hit := _answer(each, bars)) is not None]
                questions = [each for each in questions if not self._is_answered(each, bars, now_s)]
            self.waiting += len(questions) - len(self._waiting.pop(key))
            if questions:
                self._waiting[key] = questions  # behind all others
        return hits + self._look_at_blind(roster, now_s)

    def _look_at_blind(self, roster: Roster, now_s: int) -> list[Hit]:
        """Return the touches in the broker's bars of blind minutes that came since the last look at them."""
        hits = []
        places = list(self._blind)[:KEYS_A_ROUND]
        for place in places:
            question = self._blind.pop(place)
            if not self._is_open(question, roster):
                continue  # it begins anew with the next minute
            bars = [bar for bar in self._bars(place[1], question.first, now_s) if bar.sources & BROKER]
            hit = _answer(question._replace(until=now_s * _US), bars)
            if hit is not None:
                hits.append(hit)
            if bars:
                known = hit.at // _US if hit is not None else bars[-1].start
                question = question._replace(since=(known + MINUTE_S) * _US, first=known + MINUTE_S)
            self._blind[place] = question  # behind all others
        return hits

    def _add(self, question: Question) -> None:
        if self.waiting >= MOST:
            self.lost += 1
            metrics.count("alert_questions_lost")
            return
        self.waiting += 1
        self._waiting.setdefault(question.place[1], []).append(question)

    def _first_minute(self, place: Place, since_us: int) -> int:
        """Return the minute of an instant, or the next one where the level was met in it, or armed in it."""
        minute = since_us // _US // MINUTE_S * MINUTE_S
        state = self._seen.of.get(place)
        fired = state is not None and state.fired_at is not None and state.fired_at.timestamp() >= minute
        armed_later = not self._seen.was_armed(place, minute * _US)
        return minute + MINUTE_S if fired or armed_later else minute

    def _is_open(self, question: Question, roster: Roster) -> bool:
        """Is the alert the same still, and has it not fired since?"""
        watch, state = roster.watches.get(question.place), self._seen.of.get(question.place)
        if watch is None or watch.version != question.version:
            return False
        fired = None if state is None else state.fired_at
        return fired is None or fired < instant(question.since)

    def _is_answered(self, question: Question, bars: Sequence[Bar], now_s: int) -> bool:
        """Note the answer where there is one: a touch, none in the broker's bars, or no such bars."""
        if _answer(question, bars) is not None:
            return True
        last = question.until // _US // MINUTE_S * MINUTE_S
        has_all = any(bar.sources & BROKER and bar.start >= last for bar in bars)
        if not has_all and now_s - question.until // _US < KEPT_S[question.how]:
            return False
        when = between(instant(question.since), instant(question.until))
        bound = question.level.bound / SCALE
        if has_all:
            self._decisions.note(
                question.place, NOT_MET, instant(question.until), bound=bound, detail=f"by the bars {when}"
            )
        else:
            self._decisions.note(question.place, NO_DATA, instant(question.until), detail=f"no bars {when}")
        return True


def _answer(question: Question, bars: Sequence[Bar]) -> Hit | None:
    """Return the first touch that bars show."""
    asked = [bar for bar in bars if question.first <= bar.start <= question.until // _US]
    if question.how == BROKER_CANDLE:
        asked = [bar for bar in asked if bar.sources & BROKER]
    found = first_touch(question.level, asked)
    if found is None:
        return None
    start, price = found
    since, until = max(question.since, start * _US), min(question.until, (start + MINUTE_S) * _US)
    alert_id, key = question.place
    return Hit(
        alert_id, question.version, key, start * _US, price, question.how, question.level.bound / SCALE, since, until
    )  # fmt: skip
