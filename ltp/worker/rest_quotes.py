"""The one caller of the broker's REST quotes, of which the broker allows one call a second.

The order: keys that an API call waits for; subscribed keys that have not ticked; keys of segments whose
prices are in doubt; of shut markets each wanted key once. A key without an answer is fetched again, later
each time. The client keeps the pace; `ingest` takes the answers.
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

# How long one read waits in Redis for the first key that an API call requests; polling would cost more than
# all answers.
WAIT_S: Final = 0.25
_PAUSE_S: Final = 0.01  # between two such reads
REVIEW_S: Final = 1.0
SEED_AFTER_S: Final = 5.0
PER_CALL: Final = 1_000
DOUBTED_EVERY_S: Final = 60.0
_MAX_REQUESTED: Final = 10 * PER_CALL  # ten seconds of calls, and no API call waits for longer
STOP_S: Final = 0.5
_BACK_OFF_S: Final = (2.0, 5.0, 15.0, 60.0)
# For a key without an answer: the broker leaves out instruments that have ended, too.
_AGAIN_AFTER_S: Final = (5.0, 15.0, 60.0, 300.0)
_MAX_MISSED: Final = 10_000


class RestQuotes(threading.Thread):
    """The thread that calls REST.

    Args:
        fetch: returns the broker's quotes of at most `PER_CALL` keys, after waiting for its turn. Raises
            FeedError.
        take_requested: takes out the keys that API calls requested and still wait for at that instant
            (seconds since the epoch); blocks up to WAIT_S for the first, because an API call waits 300 ms in
            all. Raises StoreError.
        wanted: the keys that are subscribed, or would be if the market were open.
        deliver: takes the keys that were fetched and the ticks answered for them.
        usable: whether a tick is a price at all; one that is not counts as no answer.
        active: whether REST may be used: the feed is enabled, and this worker leads.
    """

    def __init__(
        self,
        *,
        fetch: Callable[[Sequence[str]], Mapping[str, Tick]],
        take_requested: Callable[[float], list[str]],
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
        self._fetch, self._take_requested, self._wanted, self._knows = fetch, take_requested, wanted, knows
        self._usable = usable
        self._status, self._deliver, self._market, self._active = status, deliver, market, active
        self._clock, self._monotonic = clock, monotonic
        self._stopping = threading.Event()
        self._requested: dict[str, None] = {}
        self._last_wanted: Sequence[str] = ()  # the next two are made of it
        self._keys: frozenset[str] = frozenset()
        self._segments: frozenset[str] = frozenset()
        self._unseen: dict[str, float] = {}  # subscribed keys that have not ticked -> since when
        self._seeded: set[str] = set()
        self._seeded_since = 0  # the connection, by its `since_us`, that `_unseen` and `_seeded` are about
        self._swept: set[str] = set()  # answered since their market was shut
        # Keys without an answer -> how often in a row, and when to fetch again.
        self._missed: dict[str, tuple[int, float]] = {}
        self._checked: dict[str, float] = {}  # answered while its segment was in doubt -> when
        self._reviewed = self._not_until = float("-inf")
        self._failures = 0
        self._pause_s = WAIT_S

    def stop(self) -> None:
        """End the thread; a call under way is waited for at most half a second."""
        self._stopping.set()
        if self.is_alive():
            self.join(STOP_S)

    def run(self) -> None:
        while not self._stopping.wait(self._pause_s):
            try:
                self.step()
            except Exception:
                metrics.count("rest_faults")
                log.exception("A round of REST quotes failed; the next one follows in a minute")
                self._back_off(_BACK_OFF_S[-1])

    def step(self) -> None:
        """Make the next call, if one is due."""
        if not self._active():
            self._pause_s = WAIT_S
            return
        self._collect_requested()
        if self._monotonic() < self._not_until:
            return
        keys = list(self._requested)[:PER_CALL] or self._review()
        if keys:
            self._call(keys)

    def _collect_requested(self) -> None:
        try:
            requested = self._take_requested(self._clock())
        except StoreError:
            self._pause_s = WAIT_S
            return  # the flush thread has logged it
        self._pause_s = _PAUSE_S
        now = self._monotonic()
        known = (key for key in requested if self._knows(key) and self._due(key, now))
        room = max(0, _MAX_REQUESTED - len(self._requested))
        self._requested.update(dict.fromkeys(itertools.islice(known, room)))

    def _call(self, keys: list[str]) -> None:
        for key in keys:
            self._requested.pop(key, None)
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
        if len(self._missed) + len(missed) > _MAX_MISSED:
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
        self._requested.clear()  # the API calls have given up waiting
        self._back_off(max(wait_s, getattr(error, "retry_after_s", 0.0)))

    def _back_off(self, seconds: float) -> None:
        self._not_until = self._monotonic() + seconds

    def _review(self) -> list[str]:
        """Once a second: return keys that no API call requested but whose price should be known, at most
        `PER_CALL`.
        """
        now = self._monotonic()
        if now - self._reviewed < REVIEW_S:
            return []
        self._reviewed = now
        wanted = self._wanted()
        if wanted is not self._last_wanted:  # thousands of keys, and mostly the same
            self._last_wanted, self._keys = wanted, frozenset(wanted)
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
        """Return the keys of silent or late segments that were not answered within the last minute."""
        status = self._status()
        segments = {*status.silent, *(segment for segment, lag in status.lags.items() if lag.told_s)}
        if not segments:
            self._checked.clear()
            return []
        before = now - DOUBTED_EVERY_S
        keys = [key for key in wanted if key.partition(":")[0] in segments]
        return [key for key in keys if self._checked.get(key, before) <= before and self._due(key, now)]

    def _unseeded(self, wanted: Sequence[str], now: float) -> list[str]:
        """Return the keys that are subscribed on this connection, have not ticked for five seconds, and were
        not answered since.
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
