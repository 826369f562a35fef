"""The one caller of the broker's REST quotes, which allows a call a second: what to ask for next.

First what an API call waits for, then what is subscribed and has not ticked, then the segments whose prices
are in doubt, then, of shut markets, everything wanted once. Only what was answered is done; the rest is asked
again, later each time. The pace is the client's. Knows nothing of what becomes of the answers.
"""

from __future__ import annotations

import itertools
import logging
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

from ltp import metrics
from ltp.core.ticks.tick import Tick
from ltp.errors import FeedAuthError, LTPError, StoreError
from ltp.feed.status import FeedStatus
from ltp.worker.market_clock import MarketClock

log = logging.getLogger(__name__)

WAIT_S: Final = (
    0.25  # for what an API call asks for: asking the server often would cost more than all answers
)
_PAUSE_S: Final = 0.01  # after the server waited for us
REVIEW_S: Final = 1.0
SEED_AFTER_S: Final = 5.0
PER_CALL: Final = 1_000
DOUBTED_EVERY_S: Final = 60.0
_ASKED: Final = 10 * PER_CALL  # ten seconds of calls, and nobody waits for longer
STOP_S: Final = 0.5
_BACK_OFF_S: Final = (2.0, 5.0, 15.0, 60.0)
_AGAIN_AFTER_S: Final = (
    5.0,
    15.0,
    60.0,
    300.0,
)  # an instrument that was not answered: the broker leaves out dead ones too
_MISSED_KEPT: Final = 10_000


