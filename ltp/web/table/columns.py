"""The columns of a screener's table: facts in the tab of candidates, plans in the tab of recommendations.

Pure: names, labels, and the value that a row stores for a column. `cells` and `plan_cells` draw the live
columns, `rows` the others.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from ltp.core.criteria.facts import FACTS
from ltp.core.screener import Row

CANDIDATES: Final = "candidates"
RECOMMENDATIONS: Final = "recommendations"
DAY_RANGE: Final = "range_day"
YEAR_RANGE: Final = "range_52w"
TABS: Final = (CANDIDATES, RECOMMENDATIONS)


class Column(NamedTuple):
    """One column of the table.

    `title`: the tooltip of its head. `tab`: the only tab that offers it, empty for both. `live`: follows the
    price on open pages. `planned`: also depends on the plan of the row. `kind` of a live value: price, %, R,
    count, range (place in a range, 0 to 100) or text; of any other: price (1/10,000 rupee), ₹, %, ×, count, score, zone, text, chip, spark,
    criteria, or empty for a plain number.
    """

    name: str
    label: str
    title: str
    tab: str = ""
    live: bool = False
    planned: bool = False
    kind: str = ""

    @property
    def text(self) -> bool:
        """Sorted from A to Z by the first click, numbers from the highest."""
        return self.kind in {"text", "chip"}

    @property
    def of_run(self) -> bool:
        """Drawn differently for the plans of another run, so its name on a page has the id of the run."""
        return self.planned or self.kind == "range"

    @property
    def left(self) -> bool:
        return self.text or self.kind == "criteria"

    @property
    def unit(self) -> str:
        """The unit of an exported number, empty for texts and plain numbers."""
        return {"price": "₹", "zone": "₹"}.get(
            self.kind, self.kind if self.kind in {"₹", "%", "×", "R"} else ""
        )


def _live(name: str, label: str, title: str, kind: str = "price") -> Column:
    return Column(name, label, title, live=True, kind=kind)


def _fact(name: str, label: str, title: str, kind: str = "") -> Column:
    return Column(name, label, title, CANDIDATES, kind=kind)


def _plan(name: str, label: str, title: str, kind: str = "price") -> Column:
    return Column(name, label, title, RECOMMENDATIONS, kind=kind)


def _planned(name: str, label: str, title: str, kind: str = "%") -> Column:
    return Column(name, label, title, RECOMMENDATIONS, live=True, planned=True, kind=kind)


# Labels in place of the facts' own where those are wider than the numbers below them; the title has the full
# label.
_SHORT: Final[Mapping[str, str]] = {
    "relvol": "Rel vol",
    "updown_volume": "Up/down vol",
    "days_in_trend": "Trend days",
    "dist_ema20": "vs EMA 20",
    "dist_ema50": "vs EMA 50",
    "dist_ema200": "vs EMA 200",
    "sma200": "200-day avg",
    "dist_sma200": "vs 200-day",
    "pct_from_high52": "Off 52w high",
    "pct_from_low52": "Above 52w low",
    "high52": "52w high",
    "low52": "52w low",
    "rs6m": "RS 6m",
    "rs12m": "RS 12m",
    "price": "Close",
    "change_pct": "Close chg",
    "weekly_trend": "Weekly trend",
}
# Each is drawn in `cells`, and has its number for sorting and files in `values`.
_LIVE: Final = (
    _live("ltp", "LTP", "Last traded price and its state"),
    _live("chg", "Chg", "Change against the previous close"),
    _live("chgp", "Chg %", "Change against the previous close, per cent", "%"),
    _live("volume", "Volume", "Shares traded today", "count"),
    _live("open", "Open", "First price of the day"),
    _live("high", "High", "Highest price of the day"),
    _live("low", "Low", "Lowest price of the day"),
    _live("prev", "Prev close", "Close of the previous session"),
    _live("spark_day", "Today", "Closes of today by minute; sorts by the change since the open", "%"),
    _live(
        DAY_RANGE,
        "Day range",
        "Place of the price from the lowest (0) to the highest (100) of the day; the dot is the plan's entry",
        "range",
    ),
    _live(
        YEAR_RANGE,
        "52w range",
        "Place of the price from the lowest (0) to the highest (100) of 52 weeks; the dot is the plan's entry",
        "range",
    ),
)
_RANK: Final = _fact("rank", "Rank", "Place in the run, best first", "count")
_SCORED: Final = (
    _fact("score", "Score", "0 to 100: 60% daily, 40% weekly", "score"),
    _fact("base_score", "Daily", "Daily part of the score, 0 to 100", "score"),
    _fact("mtf_score", "Weekly", "Weekly part of the score, 0 to 100", "score"),
)
# Without the volume of the run: there would be two columns of that name, and readers look for the live one.
_MEASURED: Final = tuple(
    _fact(
        fact.name,
        _SHORT.get(fact.name, fact.label),
        f"{fact.label}: {fact.meaning}" if fact.name in _SHORT else fact.meaning,
        {"days": "count"}.get(fact.unit, fact.unit),
    )
    for fact in FACTS
    if fact.name != "volume"
)
_DESCRIBED: Final = (
    _fact("spark", "60 days", "Closes of the newest 60 sessions; sorts by their change", "spark"),
    _fact("sector", "Sector", "Line of business", "text"),
    _fact(
        "criteria", "Criteria", "How many criteria are met, and by how much the others are missed", "criteria"
    ),
)
# A planned one has its formula in `plan_cells`, and the level that it needs in `screener`.
_PLANS: Final = (
    _plan("setup", "Setup", "READY, or what is waited for", "chip"),
    _planned(
        "state",
        "Plan now",
        "What became of the plan since its run, and where the price stands in it now",
        "text",
    ),
    _plan("entry", "Entry", "Price at which the plan buys"),
    _plan("zone", "Entry zone", "Between these prices the plan may buy", "zone"),
    _plan("stop", "Stop", "Price at which the plan gives up"),
    _plan("target", "Target", "Price at which the plan sells"),
    _planned("to_entry", "To entry", "From the price to the entry, per cent of the price"),
    _planned("to_stop", "To stop", "From the price to the stop, per cent of the price"),
    _planned("to_target", "To target", "From the price to the target, per cent of the price"),
    _planned("r_now", "R now", "Gained since the entry, in risks: (price − entry) / (entry − stop)", "R"),
    _plan("r", "R plan", "What the target gains for one risked: (target − entry) / (entry − stop)", "R"),
    _plan("quantity", "Qty", "Shares for the risk a trade may take", "count"),
    _plan("risk", "Risk ₹", "Rupees lost when the stop is hit"),
    _plan("allocation_pct", "Alloc %", "Share of the capital", "%"),
    _plan("allocation", "Alloc ₹", "Rupees of the capital"),
    _plan("horizon", "Horizon", "How long the plan is meant to take", "text"),
    _plan("why", "Why", "Reason that the screener gives for its choice", "text"),
    _plan("invalid", "Void when", "What would make the plan void", "text"),
)
# Of watchlists only. A note and a flag are facts of the row, as is the section, which is a heading and no column.
NOTE, FLAG, SECTION = "note", "flag", "section"
OF_LISTS: Final = (
    Column(FLAG, "Flag", "The flag that was set on the list's page", kind="text"),
    Column(NOTE, "Note", "The note that was written on the list's page", kind="text"),
)
COLUMNS: Final = (_RANK, *_LIVE, *OF_LISTS, *_SCORED, *_MEASURED, *_DESCRIBED, *_PLANS)
BY_NAME: Final = {column.name: column for column in COLUMNS}
# Texts that many rows share; a reason or a condition differs from row to row.
GROUPS: Final = tuple(
    column.name for column in COLUMNS if column.text and column.name not in {"why", "invalid", NOTE}
)
SYMBOL: Final = Column("symbol", "Symbol", "Name on the exchange", kind="text")


def of_tab(tab: str) -> tuple[Column, ...]:
    return tuple(column for column in COLUMNS if column.tab in {"", tab})


def sorts(tab: str) -> tuple[str, ...]:
    """Return the names by which rows can be sorted in a tab; both have `rank` and `symbol`."""
    return tuple(dict.fromkeys(("rank", "symbol", *(column.name for column in of_tab(tab)))))


def stored_value(row: Row, name: str) -> Any:
    """Return the value of a row in a column that is not live, as it is stored; None or empty for none."""
    if name == "r":
        return reward(row)
    if name == "zone":
        return None if row.entry_low is None or row.entry_high is None else (row.entry_low, row.entry_high)
    return getattr(row, name) if name in Row._fields else row.facts.get(name)


def reward(row: Row) -> float | None:
    """Return (target - entry) / (entry - stop), None unless all three are known and the stop is lower."""
    if row.entry is None or row.stop is None or row.target is None or row.entry <= row.stop:
        return None
    return (row.target - row.entry) / (row.entry - row.stop)
