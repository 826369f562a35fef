"""Decisions for close reasons. The random numbers are constant, 0.5 by default."""

from __future__ import annotations

import pytest

from ltp.core.backoff import (
    MUTE_DROP_SENTENCE,
    CloseReason,
    ReconnectPolicy,
    Refresh,
    Stop,
    Wait,
    parse_retry_after,
)

NOW = 1_795_408_200.0  # 2026-11-23 04:30:00 UTC


def policy(dice: float = 0.5) -> ReconnectPolicy:
    return ReconnectPolicy(lambda: dice)


def drop(**life: float) -> CloseReason:
    return CloseReason(
        "closed", sentence="gone", **{"lived_s": 300.0, "packets": 900, "data_s": 299.0, **life}
    )


def refused(code: int, rule: str, **more: float) -> CloseReason:
    return CloseReason("refused", code, rule, "refused", **more)


def test_first_drop_of_a_healthy_session_comes_back_within_a_second():
    assert policy(0.999).decide(drop()) == Wait(0.999)
    assert policy(0.0).decide(drop()) == Wait(0.0)


def test_ceiling_doubles_and_stops_at_a_minute():
    back_off = policy(0.999)
    waits = [back_off.decide(drop(lived_s=30.0, data_s=29.0)).seconds for _ in range(9)]
    assert [round(wait / 0.999) for wait in waits] == [1, 2, 4, 8, 16, 32, 60, 60, 60]


def test_jitter_is_full():
    """A random number of 0.5 halves the whole wait, so no part of the wait is fixed."""
    back_off = policy(0.5)
    assert [back_off.decide(drop(lived_s=30.0, data_s=0.0)).seconds for _ in range(4)] == [0.5, 1.0, 2.0, 4.0]


def test_an_unreachable_broker_is_tried_at_least_every_twenty_seconds():
    back_off = policy(0.999)
    waits = [back_off.decide(CloseReason("unreachable")).seconds for _ in range(10)]
    assert max(waits) == pytest.approx(19.98)


def test_short_lives_wait_three_seconds_from_the_second_on():
    back_off = policy(0.0)
    assert [back_off.decide(drop(lived_s=2.0, data_s=1.0)).seconds for _ in range(3)] == [0.0, 3.0, 3.0]


def test_only_a_minute_of_data_ends_a_run_of_failures():
    back_off = policy(0.999)
    for _ in range(5):
        back_off.decide(drop(lived_s=30.0, data_s=29.0))
    assert back_off.decide(drop(lived_s=3600.0, data_s=59.9)).seconds > 30
    assert back_off.decide(drop(lived_s=61.0, data_s=60.0)).seconds < 1


def test_retry_after_is_honoured_when_it_is_longer():
    assert policy().decide(refused(503, "retry", retry_after_s=12.0)) == Wait(12.0)
    assert policy().decide(refused(503, "retry", retry_after_s=0.1)) == Wait(0.5)
    assert policy().decide(refused(503, "retry", retry_after_s=1e9)) == Wait(3600.0)


@pytest.mark.parametrize("code", [429, 805])
def test_limited_waits_are_a_minute_and_more_and_are_kept(code: int):
    back_off = policy(0.0)
    decisions = [back_off.decide(refused(code, "limited")) for _ in range(5)]
    assert [decision.seconds for decision in decisions] == [60.0, 120.0, 240.0, 300.0, 300.0]
    assert all(decision.keep for decision in decisions)


def test_jitter_of_a_limited_wait_only_adds():
    assert 60.0 < policy(0.999).decide(refused(429, "limited")).seconds < 66.0


def test_limited_wait_honours_a_longer_retry_after():
    assert policy(0.0).decide(refused(429, "limited", retry_after_s=90.0)).seconds == 90.0
    assert policy(0.0).decide(refused(429, "limited", retry_after_s=5.0)).seconds == 60.0


def test_third_429_in_a_row_asks_for_the_account():
    back_off = policy(0.0)
    assert [back_off.decide(refused(429, "limited")).check_account for _ in range(3)] == [False, False, True]


def test_805_does_not_ask_for_the_account_and_breaks_the_row():
    back_off = policy(0.0)
    for code in (429, 429, 805):
        assert not back_off.decide(refused(code, "limited")).check_account
    assert not back_off.decide(refused(429, "limited")).check_account


def test_token_is_refreshed_once_then_it_is_over():
    back_off = policy()
    expired = CloseReason("disconnect", 807, "refresh", "expired")
    assert isinstance(back_off.decide(expired), Refresh)
    assert back_off.decide(expired) == Stop()
    back_off.forget()
    assert isinstance(back_off.decide(expired), Refresh)


def test_a_healthy_day_earns_another_refresh():
    back_off = policy()
    back_off.decide(CloseReason("disconnect", 807, "refresh"))
    back_off.decide(CloseReason("off", lived_s=20_000.0, packets=10**6, data_s=19_999.0))
    assert isinstance(back_off.decide(CloseReason("disconnect", 807, "refresh")), Refresh)


def test_fatal_stops_at_once():
    assert policy().decide(CloseReason("disconnect", 806, "fatal")) == Stop()


def test_request_fault_is_an_ordinary_end():
    assert policy().decide(CloseReason("disconnect", 804, "request", lived_s=30.0)) == Wait(0.5)


def test_three_drops_without_a_packet_are_named_and_slowed_down():
    """Bad credentials often lead to an accepted handshake and a drop. The cause is uncertain: never final."""
    back_off = policy(0.0)
    mute = CloseReason("closed", lived_s=0.5)
    assert [back_off.decide(mute).sentence for _ in range(2)] == ["", ""]
    third = back_off.decide(mute)
    assert (third.seconds, third.sentence) == (30.0, MUTE_DROP_SENTENCE)


@pytest.mark.parametrize(
    "other",
    [
        CloseReason("closed", lived_s=0.5, packets=1),
        CloseReason("closed", lived_s=3.0),
        CloseReason("silent", lived_s=0.5),
    ],
)
def test_a_drop_with_a_packet_or_a_longer_life_is_no_mute_drop(other: CloseReason):
    back_off = policy(0.0)
    for reason in (CloseReason("closed", lived_s=0.5), CloseReason("closed", lived_s=0.5), other):
        assert back_off.decide(reason).sentence == ""


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("120", 120.0),
        (" 7 ", 7.0),
        ("", 0.0),
        ("soon", 0.0),
        ("-5", 0.0),
        ("99999999999999999999", 3600.0),
        ("Mon, 23 Nov 2026 04:31:30 GMT", 90.0),
        ("Mon, 23 Nov 2026 04:00:00 GMT", 0.0),
        ("Mon, 99 Nov 2026 04:31:30 GMT", 0.0),
    ],
)
def test_retry_after_as_seconds_or_date(header: str, seconds: float):
    assert parse_retry_after(header, NOW) == seconds
