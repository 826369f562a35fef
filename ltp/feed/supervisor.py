"""The feed's life: one thread that connects, reads, hands over, notices silence, backs off and comes back.

What each ending calls for is decided in `core.backoff`; this module does the waiting and the asking. It knows
no Redis and no market calendar: both come as callables. Changes of what is wanted take effect within a
second.
"""

from __future__ import annotations

import logging
import random as random_module
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any, Final

from ltp import metrics
from ltp.core.backoff import CloseReason, ReconnectPolicy, Refresh, Stop, Wait
from ltp.core.instrument import parse_key
from ltp.core.ticks.tick import Feed, TickFields
from ltp.dhan.codes import MAX_PER_CONNECTION, Mode
from ltp.errors import FeedClosed, LTPError
from ltp.feed.callbacks import Callbacks
from ltp.feed.connection import CLOSE_TIMEOUT_S, FeedConnection, FeedSocket, refused
from ltp.feed.gate import Gate, NotBeforeStore
from ltp.feed.segments import Segments
from ltp.feed.status import FeedStatus, StatusBoard
from ltp.feed.watch import TradeTimeAlarm

IDLE_S: Final = 0.25
FAULT_WAIT_S: Final = 5.0
STOP_S: Final = 3.0

_log = logging.getLogger(__name__)


