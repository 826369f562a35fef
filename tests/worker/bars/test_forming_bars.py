"""Forming bars out of the worker: those that changed, all of them every few seconds, none while nobody asks."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from ltp.core.bars.bar import Bar
from ltp.core.bars.forming import FormingBatch
from ltp.errors import StoreError
from ltp.worker.bars.forming_bars import FormingBars

OPEN = 1_795_924_500
ONE, TWO = "NSE_EQ:1", "NSE_EQ:2"


def bar(close: int) -> Bar:
    return Bar(OPEN, 100_0000, 110_0000, 90_0000, close, 500)


class Rig:
    def __init__(self) -> None:
        self.now = 100.0
        self.wanted: list[str] = [ONE, TWO]
        self.bars: dict[str, list[Bar]] = {ONE: [bar(100_0000)], TWO: [bar(101_0000)]}
        self.sent: list[FormingBatch] = []
        self.asked = 0
        self.leads = True
        self.failure: StoreError | None = None
        self.forming = FormingBars(
            wanted=self.read_wanted,
            recent=lambda keys: {key: list(self.bars[key]) for key in keys if key in self.bars},
            publish=self.publish,
            source="simulator",
            may_write=lambda: self.leads,
            clock=lambda: 1_000.0 + self.now,
            monotonic=lambda: self.now,
        )

    def read_wanted(self, now: float) -> Sequence[str]:
        assert now == 1_000.0 + self.now
        self.asked += 1
        if self.failure:
            raise self.failure
        return list(self.wanted)

    def publish(self, batch: FormingBatch) -> None:
        if self.failure:
            raise self.failure
        self.sent.append(batch)

    def round(self, passed_s: float = 0.4) -> list[FormingBatch]:
        self.now += passed_s
        self.sent.clear()
        self.forming.round()
        return self.sent


def test_the_first_round_sends_all_that_is_wanted() -> None:
    assert Rig().round() == [FormingBatch("simulator", {ONE: [bar(100_0000)], TWO: [bar(101_0000)]})]


def test_later_rounds_send_what_changed() -> None:
    rig = Rig()
    rig.round()
    assert rig.round() == []
    rig.bars[TWO] = [bar(102_0000)]
    assert rig.round() == [FormingBatch("simulator", {TWO: [bar(102_0000)]})]
    assert rig.round() == []


def test_all_are_sent_again_every_five_seconds() -> None:
    rig = Rig()
    rig.round()
    assert rig.round(4.9) == []
    assert [set(batch.bars) for batch in rig.round(0.1)] == [{ONE, TWO}]
    assert rig.round(0.1) == []


def test_an_instrument_without_bars_costs_the_others_nothing_and_readers_know_that_the_worker_is_there() -> (
    None
):
    rig = Rig()
    rig.bars.clear()
    assert rig.round() == [FormingBatch("simulator", {})]


def test_while_nobody_asks_one_question_a_second_is_all() -> None:
    rig = Rig()
    rig.wanted = []
    assert [batch for _ in range(10) for batch in rig.round()] == []
    assert rig.asked == 4
    rig.wanted = [ONE]
    assert [set(batch.bars) for batch in rig.round(1.0)] == [{ONE}]


def test_only_the_leader_asks_and_sends_and_a_new_leader_sends_all() -> None:
    rig = Rig()
    rig.round()
    rig.leads = False
    assert rig.round(2.0) == []
    assert rig.asked == 1
    rig.leads = True
    assert [set(batch.bars) for batch in rig.round(0.4)] == [{ONE, TWO}]


def test_a_failure_is_logged_once_and_all_is_sent_when_it_is_over(caplog: pytest.LogCaptureFixture) -> None:
    rig = Rig()
    rig.round()
    rig.failure = StoreError("publishing forming bars failed")
    for _ in range(5):
        rig.bars[ONE] = [bar(100_0000 + rig.asked)]
        rig.round(1.0)
    assert [record.getMessage() for record in caplog.records] == [
        "Forming bars are not published: publishing forming bars failed"
    ]
    rig.failure = None
    assert [set(batch.bars) for batch in rig.round(1.0)] == [{ONE, TWO}]
