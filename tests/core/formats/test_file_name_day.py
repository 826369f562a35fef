from __future__ import annotations

from datetime import date, timedelta

import pytest

from ltp.core.formats.file_name_day import days_in, refuse_other_day
from ltp.errors import InputError

AUGUST, JULY = date(2024, 8, 7), date(2024, 7, 8)


@pytest.mark.parametrize(
    "name",
    [
        "BhavCopy_NSE_CM_0_0_0_20240807_F_0000.csv",
        "BhavCopy_NSE_CM_0_0_0_20240807_F_0000 (1).csv.zip",
        "cm07AUG2024bhav.csv",
        "CM07aug2024BHAV.CSV.zip",
        "sec_bhavdata_full_07082024.csv",
        "ind_close_all_07082024.csv",
        "2024-08-07.csv",
        "nse 07-08-2024.csv",
        "7 Aug 2024.csv",
        "eq_2024_Aug_07.csv",
    ],
)
def test_the_day_of_a_name(name: str) -> None:
    assert days_in(name) == {AUGUST}
    refuse_other_day(name, [AUGUST])
    with pytest.raises(
        InputError,
        match=r"'2024-07-08' is not accepted; the file's name states 2024-08-07; a program such as a",
    ):
        refuse_other_day(name, [JULY])


@pytest.mark.parametrize(
    "name",
    [
        "bhav.csv",
        "HDFCBANK.csv",
        "BhavCopy_NSE_CM_0_0_0.csv",
        "20242024.csv",
        "daily_2023_2025.csv",
        "20240807123000.csv",
    ],
)
def test_a_name_without_a_date_is_compared_with_nothing(name: str) -> None:
    assert days_in(name) == set()
    refuse_other_day(name, [JULY])


def test_a_name_of_several_days_states_each() -> None:
    name = "BhavCopy_NSE_CM_0_0_0_20240708_F_0000 fetched 2024-08-07.csv"
    refuse_other_day(name, [JULY])
    with pytest.raises(
        InputError, match="states 2024-07-08, 2024-08-07; download the file again, or rename it"
    ):
        refuse_other_day(name, [date(2024, 7, 9)])


def test_a_history_may_be_named_after_the_day_it_was_made_on() -> None:
    refuse_other_day("history-2024-08-07.csv", [JULY, date(2024, 7, 9)])
    with pytest.raises(InputError, match="'2024-07-08' is not accepted"):
        refuse_other_day("ind_close_all_07082024.csv", [JULY, AUGUST])
    days = [JULY + timedelta(days=number) for number in range(5)]
    with pytest.raises(InputError, match="'2024-07-08, 2024-07-09, 2024-07-10 and 2 more' is not accepted"):
        refuse_other_day("ind_close_all_07082024.csv", days)


def test_the_names_of_an_archive_and_of_a_file_in_it_both_count() -> None:
    inside = "BhavCopy_NSE_CM_0_0_0_20240708_F_0000.csv"
    refuse_other_day(f"2024-08-07.zip/{inside}", [JULY])
    with pytest.raises(InputError, match="the file's name states 2024-08-07"):
        refuse_other_day(f"BhavCopy_NSE_CM_0_0_0_20240807_F_0000.csv.zip/{inside}", [JULY])
    with pytest.raises(InputError, match="the file's name states 2024-08-07"):
        refuse_other_day("days.zip/cm07AUG2024bhav.csv", [JULY])
