from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from ltp.core.bars.comparison import Comparison
from ltp.core.trading_day import DAY_S, day_start
from ltp.db.bars import bar_audits
from ltp.db.bars import coverage as stored
from ltp.db.bars.coverage import Connected, Subscription
from ltp.errors import DatabaseError
from ltp.web import coverage
from ltp.web.coverage import Coverage, Gap

HDFC = "NSE_EQ:1333"
MONDAY = date(2026, 11, 30)
MIDNIGHT = day_start(MONDAY)
OPEN = MIDNIGHT + 33_300  # 09:15
NOON = datetime.fromtimestamp(MIDNIGHT + 43_200, UTC)


def covered(site: Any, *spans: tuple[int, int]) -> None:
    """Let the feed be connected at these minutes after the open."""
    connections = [Connected(1, OPEN + start * 60, OPEN + end * 60) for start, end in spans]
    stored.store(site.engine, connections, [Subscription(HDFC, MIDNIGHT, MIDNIGHT + DAY_S, 1)])


def found(site: Any, now: datetime = NOON) -> Coverage:
    with site.app.app_context():
        return coverage.of_session(HDFC, MONDAY, now)


def test_the_minutes_of_a_session_are_counted_so_far(site: Any) -> None:
    covered(site, (-60, 100), (103, 200))
    # From the pre-open, 09:00, to 11:59.
    assert found(site) == Coverage(
        MONDAY, 179, 176, (Gap(OPEN + 100 * 60, OPEN + 103 * 60, filled=False),), lasts=True
    )


def test_a_gap_is_filled_up_to_the_refill_or_by_the_fetch_after_the_session(site: Any) -> None:
    covered(site, (-60, 100), (103, 120), (125, 200))
    stored.note_refill(site.engine, HDFC, MONDAY, OPEN + 103 * 60)
    assert [gap.filled for gap in found(site).gaps] == [True, False]
    bar_audits.add(site.engine, HDFC, [(MONDAY, Comparison(), True)])
    assert [gap.filled for gap in found(site).gaps] == [True, True]


def test_a_day_without_a_session_has_no_minutes(site: Any) -> None:
    with site.app.app_context():
        sunday = coverage.of_session(HDFC, date(2026, 11, 29), NOON)
    assert sunday == Coverage(date(2026, 11, 29), 0, 0, (), lasts=False)
    assert coverage.words(sunday) == ""


def gap(start: int, until: int, *, filled: bool = False) -> Gap:
    return Gap(OPEN + start * 60, OPEN + until * 60, filled)


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (Coverage(MONDAY, 375, 375, (), False), "The feed covered all 375 minutes of the session of 30 Nov 2026."),
        (Coverage(MONDAY, 20, 20, (), True), "The feed covered all 20 minutes of the session of 30 Nov 2026 so far."),
        (
            Coverage(MONDAY, 375, 0, (gap(0, 375),), False),
            "The feed covered none of 375 minutes of the session of 30 Nov 2026; not covered: 09:15 to 15:30"
            " (the broker's bars of them are not fetched yet).",
        ),
        (
            Coverage(MONDAY, 60, 57, (gap(10, 13, filled=True),), True),
            "The feed covered 57 of 60 minutes of the session of 30 Nov 2026 so far; not covered: 09:25 to 09:28"
            " (these have the broker's bars).",
        ),
        (
            Coverage(MONDAY, 60, 50, (gap(10, 13, filled=True), gap(20, 27)), False),
            "The feed covered 50 of 60 minutes of the session of 30 Nov 2026; not covered: 09:25 to 09:28,"
            " 09:35 to 09:42 (1 of these 2 gaps has the broker's bars).",
        ),
        (
            Coverage(MONDAY, 60, 54, tuple(gap(2 * each, 2 * each + 1) for each in range(6)), False),
            "The feed covered 54 of 60 minutes of the session of 30 Nov 2026; not covered: 09:15 to 09:16,"
            " 09:17 to 09:18, 09:19 to 09:20, 09:21 to 09:22 and 2 more"
            " (the broker's bars of them are not fetched yet).",
        ),
    ],
)  # fmt: skip
def test_a_sentence_names_the_gaps(found: Coverage, words: str) -> None:
    assert coverage.words(found) == words


def test_the_page_of_an_instrument_says_it(site: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(coverage, "of_session", lambda *_: Coverage(MONDAY, 375, 375, (), lasts=False))
    page = site.page("/instruments/NSE_EQ/1333")
    words = "The feed covered all 375 minutes of the session of 30 Nov 2026."
    assert f'<p class="meta" id="covered">{words}</p>' in page


def test_a_database_that_is_busy_costs_the_sentence_alone(site: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def busy(*_: Any) -> Coverage:
        raise DatabaseError("The database is locked")

    monkeypatch.setattr(coverage, "of_session", busy)
    assert 'id="covered"' not in site.page("/instruments/NSE_EQ/1333")
