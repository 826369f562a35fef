from __future__ import annotations

from datetime import date

import pytest

from ltp.core.history.corporate_action import Action, parse_ratio
from ltp.errors import InputError

DAY = date(2025, 6, 16)


@pytest.mark.parametrize(
    ("text", "ratio"),
    [
        ("5:1", (5, 1)),
        ("10/2", (5, 1)),
        (" 3:2 ", (3, 2)),
        ("1:10", (1, 10)),
        ("bonus 1:1", (2, 1)),
        ("Bonus Issue 1:4", (5, 4)),
        ("split 10:2", (5, 1)),
        ("split 10 to 1", (10, 1)),
        ("Face Value Split (Sub-Division) - From Rs 10/- Per Share To Rs 2/- Per Share", (5, 1)),
        ("Face Value Split From Re 1/- To Re 0.5/-", (2, 1)),
        ("Bonus 4:1 / Face Value Split (Sub-Division) - From Rs 2/- Per Share To Re 1/- Per Share", (10, 1)),
        ("Consolidation From Re 1/- Per Share To Rs 10/- Per Share", (1, 10)),
    ],
)
def test_a_ratio_is_read_as_people_write_it(text: str, ratio: tuple[int, int]) -> None:
    assert parse_ratio(text) == ratio


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2",
        "1:1",
        "0:1",
        "1:0",
        "bonus",
        "bonus 1:0",
        "split 2:0",
        "-2:1",
        "Dividend Rs 5",
        "99999:1",
        "999999.9999:999999.9997",
    ],
)
def test_a_bad_ratio_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="new shares for old ones such as 5:1"):
        parse_ratio(text)


@pytest.mark.parametrize(
    ("text", "ratio"),
    [
        ("2841.85:2580", (56837, 51600)),
        ("2,841.85 : 2,580", (56837, 51600)),
        ("482.50/455.60", (4825, 4556)),
        ("110.5:100", (221, 200)),
        ("1.1015:1", (2203, 2000)),
    ],
)
def test_a_ratio_of_prices_is_a_ratio(text: str, ratio: tuple[int, int]) -> None:
    assert parse_ratio(text) == ratio


@pytest.mark.parametrize(
    "text", ["bonus ncrps 4:1", "demerger", "bonus 1:1 / rights 1:2", "split 10:2 preference"]
)
def test_unknown_words_are_named(text: str) -> None:
    with pytest.raises(InputError, match="accepted are new shares for old ones"):
        parse_ratio(text)


@pytest.mark.parametrize(
    ("action", "ratio"),
    [
        (Action("NSE_EQ:1", DAY, 5, 1, "confirmed"), "5:1"),
        (Action("NSE_EQ:1", DAY, 56837, 51600, "confirmed"), "1.1015:1"),
        (Action("NSE_EQ:1", DAY, 284185, 258000, "unexplained"), "2841.85:2580"),
        (Action("NSE_EQ:1", DAY, 12345665, 10000050, "unexplained"), "123456.65:100000.50"),
    ],
)
def test_a_ratio_is_shown_as_people_read_it(action: Action, ratio: str) -> None:
    assert action.ratio == ratio


@pytest.mark.parametrize(
    ("numerator", "denominator", "of_prices"),
    [(5, 1, False), (1, 100, False), (11, 10, False), (1205, 1139, True)],
)
def test_ratios_of_prices_are_recognised(numerator: int, denominator: int, of_prices: bool) -> None:
    assert Action("NSE_EQ:1", DAY, numerator, denominator, "confirmed").of_prices == of_prices
