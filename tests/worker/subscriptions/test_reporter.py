from __future__ import annotations

import pytest

from ltp.errors import StoreError
from ltp.worker.subscriptions.reporter import TableReporter


class World:
    def __init__(self) -> None:
        self.now, self.looked_at, self.active = 0.0, False, True
        self.made: list[float] = []
        self.rests = 0
        self.reporter = TableReporter(
            is_looked_at=lambda: self.looked_at,
            make=lambda: self.made.append(self.now),
            rest=self.rest,
            active=lambda: self.active,
            monotonic=lambda: self.now,
        )

    def rest(self) -> None:
        self.rests += 1

    def steps(self, n: int) -> list[float]:
        for _ in range(n):
            self.now += 0.5
            self.reporter.step()
        made, self.made = self.made, []
        return made


def test_the_table_is_made_at_once_and_every_two_seconds_while_somebody_looks() -> None:
    world = World()
    assert world.steps(4) == []
    world.looked_at = True
    assert world.steps(9) == [2.5, 4.5, 6.5]
    world.looked_at = False
    assert world.steps(2) == []
    assert world.rests == 6
    world.looked_at = True
    assert world.steps(1) == [8.0]


def test_a_worker_that_does_not_lead_makes_none() -> None:
    world = World()
    world.active, world.looked_at = False, True
    assert world.steps(4) == []


def test_a_failure_is_logged_once_and_ends_no_thread(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    outcomes: list[bool | Exception] = [StoreError("away"), StoreError("away"), ValueError("odd"), True]
    made: list[bool] = []

    def is_looked_at() -> bool:
        outcome = outcomes.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    reporter = TableReporter(
        is_looked_at=is_looked_at, make=lambda: made.append(True), rest=lambda: None, active=lambda: True
    )
    monkeypatch.setattr(reporter._stopping, "wait", lambda _s: not outcomes)
    reporter.run()
    assert made == [True]
    assert [record.levelname for record in caplog.records] == ["WARNING", "ERROR"]
