"""The queue of deliveries: each message is claimed once, none is lost, and many firings become one message."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, insert, update

from ltp.core.alerts.delivery import failed, refused, sent
from ltp.db.alerts import channels, deliveries, delivery_upkeep
from ltp.db.alerts.deliveries import Claimed
from ltp.db.alerts.tables import alert_deliveries
from ltp.db.engine import writing
from ltp.db.schema import instruments
from ltp.errors import NotFoundError
from tests.alert_rows import NOW, channel, database, fire, states

SECOND = timedelta(seconds=1)


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Engine:
    return database(request.param, request, tmp_path)


def claimed(engine: Engine, channel_id: int, after_s: float = 0.0) -> Claimed:
    found = deliveries.claim(engine, channel_id, NOW + after_s * SECOND)
    assert found is not None
    return found


def test_a_firing_is_claimed_with_all_that_a_message_needs(engine: Engine) -> None:
    mine = channel(engine)
    with writing(engine) as connection:
        values = {"segment": "NSE_EQ", "security_id": 1333, "symbol": "HDFCBANK", "name": "HDFC Bank Limited"}
        values |= {"isin": "", "lot_size": 1, "tick_size": 500, "changed_at": NOW}
        connection.execute(insert(instruments).values(values))
    [row] = fire(engine, mine.id, note="sell half")
    assert deliveries.due_channels(engine, NOW) == [mine.id]
    found = claimed(engine, mine.id)
    assert (found.ids, found.channel, found.tries, found.message.id) == ((row,), mine, 1, f"ltp-{row}")
    [fired] = found.message.fired
    assert (fired.key, fired.symbol, fired.name) == ("NSE_EQ:1333", "HDFCBANK", "HDFC Bank Limited")
    assert (fired.rule, fired.note, fired.at, fired.ltp, fired.alert) == (
        "ltp > 1650", "sell half", NOW, 16_503_500, 7,
    )  # fmt: skip
    assert deliveries.claim(engine, mine.id, NOW) is None
    assert deliveries.due_channels(engine, NOW) == []


def test_a_message_that_was_sent_is_not_sent_again(engine: Engine) -> None:
    mine = channel(engine)
    fire(engine, mine.id)
    found = claimed(engine, mine.id)
    deliveries.end(engine, found, sent("accepted with status 204", 204), NOW + SECOND)
    [row] = deliveries.of_firings(engine, [1])
    assert (row.state, row.status, row.outcome, row.tries) == ("sent", 204, "accepted with status 204", 1)
    assert row.ended_at == NOW + SECOND
    assert deliveries.newest_of_channels(engine) == {mine.id: row}
    assert deliveries.claim(engine, mine.id, NOW + 99 * SECOND) is None


def test_a_failure_that_may_pass_is_tried_again_under_the_same_id(engine: Engine) -> None:
    mine = channel(engine)
    fire(engine, mine.id)
    first = claimed(engine, mine.id)
    deliveries.retry(engine, first, failed("answered with status 503", 503), NOW + 5 * SECOND)
    assert deliveries.claim(engine, mine.id, NOW + 4 * SECOND) is None
    second = claimed(engine, mine.id, 5)
    assert (second.ids, second.message, second.tries) == (first.ids, first.message, 2)
    deliveries.end(engine, second, refused("refused with status 410", 410), NOW + 6 * SECOND)
    assert states(engine) == [("failed", "refused with status 410")]


def test_while_a_message_waits_for_its_next_try_the_channel_rests(engine: Engine) -> None:
    mine, other = channel(engine), channel(engine, "other")
    fire(engine, mine.id)
    first = claimed(engine, mine.id)
    deliveries.retry(engine, first, failed("timed out"), NOW + 60 * SECOND)
    fire(engine, mine.id, other.id)
    assert deliveries.claim(engine, mine.id, NOW) is None
    assert claimed(engine, other.id).channel == other
    test = deliveries.queue_test(engine, mine.id, NOW)
    tested = claimed(engine, mine.id)
    assert (tested.ids, tested.message.fired) == ((test,), ())
    deliveries.end(engine, tested, sent("accepted"), NOW + SECOND)
    assert claimed(engine, mine.id, 1).ids == first.ids  # it works again: the rest is over


def test_one_message_at_a_time_in_their_order(engine: Engine) -> None:
    mine = channel(engine)
    rows = [fire(engine, mine.id)[0] for _ in range(3)]
    for row in rows:
        found = claimed(engine, mine.id)
        assert found.ids == (row,)
        assert deliveries.claim(engine, mine.id, NOW) is None
        deliveries.end(engine, found, sent("accepted"), NOW)


def test_more_firings_than_the_limit_become_one_message(engine: Engine) -> None:
    mine = channel(engine, per_minute=3)
    for _ in range(2):
        fire(engine, mine.id)
        deliveries.end(engine, claimed(engine, mine.id), sent("accepted"), NOW)
    rows = [fire(engine, mine.id)[0] for _ in range(5)]
    digest = claimed(engine, mine.id)
    assert digest.ids == tuple(rows)
    assert [fired.firing for fired in digest.message.fired] == [3, 4, 5, 6, 7]
    deliveries.retry(engine, digest, failed("timed out"), NOW + 5 * SECOND)
    fire(engine, mine.id)  # a message keeps its firings at its next try
    again = claimed(engine, mine.id, 5)
    assert (again.ids, again.message) == (digest.ids, digest.message)
    deliveries.end(engine, again, sent("accepted"), NOW + 6 * SECOND)
    found = deliveries.of_firings(engine, range(3, 8))
    assert [row.digest for row in found] == [None, *[rows[0]] * 4]
    assert {(row.state, row.outcome) for row in found} == {("sent", "accepted")}
    assert deliveries.newest_of_channels(engine)[mine.id].state == "queued"
    # The limit of three messages is reached; a minute after the first ones there is room.
    assert deliveries.claim(engine, mine.id, NOW + 7 * SECOND) is None
    assert len(claimed(engine, mine.id, 61).ids) == 1


def test_a_channel_that_is_off_gets_tests_only(engine: Engine) -> None:
    mine = channel(engine)
    channels.switch(engine, mine.id, on=False)
    assert not deliveries.is_needed(engine)
    fire(engine, mine.id)
    assert deliveries.claim(engine, mine.id, NOW) is None
    test = deliveries.queue_test(engine, mine.id, NOW)
    assert deliveries.queue_test(engine, mine.id, NOW) == test
    assert deliveries.is_needed(engine)
    assert claimed(engine, mine.id).ids == (test,)
    with pytest.raises(NotFoundError):
        deliveries.queue_test(engine, 99, NOW)


def test_two_senders_claim_a_message_once(engine: Engine) -> None:
    mine = channel(engine, per_minute=60)
    for _ in range(10):
        fire(engine, mine.id)
        start = threading.Barrier(4)
        with ThreadPoolExecutor(4) as pool:
            waiting = [pool.submit(_claim_at, start, engine, mine.id) for _ in range(4)]
            found = [each.result() for each in waiting]
        [once] = [each for each in found if each]
        deliveries.end(engine, once, sent("accepted"), NOW)


def _claim_at(start: threading.Barrier, engine: Engine, channel_id: int) -> Claimed | None:
    start.wait(30)
    return deliveries.claim(engine, channel_id, NOW)


def test_a_message_of_a_killed_sender_is_sent_again(engine: Engine) -> None:
    mine = channel(engine)
    fire(engine, mine.id)
    first = claimed(engine, mine.id)
    deliveries.beat(engine, first.ids, NOW + 10 * SECOND)
    delivery_upkeep.tidy(engine, NOW + 29 * SECOND)
    assert deliveries.claim(engine, mine.id, NOW + 29 * SECOND) is None
    delivery_upkeep.tidy(engine, NOW + 31 * SECOND)
    again = claimed(engine, mine.id, 31)
    assert (again.ids, again.message, again.tries) == (first.ids, first.message, 2)


def test_a_message_that_ends_its_sender_each_time_fails(engine: Engine) -> None:
    mine = channel(engine)
    fire(engine, mine.id)
    for minute in range(delivery_upkeep.MAX_TRIES):
        claimed(engine, mine.id, 60 * minute)
        delivery_upkeep.tidy(engine, NOW + (60 * minute + 30) * SECOND)
    assert states(engine) == [("failed", "its sender was ended 10 times while it was sent")]


def test_a_message_that_is_given_back_was_not_tried(engine: Engine) -> None:
    mine = channel(engine)
    fire(engine, mine.id)
    deliveries.give_back(engine, claimed(engine, mine.id), NOW)
    assert claimed(engine, mine.id).tries == 1


def test_old_firings_are_dropped_and_the_younger_ones_of_their_digest_are_sent(engine: Engine) -> None:
    mine = channel(engine, per_minute=1)
    [old] = fire(engine, mine.id, at=NOW - timedelta(minutes=50))
    [young] = fire(engine, mine.id)
    digest = claimed(engine, mine.id)
    assert digest.ids == (old, young)
    deliveries.retry(engine, digest, failed("timed out"), NOW + 900 * SECOND)
    delivery_upkeep.tidy(engine, NOW + 900 * SECOND)
    assert states(engine)[0] == ("dropped", "an hour passed before it could be sent")
    found = claimed(engine, mine.id, 900)
    assert (found.ids, found.tries) == ((young,), 1)


def test_rows_without_a_channel_are_dropped(engine: Engine) -> None:
    mine = channel(engine)
    channels.switch(engine, mine.id, on=False)
    fire(engine, mine.id, 99)
    delivery_upkeep.tidy(engine, NOW)
    assert states(engine) == [
        ("dropped", "the channel was switched off"),
        ("dropped", "the channel was deleted"),
    ]


def test_ended_rows_are_kept_for_a_month(engine: Engine) -> None:
    mine = channel(engine)
    fire(engine, mine.id)
    deliveries.end(engine, claimed(engine, mine.id), sent("accepted"), NOW)
    delivery_upkeep.tidy(engine, NOW + timedelta(days=29))
    assert len(states(engine)) == 1
    delivery_upkeep.tidy(engine, NOW + timedelta(days=31))
    assert states(engine) == []


def test_a_channel_that_is_switched_off_while_a_digest_is_formed(engine: Engine) -> None:
    """Rows that were taken away in between stay out of the message."""
    mine = channel(engine, per_minute=1)
    rows = [fire(engine, mine.id)[0] for _ in range(3)]
    with writing(engine) as connection:
        dropped = update(alert_deliveries).where(alert_deliveries.c.id == rows[1])
        connection.execute(dropped.values(state="dropped"))
    assert claimed(engine, mine.id).ids == (rows[0], rows[2])
