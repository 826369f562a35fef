"""All clients of the simulated feed: the limit of five per client id, and who gets which trade.

Whoever calls `publish` holds the exchange's lock, so that a subscription's snapshot and the trades after it
keep their order.
"""

from __future__ import annotations

import struct
import threading
from collections.abc import Callable, Iterable
from typing import Any, Final

from ltp.dhan.codes import FULL, MAX_CONNECTIONS, MODES, QUOTE, SEGMENT_NAMES, TICKER, Mode
from ltp.feed.simulator.book import BookSnapshot
from ltp.feed.simulator.connection import How, Outgoing, SimulatorClient
from ltp.feed.simulator.exchange import Exchange
from ltp.feed.simulator.outgoing import PrevCloseFor, packets, prev_close

TOO_MANY_CONNECTIONS: Final = 805
_HEADER: Final = struct.Struct("<BHBI")
_MODE_OF_CODE: Final[dict[int, Mode]] = {TICKER: "ticker", QUOTE: "quote", FULL: "full"}


class Connections:
    def __init__(self, exchange: Exchange, clock: Callable[[], float], prev_close_for: PrevCloseFor) -> None:
        self._exchange, self._clock, self._prev_close_for = exchange, clock, prev_close_for
        self._lock = threading.Lock()
        self._open: list[SimulatorClient] = []
        self.accepted = 0
        self.attempts = 0

    def add(self, connection: SimulatorClient) -> None:
        """Admit a connection; one too many of its client id costs the oldest of them its place."""
        with self._lock:
            self.accepted += 1
            self._open.append(connection)
            same = [other for other in self._open if other.client_id == connection.client_id]
        if len(same) > MAX_CONNECTIONS:
            self.remove(same[0])
            same[0].disconnect(TOO_MANY_CONNECTIONS)

    def remove(self, connection: SimulatorClient) -> None:
        with self._lock:
            if connection in self._open:
                self._open.remove(connection)

    def all(self) -> list[SimulatorClient]:
        with self._lock:
            return list(self._open)

    def subscribe(self, connection: SimulatorClient, mode: Mode, keys: Iterable[str]) -> None:
        """Add keys to a mode and queue what a new subscriber gets first; a key that is not known gets
        silence.
        """
        keys = list(keys)
        self._exchange.admit(keys, self._clock())
        with self._exchange.lock:
            connection.subscribed[mode].update(keys)
            for key in keys:
                snapshot = self._exchange.snapshot(key)
                if snapshot is None:
                    continue
                connection.offer(
                    [
                        Outgoing((key, "previous close"), prev_close(snapshot, self._prev_close_for)),
                        Outgoing((key, mode), self._packets(snapshot, mode)),
                    ]
                )

    def publish(self, trades: Iterable[BookSnapshot]) -> None:
        connections = self.all()
        for trade in trades if connections else ():
            key = trade.listing.key
            made: dict[Mode, Outgoing] = {}
            for connection in connections:
                for mode in MODES:
                    if key not in connection.subscribed[mode]:
                        continue
                    if mode not in made:
                        made[mode] = Outgoing((key, mode), self._packets(trade, mode))
                    connection.offer([made[mode]])

    def pass_on(self, message: bytes) -> None:
        """Send a captured message as it is to those who subscribed to its first instrument in the mode of its
        packet.

        What has no such header goes to everybody.
        """
        code, _, segment, security_id = (
            _HEADER.unpack_from(message) if len(message) >= _HEADER.size else (0, 0, -1, 0)
        )
        key, mode = f"{SEGMENT_NAMES.get(segment, '')}:{security_id}", _MODE_OF_CODE.get(code)
        for connection in self.all():
            wanted = MODES if mode is None else (mode,)
            if segment not in SEGMENT_NAMES or any(key in connection.subscribed[one] for one in wanted):
                connection.offer([Outgoing((key, f"captured {code}"), message)])

    def drop(self, how: How, code: int = 1000) -> int:
        """End every connection and return how many there were."""
        ended = self.all()
        for connection in ended:
            connection.end(how, code)
        return len(ended)

    def disconnect(self, reason: int) -> int:
        """Send code 50 with this reason to every connection, close them, and return how many there were."""
        ended = self.all()
        for connection in ended:
            connection.disconnect(reason)
        return len(ended)

    def report(self) -> dict[str, Any]:
        return {
            "attempts": self.attempts,
            "accepted": self.accepted,
            "open": [
                {
                    "client_id": connection.client_id,
                    "subscribed": {mode: sorted(connection.subscribed[mode]) for mode in MODES},
                    **{name: connection.counts[name] for name in ("requests", "messages", "conflated")},
                }
                for connection in self.all()
            ],
        }

    def _packets(self, snapshot: BookSnapshot, mode: Mode) -> tuple[Any, ...]:
        return packets(
            snapshot, mode, in_session=self._exchange.open(snapshot.listing.instrument.segment, self._clock())
        )
