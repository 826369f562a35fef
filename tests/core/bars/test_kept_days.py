from __future__ import annotations

from datetime import date

import pytest

from ltp.core.bars.kept_days import KeptDays

TODAY = date(2026, 11, 30)


@pytest.mark.parametrize(
    ("ones", "fives", "kept"),
    [
        (60, 730, KeptDays(date(2026, 10, 2), date(2024, 12, 1))),
        (1, 1, KeptDays(TODAY, TODAY)),
        (60, 7, KeptDays(date(2026, 10, 2), date(2026, 10, 2))),  # never shorter than one-minute bars
    ],
)
def test_the_oldest_days_that_outlast_the_night(ones: int, fives: int, kept: KeptDays) -> None:
    assert KeptDays.of(TODAY, ones, fives) == kept


def test_older_days_are_named() -> None:
    kept = KeptDays.of(TODAY, 60, 730)
    assert kept.refusal == "bars of days before 2024-12-01 are not kept, see LONGER_BARS_DAYS"
    assert kept.note(date(2026, 10, 2)) == ""
    assert kept.note(date(2026, 10, 1)) == (
        "Bars of days before 2026-10-02 become five-minute bars at 01:00 in India, see MINUTE_BARS_DAYS."
    )
