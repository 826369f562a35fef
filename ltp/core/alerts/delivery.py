"""How one try to send a message ended, and when it is tried again."""

from __future__ import annotations

from typing import Final, NamedTuple

from ltp.core.alerts.channel import MAIL, SERVICE, WEBHOOK

# Tries in all. A service of apprise names no reason for most refusals, so fewer.
TRIES: Final = {WEBHOOK: 6, MAIL: 6, SERVICE: 3}
WAITS_S: Final = (5.0, 20.0, 60.0, 300.0, 900.0)  # after the first try, the second, ...
MAX_RETRY_AFTER_S: Final = 1_800.0  # a damaged header must not hold up a channel for a day
MAX_OUTCOME: Final = 200  # characters


class Attempt(NamedTuple):
    """`status`: of HTTP or SMTP, None without an answer. `outcome`: a sentence for a person; it quotes no target.
    `permanent`: the same again cannot help. `retry_after_s`: how long the receiver asked to wait, 0 for not.
    """

    sent: bool
    outcome: str
    status: int | None = None
    permanent: bool = False
    retry_after_s: float = 0.0


def sent(outcome: str, status: int | None = None) -> Attempt:
    return Attempt(True, outcome, status)


def refused(outcome: str, status: int | None = None) -> Attempt:
    """Return a failure that the same message again would meet too."""
    return Attempt(False, outcome, status, permanent=True)


def failed(outcome: str, status: int | None = None, retry_after_s: float = 0.0) -> Attempt:
    """Return a failure that may pass."""
    return Attempt(False, outcome, status, retry_after_s=retry_after_s)


def by_http_status(status: int, retry_after_s: float = 0.0) -> Attempt:
    """Return how a try ended that was answered with an HTTP status."""
    if 200 <= status < 300:
        return sent(f"accepted with status {status}", status)
    if 300 <= status < 400:
        return refused(f"answered with a redirect, status {status}, which is not followed", status)
    if status in {408, 425, 429} or status >= 500:
        return failed(f"answered with status {status}", status, retry_after_s)
    return refused(f"refused with status {status}", status)


def next_try_s(kind: str, tries: int, attempt: Attempt) -> float | None:
    """Return the seconds until the next try, None for no further one.

    Args:
        kind: of the channel.
        tries: how many there were, this one included.
    """
    if attempt.sent or attempt.permanent or tries >= TRIES[kind]:
        return None
    wait_s = WAITS_S[min(tries, len(WAITS_S)) - 1]
    return max(wait_s, min(attempt.retry_after_s, MAX_RETRY_AFTER_S))
