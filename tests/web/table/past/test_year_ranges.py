from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from ltp.core.history.candle import Candle
from ltp.core.history.corporate_action import Action
from ltp.core.history.extremes import Ends
from ltp.db import candles, corporate_actions
from ltp.db.engine import open_engine
from ltp.errors import DatabaseError
from ltp.web.table.past import year_ranges
from ltp.web.table.past.year_ranges import YearRanges, stored_years

TODAY = date(2026, 11, 23)
NOON = datetime(2026, 11, 23, 6, 30, tzinfo=UTC).timestamp()
FOUND = Ends(1, 2, 2)


class Source:
    """Figures of every key but "none:1", the keys of each query, and clocks."""

    def __init__(self) -> None:
        self.read: list[list[str]] = []
        self.now, self.at, self.busy, self.takes_s = NOON, 100.0, False, 0.0

    def fetch(self, keys: Collection[str], day: date) -> Mapping[str, Ends]:
        if self.busy:
            raise DatabaseError("busy")
        self.at += self.takes_s
        self.read.append(list(keys))
        return {key: FOUND._replace(high=2 + (day - TODAY).days) for key in keys if key != "none:1"}

    def ranges(self) -> YearRanges:
        return YearRanges(self.fetch, lambda: self.now, lambda: self.at)


def test_figures_are_read_once_until_they_are_old_or_another_day_begins() -> None:
    source = Source()
    ranges = source.ranges()
    assert ranges.get("a:1") is None
    ranges.learn(["a:1", "none:1", "a:1"])
    ranges.learn(["a:1", "none:1"])
    assert source.read == [["a:1", "none:1"]]
    assert (ranges.get("a:1"), ranges.get("none:1")) == (FOUND, None)
    source.at += year_ranges.FRESH_S
    ranges.learn(["a:1"])
    source.now += 86_400
    ranges.learn(["a:1"])
    assert len(source.read) == 3
    found = ranges.get("a:1")
    assert found
    assert found.high == 3


def test_many_are_read_in_parts_and_for_two_seconds_at_most() -> None:
    source, keys = Source(), [f"a:{number}" for number in range(95)]
    source.takes_s = 0.9
    ranges = source.ranges()
    ranges.learn(keys)
    assert [len(part) for part in source.read] == [20, 20, 20]
    ranges.learn(keys)
    assert [len(part) for part in source.read[3:]] == [20, 15], "the rest with the next page"


def test_while_the_database_is_busy_the_older_figures_stay() -> None:
    source = Source()
    ranges = source.ranges()
    ranges.learn(["a:1"])
    source.at, source.busy = source.at + year_ranges.FRESH_S, True
    ranges.learn(["a:1", "b:1"])
    assert (ranges.get("a:1"), ranges.get("b:1")) == (FOUND, None)


def test_their_number_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(year_ranges, "CAPACITY", 3)
    ranges = Source().ranges()
    ranges.learn(["a:1", "a:2"])
    ranges.learn(["a:3", "a:4"])
    assert len(ranges) == 3
    assert ranges.get("a:1") is None


def test_stored_candles_of_a_year_are_read_adjusted_for_splits(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path / 'ltp.sqlite3'}")

    def day(back: int, low: int, high: int) -> Candle:
        return Candle(TODAY - timedelta(days=back), low, high, low, high, 10)

    candles.upsert(
        engine,
        "raw",
        {
            "NSE_EQ:1": [day(400, 1, 999), day(200, 100, 300), day(3, 120, 200)],
            "NSE_EQ:2": [day(30, 1000, 1200), day(3, 480, 500)],
            "NSE_EQ:3": [day(390, 10, 20)],
        },
    )
    split = Action("NSE_EQ:2", TODAY - timedelta(days=5), 2, 1, "confirmed", "", "")
    corporate_actions.confirm(engine, [split])
    found = stored_years(engine)(["NSE_EQ:1", "NSE_EQ:2", "NSE_EQ:3", "NSE_EQ:4"], TODAY)
    assert found == {"NSE_EQ:1": Ends(100, 300, 200), "NSE_EQ:2": Ends(480, 600, 500)}
