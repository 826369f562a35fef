from __future__ import annotations

from ltp.batch.minutes.hours import Hours
from ltp.core.market.session import Calendar

MIDNIGHT = 1_795_977_000  # 2026-11-30T00:00:00+05:30


def test_the_windows_of_a_day_are_those_of_the_calendar() -> None:
    hours = Hours(Calendar.load())
    windows = hours.windows("NSE_FNO", MIDNIGHT + 36_000)
    assert windows == [
        (MIDNIGHT + 9 * 3600, MIDNIGHT + 33_300),
        (MIDNIGHT + 33_300, MIDNIGHT + 15 * 3600 + 2_400),
    ]
    assert hours.windows("NSE_FNO", MIDNIGHT) is windows
    assert hours.windows("NSE_FNO", MIDNIGHT - 1) == []  # a Sunday
    assert hours.windows("IDX_I", MIDNIGHT) != windows
