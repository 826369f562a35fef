"""Depth of the instruments on open quote pages of this process: the demand for it, and its insets.

A thread reads the values of these instruments from Redis a few times a second, draws each once for all its readers
and hands it to the hub. Without an open quote page it waits and asks Redis for nothing.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Final

from ltp import metrics
from ltp.core.clients.client_address import EXEMPT
from ltp.core.ticks.depth import has_depth
from ltp.errors import StoreError
from ltp.hub.hub import Hub
from ltp.hub.insets import Inset
from ltp.store.depth import NOTHING, Known
from ltp.web.quote import ladder

READ_EVERY_S: Final = 0.3
WANT_EVERY_S: Final = 5.0
WANTED_S: Final = 15.0  # life of the demand in Redis
PAGE_S: Final = 30.0  # life of a page without a stream; one without scripts loads itself again after 15 s
MOST: Final = 50  # instruments, as many as the worker takes
OFFER_EVERY_S: Final = 1.0  # places that became free
LATE_S: Final = 10.0  # a book that is wanted for so long did not come at its time
EACH: Final = 10  # instruments of one client
MOST_PAGES: Final = (
    1_000  # pages of one instrument that wait for their stream, one a client; pages that were refused
)

_NO_DEPTH: Final = "no depth "

log = logging.getLogger(__name__)


def is_refusal(inset: Inset) -> bool:
    """Return whether an inset of `LiveDepth.watch` has a sentence in place of the depth, until a place is free."""
    return inset.name.startswith(_NO_DEPTH)


class _Watched:
    """One instrument. `pages`: by client, until when a page of it counts that has no stream, the soonest first.

    Monotonic seconds; `since`: it is wanted. A page with a stream counts as long as the hub has the stream.
    """

    def __init__(self, key: str, since: float) -> None:
        self.key, self.since = key, since
        self.inset = Inset(f"depth {key}")
        self.late_insets: list[Inset] = []  # of pages that got their place after they were opened
        self.pages: dict[str, float] = {}
        self.shown_at = float("-inf")  # by a stream
        self.known = NOTHING

    def note(self, client: str, until: float) -> None:
        self.pages.pop(client, None)
        self.pages[client] = until
        if len(self.pages) > MOST_PAGES:
            del self.pages[next(iter(self.pages))]

    def forget_pages(self, now: float) -> None:
        for client in [client for client, until in self.pages.items() if until < now]:
            del self.pages[client]

    def is_shown_to(self, client: str, now: float, streamed: Collection[Inset]) -> bool:
        """`streamed`: the insets that the client's streams carry."""
        is_streamed = any(inset in streamed for inset in self.insets)
        return is_streamed or self.pages.get(client, 0.0) >= now

    @property
    def insets(self) -> list[Inset]:
        return [self.inset, *self.late_insets]


class _Refused:
    """A page of a client without a place. `until`: monotonic seconds, when it is forgotten without a stream."""

    def __init__(self, key: str, client: str) -> None:
        self.inset = Inset(f"{_NO_DEPTH}{key} {client}")
        self.until = 0.0


