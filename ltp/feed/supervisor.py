"""The feed's life: one thread that connects, reads, hands ticks over, notices silence and comes back.

`reconnect` decides when the next connection may be tried. Knows no Redis and no market calendar: both come as
callables. Changes of the wanted instruments take effect within a second.
"""

from __future__ import annotations

import random as random_module
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from ltp.core.backoff import CloseReason, ReconnectPolicy
from ltp.core.instrument import parse_key
from ltp.core.ticks.depth import Depth
from ltp.core.ticks.tick import Feed, TickFields
from ltp.dhan.codes import MAX_PER_CONNECTION, Mode
from ltp.dhan.depth import read_depth
from ltp.dhan.protocol import Protocol
from ltp.errors import FeedClosed, LTPError
from ltp.feed.callbacks import Callbacks
from ltp.feed.capture.recorder import Recorder
from ltp.feed.connection import CLOSE_TIMEOUT_S, FeedConnection, FeedSocket, refused
from ltp.feed.gate import Gate, NotBeforeStore
from ltp.feed.reconnect import Reconnection
from ltp.feed.segments import Segments
from ltp.feed.status import FeedRecord, FeedStatus, StatusBoard, Subscribed
from ltp.feed.watch import TradeTimeAlarm

IDLE_S: Final = 0.25
FAULT_WAIT_S: Final = 5.0
STOP_S: Final = 3.0


