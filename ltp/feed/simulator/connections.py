"""All connected clients of the simulated feed: the limit of five per client id, and the fan-out of trades.

The caller of `publish` holds the exchange's lock, so that a subscription's snapshot and the trades after it
keep their order.
"""

from __future__ import annotations

import struct
import threading
from collections.abc import Callable, Iterable
from typing import Any, Final

from ltp.dhan.codes import FULL, MAX_CONNECTIONS, MODES, QUOTE, SEGMENT_NAMES, TICKER, Mode
from ltp.feed.simulator.book import BookSnapshot
from ltp.feed.simulator.client import Ending, Outgoing, SimulatorClient
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
        self._captured: dict[tuple[str, Mode], bytes] = {}  # newest message of a replay
        self.accepted = 0
        self.attempts = 0

    def add(self, client: SimulatorClient) -> None:
        """Admit a client; past five of one client id the oldest of them is disconnected."""
        with self._lock:
            self.accepted += 1
            self._open.append(client)
            same = [other for other in self._open if other.client_id == client.client_id]
        if len(same) > MAX_CONNECTIONS:
            self.remove(same[0])
            same[0].disconnect(TOO_MANY_CONNECTIONS)

    def remove(self, client: SimulatorClient) -> None:
        with self._lock:
            if client in self._open:
                self._open.remove(client)

    def all(self) -> list[SimulatorClient]:
        with self._lock:
            return list(self._open)

    def subscribe(self, client: SimulatorClient, mode: Mode, keys: Iterable[str]) -> None:
        """Add keys to a mode and queue the first packets of each; an unknown key stays silent."""
        keys = list(keys)
        self._exchange.admit(keys, self._clock())
        with self._exchange.lock:
            client.subscribed[mode].update(keys)
            for key in keys:
                snapshot = self._exchange.snapshot(key)
                if snapshot is None:
                    if (captured := self._newest_captured(key, mode)) is not None:
                        client.offer([Outgoing((key, mode), captured)])
                    continue
                client.offer(
                    [
                        Outgoing((key, "previous close"), prev_close(snapshot, self._prev_close_for)),
                        Outgoing((key, mode), self._packets(snapshot, mode)),
                    ]
                )

    def publish(self, trades: Iterable[BookSnapshot]) -> None:
        clients = self.all()
        for trade in trades if clients else ():
            key = trade.listing.key
            made: dict[Mode, Outgoing] = {}
            for client in clients:
                for mode in MODES:
                    if key not in client.subscribed[mode]:
                        continue
                    if mode not in made:
                        made[mode] = Outgoing((key, mode), self._packets(trade, mode))
                    client.offer([made[mode]])

    def pass_on(self, message: bytes) -> None:
        """Send a captured message to the clients subscribed to its first packet's instrument and mode.

        Where an instrument was captured without full packets, its quotes go to subscribers of full ones too.
        A message without such a header goes to all clients. The newest one opens a later subscription. The
        caller holds the exchange's lock.
        """
        code, _, segment, security_id = (
            _HEADER.unpack_from(message) if len(message) >= _HEADER.size else (0, 0, -1, 0)
        )
        key, mode = f"{SEGMENT_NAMES.get(segment, '')}:{security_id}", _MODE_OF_CODE.get(code)
        if mode is not None:
            self._captured[key, mode] = message
        wanted = MODES if mode is None else (mode,)
        if mode == "quote" and (key, "full") not in self._captured:
            wanted = ("quote", "full")
        for client in self.all():
            if segment not in SEGMENT_NAMES or any(key in client.subscribed[one] for one in wanted):
                client.offer([Outgoing((key, f"captured {code}"), message)])

    def drop(self, how: Ending, code: int = 1000) -> int:
        """End every connection and return how many there were."""
        ended = self.all()
        for client in ended:
            client.end(how, code)
        return len(ended)

    def disconnect(self, reason: int) -> int:
        """Send code 50 with this reason to every connection, close them, and return how many there were."""
        ended = self.all()
        for client in ended:
            client.disconnect(reason)
        return len(ended)

    def report(self) -> dict[str, Any]:
        return {
            "attempts": self.attempts,
            "accepted": self.accepted,
            "open": [
                {
                    "client_id": client.client_id,
                    "subscribed": {mode: sorted(client.subscribed[mode]) for mode in MODES},
                    **{name: client.counts[name] for name in ("requests", "messages", "conflated")},
                }
                for client in self.all()
            ],
        }

    def _newest_captured(self, key: str, mode: Mode) -> bytes | None:
        found = self._captured.get((key, mode))
        return self._captured.get((key, "quote")) if found is None and mode == "full" else found

    def _packets(self, snapshot: BookSnapshot, mode: Mode) -> tuple[Any, ...]:
        return packets(
            snapshot, mode, in_session=self._exchange.open(snapshot.listing.instrument.segment, self._clock())
        )
