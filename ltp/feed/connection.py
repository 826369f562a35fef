"""One opened connection, from the first subscription to the reason it ended.

Gives the messages that the client reads to the protocol machine, hands the ticks over and remembers which
instruments have not ticked. Does not open connections and does not decide when to come back.
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Final
from typing import Protocol as Shape

from ltp import metrics
from ltp.core.backoff import CloseReason, Rule
from ltp.core.ticks.tick import Feed, TickFields
from ltp.dhan.codes import Mode, reason
from ltp.dhan.protocol import Protocol
from ltp.errors import FeedClosed, FeedError, LTPError
from ltp.feed.capture.recorder import Recorder
from ltp.feed.frames import MessageBlock
from ltp.feed.segments import Segments
from ltp.feed.watch import TradeTimeAlarm, Watch

READ_TIMEOUT_S: Final = 0.25  # how long a change of the wanted instruments may wait while the socket is quiet
ASK_AGAIN_AFTER_S: Final = 18.0  # a subscription that was lost must be sent again within 20 s
ASK_AGAIN_FACTOR: Final = 4  # when that was lost too, it is sent after four times as long, and so on
REVIEW_EVERY_S: Final = 1.0
CLOSE_TIMEOUT_S: Final = 0.5

_log = logging.getLogger(__name__)


class FeedSocket(Shape):
    """The methods that a connection calls of a client: see `client.FeedClient`."""

    @property
    def bytes_read(self) -> int: ...
    @property
    def frames_read(self) -> int: ...
    @property
    def half_read(self) -> bool: ...
    def read(self, timeout_s: float) -> Sequence[bytes | MessageBlock]: ...
    def send(self, text: str) -> None: ...
    def ping(self) -> None: ...
    def close(self, timeout_s: float) -> None: ...
    def abort(self) -> None: ...


class FeedConnection:
    """The life of one connection.

    `since_us`: when its subscriptions were written, microseconds since the epoch.
    `on_ticks` must not raise; it returns for how many seconds the next ticks may be left unread. Waking the
    thread costs time, and with a broker that sends little and often that would be the larger part of the cost
    of a tick.
    `recorder`: captures what comes and what is subscribed, None for nothing.
    """

    def __init__(
        self,
        client: FeedSocket,
        mode: Mode,
        on_ticks: Callable[[list[TickFields]], float],
        alarm: TradeTimeAlarm,
        segments: Segments,
        *,
        recorder: Recorder | None = None,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self._client, self._on_ticks, self._clock, self._monotonic = client, on_ticks, clock, monotonic
        self._opened = self._reviewed = monotonic()
        self._watch = Watch(self._opened)
        self._alarm, self._segments, self._recorder = alarm, segments, recorder
        self._renewed: set[str] = set()  # silent segments whose subscriptions were made again
        segments.connected(self._opened)
        self._wanted: Sequence[str] = ()
        self._deep: Sequence[str] = ()
        self._modes: Mapping[str, Mode] = {}
        self._unseen: dict[str, float] = {}  # sent keys without a packet yet -> when they were sent
        self._resent: Counter[str] = Counter()  # by key, how often its subscription was sent again
        self._counted: Counter[str] = Counter()
        self._packets = 0
        self._sleep, self._rest_s = sleep, 0.0
        self._in_session = self._silent = False
        self.protocol = Protocol(mode)
        self.since_us = int(clock() * 1e6)
        self.last_packet_at: float | None = None
        self.last_packet_s: float | None = None  # the same as a monotonic instant
        self.last_request_error = ""

    @property
    def feed(self) -> Feed:
        """Subscribed is not live: only a packet of this connection makes it so."""
        if self._silent or (self._segments.all_silent and self._watch.last_packet is not None):
            return "silent"
        return "down" if self._watch.last_packet is None else "live"

    @property
    def never_ticked(self) -> list[str]:
        """Keys that stayed silent although their subscription was sent twice, in the order of sending."""
        seen = self.protocol.seen
        return [key for key in self._unseen if key in self._resent and key not in seen]

    def want(self, keys: Sequence[str]) -> None:
        """Subscribe and unsubscribe until exactly `keys` are subscribed. Raises FeedClosed."""
        # Identity first: comparing thousands of keys at each read takes time.
        if keys is self._wanted or keys == self._wanted:
            return
        gone = set(self._wanted).difference(keys)
        self._wanted = keys
        self._segments.want(keys)
        if self._recorder is not None:
            more = [key for key in keys if key not in self.protocol.wanted]
            self._recorder.subscribed(int(self._clock() * 1e6), more, gone)
        self.protocol.unsubscribe(gone)
        self.protocol.subscribe(keys)
        self._send()
        now = self._monotonic()
        for key in gone:
            self._unseen.pop(key, None)
            del self._resent[key]
        for key in keys:
            if key not in self.protocol.seen:
                self._unseen.setdefault(key, now)

    def set_modes(self, deep: Sequence[str], modes: Mapping[str, Mode]) -> None:
        """Subscribe those of the wanted instruments in full mode that are in `deep`, for their depth, those in
        `modes` in their own mode, and all others in that of the connection. Raises FeedClosed.
        """
        if deep is self._deep and modes is self._modes:
            return
        self._deep, self._modes = deep, modes
        switched = {*self.protocol.deepen(deep), *self.protocol.set_modes(modes)}
        self._send()
        # A subscription that is lost with the change of mode is sent again.
        self._unseen.update(dict.fromkeys(switched, self._monotonic()))

    def step(self, *, in_session: bool, last_silent_reconnect: float) -> CloseReason | None:
        """Read once, hand the ticks over, look for silence, rest.

        Returns:
            Why the connection must end, None while it need not.
        Raises:
            FeedClosed: the peer ended it.
        """
        # Once the read returns, all bytes that came before this instant are read: a process that was frozen
        # during the read does not take its own sleep for the broker's silence.
        before = self._monotonic()
        messages = self._client.read(READ_TIMEOUT_S)
        self._in_session = in_session
        client = self._client
        self._watch.progress(
            self._monotonic(),
            bytes_read=client.bytes_read,
            frames_read=client.frames_read,
            half_read=client.half_read,
        )
        if messages:
            self._receive(messages)
            ended = self._disconnected()
            if ended is not None:
                return ended
        if before - self._reviewed >= REVIEW_EVERY_S:
            self._review(before)
        self._silent = self._watch.silent(before, in_session=in_session)
        kind, sentence = self._watch.verdict(before, last_silent_reconnect)
        if not kind and (sentence := self._segments.overdue(before)):
            kind = "silent"
        if kind:
            return self.ended(kind, sentence=sentence)
        if messages:
            self._sleep(self._rest_s)
        return None

    def ended(self, kind: str, code: int = 0, *, sentence: str = "") -> CloseReason:
        """Return the reason, with the duration and the packets of this connection in it."""
        self._count_faults()
        first, last = self._watch.first_packet, self._watch.last_packet
        data_s = 0.0 if first is None or last is None else last - first
        rule = reason(code).policy if kind == "disconnect" else "retry"
        why = CloseReason(kind, code, rule, sentence, self._monotonic() - self._opened, self._packets, data_s)
        if self._recorder is not None:
            self._recorder.ended(int(self._clock() * 1e6), why)
        return why

    def unsubscribe_all(self) -> None:
        """Give up every subscription and the session, so that the broker frees its side at once."""
        self.protocol.unsubscribe(list(self.protocol.wanted))
        self.protocol.disconnect()
        try:
            self._send()
        except FeedClosed:
            pass  # it is gone already

    def _send(self) -> None:
        for message in self.protocol.messages_to_send():
            self._client.send(message)

    def _receive(self, messages: Sequence[bytes | MessageBlock]) -> None:
        received_at = self._clock()
        received_us = int(received_at * 1e6)
        if self._recorder is not None:
            self._recorder.received(received_us, messages)
        ticks = self.protocol.receive(messages, received_us)
        if not ticks:
            return
        now = self._monotonic()
        self._packets += len(ticks)
        self.last_packet_at, self.last_packet_s = received_at, now
        self._watch.packet(now)
        if self._in_session and (warning := self._alarm.sample(ticks, now)):
            _log.warning("%s", warning)
        self._rest_s = self._on_ticks(ticks)

    def _disconnected(self) -> CloseReason | None:
        for event in self.protocol.events():
            named = reason(event.reason)
            sentence = f"{named.sentence} (code {named.code})"
            if named.policy != "request":
                return self.ended("disconnect", named.code, sentence=sentence)
            self.last_request_error = sentence
            metrics.count(f"feed_request_faults.{named.code}")
            _log.warning("The broker does not accept a request: %s", sentence)
        return None

    def _review(self, now: float) -> None:
        self._reviewed = now
        self._count_faults()
        self._segments.look(now, self.protocol.newest())
        self._renew_silent(now)
        seen = self.protocol.seen
        self._unseen = {key: sent for key, sent in self._unseen.items() if key not in seen}
        resent = self._resent
        lost = [
            key
            for key, sent in self._unseen.items()
            if now - sent >= ASK_AGAIN_AFTER_S * ASK_AGAIN_FACTOR ** resent[key]
        ]
        if lost:
            self._resent.update(lost)
            self.protocol.ask_again(lost)
            self._send()
            _log.warning(
                "No packet for %d of %d instruments; subscribed them again", len(lost), len(self._wanted)
            )
        if self._watch.ping_due(now):
            self._client.ping()

    def _renew_silent(self, now: float) -> None:
        """Subscribe a silent segment anew, once: the broker may have lost its subscriptions."""
        silent = self._segments.to_renew(now)
        self._renewed.intersection_update(silent)
        for segment in silent.keys() - self._renewed:
            self._renewed.add(segment)
            keys = silent[segment]
            self.protocol.unsubscribe(keys)
            self._send()
            self.protocol.subscribe(keys)
            self._send()
            self._segments.forget(keys)
            self._unseen.update(dict.fromkeys(keys, now))
            metrics.count(f"feed_silent_segments.{segment}")
            _log.warning(
                "%s is open and has fallen silent; its %d instruments are subscribed anew", segment, len(keys)
            )

    def _count_faults(self) -> None:
        for kind, n in (self.protocol.counters - self._counted).items():
            metrics.count(f"feed_faults.{kind}", n)
        self._counted = Counter(self.protocol.counters)


def refused(error: LTPError) -> CloseReason:
    """Classify an attempt that brought no connection."""
    if not isinstance(error, FeedError) or not error.code:
        return CloseReason("unreachable", sentence=str(error))
    # 401 concerns the token. 403 may be a firewall's: a new token does not help there, and a wait may.
    rules: dict[int, Rule] = {401: "refresh", 429: "limited"}
    return CloseReason(
        "refused", error.code, rules.get(error.code, "retry"), str(error), retry_after_s=error.retry_after_s
    )