class RestQuotes(threading.Thread):
    """Args:
    fetch: ask the broker for quotes, at most `PER_CALL`, waiting for its turn. Raises FeedError. asked: take
    the keys asked for and still wanted at an instant (seconds since the epoch), waiting up to WAIT_S for the
        first: an API call waits 300 ms in all. Raises StoreError.
    wanted: what is subscribed or would be, were the market open.
    deliver: takes (keys asked, ticks answered).
    usable: whether what was answered for an instrument is a price at all; one that is not is asked for again.
    active: REST may be used at all: enabled, and this worker leads.
    """

    def __init__(
        self,
        *,
        fetch: Callable[[Sequence[str]], Mapping[str, Tick]],
        asked: Callable[[float], list[str]],
        wanted: Callable[[], Sequence[str]],
        knows: Callable[[str], bool],
        status: Callable[[], FeedStatus],
        deliver: Callable[[Iterable[str], list[Tick]], None],
        usable: Callable[[Tick], bool],
        market: MarketClock,
        active: Callable[[], bool],
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(name="rest", daemon=True)
        self._fetch, self._take_asked, self._wanted, self._knows = fetch, asked, wanted, knows
        self._usable = usable
        self._status, self._deliver, self._market, self._active = status, deliver, market, active
        self._clock, self._monotonic = clock, monotonic
        self._stopping = threading.Event()
        self._asked: dict[str, None] = {}
        self._known_wanted: Sequence[str] = ()  # what the next two were made of
        self._keys: frozenset[str] = frozenset()
        self._segments: frozenset[str] = frozenset()
        self._unseen: dict[str, float] = {}  # subscribed keys that have not ticked -> since when
        self._seeded: set[str] = set()
        self._seeded_since = 0
        self._swept: set[str] = set()
        self._missed: dict[
            str, tuple[int, float]
        ] = {}  # not answered -> how often in a row, and when to ask again
        self._checked: dict[str, float] = {}  # answered while its segment was in doubt -> when
        self._reviewed = self._not_until = float("-inf")
        self._failures = 0
        self._pause_s = WAIT_S

    def stop(self) -> None:
        """End the thread; a call that is under way is not waited for longer than half a second."""
        self._stopping.set()
        if self.is_alive():
            self.join(STOP_S)

    def run(self) -> None:
        while not self._stopping.wait(self._pause_s):
            try:
                self.step()
            except Exception:
                metrics.count("rest_faults")
                log.exception("REST quotes failed; they go on")
                self._back_off(_BACK_OFF_S[-1])

    def step(self) -> None:
        """Make the next call, if one is due."""
        if not self._active():
            self._pause_s = WAIT_S
            return
        self._collect_asked()
        if self._monotonic() < self._not_until:
            return
        keys = list(self._asked)[:PER_CALL] or self._review()
        if keys:
            self._call(keys)

    def _collect_asked(self) -> None:
        try:
            asked = self._take_asked(self._clock())
        except StoreError:
            self._pause_s = WAIT_S
            return  # the flush thread says so already
        self._pause_s = _PAUSE_S
        now = self._monotonic()
        known = (key for key in asked if self._knows(key) and self._due(key, now))
        self._asked.update(dict.fromkeys(itertools.islice(known, max(0, _ASKED - len(self._asked)))))

    def _call(self, keys: list[str]) -> None:
        for key in keys:
            self._asked.pop(key, None)
        try:
            answered = self._fetch(keys)
        except LTPError as error:
            self._failed(error)
            return
        self._failures = 0
        self._note(keys, answered)
        metrics.count("rest_quotes", len(answered))
        if not self._stopping.is_set():
            self._deliver(keys, list(answered.values()))

    def _note(self, keys: list[str], answered: Mapping[str, Tick]) -> None:
        now = self._monotonic()
        answered = {key: tick for key, tick in answered.items() if self._usable(tick)}
        self._seeded.update(answered)
        self._swept.update(answered)
        self._checked.update(dict.fromkeys(self._keys.intersection(answered), now))
        missed = [key for key in keys if key not in answered]
        for key in answered:
            self._missed.pop(key, None)
        if len(self._missed) + len(missed) > _MISSED_KEPT:
            self._missed.clear()
        for key in missed:
            times, _ = self._missed.get(key, (0, 0.0))
            self._missed[key] = times + 1, now + _AGAIN_AFTER_S[min(times, len(_AGAIN_AFTER_S) - 1)]
        metrics.count("rest_unanswered", len(missed))

    def _due(self, key: str, now: float) -> bool:
        missed = self._missed.get(key)
        return missed is None or now >= missed[1]

    def _failed(self, error: LTPError) -> None:
        if self._failures == 0:
            log.warning("REST quotes: %s", error)
        wait_s = (
            _BACK_OFF_S[-1]
            if isinstance(error, FeedAuthError)
            else _BACK_OFF_S[min(self._failures, len(_BACK_OFF_S) - 1)]
        )
        self._failures += 1
        self._asked.clear()  # whoever asked has given up waiting
        self._back_off(max(wait_s, getattr(error, "retry_after_s", 0.0)))

    def _back_off(self, seconds: float) -> None:
        self._not_until = self._monotonic() + seconds

    def _review(self) -> list[str]:
        """Once a second: return what nobody asked for but should be known, at most `PER_CALL` keys."""
        now = self._monotonic()
        if now - self._reviewed < REVIEW_S:
            return []
        self._reviewed = now
        wanted = self._wanted()
        if wanted is not self._known_wanted:  # once a second, for thousands of keys that are mostly the same
            self._known_wanted, self._keys = wanted, frozenset(wanted)
            self._segments = frozenset(key.partition(":")[0] for key in wanted)
        open_ = {segment: self._market.is_open(segment) for segment in self._segments}
        shut = [] if all(open_.values()) else [key for key in wanted if not open_[key.partition(":")[0]]]
        self._swept.intersection_update(shut)  # a segment that opened is swept again when it shuts
        due = (
            self._unseeded(wanted, now)
            or self._doubted(wanted, now)
            or [key for key in shut if key not in self._swept and self._due(key, now)]
        )
        return due[:PER_CALL]

    def _doubted(self, wanted: Sequence[str], now: float) -> list[str]:
        """Return what is in a segment that is silent or late, and was not answered within the last minute."""
        status = self._status()
        segments = {*status.silent, *(segment for segment, lag in status.lags.items() if lag.told_s)}
        if not segments:
            self._checked.clear()
            return []
        before = now - DOUBTED_EVERY_S
        keys = [key for key in wanted if key.partition(":")[0] in segments]
        return [key for key in keys if self._checked.get(key, before) <= before and self._due(key, now)]

    def _unseeded(self, wanted: Sequence[str], now: float) -> list[str]:
        """Return what is subscribed on this connection, has not ticked for five seconds and was not asked for
        since.
        """
        status = self._status()
        if not status.since_us:
            self._unseen.clear()
            return []
        if status.since_us != self._seeded_since:
            self._seeded_since = status.since_us
            self._seeded.clear()
            self._unseen.clear()
        unseen = self._keys - status.priced
        self._unseen = {key: self._unseen.get(key, now) for key in wanted if key in unseen} if unseen else {}
        due = [
            key
            for key, since in self._unseen.items()
            if now - since >= SEED_AFTER_S and key not in self._seeded
        ]
        return [key for key in due if self._due(key, now)]
