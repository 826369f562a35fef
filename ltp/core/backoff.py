"""The reconnect policy: reasons for the end of a connection to decisions when to connect again.

Without clock and socket: durations come with the reason, randomness is injected, and the caller waits.
"""

from __future__ import annotations

from collections.abc import Callable
from email.utils import parsedate_to_datetime
from typing import Final, Literal, NamedTuple

Rule = Literal["retry", "limited", "refresh", "fatal", "request"]

# Data for this long ends a run of failures; a shorter time may be one snapshot before each drop.
HEALTHY_AFTER_S: Final = 60.0
MAX_WAIT_S: Final = 60.0
# Attempts at an unreachable broker cost it nothing, and a repaired network is used soon.
MAX_WAIT_UNREACHABLE_S: Final = 20.0
SHORT_LIFE_S: Final = 10.0
SHORT_LIFE_FLOOR_S: Final = 3.0  # the broker limits accounts for fast reconnects
LIMITED_WAITS_S: Final = (60.0, 120.0, 240.0, 300.0)
MAX_RETRY_AFTER_S: Final = 3600.0  # a damaged header must not end the day
REFUSALS_BEFORE_CHECK: Final = 3  # this many HTTP 429 in a row may mean a lapsed data plan
MUTE_DROP_S: Final = 3.0
MUTE_DROPS: Final = 3  # bad credentials are often answered with an accepted handshake and a bare drop
MUTE_DROP_FLOOR_S: Final = 30.0

MUTE_DROP_SENTENCE: Final = (
    "The broker accepts the connection and drops it at once without a reason: "
    "the client id or token may be wrong"
)


class CloseReason(NamedTuple):
    """How one connection, or the attempt at one, ended.

    `kind`: unreachable (no handshake), refused (HTTP status `code`), disconnect (the broker's number `code`),
    closed (by the peer, `code` of its close frame or 0), silent, half_frame, dead, renewed (replaced by a new
    connection), off (ended by this process). `lived_s`: since the handshake. `data_s`: between the first and
    the last packet. `retry_after_s`: the broker's Retry-After, 0 without one.
    """

    kind: str
    code: int = 0
    rule: Rule = "retry"
    sentence: str = ""
    lived_s: float = 0.0
    packets: int = 0
    data_s: float = 0.0
    retry_after_s: float = 0.0


class Wait(NamedTuple):
    """Connect again after `seconds`.

    `keep`: the deadline must outlive this process. `check_account`: request the account's state from the
    broker. `sentence`: the likely cause of the run of failures, empty for the reason's own sentence.
    """

    seconds: float
    keep: bool = False
    check_account: bool = False
    sentence: str = ""


class Refresh(NamedTuple):
    """Renew the token, then connect again once after `seconds`."""

    seconds: float


class Stop(NamedTuple):
    """Do not connect again before the credentials change."""


Decision = Wait | Refresh | Stop


class ReconnectPolicy:
    """The decisions within a run of failures. `random` returns a float in [0, 1)."""

    def __init__(self, random: Callable[[], float]) -> None:
        self._random = random
        self.forget()

    def forget(self) -> None:
        """Start afresh: the feed was healthy, or the credentials changed."""
        self._failures = 0
        self._limited = 0
        self._refusals = 0
        self._mute_drops = 0
        self._refreshed = False

    def forget_refusals(self) -> None:
        """Allow another token renewal and three more mute drops: an operator has replaced the credentials."""
        self._refreshed = False
        self._mute_drops = 0

    def decide(self, reason: CloseReason) -> Decision:
        """Return the decision after `reason` and all reasons before it."""
        if reason.data_s >= HEALTHY_AFTER_S:
            self.forget()
        if reason.kind == "off":
            return Wait(0.0)
        self._refusals = self._refusals + 1 if reason.code == 429 else 0
        self._mute_drops = self._mute_drops + 1 if _is_mute_drop(reason) else 0
        if reason.rule == "fatal" or (reason.rule == "refresh" and self._refreshed):
            return Stop()
        if reason.rule == "refresh":
            self._refreshed = True
            return Refresh(self._backed_off(reason))
        if reason.rule == "limited":
            return self._limited_wait(reason)
        return self._retry(reason)

    def _retry(self, reason: CloseReason) -> Wait:
        seconds = max(self._backed_off(reason), min(reason.retry_after_s, MAX_RETRY_AFTER_S))
        if self._mute_drops < MUTE_DROPS:
            return Wait(seconds)
        floor_s = MUTE_DROP_FLOOR_S * (1 + self._random())
        return Wait(max(seconds, floor_s), sentence=MUTE_DROP_SENTENCE)

    def _backed_off(self, reason: CloseReason) -> float:
        """Full jitter under a doubling ceiling, so that clients do not all return at once after a restart."""
        max_wait_s = MAX_WAIT_UNREACHABLE_S if reason.kind == "unreachable" else MAX_WAIT_S
        seconds = self._random() * min(max_wait_s, 2.0 ** min(self._failures, 10))
        if self._failures and reason.lived_s < SHORT_LIFE_S:
            seconds = max(seconds, SHORT_LIFE_FLOOR_S * (1 + self._random() / 3))
        self._failures += 1
        return seconds

    def _limited_wait(self, reason: CloseReason) -> Wait:
        step_s = LIMITED_WAITS_S[min(self._limited, len(LIMITED_WAITS_S) - 1)]
        self._limited += 1
        least_s = max(step_s, min(reason.retry_after_s, MAX_RETRY_AFTER_S))
        # The jitter only adds, because the broker blocks accounts that return one second too early.
        seconds = least_s + self._random() * step_s / 10
        return Wait(seconds, keep=True, check_account=self._refusals >= REFUSALS_BEFORE_CHECK)


def _is_mute_drop(reason: CloseReason) -> bool:
    return reason.kind == "closed" and reason.packets == 0 and reason.lived_s < MUTE_DROP_S


def parse_retry_after(header: str, now: float) -> float:
    """Return the seconds of a Retry-After header (a number or an HTTP date), 0 for other text."""
    header = header.strip()
    if header.isascii() and header.isdigit():
        return min(float(header), MAX_RETRY_AFTER_S)
    try:
        return min(max(0.0, parsedate_to_datetime(header).timestamp() - now), MAX_RETRY_AFTER_S)
    except (ValueError, OverflowError):
        return 0.0