class Supervisor(threading.Thread):
    """Owns the one connection to the broker. `start` it once; every public method may be called from any
    thread.

    Args:
        connect: open a connection with the credentials of this moment. Raises FeedError, or ConfigError for
            unreadable ones.
        on_ticks: takes every tick, in order, on this thread; returns for how many seconds more may be left
            unread. What it
            raises is counted and logged, never fatal.
        in_session: tell whether silence of the whole feed would be a fault now.
        judged: the segments in which silence would be a fault now, each by its own usual pace.
        refresh_token: get a new token; tell whether there is one.
        on_change: called on this thread when the feed's state or its last error changed; `status` is already
            the new one.
        credentials_version: a value that changes when the credentials do.
        used_version: that of the credentials that `connect` used last; by default the present one.
        account_refusal: asked after three HTTP 429 in a row; returns the sentence why the account may not
            connect, or "".
        pause: wait at most so many seconds.
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
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
        random: Callable[[], float] = random_module.random,
        pause: Callable[[float], Any] | None = None,
    ) -> None:
        super().__init__(name="feed", daemon=True)
        self._mode: Mode = mode
        self._connect, self._in_session = connect, in_session
        self._refresh_token, self._account_refusal = refresh_token, account_refusal
        self._callbacks = Callbacks(on_ticks, on_change, monotonic)
        self._credentials_version, self._used_version = (
            credentials_version,
            used_version or credentials_version,
        )
        self._clock, self._monotonic = clock, monotonic
        self._policy = ReconnectPolicy(random)
        self._gate = Gate(not_before, credentials_version, clock, monotonic)
        self._board = StatusBoard(self._callbacks.tell_change, monotonic)
        self._alarm, self._segments = TradeTimeAlarm(), Segments(judged)
        self._stopping, self._wake = threading.Event(), threading.Event()
        self._pause, self._rest = pause or self._wait_for_change, pause or time.sleep
        self._enabled = False
        self._wanted: tuple[str, ...] = ()
        self._client: FeedSocket | None = None
        self._version = self._renewed = (
            0  # of the credentials of the last connection, and of those that we renewed
        )
        self._silent_reconnect = self._session_asked = float("-inf")
        self._session = False
        self._reconnects = self._failures = 0
        self._renewal = ""
        self._last_error = ""
        self._last_packet_at: float | None = None
        self._last_packet_s: float | None = None

    def set_enabled(self, enabled: bool) -> None:
        """Say whether there should be a connection at all."""
        self._enabled = enabled
        self._wake.set()

    def set_wanted(self, keys: Sequence[str]) -> None:
        """Say what should be subscribed, most important first. Past 5,000 the rest is left out.

        Raises:
            InputError: a key is malformed; what was wanted stays.
        """
        wanted = tuple(dict.fromkeys(parse_key(key) for key in keys))[:MAX_PER_CONNECTION]
        if wanted != self._wanted:
            self._wanted = wanted
            self._wake.set()

    def renew(self, sentence: str) -> None:
        """Give the present connection up for a new one; `sentence` says why."""
        self._renewal = sentence
        self._wake.set()

    def status(self) -> FeedStatus:
        """Return the newest status, at most half a second old; a change of `feed` is in it at once."""
        return self._board.read()

    def stop(self) -> None:
        """Unsubscribe, disconnect, close and end the thread, within 3 s whatever the broker does."""
        self._stopping.set()
        self._wake.set()
        if not self.is_alive() or threading.current_thread() is self:
            return
        self.join(STOP_S * 2 / 3)
        client = self._client
        if self.is_alive() and client is not None:
            client.abort()
        self.join(STOP_S / 4)

    def run(self) -> None:
        """Wait until a connection is due, live on it, settle what its end calls for; again until `stop`."""
        while not self._stopping.is_set():
            try:
                if self._is_due():
                    self._settle(self._live())
                else:
                    self._pause(IDLE_S)
            except Exception as error:  # noqa: BLE001 - the only thread that brings prices: a fault must not cost the day
                self._callbacks.complain("The feed's thread failed; it goes on")
                self._failures += 1
                self._last_error = f"The feed failed by a fault of the program ({type(error).__name__}); see the worker's log"
                self._gate.hold(FAULT_WAIT_S)
                self._show("down")
                self._pause(IDLE_S)
        self._show("off")

    def _is_due(self) -> bool:
        if self._gate.rearmed():
            _log.info("The credentials changed; the feed tries again")
            self._policy.forget()
        if not (self._enabled and self._wanted):
            self._show("off")
            return False
        due = self._gate.is_open()
        self._last_error = self._gate.obstacle or self._last_error or self._gate.pause
        self._show("down")
        return due

    def _live(self) -> CloseReason:
        """Connect, subscribe everything, read until the end."""
        self._renewal = ""
        try:
            client = self._client = self._connect()
        except LTPError as error:
            return refused(error)
        finally:
            self._note_credentials()
        connection = FeedConnection(
            client,
            self._mode,
            self._callbacks.hand_over,
            self._alarm,
            self._segments,
            clock=self._clock,
            monotonic=self._monotonic,
            sleep=self._rest,
        )
        try:
            return self._read_until_end(connection)
        except FeedClosed as error:
            return connection.ended("closed", error.code, sentence=str(error))
        finally:
            self._note_packet(connection)
            self._client = None
            client.close(CLOSE_TIMEOUT_S)

    def _read_until_end(self, connection: FeedConnection) -> CloseReason:
        while self._enabled and self._wanted and not self._stopping.is_set():
            connection.want(self._wanted)
            reason = connection.step(
                in_session=self._is_in_session(), last_silent_reconnect=self._silent_reconnect
            )
            self._last_error = connection.last_request_error or self._last_error
            self._note_packet(connection)
            self._show(connection.feed, connection)
            if reason is not None:
                return reason
            if self._renewal:
                connection.say_goodbye()
                return connection.ended("renewed", sentence=self._renewal)
        connection.say_goodbye()
        return connection.ended("off")

    def _note_credentials(self) -> None:
        version = self._used_version()
        if version not in (self._version, self._renewed):
            self._policy.forget_refusals()
        self._version = version

    def _note_packet(self, connection: FeedConnection) -> None:
        if connection.last_packet_s is not None:
            self._last_packet_at, self._last_packet_s = connection.last_packet_at, connection.last_packet_s

    def _settle(self, reason: CloseReason) -> None:
        """Do what the end of a connection calls for."""
        if reason.rule in ("refresh", "fatal") and self._credentials_version() != self._version:
            _log.info("The refused credentials were replaced meanwhile; the feed tries the new ones")
            self._policy.forget()
            reason = reason._replace(rule="retry")
        decision = self._policy.decide(reason)
        if reason.kind == "off":
            return
        metrics.count(f"feed_reconnects.{reason.kind}")
        self._last_error = reason.sentence
        if reason.kind in ("unreachable", "refused"):
            self._failures += 1
        else:
            self._reconnects += 1
        if reason.kind == "silent":
            self._silent_reconnect = self._monotonic()
        if isinstance(decision, Stop):
            self._stop_for_good(reason.sentence)
            return
        _log.warning(
            "Feed ended (%s): %s; next attempt in %.1f s", reason.kind, reason.sentence, decision.seconds
        )
        self._gate.hold(decision.seconds, keep=isinstance(decision, Wait) and decision.keep)
        if isinstance(decision, Wait) and decision.sentence:
            self._last_error = decision.sentence
        self._show("down")
        if isinstance(decision, Refresh):
            self._refresh()
        elif decision.check_account and (refusal := self._account_refusal()):
            self._stop_for_good(refusal)

    def _stop_for_good(self, sentence: str) -> None:
        self._gate.stop(self._version)
        self._last_error = sentence
        _log.error("The feed is stopped until the credentials change: %s", sentence)
        self._show("down")

    def _refresh(self) -> None:
        try:
            refreshed = self._refresh_token()
        except LTPError as error:
            refreshed = False
            _log.warning("The access token could not be renewed: %s", error)
        if refreshed:
            self._renewed = self._credentials_version()
        metrics.count("feed_token_refreshes" if refreshed else "feed_token_refreshes_failed")

    def _is_in_session(self) -> bool:
        """Ask once a second: the answer comes from a calendar and is wanted at each read."""
        now = self._monotonic()
        if now - self._session_asked >= 1.0:
            self._session_asked, self._session = now, self._in_session()
        return self._session

    def _show(self, feed: Feed, connection: FeedConnection | None = None) -> None:
        self._board.show(feed, self._gate.stopped, self._last_error, lambda: self._look(connection))

    def _look(self, connection: FeedConnection | None) -> FeedStatus:
        status = FeedStatus(
            wanted=len(self._wanted),
            reconnects=self._reconnects,
            failures=self._failures,
            last_packet_at=self._last_packet_at,
            last_packet_s=self._last_packet_s,
        )
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
