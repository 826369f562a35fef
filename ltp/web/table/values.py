"""The value of a row in a column: as a sort key, as a number or text in a file, and criteria as text.

Pure: rows, quotes and plans in, numbers and texts out. `cells`, `plan_cells` and `rows` make the markup.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from ltp.core.history.extremes import Ends
from ltp.core.history.plan import Plan
from ltp.core.money import SCALE, rupees
from ltp.core.screener import Outcome, Row
from ltp.core.ticks.quote import Quote
from ltp.core.ticks.tick import Tick
from ltp.web.table import plan_cells
from ltp.web.table.columns import BY_NAME, DAY_RANGE, YEAR_RANGE, Column, stored_value
from ltp.web.table.range_bars import day_place, year_place

Years = Callable[[str], Ends | None]


def sort_key(
    name: str, quotes: Mapping[str, Quote], plans: Mapping[str, Plan], years: Years = lambda _key: None
) -> Callable[[Row], Any]:
    """Return the function that gives a row its sort key, None for a row without a value in the column.

    Args:
        years: returns the figures of 52 weeks of an instrument.
    """
    column = BY_NAME.get(name)
    if column is not None and column.live:
        read = _live(column, plans, years)
        return lambda row: None if (quote := quotes.get(row.key)) is None else read(quote)
    if name == "criteria":
        return lambda row: count_met(row.criteria) / len(row.criteria) if row.criteria else None
    if name == "spark":
        return lambda row: row.spark[-1] / row.spark[0] if row.spark and row.spark[0] else None
    return lambda row: _comparable(stored_value(row, name))


def export_value(
    name: str, row: Row, quote: Quote, plans: Mapping[str, Plan], years: Years = lambda _key: None
) -> Any:
    """Return the value for a file: rupees, per cent and multiples as numbers, None when it is unknown."""
    column = BY_NAME[name]
    if column.live:
        return _live_value(column, _live(column, plans, years)(quote))
    value = stored_value(row, name)
    if column.kind == "criteria":
        return summary(value)
    if column.kind == "zone":
        return None if value is None else [rupees(price) for price in value]
    if column.kind == "spark":
        return list(value)
    if value is None or value == "":
        return None
    if column.kind == "price":
        return rupees(value)
    return round(value, 4) if isinstance(value, float) else value


def _live_value(column: Column, value: float | str | None) -> float | str | None:
    if value is None or isinstance(value, str):
        return value
    if column.kind in {"%", "R"}:
        return round(value, 2)
    if column.kind == "range":
        return round(value, 1)
    return value / SCALE if column.kind == "price" else value


def count_met(criteria: tuple[Outcome, ...]) -> int:
    return sum(outcome.passed for outcome in criteria)


def summary(criteria: tuple[Outcome, ...]) -> str:
    """Return the number of criteria met, and those missed: "1 of 2; missed ADX: 17.5 (> 20, by 2.5)"."""
    if not criteria:
        return ""
    missed = [missed_criterion(outcome) for outcome in criteria if not outcome.passed]
    return "; ".join([f"{count_met(criteria)} of {len(criteria)}", *(f"missed {each}" for each in missed)])


def missed_criterion(outcome: Outcome) -> str:
    """Return a missed criterion with its value, bound and margin: "ADX strong: 17.5 (> 20, by 2.5)"."""
    if outcome.value is None:
        return f"{outcome.name}: unknown"
    unit, value = outcome.unit, short_number(outcome.value)
    margin = "" if outcome.margin is None else f", by {with_unit(short_number(abs(outcome.margin)), unit)}"
    return f"{outcome.name}: {with_unit(value, unit)} ({with_unit(outcome.bound, unit)}{margin})"


def with_unit(text: str, unit: str) -> str:
    """Return a number with its unit, or a bound that ends in a number, such as "> 15"."""
    if not unit or not text[-1:].isdigit():
        return text
    if unit == "₹":
        return f"₹{text}" if text[0].isdigit() else re.sub(r"(\d)", r"₹\1", text, count=1)
    return f"{text}{unit}" if unit in {"%", "×"} else f"{text} {unit}"


def short_number(number: float) -> str:
    """Return a number with at most two decimals, without trailing zeros; from 1,000 without decimals."""
    text = f"{number:,.0f}" if abs(number) >= 1_000 else f"{number:.2f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def _comparable(value: Any) -> Any:
    return (value.casefold() or None) if isinstance(value, str) else value


def _of_tick(name: str) -> Callable[[Quote], float | None]:
    def read(quote: Quote) -> float | None:
        value: int | None = None if quote.tick is None else getattr(quote.tick, name)
        return value

    return read


def _change(tick: Tick | None) -> int | None:
    return None if tick is None or tick.ltp is None or tick.prev_close is None else tick.ltp - tick.prev_close


def _change_pct(quote: Quote) -> float | None:
    change, tick = _change(quote.tick), quote.tick
    return None if change is None or tick is None or not tick.prev_close else 100 * change / tick.prev_close


def _since_open(quote: Quote) -> float | None:
    """Return the change since the first price of the day in per cent."""
    tick = quote.tick
    return 100 * (tick.ltp - tick.open) / tick.open if tick and tick.ltp is not None and tick.open else None


def _live(column: Column, plans: Mapping[str, Plan], years: Years) -> Callable[[Quote], float | str | None]:
    if column.name == YEAR_RANGE:
        return lambda quote: year_place(quote, years(quote.key))
    return _planned(column.name, plans) if column.planned else _LIVE[column.name]


def _planned(name: str, plans: Mapping[str, Plan]) -> Callable[[Quote], float | str | None]:
    def read(quote: Quote) -> float | str | None:
        plan = plans.get(quote.key)
        return None if plan is None else plan_cells.value(name, plan, quote)

    return read


_LIVE: Final[Mapping[str, Callable[[Quote], float | None]]] = {
    "ltp": _of_tick("ltp"),
    "chg": lambda quote: _change(quote.tick),
    "chgp": _change_pct,
    "volume": _of_tick("volume"),
    "open": _of_tick("open"),
    "high": _of_tick("high"),
    "low": _of_tick("low"),
    "prev": _of_tick("prev_close"),
    "spark_day": _since_open,
    DAY_RANGE: day_place,
}
