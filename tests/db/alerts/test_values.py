from __future__ import annotations

from datetime import date, timedelta

from sqlalchemy import Engine

from ltp.db.alerts import values
from ltp.db.alerts.values import TermValue
from ltp.db.engine import reading
from tests.db.alerts.conftest import AT

DAY = date(2026, 11, 27)


def test_a_run_replaces_all_values_of_the_run_before(engine: Engine) -> None:
    first = {("NSE_EQ:1333", "high52"): TermValue(1725.0, DAY), ("NSE_EQ:5", "ema50"): TermValue(None, DAY)}
    values.replace(engine, first, AT)
    with reading(engine) as connection:
        before = values.version_in(connection)
        assert values.all_in(connection) == {
            "NSE_EQ:1333": {"high52": TermValue(1725.0, DAY)}, "NSE_EQ:5": {"ema50": TermValue(None, DAY)},
        }  # fmt: skip
    second = {("NSE_EQ:1333", "high52"): TermValue(1730.0, DAY + timedelta(days=3))}
    values.replace(engine, second, AT + timedelta(hours=1))
    with reading(engine) as connection:
        assert values.version_in(connection) != before
        assert values.all_in(connection) == {"NSE_EQ:1333": {"high52": second["NSE_EQ:1333", "high52"]}}


def test_the_values_of_some_instruments(engine: Engine) -> None:
    first = {("NSE_EQ:1333", "high52"): TermValue(1725.0, DAY), ("NSE_EQ:5", "ema50"): TermValue(None, DAY)}
    values.replace(engine, first | {("BSE_EQ:5", "ema50"): TermValue(9.0, DAY)}, AT)
    assert values.of_instruments(engine, ["NSE_EQ:1333", "NSE_EQ:5", "NSE_EQ:7"]) == {
        "NSE_EQ:1333": {"high52": 1725.0}, "NSE_EQ:5": {"ema50": None}, "NSE_EQ:7": {},
    }  # fmt: skip
