from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from ltp.core.trading_day import DAY_S, day_start
from ltp.db.bars import coverage as stored
from ltp.db.bars.coverage import Connected, Subscription
from ltp.errors import DatabaseError
from ltp.web import coverage

URL, HDFC = "/api/v1/candles/coverage", "NSE_EQ:1333"
MONDAY = date(2025, 12, 1)
MIDNIGHT = day_start(MONDAY)
OPEN = MIDNIGHT + 33_300


@pytest.fixture
def covered(site: Any) -> Any:
    """A Monday with a gap of two minutes at 10:00."""
    spans = [Connected(1, MIDNIGHT, OPEN + 2_700), Connected(1, OPEN + 2_820, MIDNIGHT + DAY_S)]
    stored.store(site.engine, spans, [Subscription(HDFC, MIDNIGHT, MIDNIGHT + DAY_S, 1)])
    return site


def test_the_gaps_of_a_session_are_listed(covered: Any) -> None:
    answer = covered.client.get(f"{URL}?key={HDFC}&day=2025-12-01")
    assert answer.headers["Cache-Control"] == "no-store"
    found = answer.json
    assert found["gaps"] == [
        {"from": "2025-12-01T10:00:00+05:30", "to": "2025-12-01T10:02:00+05:30", "filled": False}
    ]
    assert (found["key"], found["day"], found["minutes"] - found["covered"]) == (HDFC, "2025-12-01", 2)
    stored.note_refill(covered.engine, HDFC, MONDAY, OPEN + 2_820)
    assert covered.client.get(f"{URL}?key={HDFC}&day=2025-12-01").json["gaps"][0]["filled"] is True


def test_a_day_without_a_session_has_no_minutes(site: Any) -> None:
    assert site.client.get(f"{URL}?key={HDFC}&day=2025-11-30").json == {
        "key": HDFC,
        "day": "2025-11-30",
        "minutes": 0,
        "covered": 0,
        "gaps": [],
    }


def test_without_a_day_the_newest_session_is_meant(site: Any) -> None:
    found = site.client.get(f"{URL}?key={HDFC}").json
    assert (date.fromisoformat(found["day"]) <= date.today(), found["covered"]) == (True, 0)


@pytest.mark.parametrize("day", ["yesterday", "20251201", "2025-12-32", "9999-12-31", "0001-01-01"])
def test_a_bad_day_is_refused(site: Any, day: str) -> None:
    answer = site.client.get(f"{URL}?key={HDFC}&day={day}")
    assert answer.status_code == 400
    assert answer.json["detail"].endswith("it is a day such as 2026-11-30")


def test_an_unknown_key_is_named(site: Any) -> None:
    assert site.client.get(f"{URL}?key=NSE_EQ:999").status_code == 404
    assert "key: ''" in site.client.get(URL).json["detail"]


def test_a_database_that_is_busy_is_a_503(site: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def busy(*_: Any) -> None:
        raise DatabaseError("The database is locked")

    monkeypatch.setattr(coverage, "of_session", busy)
    assert site.client.get(f"{URL}?key={HDFC}&day=2025-12-01").status_code == 503
