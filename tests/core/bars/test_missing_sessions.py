from __future__ import annotations

from datetime import date

import pytest

from ltp.core.bars import missing_sessions
from ltp.core.bars.missing_sessions import MissingSessions
from ltp.core.history.candle import day_number

FRIDAY, MONDAY, TUESDAY, WEDNESDAY = (
    day_number(date(2026, 11, 20)),
    *(day_number(date(2026, 11, each)) for each in (23, 24, 25)),
)
SESSIONS = {FRIDAY: 375, MONDAY: 375, TUESDAY: 375, WEDNESDAY: 60}


def test_sessions_count_from_the_first_bar_on() -> None:
    assert missing_sessions.find({}, SESSIONS) == MissingSessions(0, (), ())
    assert missing_sessions.find({MONDAY: 375}, SESSIONS) == MissingSessions(3, (TUESDAY, WEDNESDAY), ())
    assert missing_sessions.find({FRIDAY - 1: 9, WEDNESDAY: 60}, SESSIONS) == MissingSessions(
        4, (FRIDAY, MONDAY, TUESDAY), ()
    )


@pytest.mark.parametrize(("bars", "is_thin"), [(187, True), (188, False), (375, False)])
def test_a_session_with_less_than_half_of_its_minutes_is_thin(bars: int, is_thin: bool) -> None:
    found = missing_sessions.find({FRIDAY: bars, MONDAY: 375, TUESDAY: 375, WEDNESDAY: 30}, SESSIONS)
    assert found == MissingSessions(4, (), (FRIDAY,) if is_thin else ())


def test_a_session_that_was_fetched_after_its_end_is_not_thin() -> None:
    bars = {FRIDAY: 3, MONDAY: 3, TUESDAY: 375, WEDNESDAY: 60}
    assert missing_sessions.find(bars, SESSIONS, {FRIDAY}) == MissingSessions(4, (), (MONDAY,))


def test_a_day_that_is_no_session_is_no_gap() -> None:
    assert missing_sessions.find({FRIDAY: 375, FRIDAY + 1: 2}, {FRIDAY: 375}) == MissingSessions(1, (), ())


def test_gaps_are_read_the_newest_first_and_joined_over_closed_days() -> None:
    sessions = list(SESSIONS)
    assert missing_sessions.in_words([], sessions, 3) == ""
    assert missing_sessions.in_words([FRIDAY], sessions, 3) == "2026-11-20"
    assert (
        missing_sessions.in_words([FRIDAY, MONDAY, WEDNESDAY], sessions, 3)
        == "2026-11-25, 2026-11-20 to 2026-11-23"
    )
    assert missing_sessions.in_words([FRIDAY, TUESDAY], sessions, 1) == "2026-11-24, …"