class Supervisor(threading.Thread):
    """Owns the one connection to the broker. `start` it once; any thread may call the public methods.

    Args:
        connect: opens a connection with the present credentials. Raises FeedError, or ConfigError for
            unreadable ones.
        on_ticks: gets every tick, in order, on this thread; returns for how many seconds the next ones may be
            left unread. Its exceptions are counted and logged, never fatal.
        in_session: returns whether silence of the whole feed would be a fault now.
        judged: returns the segments in which silence would be a fault now, each by its own usual pace.
        refresh_token: gets a new token; returns whether it is in use now.
        on_change: called on this thread when the state of the feed or its last error changed; `status` then
            returns the new one.
        credentials_version: a number that changes when the credentials do.
        used_version: that of the credentials that `connect` used last; by default the present one.
        account_refusal: called after three HTTP 429 in a row; returns why the account may not connect, or "".
        recorder: captures the feed as it comes, None for nothing; `stop` stops it.
        pause: waits at most so many seconds.
    """

    def __init__(
        self,
        *,
        mode: Mode,
        connect: Callable[[], FeedSocket],
        on_ticks: Callable[[list[TickFields]], float],
        in_session: Callable[[], bool],
        judged: Callable[[], frozenset[str]],
        not_before: NotBeforeStore,
        refresh_token: Callable[[], bool],
        on_change: Callable[[], None],
        credentials_version: Callable[[], int] = lambda: 0,
        used_version: Callable[[], int] | None = None,
        account_refusal: Callable[[], str] = lambda: "",
        recorder: Recorder | None = None,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
        random: Callable[[], float] = random_module.random,
        pause: Callable[[float], Any] | None = None,
    ) -> None:
        super().__init__(name="feed", daemon=True)
        self._mode: Mode = mode
        self._connect, self._in_session, self._recorder = connect, in_session, recorder
        self._callbacks = Callbacks(on_ticks, on_change, monotonic)
        self._clock, self._monotonic = clock, monotonic
        self._record, self._board = FeedRecord(), StatusBoard(self._callbacks.report_change, monotonic)
        self._gate = Gate(not_before, credentials_version, clock, monotonic)
        self._reconnection = Reconnection(
            self._gate,
            ReconnectPolicy(random),
            self._record,
            credentials_version=credentials_version,
            used_version=used_version or credentials_version,
            refresh_token=refresh_token,
            account_refusal=account_refusal,
            show_down=lambda: self._show("down"),
            monotonic=monotonic,
        )
        self._alarm, self._segments = TradeTimeAlarm(), Segments(judged)
        self._stopping, self._wake = threading.Event(), threading.Event()
        self._pause, self._sleep = pause or self._wait_for_change, pause or time.sleep
        self._enabled = False
        self._wanted: tuple[str, ...] = ()
        self._deep: tuple[str, ...] = ()
        self._modes: Mapping[str, Mode] = {}
        self._protocol: Protocol | None = None  # of the present connection
        self._client: FeedSocket | None = None
        self.since_us = 0  # as in FeedStatus, but set before the first tick of a connection is handed over
        self._session, self._session_checked = False, float("-inf")
        self._renewal = ""

    def set_enabled(self, enabled: bool) -> None:
        self._enabled = enabled
        self._wake.set()

    def set_wanted(self, keys: Sequence[str]) -> None:
        """Set the instruments to subscribe, most important first. Past 5,000 the rest is left out.

        Raises:
            InputError: a key is malformed; the instruments of before stay.
        """
        wanted = tuple(dict.fromkeys(parse_key(key) for key in keys))[:MAX_PER_CONNECTION]
        if wanted != self._wanted:
            self._wanted = wanted
            self._wake.set()

    def set_deep(self, keys: Sequence[str]) -> None:
        """Set which of the wanted instruments are subscribed in full mode, for `take_depths`."""
        if tuple(keys) != self._deep:
            self._deep = tuple(keys)
            self._wake.set()

    def set_modes(self, modes: Mapping[str, Mode]) -> None:
        """Set which of the wanted instruments are subscribed in a mode of their own."""
        if modes != self._modes:
            self._modes = dict(modes)
            self._wake.set()

    def subscribed(self) -> Subscribed:
        """Return what is subscribed on the present connection, nothing without one."""
        protocol = self._protocol
        if protocol is None:
            return Subscribed({}, frozenset())
        # Copied whole, in one step of the interpreter each: the feed's thread changes them meanwhile.
        return Subscribed(protocol.sent_in.copy(), frozenset(protocol.seen))

    def take_depths(self) -> list[Depth]:
        """Return the newest depth of each instrument of `set_deep` that came since the last call."""
        protocol = self._protocol
        packets = protocol.full_packets.take() if protocol is not None else []
        depths = (read_depth(key, packet, received_at) for key, received_at, packet in packets)
        return [depth for depth in depths if depth is not None]

    def renew(self, sentence: str) -> None:
        """Give the present connection up for a new one. `sentence`: why, for the log and the status."""
        self._renewal = sentence
        self._wake.set()

    def status(self) -> FeedStatus:
        """Return the newest status, at most half a second old; a change of `feed` is in it at once."""
        return self._board.read()

    def stop(self) -> None:
        """Unsubscribe, disconnect, close and end the thread, within 3 s even if the broker hangs."""
        self._stopping.set()
        self._wake.set()
        if not self.is_alive() or threading.current_thread() is self:
            return
        self.join(STOP_S * 2 / 3)
        client = self._client
        if self.is_alive() and client is not None:
            client.abort()
        self.join(STOP_S / 4)
        if self._recorder is not None:
            self._recorder.stop()

    def run(self) -> None:
        """Wait until a connection is due, live on it, settle its end; again until `stop`."""
        while not self._stopping.is_set():
            try:
                if self._is_due():
                    self._reconnection.settle(self._run_connection())
                else:
                    self._pause(IDLE_S)
            except Exception as error:  # noqa: BLE001 - one fault must not cost the day
                self._callbacks.log_fault("The feed's thread failed; it goes on")
                self._record.failures += 1
                fault = type(error).__name__
                self._record.last_error = (
                    f"A fault of this program ({fault}) ended the connection; see the worker's log"
                )
                self._gate.hold(FAULT_WAIT_S)
                self._show("down")
                self._pause(IDLE_S)
        self._show("off")

    def _is_due(self) -> bool:
        self._reconnection.look_for_credentials()
        if not (self._enabled and self._wanted):
            self._show("off")
            return False
        due = self._reconnection.is_due()
        self._show("down")
        return due

    def _run_connection(self) -> CloseReason:
        """Connect, subscribe everything, read until the end."""
        self._renewal = ""
        try:
            client = self._client = self._connect()
        except LTPError as error:
            return refused(error)
        finally:
            self._reconnection.note_credentials()
        connection = FeedConnection(
            client,
            self._mode,
            self._callbacks.hand_over,
            self._alarm,
            self._segments,
            recorder=self._recorder,
            clock=self._clock,
            monotonic=self._monotonic,
            sleep=self._sleep,
        )
        if self._recorder is not None:
            self._recorder.connected(connection.since_us, len(self._wanted))
        self.since_us = connection.since_us
        self._protocol = connection.protocol
        try:
            return self._read_until_end(connection)
        except FeedClosed as error:
            return connection.ended("closed", error.code, sentence=str(error))
        finally:
            self._note_packet(connection)
            self.since_us = 0
            self._client = self._protocol = None
            client.close(CLOSE_TIMEOUT_S)

    def _read_until_end(self, connection: FeedConnection) -> CloseReason:
        while self._enabled and self._wanted and not self._stopping.is_set():
            connection.set_modes(self._deep, self._modes)
            connection.want(self._wanted)
            reason = connection.step(
                in_session=self._is_in_session(), last_silent_reconnect=self._reconnection.last_silent
            )
            self._record.last_error = connection.last_request_error or self._record.last_error
            self._note_packet(connection)
            self._show(connection.feed, connection)
            if reason is not None:
                return reason
            if self._renewal:
                connection.unsubscribe_all()
                return connection.ended("renewed", sentence=self._renewal)
        connection.unsubscribe_all()
        return connection.ended("off")

    def _note_packet(self, connection: FeedConnection) -> None:
        if connection.last_packet_s is not None:
            self._record.last_packet_at = connection.last_packet_at
            self._record.last_packet_s = connection.last_packet_s

    def _is_in_session(self) -> bool:
        """Look it up once a second: it is read from a calendar and needed at each read of the socket."""
        now = self._monotonic()
        if now - self._session_checked >= 1.0:
            self._session_checked, self._session = now, self._in_session()
        return self._session

    def _show(self, feed: Feed, connection: FeedConnection | None = None) -> None:
        self._board.show(feed, self._gate.stopped, self._record.last_error, lambda: self._status(connection))

    def _status(self, connection: FeedConnection | None) -> FeedStatus:
        status = self._record.status()._replace(wanted=len(self._wanted))
        if connection is None:
            return status
        return status._replace(
            since_us=connection.since_us,
            sent=len(connection.protocol.sent),
            priced=frozenset(connection.protocol.priced),
            never_ticked=tuple(connection.never_ticked),
            silent=self._segments.silent,
            lags=self._segments.lags,
        )

    def _wait_for_change(self, seconds: float) -> None:
        self._wake.wait(seconds)
        self._wake.clear()
