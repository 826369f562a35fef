from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import Any

import pytest

from ltp.errors import DatabaseError
from ltp.worker.daily_import import LOOK_EVERY_S, RETRY_S, DailyImport, latest_due
from tests.worker.fake_command import FakeCommand

PLACE = "https://example.com/master.csv"
NOON = datetime(2026, 11, 23, 6, 30, tzinfo=UTC)  # 12:00 in India
EIGHT = datetime(2026, 11, 23, 2, 30, tzinfo=UTC)


class Day:
    """DailyImport; the test sets the time, the lease and the last import."""

    def __init__(self, place: str = PLACE) -> None:
        self.command, self.active, self.last, self.now, self.elapsed = FakeCommand(), True, None, NOON, 0.0
        self.away = False
        command: Any = self.command
        self.job = DailyImport(
            place,
            active=lambda: self.active,
            last_import=self._last,
            command=command,
            now=lambda: self.now,
            monotonic=lambda: self.elapsed,
        )

    last: datetime | None

    def _last(self) -> datetime | None:
        if self.away:
            raise DatabaseError("away")
        return self.last


def test_the_import_is_due_at_eight_in_india() -> None:
    assert latest_due(NOON) == EIGHT
    assert latest_due(EIGHT) == EIGHT
    assert latest_due(datetime(2026, 11, 23, 2, 29, tzinfo=UTC)) == datetime(2026, 11, 22, 2, 30, tzinfo=UTC)


def test_the_master_is_fetched_once_a_day() -> None:
    day = Day()
    day.job()
    assert day.command.started == [["instruments", "import", PLACE]]
    day.job()
    day.command.end, day.last = (0, "imported."), NOON
    day.job()
    day.elapsed += RETRY_S
    day.job()
    assert len(day.command.started) == 1
    day.now, day.elapsed = datetime(2026, 11, 24, 2, 29, tzinfo=UTC), day.elapsed + LOOK_EVERY_S
    day.job()
    assert len(day.command.started) == 1
    day.now, day.elapsed = datetime(2026, 11, 24, 2, 30, tzinfo=UTC), day.elapsed + LOOK_EVERY_S
    day.job()
    assert len(day.command.started) == 2


def test_a_failure_is_logged_and_tried_again_in_a_quarter_of_an_hour(
    caplog: pytest.LogCaptureFixture,
) -> None:
    day = Day()
    day.job()
    day.command.end = (2, "master.csv, line 1: '<html>' is not accepted")
    with caplog.at_level(logging.WARNING):
        day.job()
    assert "what is known stays as it is: master.csv, line 1" in caplog.text
    day.elapsed = RETRY_S - 1
    day.job()
    assert len(day.command.started) == 1
    day.elapsed = RETRY_S
    day.job()
    assert len(day.command.started) == 2


def test_nothing_is_fetched_without_an_address_a_lease_or_a_database() -> None:
    day = Day(place="")
    day.job()
    assert day.command.started == []
    day = Day()
    day.active = False
    day.job()
    day.active, day.away = True, True
    day.job()
    assert day.command.started == []
    day.away, day.elapsed = False, LOOK_EVERY_S
    day.job()
    assert len(day.command.started) == 1


def test_the_stop_ends_an_import_that_runs() -> None:
    day = Day()
    day.job()
    day.job.stop()
    assert day.command.stopped
