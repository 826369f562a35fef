from __future__ import annotations

import pytest

from ltp.core.screener import Row
from ltp.core.sizing import Sizing, max_position_pct, quantity, resized

ROW = Row(
    "NSE_EQ:1333", 1, "HDFCBANK", entry=10_000_000, stop=9_500_000, quantity=200, risk=100_000_000
)  # 1,000 and 950
LAKHS_10 = Sizing(1_000_000, 10_000)


@pytest.mark.parametrize(
    ("capital", "risk", "shares"),
    [
        (1_000_000, 10_000, 200),  # 10,000 / 50, below 250,000 / 1,000 = 250
        (500_000, 10_000, 125),  # a quarter of the capital buys 125
        (1_000_000, 49, 0),
        (3_999, 10_000, 0),
        (4_000, 10_000, 1),
    ],
)
def test_the_quantity_fits_risk_and_capital(capital: float, risk: float, shares: int) -> None:
    assert quantity(10_000_000, 9_500_000, Sizing(capital, risk), 25) == shares


def test_a_row_is_sized_anew_and_stays_the_same_where_nothing_changes() -> None:
    assert resized(ROW, LAKHS_10, 25) is ROW
    half = resized(ROW, Sizing(500_000, 5_000), 25)
    assert (half.quantity, half.risk, half.allocation) == (100, 50_000_000, None)
    none = resized(ROW, Sizing(1_000, 10_000), 25)
    assert (none.quantity, none.risk) == (None, None)


def test_a_holding_of_years_has_an_allocation_too() -> None:
    row = resized(ROW, LAKHS_10, max_position_pct("longterm"))
    assert (row.quantity, row.allocation, row.allocation_pct) == (100, 1_000_000_000, 10.0)
    assert max_position_pct("swing") == max_position_pct("custom-0123456789ab") == 25


@pytest.mark.parametrize("change", [{"entry": None}, {"stop": None}, {"stop": 10_000_000}, {"stop": 0}])
def test_a_row_without_a_whole_plan_is_left_alone(change: dict[str, int | None]) -> None:
    row = ROW._replace(**change)
    assert resized(row, Sizing(1_000, 1), 25) is row
