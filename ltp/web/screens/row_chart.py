"""The candle chart on the page of a row, with the levels of its plan."""

from __future__ import annotations

from typing import Final

from ltp.core.instrument import Instrument
from ltp.core.screener import Row, Run
from ltp.hub.insets import Inset
from ltp.web.charts.chart import ChartPart, chart_part
from ltp.web.charts.live_charts import live_charts
from ltp.web.charts.plan_lines import NO_PLAN, Level, PlanLines
from ltp.web.charts.query import ChartQuery, Usual
from ltp.web.clients import client
from ltp.web.services import services
from ltp.web.table.screener import Screener

USUAL: Final = Usual("1d", (50, 200))
_RESCALED: Final = (
    "Entry, stop and target are not drawn: a split or bonus since the session of the plan, confirmed or"
    " suspected, has given prices another scale."
)


def row_chart(
    screener: Screener, run: Run, row: Row, path: str, given: dict[str, str], query: ChartQuery
) -> ChartPart:
    """Return the chart of a row; `path` and `given` as for `chart_part`."""
    plan = plan_lines_of(screener, run, row)
    if plan.levels and _is_rescaled(run, row):
        part = chart_part(_instrument(row), path, given, query)
        return part._replace(notes=(*part.notes, _RESCALED))
    return chart_part(_instrument(row), path, given, query, plan)


def row_inset(screener: Screener, run: Run, row: Row, query: ChartQuery) -> Inset | None:
    """Return the chart of a row for its stream; see `LiveCharts.inset`."""
    plan = NO_PLAN if _is_rescaled(run, row) else plan_lines_of(screener, run, row)
    return live_charts().inset(_instrument(row), query, plan, client=client())


def _instrument(row: Row) -> Instrument:
    known = services().catalog.instrument(row.key)
    return known or Instrument(row.segment, row.security_id, row.symbol, row.name, "", 1, 0)


def _is_rescaled(run: Run, row: Row) -> bool:
    """Return whether prices have another scale since the session of the run."""
    followed = services().plans.of(run.id).get(row.key)
    return followed is not None and bool(followed.ends)


def plan_lines_of(screener: Screener, run: Run, row: Row) -> PlanLines:
    """Return the levels of a row, all that there are."""
    prices = (
        ("target", "Target", row.target),
        ("entry", "Entry", row.entry),
        ("stop", screener.column("stop").label, row.stop),
    )
    levels = tuple(Level(kind, name, price) for kind, name, price in prices if price is not None)
    if not levels:
        return NO_PLAN
    low, high = row.entry_low, row.entry_high
    zone = (low, high) if low is not None and high is not None and low < high else None
    return PlanLines(levels, zone, run.as_of)
