"""The thread that brings depth from the feed into Redis, for the instruments of open quote pages alone.

It reads the demand once a second, has the feed subscribe these instruments in full mode, and writes their newest
depth four times a second. The feed's own thread only keeps the bytes of a packet.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Final

from ltp import metrics
from ltp.core.money import Price, is_currency, needs_snap, snap
from ltp.core.ticks.depth import Depth, Level, QuoteDetails, has_depth
from ltp.errors import StoreError
from ltp.store.depth import MOST
from ltp.worker.depth.details import DetailRequests

WRITE_EVERY_S: Final = 0.25
READ_EVERY_S: Final = 1.0
STOP_S: Final = 0.5

log = logging.getLogger(__name__)


class DepthRelay(threading.Thread):
    """`details`: requests for REST.

    Args:
        demand: returns the wanted keys, those that get a free place first in front. Raises StoreError.
        subscribed: the keys that have a place on the feed.
        set_deep: has the feed subscribe these of them in full mode.
        take: returns the newest depths that came since the last call.
        write, write_details: store values. Raise StoreError.
        tick_size: the price grid of a key, 0 when unknown.
        active: whether this worker leads.
    """

    def __init__(
        self,
        *,
        demand: Callable[[], Sequence[str]],
        subscribed: Callable[[], Collection[str]],
        set_deep: Callable[[Sequence[str]], None],
        take: Callable[[], Sequence[Depth]],
        write: Callable[[Iterable[Depth]], None],
        write_details: Callable[[Iterable[QuoteDetails]], None],
        tick_size: Callable[[str], Price],
        active: Callable[[], object],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(name="depth", daemon=True)
        self._demand, self._subscribed, self._set_deep = demand, subscribed, set_deep
        self._take, self._write, self._write_details = take, write, write_details
        self._tick_size, self._active, self._monotonic = tick_size, active, monotonic
        self.details = DetailRequests(self._store_details, monotonic)
        self._stopping = threading.Event()
        self._read_at = float("-inf")
        self._failing = False

    def stop(self) -> None:
        """End the thread, within half a second."""
        self._stopping.set()
        if self.is_alive():
            self.join(STOP_S)

    def run(self) -> None:
        while not self._stopping.wait(WRITE_EVERY_S):
            try:
                self.step()
            except StoreError as error:
                self._failed(error)
            except Exception:
                metrics.count("depth_faults")
                log.exception("A round of depth failed; prices are not affected")

    def step(self) -> None:
        """Follow the demand, once a second, and write what has come. Raises StoreError."""
        if not self._active():
            self._follow(())
            return
        now = self._monotonic()
        if now - self._read_at >= READ_EVERY_S:
            self._read_at = now
            self._follow(self._demand())
        depths = self._take()
        if depths:
            self._write([self._snapped(depth) for depth in depths])
            metrics.count("depths_written", len(depths))
        self._failing = False

    def _follow(self, wanted: Sequence[str]) -> None:
        subscribed = frozenset(self._subscribed() if wanted else ())
        known = [key for key in wanted if key in subscribed and has_depth(key)]
        # Sorted, so that an equal demand changes nothing.
        placed = sorted(with_places(known, self.details.wanted, MOST))
        self.details.want(placed)
        self._set_deep(placed)

    def _snapped(self, depth: Depth) -> Depth:
        """Return the depth with prices on the instrument's grid where float32 was too coarse."""
        currency = is_currency(depth.key)
        if not any(needs_snap(level.price, currency=currency) for level in (*depth.bids, *depth.asks)):
            return depth
        size = self._tick_size(depth.key)

        def side(levels: tuple[Level, ...]) -> tuple[Level, ...]:
            return tuple(level._replace(price=snap(level.price, size)) for level in levels)

        return depth._replace(bids=side(depth.bids), asks=side(depth.asks))

    def _store_details(self, details: Iterable[QuoteDetails]) -> None:
        try:
            self._write_details(details)
        except StoreError as error:
            self._failed(error)

    def _failed(self, error: StoreError) -> None:
        if not self._failing:
            log.warning("%s. Quote pages have no depth until then.", error)
        self._failing = True


def with_places(wanted: Sequence[str], before: Collection[str], most: int) -> list[str]:
    """Return at most `most` of the wanted keys: those that had a place before keep it, others get the free ones.

    If the newest wishes won, books would come and go with each renewal, and the broker would be asked each time.
    """
    kept = [key for key in wanted if key in before]
    return [*kept, *(key for key in wanted if key not in before)][:most]
