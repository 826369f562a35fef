from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import Any

import pytest

from ltp.errors import DatabaseError
from ltp.worker.daily_import import LOOK_EVERY_S, RETRY_S, DailyImport, latest_due

PLACE = "https://example.com/master.csv"
NOON = datetime(2026, 11, 23, 6, 30, tzinfo=UTC)  # 12:00 in India
EIGHT = datetime(2026, 11, 23, 2, 30, tzinfo=UTC)


class FakeChild:
    def __init__(self) -> None:
        self.started: list[list[str]] = []
        self.running, self.stopped = False, False
        self.end: tuple[int, str] | None = None

    def start(self, words: list[str]) -> None:
        self.started.append(words)
        self.running = True

    def ended(self) -> tuple[int, str] | None:
        end, self.end = self.end, None
        self.running = self.running and end is None
        return end

    def stop(self) -> None:
        self.stopped = True


class Day:
    """A job with everything around it in hand."""

    def __init__(self, place: str = PLACE) -> None:
        self.child, self.active, self.last, self.now, self.elapsed = FakeChild(), True, None, NOON, 0.0
        self.away = False
        child: Any = self.child
        self.job = DailyImport(
            place,
            active=lambda: self.active,
            last_import=self._last,
            child=child,
            now=lambda: self.now,
            monotonic=lambda: self.elapsed,
        )

    last: datetime | None

    def _last(self) -> datetime | None:
        if self.away:
            raise DatabaseError("away")
        return self.last


def test_eight_in_india_is_the_hour() -> None:
    assert latest_due(NOON) == EIGHT
    assert latest_due(EIGHT) == EIGHT
    assert latest_due(datetime(2026, 11, 23, 2, 29, tzinfo=UTC)) == datetime(2026, 11, 22, 2, 30, tzinfo=UTC)


def test_it_is_fetched_once_a_day() -> None:
    day = Day()
    day.job()
    assert day.child.started == [["instruments", "import", PLACE]]
    day.job()
    day.child.end, day.last = (0, "imported."), NOON
    day.job()
    day.elapsed += RETRY_S
    day.job()
    assert len(day.child.started) == 1
    day.now, day.elapsed = datetime(2026, 11, 24, 2, 29, tzinfo=UTC), day.elapsed + LOOK_EVERY_S
    day.job()
    assert len(day.child.started) == 1
    day.now, day.elapsed = datetime(2026, 11, 24, 2, 30, tzinfo=UTC), day.elapsed + LOOK_EVERY_S
    day.job()
    assert len(day.child.started) == 2


def test_a_failure_is_told_and_tried_again_in_a_quarter_of_an_hour(caplog: pytest.LogCaptureFixture) -> None:
    day = Day()
    day.job()
    day.child.end = (2, "master.csv, line 1: '<html>' is not accepted")
    with caplog.at_level(logging.WARNING):
        day.job()
    assert "what is known stays as it is: master.csv, line 1" in caplog.text
    day.elapsed = RETRY_S - 1
    day.job()
    assert len(day.child.started) == 1
    day.elapsed = RETRY_S
    day.job()
    assert len(day.child.started) == 2


def test_nobody_is_asked_without_an_address_a_lease_or_a_database() -> None:
    day = Day(place="")
    day.job()
    assert day.child.started == []
    day = Day()
    day.active = False
    day.job()
    day.active, day.away = True, True
    day.job()
    assert day.child.started == []
    day.away, day.elapsed = False, LOOK_EVERY_S
    day.job()
    assert len(day.child.started) == 1


def test_the_stop_ends_an_import_that_runs() -> None:
    day = Day()
    day.job()
    day.job.stop()
    assert day.child.stopped
