"""The state of the feed by the calls of three threads, and the spans that are stored."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import pytest

from ltp.db.bars.coverage import Connected, Subscription
from ltp.errors import DatabaseError
from ltp.worker.bars import coverage_log
from ltp.worker.bars.coverage_log import CoverageLog

HDFC, TCS = "NSE_EQ:1333", "NSE_EQ:11536"
OPEN = 1_796_010_300  # 2026-11-30T09:15:00+05:30
END = OPEN - 33_300 + 86_400  # of the day
RUN = (OPEN - 600) * 1_000_000


class Rig:
    """A feed subscribed at the open; the test sets the time in seconds after it."""

    def __init__(self) -> None:
        self.now_s, self.since_s, self.silent = float(OPEN - 600), 0, False
        self.stored, self.error, self.other_source = True, None, False  # type: ignore[var-annotated]
        self.connections: dict[int, Connected] = {}
        self.subscriptions: dict[tuple[str, int], Subscription] = {}
        self.writes = 0
        self.log = CoverageLog(self.store, lambda: self.now_s)
        self.log.follow([HDFC])

    def store(self, connections: Sequence[Connected], subscriptions: Sequence[Subscription]) -> bool:
        if self.error is not None:
            raise self.error
        if self.other_source:
            return False
        self.writes += 1
        self.connections |= {each.start: each for each in connections}
        self.subscriptions |= {(each.key, each.start): each for each in subscriptions}
        return True

    def at(self, seconds: float, *, packet: bool = True) -> None:
        """Let this instant be, with a packet just now, and flush."""
        self.now_s = OPEN + seconds
        if packet:
            self.log.received(int(self.now_s * 1e6))
        self.log.look(self.since_s * 1_000_000, silent=self.silent)
        self.log.flush()

    def connect(self, seconds: int) -> None:
        self.since_s = OPEN + seconds
        self.at(seconds)

    @property
    def connected(self) -> list[tuple[int, int]]:
        return [(each.start - OPEN, each.until - OPEN) for each in self.connections.values()]

    @property
    def subscribed(self) -> dict[str, tuple[int, int]]:
        return {key: (start - OPEN, each.until - OPEN) for (key, start), each in self.subscriptions.items()}


def test_a_connection_grows_with_each_flush() -> None:
    rig = Rig()
    rig.connect(0)
    rig.at(5)
    assert rig.connected == [(0, 5)]
    rig.at(65)
    assert rig.connections == {OPEN: Connected(RUN, OPEN, OPEN + 65)}
    assert rig.subscriptions == {(HDFC, OPEN - 599): Subscription(HDFC, OPEN - 599, END, RUN)}


def test_without_a_connection_nothing_is_written_again() -> None:
    rig = Rig()
    rig.at(0)
    rig.at(120)
    assert (rig.connected, rig.writes) == ([], 1)
    rig.connect(150)
    rig.at(151)
    before = rig.writes
    rig.log.flush()
    assert rig.writes == before


def test_a_lost_connection_ends_with_its_last_packet() -> None:
    rig = Rig()
    rig.connect(0)
    rig.at(60)
    rig.at(64, packet=False)
    assert rig.connected == [(0, 64)]
    rig.since_s = 0
    rig.at(66, packet=False)
    assert rig.connected == [(0, 60)]
    rig.connect(80)
    rig.at(90)
    assert rig.connected == [(0, 60), (80, 90)]


def test_a_quiet_connection_lasts_until_its_end() -> None:
    rig = Rig()
    rig.connect(0)
    for seconds in range(5, 300, 5):
        rig.at(seconds, packet=False)
    rig.since_s = 0
    rig.at(300, packet=False)
    assert rig.connected == [(0, 295)]


def test_a_silent_connection_is_covered_up_to_its_last_packet() -> None:
    rig = Rig()
    rig.connect(0)
    rig.at(60)
    rig.at(69, packet=False)
    rig.silent = True
    for seconds in (70, 75, 85):
        rig.at(seconds, packet=False)
    assert rig.connected == [(0, 60)]
    rig.silent = False
    rig.at(90)
    assert rig.connected == [(0, 90)]


def test_a_connection_without_a_packet_covers_nothing() -> None:
    rig = Rig()
    rig.at(-60)
    rig.since_s, rig.silent = OPEN, True
    rig.at(1, packet=False)
    rig.at(9, packet=False)
    rig.since_s = 0
    rig.at(30, packet=False)
    assert rig.connected == [(0, 0)]


def test_a_connection_between_two_looks_is_another_one() -> None:
    rig = Rig()
    rig.connect(0)
    rig.at(60)
    rig.since_s = OPEN + 61
    rig.at(62)
    assert rig.connected == [(0, 62), (61, 62)]


def test_subscriptions_begin_and_end() -> None:
    rig = Rig()
    rig.connect(0)
    rig.log.follow([HDFC, TCS])
    rig.at(200)
    assert rig.subscribed == {HDFC: (-599, END - OPEN), TCS: (1, END - OPEN)}
    rig.log.follow([HDFC])
    rig.at(201)
    assert rig.subscribed[TCS] == (1, 200)
    rig.log.follow([TCS, HDFC])
    rig.at(300)
    assert rig.subscriptions[TCS, OPEN + 202] == Subscription(TCS, OPEN + 202, END, RUN)


def test_a_subscription_without_a_whole_minute_is_not_written() -> None:
    rig = Rig()
    rig.connect(0)
    for number in range(10):
        rig.now_s = OPEN + number * 60 + 20
        rig.log.follow([HDFC, TCS])
        rig.at(number * 60 + 30)
        rig.now_s = OPEN + number * 60 + 75
        rig.log.follow([HDFC])
    rig.at(700)
    assert set(rig.subscribed) == {HDFC}


def test_an_ended_subscription_that_was_not_yet_stored_is_stored() -> None:
    rig = Rig()
    rig.connect(0)
    rig.log.follow([HDFC, TCS])
    rig.now_s = OPEN + 130
    rig.log.follow([HDFC])
    rig.at(131)
    assert rig.subscribed[TCS] == (1, 130)


def test_a_day_begins_a_run() -> None:
    rig = Rig()
    rig.connect(0)
    rig.at(60)
    midnight = END - OPEN
    rig.at(midnight - 1)
    rig.at(midnight + 4)
    assert rig.connected == [(0, midnight), (midnight, midnight + 4)]
    rig.at(midnight + 70)
    assert rig.subscriptions[HDFC, END] == Subscription(HDFC, END, END + 86_400, (END + 4) * 1_000_000)


def test_all_waits_while_the_database_is_away(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    rig = Rig()
    rig.error = DatabaseError("The database is away")
    rig.connect(0)
    rig.at(100)
    rig.since_s = 0
    rig.at(101, packet=False)
    rig.connect(120)
    rig.at(190)
    rig.error = None
    rig.at(200)
    assert rig.connected == [(0, 100), (120, 200)]
    assert rig.subscribed == {HDFC: (-599, END - OPEN)}
    assert caplog.messages == ["The coverage of the feed is not stored: The database is away"]


def test_what_waits_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(coverage_log, "MAX_WAITING", 3)
    rig = Rig()
    rig.error = DatabaseError("The database is away")
    for number in range(5):
        rig.connect(number * 100)
        rig.at(number * 100 + 50)
        rig.since_s = 0
        rig.at(number * 100 + 51, packet=False)
    rig.error = None
    rig.log.flush()
    assert rig.connected == [(200, 250), (300, 350), (400, 450)]


def test_the_coverage_waits_for_the_first_bar_of_its_source() -> None:
    rig = Rig()
    rig.other_source = True
    rig.connect(0)
    rig.at(100)
    assert rig.connected == []
    rig.other_source = False
    rig.at(105)
    assert rig.connected == [(0, 105)]


def test_a_key_of_another_instrument_begins_anew() -> None:
    rig = Rig()
    rig.connect(0)
    rig.at(100)
    rig.log.forget([HDFC, TCS])
    rig.at(200)
    assert rig.subscriptions[HDFC, OPEN + 101] == Subscription(HDFC, OPEN + 101, END, RUN)


def test_each_end_of_a_gap_is_a_change() -> None:
    rig = Rig()
    assert rig.log.changes == (0, 0)
    rig.connect(0)
    rig.at(5)
    assert rig.log.changes == (1, 0)
    rig.log.follow([TCS, HDFC])
    rig.log.follow([TCS])
    assert rig.log.changes == (1, 1)
    rig.since_s = 0
    rig.at(60)
    rig.log.follow([TCS, HDFC])
    assert rig.log.changes == (1, 1)
    rig.connect(70)
    assert rig.log.changes == (2, 1)
