"""One client of the simulated feed: its subscriptions, its queue, and the one thread that sends.

A slow client is conflated, never waited for: past a bound only the newest entry of each instrument and mode
is kept. Knows neither prices nor other clients.
"""

from __future__ import annotations

import math
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any, Final, Literal, NamedTuple

from simple_websocket import ConnectionClosed

from ltp.dhan.codes import MAX_PER_CONNECTION, MAX_PER_MESSAGE, MODES, SEGMENT_NAMES, Mode
from ltp.dhan.packets import DisconnectPacket, Packet
from ltp.dhan.requests import Request, parse
from ltp.errors import InputError
from ltp.feed.simulator.distort import Distortion, Message
from ltp.feed.simulator.faults import Faults
from ltp.feed.simulator.frame_socket import PING, FrameSocket, close_frame, frame

TOO_MANY: Final = 804
BAD_REQUEST: Final = 814
_GOING_AWAY_S: Final = 1.0  # how long a peer has to answer our close
_POLL_S: Final = 0.25
_QUEUE: Final = 4_096

Ending = Literal["reset", "fin", "close"]


class Outgoing(NamedTuple):
    """One entry of a client's queue.

    `slot`: when the client is slow, a newer entry of the same slot replaces this one. `content`: packets to
    encode, a message to pass on as it is, or the end of the connection, after which nothing is sent. `code`:
    of the close frame.
    """

    slot: tuple[str, str]
    content: tuple[Packet, ...] | bytes | Ending
    code: int = 1000


Subscribed = Callable[["SimulatorClient", Mode, list[str]], None]


class SimulatorClient:
    """One client, served by two threads: one reads its requests, one sends.

    Args:
        on_subscribed: called with the client, the mode and the keys that are new in it.
        ping_s: seconds between two pings.
        silence_s: a client that sends nothing for so many seconds is dropped.
    """

    def __init__(
        self,
        client_id: str,
        sock: FrameSocket,
        faults: Faults,
        on_subscribed: Subscribed,
        *,
        ping_s: float,
        silence_s: float,
    ) -> None:
        self.client_id = client_id
        self.subscribed: dict[Mode, set[str]] = {mode: set() for mode in MODES}
        self.counts: Counter[str] = Counter()
        self._socket, self._faults, self._on_subscribed = sock, faults, on_subscribed
        self._ping_s, self._silence_s = ping_s, silence_s
        self._waiting: list[Outgoing] = []
        self._ready = threading.Condition()
        self._over = False  # nothing more is sent or obeyed
        self._end_by = math.inf

    def serve(self, websocket: Any) -> None:
        """Read requests until the connection ends; the sender lives exactly as long."""
        sender = threading.Thread(target=self._send_loop, name="simulator-sender", daemon=True)
        sender.start()
        try:
            while not self._overdue():
                message = websocket.receive(timeout=_POLL_S)
                # A binary one is the v1 header that the official client sends at its end.
                if isinstance(message, str) and not self._over:
                    self._obey(message)
        except ConnectionClosed:
            pass
        finally:
            self._over = True
            self.offer([])  # wakes the sender
            self._socket.close()
            sender.join(_GOING_AWAY_S)

    def offer(self, outgoing: Iterable[Outgoing]) -> None:
        """Queue for sending; never blocks."""
        with self._ready:
            self._waiting.extend(outgoing)
            bound = max(_QUEUE, 2 * sum(map(len, self.subscribed.values())))
            if len(self._waiting) > bound:
                self.counts["conflated"] += 1
                self._waiting = list({entry.slot: entry for entry in self._waiting}.values())
            self._ready.notify()

    def disconnect(self, reason: int) -> None:
        """Send the reason in a code-50 packet, then close."""
        self.offer([_disconnect_packet(reason)])
        self.end("close")

    def end(self, how: Ending, code: int = 1000) -> None:
        # A sender blocked by a slow client never reaches the end of the queue; the reading thread ends it
        # then.
        self._end_by = min(self._end_by, time.monotonic() + _GOING_AWAY_S)
        if how == "reset":
            self._over = True
            self._socket.reset()
        self.offer([Outgoing(("", "end"), how, code)])

    def _obey(self, text: str) -> None:
        self.counts["requests"] += 1
        try:
            request = parse(text)
        except InputError:
            self.offer([_disconnect_packet(BAD_REQUEST)])
            return
        if request.action == "disconnect":
            self.end("close")
        elif self._too_many(request):
            self.offer([_disconnect_packet(TOO_MANY)])
        elif request.mode is not None:
            self._apply(request, request.mode)

    def _too_many(self, request: Request) -> bool:
        if len(request.keys) > MAX_PER_MESSAGE:
            return True
        if request.action == "unsubscribe":
            return False
        return len(set(request.keys).union(*self.subscribed.values())) > MAX_PER_CONNECTION

    def _apply(self, request: Request, mode: Mode) -> None:
        if request.action == "unsubscribe":
            self.subscribed[mode].difference_update(request.keys)
        else:
            self._on_subscribed(
                self, mode, [key for key in dict.fromkeys(request.keys) if key not in self.subscribed[mode]]
            )

    def _overdue(self) -> bool:
        now = time.monotonic()
        return now > self._end_by or now - self._socket.received_at > self._silence_s

    def _send_loop(self) -> None:
        distortion = Distortion(self._faults)
        ping_at = time.monotonic() + self._ping_s
        try:
            while not self._over:
                with self._ready:
                    if not self._waiting:
                        self._ready.wait(max(0.0, ping_at - time.monotonic()))
                    entries, self._waiting = self._waiting, []
                if time.monotonic() >= ping_at:
                    self._socket.send(PING)
                    ping_at = time.monotonic() + self._ping_s
                self._send(entries, distortion)
        except OSError:
            pass  # the peer is gone; the reading thread has noticed too
        except Exception:
            self._socket.close()  # else the client would wait for prices that never come
            raise

    def _send(self, entries: list[Outgoing], distortion: Distortion) -> None:
        frames: list[bytes] = []
        for entry in entries:
            if isinstance(entry.content, str):
                self._socket.send(b"".join(frames))
                self._finish(entry)
                return
            for message in self._messages(entry.content, distortion):
                half = self._faults.take("half_frame")
                if half is not None:
                    self._socket.send(b"".join(frames))
                    self._cut(message, half.params["then"])
                    return
                frames.append(frame(message))
        self.counts["messages"] += len(frames)
        self._socket.send(b"".join(frames))

    def _messages(self, content: tuple[Packet, ...] | bytes, distortion: Distortion) -> list[Message]:
        if isinstance(content, bytes):
            return [] if self._faults.lasts("mute", SEGMENT_NAMES.get(content[3], "")) else [content]
        return distortion.messages(content)

    def _cut(self, message: Message, then: str) -> None:
        self._socket.send_half(message)
        if then == "reset":
            self.end("reset")

    def _finish(self, entry: Outgoing) -> None:
        self._over = True
        if entry.content == "close":
            self._socket.send(close_frame(entry.code))
        self._socket.finish()


def _disconnect_packet(reason: int) -> Outgoing:
    return Outgoing(("", f"reason {reason}"), (DisconnectPacket(0, 0, reason),))
