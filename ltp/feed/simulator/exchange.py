"""The schedule of trades: every instrument has its own rate; `advance` makes the trades that are due.

Deterministic: the same listings, seed, start and sequence of instants give the same trades, because each book
draws from a generator of its own. Reads no clock and starts no thread; `server` calls it in a loop. `lock` is
public: a caller that pairs a snapshot with a subscription must hold it, or an older price could follow a
newer.
"""

from __future__ import annotations

import heapq
import random
import threading
from collections.abc import Callable, Iterable
from datetime import date
from typing import Final

from ltp.core.instrument import Instrument, parse_key
from ltp.core.money import Price
from ltp.errors import InputError, NotFoundError
from ltp.feed.simulator.book import Book, BookSnapshot, midnight
from ltp.feed.simulator.universe import Listing, listing_of

InSession = Callable[[str, float], bool]
# From keys to the instruments that exist, each with its last close (0: unknown).
Known = Callable[[Iterable[str]], Iterable[tuple[Instrument, Price]]]

_CLOSED_RETRY_S: Final = 1.0
_MOST_LISTED: Final = 25_000  # five full connections
_NOON_S: Final = 12 * 3600


class Exchange:
    """All listed instruments and the order of their next trades.

    Args:
        listings: the instruments listed from the start.
        seed: of every price.
        now: seconds since the epoch at which it starts.
        in_session: whether a segment trades at an instant; None: always, and history has the weekdays.
        rate: scales every instrument's trading rate; 0 stops all trading but `trade`.
        known: finds further instruments, which are listed once a client subscribes them.
    """

    def __init__(
        self,
        listings: Iterable[Listing],
        *,
        seed: int,
        now: float,
        in_session: InSession | None = None,
        rate: float = 1.0,
        known: Known = lambda _: (),
    ) -> None:
        self.lock = threading.RLock()
        self._seed, self._in_session, self._rate, self._known = seed, in_session, rate, known
        self._delisted: set[str] = set()
        self.books = {listing.key: self._book(listing, now) for listing in listings}
        self._rng = random.Random(f"{seed}:schedule")
        self._held_until: dict[str, float] = {}
        self._walked_at = dict.fromkeys(self.books, now)
        self._due = (
            [(now + self._gap(book) * self._rng.random(), key) for key, book in self.books.items()]
            if rate > 0
            else []
        )
        heapq.heapify(self._due)

    def admit(self, keys: Iterable[str], now: float) -> None:
        """List those of `keys` that exist and are not listed yet.

        Not to be called with the lock: it may query a database.
        """
        missing = [
            key for key in keys if key not in self.books and key not in self._delisted and _is_key(key)
        ]
        room = _MOST_LISTED - len(self.books)
        for instrument, close in self._known(missing[:room]) if missing and room > 0 else ():
            book = self._book(listing_of(instrument, close), now)
            if close:  # so that the day begins where the candles end
                listing = book.listing._replace(base_price=max(1, close * close // book.snapshot.prev_close))
                book = self._book(listing, now)
            with self.lock:
                if book.listing.key not in self.books:
                    self._list(book, now)

    def snapshot(self, key: str) -> BookSnapshot | None:
        book = self.books.get(key)
        return book.snapshot if book else None

    def next_due(self) -> float | None:
        return self._due[0][0] if self._due else None

    def open(self, segment: str, now: float) -> bool:
        return self._in_session is None or self._in_session(segment, now)

    def advance(self, now: float) -> list[BookSnapshot]:
        """Make every trade that is due at `now`, oldest first, and return the state after each."""
        with self.lock:
            trades = []
            open_: dict[str, bool] = {}
            while self._due and self._due[0][0] <= now:
                due_at, key = self._due[0]
                book = self.books[key]
                segment = book.listing.instrument.segment
                if segment not in open_:
                    open_[segment] = self.open(segment, now)
                next_at, trade = self._next(book, key, due_at, now, open_=open_[segment])
                heapq.heapreplace(self._due, (next_at, key))
                if trade is not None:
                    trades.append(trade)
            return trades

    def trade(
        self, key: str, ltp: Price, now: float, *, ltq: int | None = None, hold_s: float = 0.0
    ) -> BookSnapshot:
        """Trade at exactly this price now; for `hold_s` afterwards the walk leaves the instrument alone.

        Raises:
            NotFoundError: nothing of that key is listed.
        """
        with self.lock:
            book = self.books.get(key)
            if book is None:
                raise NotFoundError("instrument on this exchange", key)
            self._held_until[key] = now + hold_s
            return book.trade(ltp, book.draw_ltq() if ltq is None else ltq, now)

    def halt(self, keys: Iterable[str], *, delist: bool = False) -> None:
        """Stop walking these instruments of a replay. Delisted ones get no price of ours at all."""
        with self.lock:
            halted = set(keys)
            self._due = [(at, key) for at, key in self._due if key not in halted]
            heapq.heapify(self._due)
            for key in halted if delist else ():
                self.books.pop(key, None)
                self._delisted.add(key)

    def _book(self, listing: Listing, now: float) -> Book:
        return Book(listing, self._seed, now, self._trading_days(listing.instrument.segment))

    def _list(self, book: Book, now: float) -> None:
        key = book.listing.key
        self.books[key], self._walked_at[key] = book, now
        if self._rate > 0:
            heapq.heappush(self._due, (now + self._gap(book) * self._rng.random(), key))

    def _next(
        self, book: Book, key: str, due_at: float, now: float, *, open_: bool
    ) -> tuple[float, BookSnapshot | None]:
        if not open_:
            return now + _CLOSED_RETRY_S * (0.5 + self._rng.random()), None
        held_until = self._held_until.get(key, 0.0)
        if held_until > due_at:
            return held_until, None
        gap_s, self._walked_at[key] = due_at - self._walked_at[key], due_at
        # After a long stop the walk takes one ordinary step: a process that was frozen must not come back
        # with a jump.
        step_s = min(max(gap_s, 0.0), 2 * self._gap(book))
        # A trade is stamped when it is made; trades missed for over a second (a slow machine) are left out.
        return max(due_at + self._gap(book) * (0.6 + 0.8 * self._rng.random()), now - 1.0), book.walk(
            now, step_s
        )

    def _gap(self, book: Book) -> float:
        return 1 / (book.listing.trades_per_s * self._rate)

    def _trading_days(self, segment: str) -> Callable[[date], bool]:
        in_session = self._in_session
        if in_session is None:
            return lambda day: day.weekday() < 5
        return lambda day: in_session(segment, midnight(day) + _NOON_S)


def _is_key(key: str) -> bool:
    try:
        return parse_key(key) == key
    except InputError:
        return False
