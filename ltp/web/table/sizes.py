"""Capital and risk of a view: the quantity of each plan, and the cost and risk of all plans shown."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Final, NamedTuple

from ltp.core.history.plan import ENDED, Plan
from ltp.core.money import SCALE, Price
from ltp.core.screener import Row, Run
from ltp.core.sizing import Sizing, max_position_pct, resized
from ltp.core.ticks.quote import Quote
from ltp.web.services import services
from ltp.web.table import plan_cells
from ltp.web.table.columns import RECOMMENDATIONS
from ltp.web.table.screen_query import ScreenQuery

Resize = Callable[[Row], Row]
COLUMNS: Final = frozenset({"quantity", "risk", "allocation", "allocation_pct"})
_VOID: Final = ENDED | {"stale plan"}


class Totals(NamedTuple):
    """Cost and risk of the plans shown, together.

    `plans`: the number of plans in both sums. `cost`: of buying at the entries. `risk`: the loss if all stops
    are hit. Not in the sums: `ended`, the number of plans that are over, and `without`, those whose capital
    or risk does not cover one share.
    """

    plans: int
    cost: Price
    risk: Price
    ended: int
    without: int
    sizing: Sizing

    @property
    def cost_pct(self) -> float:
        return round(100 * self.cost / (self.sizing.capital * SCALE), 1)

    @property
    def risk_pct(self) -> float:
        return round(100 * self.risk / (self.sizing.capital * SCALE), 1)


def decide(query: ScreenQuery) -> bool:
    """Do quantities decide which rows a list has, or their order?"""
    deciding = {name for name, _ in query.orders} | {each.column for each in query.filters}
    return not COLUMNS.isdisjoint(deciding)


def sizing_of(capital: int, risk: int) -> Sizing:
    """Return the sizing of a view; 0 stands for the value in the settings."""
    default = services().sizing
    return Sizing(capital or default.capital, risk or default.risk_per_trade)


def resized_for(run: Run, query: ScreenQuery) -> Resize:
    """Return the function that sizes the rows of a page; only the tab of plans shows quantities."""
    return resize_of(run, query.capital, query.risk) if query.tab == RECOMMENDATIONS else lambda row: row


def resize_of(run: Run, capital: int, risk: int) -> Resize:
    """Return the function that sizes the rows of a run.

    An imported list keeps its own quantities unless the view names a capital or a risk.
    """
    if not run.evaluated and not (capital or risk):
        return lambda row: row
    return partial(resized, sizing=sizing_of(capital, risk), max_pct=max_position_pct(run.kind))


def totals(
    rows: Iterable[Row], query: ScreenQuery, quotes: Mapping[str, Quote], plans: Mapping[str, Plan]
) -> Totals:
    count = cost = risk = ended = without = 0
    for row in rows:
        if row.entry is None or row.stop is None:
            continue
        plan, quote = plans.get(row.key), quotes.get(row.key)
        if plan and quote and plan_cells.value("state", plan, quote) in _VOID:
            ended += 1
        elif row.quantity is None:
            without += 1
        else:
            count += 1
            cost += row.quantity * row.entry
            risk += row.quantity * (row.entry - row.stop)
    return Totals(count, cost, risk, ended, without, sizing_of(query.capital, query.risk))
