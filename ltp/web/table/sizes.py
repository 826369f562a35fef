"""Capital and risk of a view: how many shares its plans buy, and what buying all that is shown asks for."""

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
    """What the plans that are shown ask for together. `cost`: of buying them at their entries. `risk`: lost
    where all stops are hit. `ended`: plans that are over, which are in neither; `without`: those of which not
    one share fits.
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


def sizing_of(capital: int, risk: int) -> Sizing:
    """Return the sizing of a view; 0 stands for what is set."""
    as_set = services().sizing
    return Sizing(capital or as_set.capital, risk or as_set.risk_per_trade)


def resized_for(run: Run, query: ScreenQuery) -> Resize:
    """Return what gives a row of a page its quantity; only a page of plans shows one."""
    return resize_of(run, query.capital, query.risk) if query.tab == RECOMMENDATIONS else lambda row: row


def resize_of(run: Run, capital: int, risk: int) -> Resize:
    """Return what gives a row of the run its quantity. An imported list keeps its own until a view names
    capital or risk.
    """
    if not run.evaluated and not (capital or risk):
        return lambda row: row
    return partial(resized, sizing=sizing_of(capital, risk), max_pct=max_position_pct(run.kind))


def totals(
    rows: Iterable[Row], query: ScreenQuery, quotes: Mapping[str, Quote], plans: Mapping[str, Plan]
) -> Totals:
    """Add up the plans of the rows that are shown."""
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
            count, cost, risk = (
                count + 1,
                cost + row.quantity * row.entry,
                risk + row.quantity * (row.entry - row.stop),
            )
    return Totals(count, cost, risk, ended, without, sizing_of(query.capital, query.risk))
