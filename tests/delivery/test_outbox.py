"""The outbox: each firing leaves once, a slow channel holds up no other, and nothing is lost when it ends."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine

from ltp.core.alerts.channel import Channel
from ltp.core.alerts.delivery import Attempt, failed, refused, sent
from ltp.core.alerts.message import Message
from ltp.db.alerts import channels, deliveries
from ltp.db.engine import open_engine
from ltp.delivery import outbox as outbox_module
from ltp.delivery.outbox import LONGEST_S, Outbox
from ltp.errors import DatabaseError
from tests.alert_rows import NOW, channel, fire, states


class Receivers:
    """Notes each message. `hold`: names of channels that answer once `go` is set. `attempts`: other answers than
    sent, in turn.
    """

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.hold: set[str] = set()
        self.go = threading.Event()
        self.attempts: list[Attempt] = []

    def __call__(self, to: Channel, message: Message) -> Attempt:
        self.messages.append(message)
        if to.name in self.hold:
            self.go.wait(30)
        return self.attempts.pop(0) if self.attempts else sent("accepted with status 200", 200)

    @property
    def ids(self) -> list[str]:
        return [message.id for message in self.messages]


class Clock:
    def __init__(self) -> None:
        self.passed_s = 0.0

    def now(self) -> datetime:
        return NOW + timedelta(seconds=self.passed_s)

    def monotonic(self) -> float:
        return self.passed_s


@pytest.fixture
def engine(empty_database: str) -> Engine:
    return open_engine(empty_database)


def until_idle(outbox: Outbox, wait_for: Callable[..., Any]) -> None:
    def idle() -> bool:
        outbox.round()
        return outbox.is_idle

    wait_for(idle)


def made(engine: Engine, receivers: Receivers) -> tuple[Outbox, Clock]:
    clock = Clock()
    return Outbox(engine, receivers, now=clock.now, monotonic=clock.monotonic), clock


@contextmanager
def running(outbox: Outbox) -> Iterator[None]:
    thread = threading.Thread(target=outbox.run)
    thread.start()
    yield
    outbox.stop()
    thread.join(10)
    assert not thread.is_alive()


def test_firings_leave_in_their_order_and_once(engine: Engine, wait_for: Any) -> None:
    receivers, mine = Receivers(), channel(engine)
    outbox, _ = made(engine, receivers)
    rows = [fire(engine, mine.id)[0] for _ in range(5)]
    until_idle(outbox, wait_for)
    wait_for(lambda: outbox.round() or len(receivers.messages) == 5)
    until_idle(outbox, wait_for)
    assert receivers.ids == [f"ltp-{row}" for row in rows]
    assert states(engine) == [("sent", "accepted with status 200")] * 5


def test_a_slow_channel_holds_up_no_other(engine: Engine, wait_for: Any) -> None:
    receivers, slow, quick = Receivers(), channel(engine, "slow"), channel(engine, "quick")
    receivers.hold.add("slow")
    outbox, _ = made(engine, receivers)
    for _ in range(3):
        fire(engine, slow.id, quick.id)

    def quick_is_done() -> bool:
        outbox.round()
        return states(engine)[1::2] == [("sent", "accepted with status 200")] * 3

    wait_for(quick_is_done)
    assert [state for state, _ in states(engine)[0::2]] == ["sending", "queued", "queued"]
    receivers.go.set()
    wait_for(lambda: outbox.round() or {state for state, _ in states(engine)} == {"sent"})


def test_threads_are_bounded(engine: Engine, wait_for: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox_module, "THREADS", 3)
    receivers = Receivers()
    for number in range(5):
        receivers.hold.add(channel(engine, f"c{number}").name)
    outbox, _ = made(engine, receivers)
    fire(engine, *(each.id for each in channels.all_of(engine)))
    outbox.round()
    outbox.round()
    assert [state for state, _ in states(engine)].count("sending") == 3
    receivers.go.set()
    wait_for(lambda: outbox.round() or {state for state, _ in states(engine)} == {"sent"})


def test_a_failure_that_may_pass_is_tried_again_and_a_permanent_one_never(
    engine: Engine, wait_for: Any
) -> None:
    receivers, mine = Receivers(), channel(engine)
    receivers.attempts = [
        failed("answered with status 429", 429, 40.0),
        refused("refused with status 410", 410),
    ]
    outbox, clock = made(engine, receivers)
    fire(engine, mine.id)
    until_idle(outbox, wait_for)
    assert states(engine) == [("queued", "answered with status 429")]
    clock.passed_s = 39.0
    until_idle(outbox, wait_for)
    assert len(receivers.messages) == 1
    clock.passed_s = 40.0
    until_idle(outbox, wait_for)
    assert states(engine) == [("failed", "refused with status 410")]
    clock.passed_s = 3_000.0
    until_idle(outbox, wait_for)
    assert receivers.ids == ["ltp-1", "ltp-1"]


def test_tries_end(engine: Engine, wait_for: Any) -> None:
    receivers, mine = Receivers(), channel(engine)
    receivers.attempts = [failed("no answer in time")] * 9
    outbox, clock = made(engine, receivers)
    fire(engine, mine.id)
    for _ in range(9):
        until_idle(outbox, wait_for)
        clock.passed_s += 300.0  # the last wait is 900 s
    assert states(engine) == [("failed", "no answer in time")]
    assert receivers.ids == ["ltp-1"] * 6


def test_a_test_is_tried_once(engine: Engine, wait_for: Any) -> None:
    receivers, mine = Receivers(), channel(engine)
    receivers.attempts = [failed("it refuses connections")]
    outbox, _ = made(engine, receivers)
    deliveries.queue_test(engine, mine.id, NOW)
    until_idle(outbox, wait_for)
    assert states(engine) == [("failed", "it refuses connections")]


def test_a_flood_becomes_a_digest(engine: Engine, wait_for: Any) -> None:
    receivers, mine = Receivers(), channel(engine, per_minute=2)
    outbox, _ = made(engine, receivers)
    for _ in range(50):
        fire(engine, mine.id)
    until_idle(outbox, wait_for)
    [message] = receivers.messages
    assert len(message.fired) == 50
    assert states(engine) == [("sent", "accepted with status 200")] * 50


def test_a_message_that_hangs_is_given_up(engine: Engine, wait_for: Any) -> None:
    receivers, mine = Receivers(), channel(engine)
    receivers.hold.add("mine")
    outbox, clock = made(engine, receivers)
    fire(engine, mine.id)
    outbox.round()
    clock.passed_s = LONGEST_S + 1
    outbox.round()
    assert states(engine) == [("queued", "it did not end in time")]
    receivers.go.set()  # its late end changes nothing
    wait_for(outbox.woken.is_set)
    outbox.round()
    assert states(engine)[0][0] in {"queued", "sending"}


def test_while_a_message_is_under_way_its_row_shows_life(engine: Engine, wait_for: Any) -> None:
    receivers, mine = Receivers(), channel(engine)
    receivers.hold.add("mine")
    outbox, clock = made(engine, receivers)
    fire(engine, mine.id)
    for clock.passed_s in (0.0, 10.0, 20.0, 30.0, 40.0):
        outbox.round()
    assert [state for state, _ in states(engine)] == ["sending"]
    assert len(receivers.messages) == 1
    receivers.go.set()
    until_idle(outbox, wait_for)


def test_an_end_is_stored_once_the_database_is_back(engine: Engine, wait_for: Any, monkeypatch: Any) -> None:
    receivers, mine = Receivers(), channel(engine)
    outbox, _ = made(engine, receivers)
    fire(engine, mine.id)

    def locked(*_: Any) -> None:
        raise DatabaseError("The database cannot be written: database is locked")

    with monkeypatch.context() as patched:
        patched.setattr(deliveries, "end", locked)
        outbox.round()
        wait_for(outbox.woken.is_set)
        with pytest.raises(DatabaseError):
            outbox.round()
    until_idle(outbox, wait_for)
    assert states(engine) == [("sent", "accepted with status 200")]
    assert len(receivers.messages) == 1


def test_a_wake_sends_at_once_and_an_end_finishes(engine: Engine, wait_for: Any) -> None:
    receivers, mine = Receivers(), channel(engine)
    outbox = Outbox(engine, receivers)
    with running(outbox):
        fire(engine, mine.id, at=datetime.now(NOW.tzinfo))
        outbox.woken.set()
        wait_for(lambda: receivers.messages)
    assert states(engine) == [("sent", "accepted with status 200")]


def test_an_end_gives_back_what_does_not_finish(
    engine: Engine, wait_for: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox_module, "END_S", 0.1)
    receivers, mine = Receivers(), channel(engine)
    receivers.hold.add("mine")
    outbox = Outbox(engine, receivers)
    fire(engine, mine.id, at=datetime.now(NOW.tzinfo))
    with running(outbox):
        wait_for(lambda: receivers.messages)
    assert states(engine) == [("queued", "")]
    receivers.go.set()
    again = Receivers()
    other = Outbox(engine, again)
    with running(other):
        wait_for(lambda: again.messages)
    assert again.ids == receivers.ids
    assert states(engine) == [("sent", "accepted with status 200")]