class LiveDepth:
    def __init__(
        self,
        hub: Hub,
        read: Callable[[Sequence[str]], list[Known]],
        want: Callable[[Iterable[str], float], None],
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Wire the thread.

        Args:
            read: returns the values of keys in their order; want: writes the demand, until an instant in
                seconds since the epoch. Both raise StoreError.
        """
        self._hub, self._read, self._want = hub, read, want
        self._clock, self._monotonic = clock, monotonic
        self._lock, self._wake = threading.Lock(), threading.Event()
        self._watched: dict[str, _Watched] = {}
        self._refused: dict[tuple[str, str], _Refused] = {}  # by key and client, the oldest first
        self._offer_at = 0.0
        self._want_at = 0.0
        self._failing = False
        self._thread: threading.Thread | None = None

    def start(self) -> threading.Thread:
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="depth", daemon=True)
            self._thread.start()
        return self._thread

    def watch(self, key: str, client: str) -> Inset | None:
        """Want depth and details of an instrument for a page of a client.

        Returns:
            Their inset, None for an index. Past EACH instruments of the client, or past MOST of this process,
                it has a sentence: a book that an open page got before must not stay there as a live one. When
                a place is free, the book follows in the same inset.
        """
        if not has_depth(key):
            return None
        now = self._monotonic()
        with self._lock:
            if self._is_refused(key, client, now):
                return self._refuse(key, client, now)
            watched = self._wanted(key, now)
            watched.note(client, now + PAGE_S)
            if refused := self._refused.pop((key, client), None):
                watched.late_insets.append(refused.inset)
        self._wake.set()
        return watched.inset

    def known(self, key: str) -> Known:
        """Return the newest values of an instrument, for a page that is opened."""
        try:
            [found] = self._read([key])
        except StoreError:
            return NOTHING
        return found

    def is_late(self, key: str) -> bool:
        """Return whether the book of an instrument has been wanted for longer than one takes to come."""
        watched = self._watched.get(key)
        return watched is not None and self._monotonic() - watched.since > LATE_S

    def round(self) -> None:
        """Renew the demand where it is due, and draw what is known now."""
        now = self._monotonic()
        if now >= self._offer_at:
            self._offer_at = now + OFFER_EVERY_S
            self._offer_places(now)
        watched = self._still_watched(now)
        if not watched:
            return
        try:
            if now >= self._want_at:
                self._want_at = now + WANT_EVERY_S
                self._want([each.key for each in watched], self._clock() + WANTED_S)
            for each, known in zip(watched, self._read([each.key for each in watched]), strict=True):
                each.known = known
            self._failing = False
        except StoreError as error:
            if not self._failing:
                log.warning("%s. Quote pages have no new depth until then.", error)
            self._failing = True
        now_us = int(self._clock() * 1e6)
        for each in watched:
            self._draw(each, now_us)

    def _draw(self, watched: _Watched, now_us: int) -> None:
        key, (depth, details) = watched.key, watched.known
        [quote] = self._hub.last_known([key])  # as the page shows it, without a read of the cache
        for part, markup in (
            (ladder.DEPTH, ladder.depth_markup(depth, quote, now_us, is_late=self.is_late(key))),
            (ladder.DETAILS, ladder.details_markup(depth, details, quote, now_us)),
        ):
            for inset in watched.insets:
                self._hub.set_inset(inset, part, ladder.partial(part, key, markup))

    def _still_watched(self, now: float) -> list[_Watched]:
        """Drop the instruments that no page has shown for PAGE_S; return the others."""
        with self._lock:
            for each in list(self._watched.values()):
                each.forget_pages(now)
                each.late_insets = [inset for inset in each.late_insets if inset.views]
                if any(inset.views for inset in each.insets):
                    each.shown_at = now
                elif not each.pages and each.shown_at < now - PAGE_S:
                    del self._watched[each.key]
            return list(self._watched.values())

    def _wanted(self, key: str, now: float) -> _Watched:
        watched = self._watched.get(key)
        if watched is None:
            watched = self._watched[key] = _Watched(key, now)
            self._want_at = 0.0
        return watched

    def _refuse(self, key: str, client: str, now: float) -> Inset:
        metrics.count("depths_refused")
        refused = self._refused.setdefault((key, client), _Refused(key, client))
        refused.until = now + PAGE_S
        if len(self._refused) > MOST_PAGES:
            del self._refused[next(iter(self._refused))]
        self._hub.set_inset(refused.inset, ladder.DEPTH, ladder.partial(ladder.DEPTH, key, ladder.REFUSED))
        self._wake.set()
        return refused.inset

    def _offer_places(self, now: float) -> None:
        """Give free places to refused pages with a stream; one without a stream asks again by itself."""
        with self._lock:
            for (key, client), refused in list(self._refused.items()):
                if not refused.inset.views:
                    if refused.until < now:
                        del self._refused[key, client]
                elif not self._is_refused(key, client, now):
                    del self._refused[key, client]
                    self._wanted(key, now).late_insets.append(refused.inset)

    def _is_refused(self, key: str, client: str, now: float) -> bool:
        if key not in self._watched and len(self._watched) >= MOST:
            return True
        if client == EXEMPT:
            return False
        streamed = self._hub.insets_of(client)
        shown = sum(
            each.key != key and each.is_shown_to(client, now, streamed) for each in self._watched.values()
        )
        return shown >= EACH

    def _run(self) -> None:
        while True:
            if not self._watched and not self._refused:
                self._wake.wait()
            self._wake.clear()
            try:
                self.round()
            except Exception:
                metrics.count("depth_faults")
                log.exception("A round of depth failed; prices are not affected")
            time.sleep(READ_EVERY_S)
