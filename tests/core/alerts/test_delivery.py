"""When a message is tried again, and when never."""

from __future__ import annotations

import pytest

from ltp.core.alerts.channel import SERVICE, WEBHOOK
from ltp.core.alerts.delivery import by_http_status, failed, next_try_s, refused, sent


@pytest.mark.parametrize(
    ("status", "is_sent", "permanent"),
    [
        *((status, True, False) for status in (200, 202, 204)),
        *((status, False, True) for status in (301, 302, 307, 308, 400, 401, 403, 404, 410, 413)),
        *((status, False, False) for status in (408, 425, 429, 500, 502, 503, 504, 599)),
    ],
)
def test_a_status_says_whether_to_try_again(status: int, is_sent: bool, permanent: bool) -> None:
    attempt = by_http_status(status)
    assert (attempt.sent, attempt.permanent, attempt.status) == (is_sent, permanent, status)
    assert (next_try_s(WEBHOOK, 1, attempt) is None) is (is_sent or permanent)


def test_waits_grow_and_end() -> None:
    waits = [next_try_s(WEBHOOK, tries, failed("timed out")) for tries in range(1, 7)]
    assert waits == [5.0, 20.0, 60.0, 300.0, 900.0, None]
    assert [next_try_s(SERVICE, tries, failed("no")) for tries in range(1, 4)] == [5.0, 20.0, None]


def test_the_receiver_may_ask_for_a_longer_wait_within_a_bound() -> None:
    assert next_try_s(WEBHOOK, 1, failed("busy", 429, 30.0)) == 30.0
    assert next_try_s(WEBHOOK, 1, failed("busy", 429, 1.0)) == 5.0
    assert next_try_s(WEBHOOK, 1, failed("busy", 429, 86_400.0)) == 1_800.0


def test_nothing_follows_an_end() -> None:
    assert next_try_s(WEBHOOK, 1, sent("accepted")) is None
    assert next_try_s(WEBHOOK, 1, refused("gone")) is None
