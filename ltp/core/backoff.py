"""When to come back after a connection to the broker ended: reasons in, decisions out.

Knows neither clock nor socket: durations come with the reason, randomness is handed in, the waiting is the
caller's.
"""

from __future__ import annotations

from collections.abc import Callable
from email.utils import parsedate_to_datetime
from typing import Final, Literal, NamedTuple

Rule = Literal["retry", "wait60", "refresh", "fatal", "request"]

HEALTHY_AFTER_S: Final = (
    60.0  # data for so long ends a run of failures; less may be one snapshot before each drop
)
MAX_WAIT_S: Final = 60.0
MAX_WAIT_UNREACHABLE_S: Final = (
    20.0  # nobody answers, so nobody is bothered, and a healed network is used soon
)
SHORT_LIFE_S: Final = 10.0
SHORT_LIFE_FLOOR_S: Final = 3.0  # fast reconnects are what gets an account limited
LIMITED_WAITS_S: Final = (60.0, 120.0, 240.0, 300.0)
MAX_RETRY_AFTER_S: Final = 3600.0  # a damaged header must not end the day
REFUSALS_BEFORE_CHECK: Final = 3  # HTTP 429 so often in a row may mean a lapsed data plan
MUTE_DROP_S: Final = 3.0
MUTE_DROPS: Final = 3  # bad credentials are often answered with an accepted handshake and a bare drop
MUTE_DROP_FLOOR_S: Final = 30.0

MUTE_DROP_SENTENCE: Final = (
    "The broker accepts the connection and drops it at once without a word: the client id or token may be "
    "wrong"
)


class CloseReason(NamedTuple):
    """How one connection, or the attempt at one, ended.

    `kind`: unreachable (no handshake), refused (HTTP status `code`), disconnect (the broker's number `code`),
    closed (by the peer, `code` of its close frame or 0), silent, half_frame, dead, renewed (by us, for
    another one), off (we ended it). `lived_s`: since the handshake. `data_s`: between the first and the last
    packet. `retry_after_s`: what the broker asked for, 0 when it asked for nothing.
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
    """Come back after `seconds`.

    `keep`: the deadline must outlive this process. `check_account`: ask the broker whether the account may
    connect at all. `sentence`: what the run of failures points to, empty for the reason's own.
    """

    seconds: float
    keep: bool = False
    check_account: bool = False
    sentence: str = ""


class Refresh(NamedTuple):
    """Get a new token, then come back once after `seconds`."""

    seconds: float


class Stop(NamedTuple):
    """Do not come back before the credentials change."""


Decision = Wait | Refresh | Stop


class ReconnectPolicy:
    """One run of failures. `random` returns a float in [0, 1)."""

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
        """Let a renewal be tried again, and other credentials have their three drops: an operator has put
        others there.
        """
        self._refreshed = False
        self._mute_drops = 0

    def decide(self, reason: CloseReason) -> Decision:
        """Return what `reason` calls for after all that went before it."""
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
        if reason.rule == "wait60":
            return self._limited_wait(reason)
        return self._retry(reason)

    def _retry(self, reason: CloseReason) -> Wait:
        seconds = max(self._backed_off(reason), min(reason.retry_after_s, MAX_RETRY_AFTER_S))
        if self._mute_drops < MUTE_DROPS:
            return Wait(seconds)
        floor_s = MUTE_DROP_FLOOR_S * (1 + self._random())
        return Wait(max(seconds, floor_s), sentence=MUTE_DROP_SENTENCE)

    def _backed_off(self, reason: CloseReason) -> float:
        """Full jitter under a doubling ceiling: after a broker's restart its clients must not all come at
        once.
        """
        longest = MAX_WAIT_UNREACHABLE_S if reason.kind == "unreachable" else MAX_WAIT_S
        seconds = self._random() * min(longest, 2.0 ** min(self._failures, 10))
        if self._failures and reason.lived_s < SHORT_LIFE_S:
            seconds = max(seconds, SHORT_LIFE_FLOOR_S * (1 + self._random() / 3))
        self._failures += 1
        return seconds

    def _limited_wait(self, reason: CloseReason) -> Wait:
        step_s = LIMITED_WAITS_S[min(self._limited, len(LIMITED_WAITS_S) - 1)]
        self._limited += 1
        least_s = max(step_s, min(reason.retry_after_s, MAX_RETRY_AFTER_S))
        # The jitter only adds: coming one second early is what the broker blocks accounts for.
        seconds = least_s + self._random() * step_s / 10
        return Wait(seconds, keep=True, check_account=self._refusals >= REFUSALS_BEFORE_CHECK)


def _is_mute_drop(reason: CloseReason) -> bool:
    return reason.kind == "closed" and reason.packets == 0 and reason.lived_s < MUTE_DROP_S


def parse_retry_after(header: str, now: float) -> float:
    """Return the seconds a Retry-After header asks for (a number or an HTTP date), 0 when it says nothing
    readable.
    """
    header = header.strip()
    if header.isascii() and header.isdigit():
        return min(float(header), MAX_RETRY_AFTER_S)
    try:
        return min(max(0.0, parsedate_to_datetime(header).timestamp() - now), MAX_RETRY_AFTER_S)
    except (ValueError, OverflowError):
        return 0.0
