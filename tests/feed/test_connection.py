"""The parts of a connection's life that test_supervisor does not cover."""

from __future__ import annotations

from typing import Any

import pytest

from ltp import metrics
from ltp.core.backoff import CloseReason
from ltp.errors import FeedAuthError, FeedError, StoreError
from ltp.feed.connection import FeedConnection, refused
from ltp.feed.segments import Segments
from ltp.feed.watch import TradeTimeAlarm

NEVER = float("-inf")


def opened(world: Any, script: list[tuple[float, object]]) -> FeedConnection:
    world.sessions = [script]
    return FeedConnection(
        world.connect(),
        "ticker",
        world.take,
        TradeTimeAlarm(),
        Segments(lambda: world.judged),
        clock=lambda: 1_795_408_200.0 + world.now,
        monotonic=lambda: world.now,
        sleep=world.pass_time,
    )


def test_after_each_read_ticks_are_left_to_collect_for_as_long_as_they_may(feed_world: Any):
    feed_world.rest_s = 10.0
    connection = opened(feed_world, [*feed_world.prices(0.1, 5.0, 20.0)])
    connection.want(("NSE_EQ:1333",))
    steps = []
    while len(feed_world.ticks) < 3:
        assert connection.step(in_session=True, last_silent_reconnect=NEVER) is None
        steps.append((len(feed_world.ticks), round(feed_world.now, 3)))
    assert [steps[0], steps[1], steps[-1]] == [(1, 10.1), (2, 20.1), (3, 30.1)]


def test_a_frozen_process_does_not_take_its_own_sleep_for_silence(feed_world: Any):
    """The packets of the meantime lie in the kernel; the first read after waking brings them."""
    connection = opened(feed_world, [*feed_world.prices(0.1), *feed_world.prices(0.3)])
    connection.want(("NSE_EQ:1333",))
    assert connection.step(in_session=True, last_silent_reconnect=NEVER) is None
    feed_world.now += 60.0
    assert connection.step(in_session=True, last_silent_reconnect=NEVER) is None
    assert connection.feed == "live"


def test_the_reason_carries_the_life_of_the_connection(feed_world: Any):
    connection = opened(feed_world, [*feed_world.prices(1.0, 2.0, 4.0), feed_world.code50(5.0, 805)])
    connection.want(("NSE_EQ:1333",))
    reason = None
    while reason is None:
        reason = connection.step(in_session=True, last_silent_reconnect=NEVER)
    assert reason[:3] == ("disconnect", 805, "limited")
    assert (reason.lived_s, reason.packets, reason.data_s) == pytest.approx((5.0, 3, 3.0))


def test_ticks_before_the_end_in_the_same_read_are_handed_over(feed_world: Any):
    connection = opened(feed_world, [(0.1, feed_world.prices(0)[0][1] + feed_world.code50(0, 800)[1])])
    connection.want(("NSE_EQ:1333",))
    assert connection.step(in_session=True, last_silent_reconnect=NEVER) is not None
    assert len(feed_world.ticks) == 1


def test_bad_bytes_are_counted_by_kind(feed_world: Any):
    counted = metrics.value("feed_faults.truncated")
    connection = opened(feed_world, [(0.1, feed_world.prices(0)[0][1][:-1])])
    connection.want(("NSE_EQ:1333",))
    connection.step(in_session=True, last_silent_reconnect=NEVER)
    connection.ended("off")
    assert metrics.value("feed_faults.truncated") == counted + 1
    assert connection.feed == "down"


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (FeedError("no route"), CloseReason("unreachable", sentence="no route")),
        (StoreError("Redis is away"), CloseReason("unreachable", sentence="Redis is away")),
        (
            FeedError("429", 429, retry_after_s=9.0),
            CloseReason("refused", 429, "limited", "429", retry_after_s=9.0),
        ),
        (FeedAuthError("401", 401), CloseReason("refused", 401, "refresh", "401")),
        (FeedAuthError("403", 403), CloseReason("refused", 403, "retry", "403")),
        (FeedError("503", 503), CloseReason("refused", 503, "retry", "503")),
    ],
)
def test_attempts_that_brought_no_connection(error: Exception, reason: CloseReason):
    assert refused(error) == reason
