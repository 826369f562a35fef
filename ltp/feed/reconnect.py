"""The way from the end of one connection to the next: waiting, a new token, or a stop until others are there.

`core.backoff` decides by the reason of the end; this module carries the decision out on the feed's thread.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from ltp import metrics
from ltp.core.backoff import CloseReason, ReconnectPolicy, Refresh, Stop, Wait
from ltp.errors import LTPError
from ltp.feed.gate import Gate
from ltp.feed.status import FeedRecord

_log = logging.getLogger(__name__)


class Reconnection:
    """Closes and opens the gate of the next connection. For the feed's thread.

    Args:
        record: gets the number of failures and the last error.
        credentials_version, used_version, refresh_token, account_refusal: as those of a Supervisor.
        show_down: publishes the last error; called before the broker is asked for a token, which takes time.
    Attributes:
        last_silent: when a connection was last given up for silence, monotonic seconds; minus infinity for
            never.
    """

    def __init__(
        self,
        gate: Gate,
        policy: ReconnectPolicy,
        record: FeedRecord,
        *,
        credentials_version: Callable[[], int],
        used_version: Callable[[], int],
        refresh_token: Callable[[], bool],
        account_refusal: Callable[[], str],
        show_down: Callable[[], None],
        monotonic: Callable[[], float],
    ) -> None:
        self._gate, self._policy, self._record = gate, policy, record
        self._credentials_version, self._used_version = credentials_version, used_version
        self._refresh_token, self._account_refusal = refresh_token, account_refusal
        self._show_down, self._monotonic = show_down, monotonic
        self._used = self._renewed = 0  # versions: of the last connection's credentials, of those we renewed
        self.last_silent = float("-inf")

    def look_for_credentials(self) -> None:
        """End a full stop when the credentials have changed."""
        if self._gate.rearmed():
            _log.info("The credentials changed; the feed tries again")
            self._policy.forget()

    def is_due(self) -> bool:
        due = self._gate.is_open()
        self._record.last_error = self._gate.obstacle or self._record.last_error or self._gate.pause
        return due

    def note_credentials(self) -> None:
        """Note the credentials of the attempt just made: new ones of an operator get their own attempts."""
        version = self._used_version()
        if version not in (self._used, self._renewed):
            self._policy.forget_refusals()
        self._used = version

    def settle(self, reason: CloseReason) -> None:
        """Carry out the reaction to the end of a connection, or of an attempt at one."""
        if reason.rule in ("refresh", "fatal") and self._credentials_version() != self._used:
            _log.info("The refused credentials were replaced meanwhile; the feed tries the new ones")
            self._policy.forget()
            reason = reason._replace(rule="retry")
        decision = self._policy.decide(reason)
        if reason.kind == "off":
            return
        self._count(reason)
        if isinstance(decision, Stop):
            self._stop(reason.sentence)
        else:
            self._wait(reason, decision)

    def _count(self, reason: CloseReason) -> None:
        metrics.count(f"feed_reconnects.{reason.kind}")
        self._record.last_error = reason.sentence
        if reason.kind in ("unreachable", "refused"):
            self._record.failures += 1
        else:
            self._record.reconnects += 1
        if reason.kind == "silent":
            self.last_silent = self._monotonic()

    def _wait(self, reason: CloseReason, decision: Wait | Refresh) -> None:
        _log.warning(
            "Feed ended (%s): %s; next attempt in %.1f s", reason.kind, reason.sentence, decision.seconds
        )
        self._gate.hold(decision.seconds, keep=isinstance(decision, Wait) and decision.keep)
        if isinstance(decision, Wait) and decision.sentence:
            self._record.last_error = decision.sentence
        self._show_down()
        if isinstance(decision, Refresh):
            self._refresh()
        elif decision.check_account and (refusal := self._account_refusal()):
            self._stop(refusal)

    def _stop(self, sentence: str) -> None:
        self._gate.stop(self._used)
        self._record.last_error = sentence
        _log.error("The feed is stopped until the credentials change: %s", sentence)
        self._show_down()

    def _refresh(self) -> None:
        try:
            refreshed = self._refresh_token()
        except LTPError as error:
            refreshed = False
            _log.warning("The access token could not be renewed: %s", error)
        if refreshed:
            self._renewed = self._credentials_version()
        metrics.count("feed_token_refreshes" if refreshed else "feed_token_refreshes_failed")
