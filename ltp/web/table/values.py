"""What a column says of a row, as a value: to sort by, and to write into a file. What it looks like is
`cells`' and `rows`'.

Pure: rows, quotes and plans in, numbers and texts out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from ltp.core.history.plan import Plan
from ltp.core.money import SCALE, rupees
from ltp.core.screener import Outcome, Row
from ltp.core.ticks.quote import Quote
from ltp.core.ticks.tick import Tick
from ltp.web.table import plan_cells
from ltp.web.table.columns import BY_NAME, value


def sortable(name: str, quotes: Mapping[str, Quote], plans: Mapping[str, Plan]) -> Callable[[Row], Any]:
    """Return what gives a row's place in an order by a column; it returns None where there is nothing to
    compare.
    """
    column = BY_NAME.get(name)
    if column is not None and column.live:
        read = _planned(name, plans) if column.planned else _LIVE[name]
        return lambda row: None if (quote := quotes.get(row.key)) is None else read(quote)
    if name == "criteria":
        return lambda row: met(row.criteria) / len(row.criteria) if row.criteria else None
    if name == "spark":
        return lambda row: row.spark[-1] / row.spark[0] if row.spark and row.spark[0] else None
    return lambda row: _comparable(value(row, name))


def written(name: str, row: Row, quote: Quote, plans: Mapping[str, Plan]) -> Any:
    """Return what a file says: rupees, per cent and multiples as numbers, texts as they are, None where
    nothing is known.
    """
    column = BY_NAME[name]
    if column.live:
        shown = (_planned(name, plans) if column.planned else _LIVE[name])(quote)
        if shown is None or isinstance(shown, str):
            return shown
        return (
            round(shown, 2)
            if column.kind in {"%", "R"}
            else shown / SCALE
            if column.kind == "price"
            else shown
        )
    held = value(row, name)
    if column.kind == "criteria":
        return summary(held)
    if column.kind == "zone":
        return None if held is None else [rupees(price) for price in held]
    if column.kind == "spark":
        return list(held)
    if held is None or held == "":
        return None
    return rupees(held) if column.kind == "price" else round(held, 4) if isinstance(held, float) else held


def met(criteria: tuple[Outcome, ...]) -> int:
    return sum(outcome.passed for outcome in criteria)


def summary(criteria: tuple[Outcome, ...]) -> str:
    """Return "11 of 13; missed ADX strong: 17.5 (> 20, by 2.5)": how many are met, and what is not."""
    if not criteria:
        return ""
    missed = [missing(outcome) for outcome in criteria if not outcome.passed]
    return "; ".join([f"{met(criteria)} of {len(criteria)}", *(f"missed {each}" for each in missed)])


def missing(outcome: Outcome) -> str:
    """Return a criterion that is not met, with the value, the bound and by how much."""
    if outcome.value is None:
        return f"{outcome.name}: unknown"
    by = "" if outcome.margin is None else f", by {counted(short(abs(outcome.margin)), outcome.unit)}"
    return f"{outcome.name}: {counted(short(outcome.value), outcome.unit)} ({counted(outcome.bound, outcome.unit)}{by})"


def counted(text: str, unit: str) -> str:
    """Return a number, or a bound that ends in one, with its unit."""
    if not unit or not text[-1:].isdigit():
        return text
    if unit == "₹":
        return f"₹{text}" if text[0].isdigit() else re.sub(r"(\d)", r"₹\1", text, count=1)
    return f"{text}{unit}" if unit in {"%", "×"} else f"{text} {unit}"


def short(number: float) -> str:
    """Write a number with as many decimals as say something: at most two, none of a large one."""
    text = f"{number:,.0f}" if abs(number) >= 1_000 else f"{number:.2f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def _comparable(held: Any) -> Any:
    if isinstance(held, str):
        return held.casefold() or None
    return held


def _of_tick(name: str) -> Callable[[Quote], float | None]:
    def read(quote: Quote) -> float | None:
        found: int | None = None if quote.tick is None else getattr(quote.tick, name)
        return found

    return read


def _change(tick: Tick | None) -> int | None:
    return None if tick is None or tick.ltp is None or tick.prev_close is None else tick.ltp - tick.prev_close


def _change_pct(quote: Quote) -> float | None:
    change, tick = _change(quote.tick), quote.tick
    return None if change is None or tick is None or not tick.prev_close else 100 * change / tick.prev_close


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
}
