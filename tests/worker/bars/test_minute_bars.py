"""Ticks in, bars stored, by the calls that the feed's thread and the bars' thread make."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from ltp.core.bars.bar import PARTIAL, Bar
from ltp.core.ticks.tick import Tick
from ltp.db.bars.coverage import Connected, Subscription
from ltp.errors import DatabaseError
from ltp.worker.bars import minute_bars
from ltp.worker.bars.coverage_log import CoverageLog
from ltp.worker.bars.minute_bars import MinuteBars

HDFC, TCS = "NSE_EQ:1333", "NSE_EQ:11536"
OPEN = 1_796_010_300  # 2026-11-30T09:15:00+05:30


class Rig:
    def __init__(self) -> None:
        self.now_s, self.since_s, self.leads = float(OPEN), OPEN - 600, True
        self.away = self.permanent = False
        self.fault: Exception | None = None
        self.writes: list[dict[str, list[Bar]]] = []
        self.bars = MinuteBars(
            self.store,
            since=lambda: int(self.since_s * 1e6),
            is_open=lambda _, start: OPEN <= start < OPEN + 22_500,
            tick_size=lambda _: 5,
            may_write=lambda: self.leads,
            coverage=CoverageLog(self.store_coverage, lambda: self.now_s),
            clock=lambda: self.now_s,
        )

    def store_coverage(self, connections: Sequence[Connected], subscriptions: Sequence[Subscription]) -> bool:
        self.covered = [(each.start - OPEN, each.until - OPEN) for each in connections]
        self.subscribed = [(each.key, each.start - OPEN) for each in subscriptions]
        return True

    def store(self, bars: Mapping[str, Sequence[Bar]]) -> None:
        if self.fault is not None:
            raise self.fault
        if self.away:
            raise DatabaseError("The database is away", permanent=self.permanent)
        self.writes.append({key: list(each) for key, each in bars.items()})

    def tick(self, at_s: float, price: int, volume: int, key: str = HDFC) -> None:
        received = int((OPEN + at_s) * 1e6)
        self.bars.on_ticks([tuple(Tick(key, price, OPEN + int(at_s // 1), received, volume))])  # type: ignore[list-item]

    def closed_at(self, at_s: float) -> None:
        self.now_s = OPEN + at_s
        self.bars.close_bars()

    @property
    def stored(self) -> list[tuple[str, int, int, int]]:
        """(key, minute, volume, marks) of each bar written."""
        return [
            (key, (bar.start - OPEN) // 60, bar.volume, bar.marks)
            for write in self.writes
            for key, bars in write.items()
            for bar in bars
        ]


@pytest.fixture
def rig() -> Rig:
    rig = Rig()
    rig.tick(-60, 100_0000, 0)
    return rig


def test_a_closed_bar_is_stored_by_the_next_flush(rig: Rig) -> None:
    rig.tick(-60, 50_0000, 0, TCS)
    rig.tick(5, 100_0000, 10)
    rig.tick(6, 50_0000, 20, TCS)
    rig.closed_at(62)
    rig.bars.flush()
    assert rig.writes == []
    rig.closed_at(64)
    rig.bars.flush()
    rig.bars.flush()
    assert rig.writes == [
        {
            TCS: [Bar(OPEN, 50_0000, 50_0000, 50_0000, 50_0000, 20)],
            HDFC: [Bar(OPEN, 100_0000, 100_0000, 100_0000, 100_0000, 10)],
        }
    ]


def test_a_revised_bar_is_stored_once_with_its_last_values(rig: Rig) -> None:
    rig.tick(5, 100_0000, 10)
    rig.tick(61, 100_0000, 30)
    rig.closed_at(64)
    received = int((OPEN + 65) * 1e6)
    rig.bars.on_ticks([tuple(Tick(HDFC, 100_0000, OPEN + 59, received, 20))])  # type: ignore[list-item]
    rig.closed_at(65)
    rig.bars.flush()
    assert rig.stored == [(HDFC, 0, 20, 2)]


def test_a_connection_that_ends_leaves_partial_bars(rig: Rig) -> None:
    rig.tick(5, 100_0000, 10)
    rig.since_s = 0
    rig.closed_at(20)
    rig.since_s = OPEN + 30
    rig.tick(31, 100_0000, 500)
    rig.tick(40, 100_0000, 510)
    rig.closed_at(70)
    rig.bars.flush()
    assert rig.stored == [(HDFC, 0, 20, PARTIAL)]


def test_ticks_without_a_connection_are_no_trades(rig: Rig) -> None:
    rig.since_s = 0
    rig.tick(5, 100_0000, 10)
    rig.closed_at(70)
    rig.bars.flush()
    assert rig.writes == []


def test_bars_wait_while_the_database_is_away(rig: Rig, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    rig.away = True
    for minute in range(3):
        rig.tick(minute * 60 + 1, 100_0000, 10 * (minute + 1))
        rig.closed_at(minute * 60 + 64)
        rig.bars.flush()
    rig.away = False
    rig.bars.flush()
    assert [(minute, volume) for _, minute, volume, _ in rig.stored] == [(0, 10), (1, 10), (2, 10)]
    assert [record.getMessage() for record in caplog.records] == [
        "Bars are not stored: The database is away. Prices go on.",
        "Bars are stored again; 0 bars lost so far",
    ]
    assert rig.bars.counts == {"stored": 3, "waiting": 0, "lost": 0}


def test_after_a_permanent_failure_no_bar_is_kept_and_the_reason_is_logged_once(
    rig: Rig, caplog: pytest.LogCaptureFixture
) -> None:
    rig.away = rig.permanent = True
    for minute in range(3):
        rig.tick(minute * 60 + 1, 100_0000, 10 * (minute + 1))
        rig.closed_at(minute * 60 + 64)
        rig.bars.flush()
    assert caplog.messages == ["Bars are not stored: The database is away. Prices go on."]
    assert rig.bars.counts == {"stored": 0, "waiting": 0, "lost": 3}


def test_the_oldest_bars_give_way_past_the_bound(
    rig: Rig, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    monkeypatch.setattr(minute_bars, "MAX_WAITING", 2)
    rig.away = True
    for minute in range(4):
        rig.tick(minute * 60 + 1, 100_0000, 10 * (minute + 1))
        rig.closed_at(minute * 60 + 64)
    rig.bars.flush()
    rig.away = False
    rig.bars.flush()
    assert [minute for _, minute, _, _ in rig.stored] == [2, 3]
    assert caplog.records[-1].getMessage() == "Bars are stored again; 2 bars lost so far"


def test_bars_outlast_a_short_loss_of_the_lease_and_no_longer_one(rig: Rig) -> None:
    rig.leads = False
    rig.tick(5, 100_0000, 10)
    rig.closed_at(70)
    rig.tick(125, 100_0000, 20)
    rig.closed_at(190)
    rig.bars.flush()
    assert (rig.writes, rig.bars.counts["lost"]) == ([], 1)
    rig.leads = True
    rig.bars.flush()
    assert [minute for _, minute, _, _ in rig.stored] == [2]


def test_bars_that_wait_are_not_stored_for_the_next_instrument_of_their_key(rig: Rig) -> None:
    rig.tick(-60, 100_0000, 0, TCS)
    rig.tick(5, 100_0000, 10)
    rig.tick(5, 100_0000, 10, TCS)
    rig.closed_at(70)
    rig.bars.forget({HDFC: (OPEN + 100) * 1_000_000})
    rig.bars.flush()
    assert [key for key, *_ in rig.stored] == [TCS]


def test_a_bar_that_no_record_holds_is_counted_and_the_others_are_stored(rig: Rig) -> None:
    rig.tick(-60, 100_0000, 0, TCS)
    rig.tick(5, 100_0000, 10)
    rig.tick(6, 9_000_000_0000, 20)
    rig.tick(5, 100_0000, 10, TCS)
    rig.closed_at(70)
    rig.bars.flush()
    assert [key for key, *_ in rig.stored] == [TCS]
    assert rig.bars.counts["absurd"] == 1


def test_bars_of_a_write_that_fails_by_a_fault_of_the_program_are_dropped(rig: Rig) -> None:
    rig.fault = ZeroDivisionError()
    rig.tick(5, 100_0000, 10)
    rig.closed_at(70)
    with pytest.raises(ZeroDivisionError):
        rig.bars.flush()
    rig.fault = None
    rig.bars.flush()
    assert (rig.writes, rig.bars.counts["lost"]) == ([], 1)


def test_a_key_that_means_another_instrument_starts_anew(rig: Rig) -> None:
    rig.tick(5, 100_0000, 10)
    rig.bars.forget({HDFC: (OPEN + 6) * 1_000_000})
    rig.closed_at(70)
    rig.bars.flush()
    assert rig.writes == []


def test_many_bars_are_stored_in_several_writes(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(minute_bars, "_IN_ONE_WRITE", 2)
    monkeypatch.setattr(minute_bars, "_CLOSED_AT_ONCE", 2)
    keys = [f"NSE_EQ:{number}" for number in range(1, 6)]
    for key in keys:
        rig.tick(-60, 100_0000, 0, key)
        rig.tick(5, 100_0000, 10, key)
    rig.closed_at(70)
    rig.bars.flush()
    assert [len(write) for write in rig.writes] == [2, 2, 1]
    assert sorted(key for write in rig.writes for key in write) == keys


def test_the_thread_closes_and_stores_by_itself_and_ends(rig: Rig, wait_for: Any) -> None:
    rig.tick(5, 100_0000, 10)
    rig.now_s = OPEN + 70
    rig.bars.start()
    wait_for(lambda: rig.stored)
    rig.bars.stop()
    assert not rig.bars.is_alive()


def test_a_fault_of_the_program_does_not_end_the_thread(
    rig: Rig, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, wait_for: Any
) -> None:
    monkeypatch.setattr(minute_bars, "LOOK_S", 0.01)
    faults = iter([ZeroDivisionError()])

    def clock() -> float:
        for fault in faults:
            raise fault
        return rig.now_s

    rig.bars._clock = clock
    rig.tick(5, 100_0000, 10)
    rig.now_s = OPEN + 70
    rig.bars.start()
    wait_for(lambda: rig.stored)
    rig.bars.stop()
    assert caplog.messages == ["A round of bars failed; the next one follows"]


def test_the_newest_bars_are_those_of_the_last_minutes_and_the_forming_one(rig: Rig) -> None:
    rig.tick(5, 100_0000, 10)
    rig.closed_at(64)
    rig.tick(65, 101_0000, 15)
    assert rig.bars.recent([HDFC, TCS]) == {
        HDFC: [
            Bar(OPEN, 100_0000, 100_0000, 100_0000, 100_0000, 10),
            Bar(OPEN + 60, 101_0000, 101_0000, 101_0000, 101_0000, 5),
        ]
    }


def test_bars_that_the_database_refuses_for_good_are_not_shown_either(rig: Rig) -> None:
    """They are invented and would stand beside real ones."""
    rig.tick(5, 100_0000, 10)
    rig.closed_at(64)
    rig.away = rig.permanent = True
    rig.bars.flush()
    assert rig.bars.recent([HDFC]) == {}
    rig.away = rig.permanent = False
    rig.tick(65, 100_0000, 20)
    rig.closed_at(124)
    rig.bars.flush()
    assert [len(bars) for bars in rig.bars.recent([HDFC]).values()] == [2]


def test_the_coverage_of_the_feed_is_stored_beside_the_bars(rig: Rig) -> None:
    rig.bars.follow([HDFC])
    rig.tick(5, 100_0000, 10)
    rig.closed_at(125)
    rig.leads = False
    rig.bars.flush()
    assert not hasattr(rig, "covered")
    rig.leads = True
    rig.bars.flush()
    assert (rig.covered, rig.subscribed) == ([(-600, 125)], [(HDFC, 1)])
    rig.tick(127, 100_0000, 20)
    rig.since_s = 0
    rig.closed_at(130)
    rig.bars.flush()
    assert rig.covered == [(-600, 127)]
