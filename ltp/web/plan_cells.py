"""The live cells of a plan: how far the price is from entry, stop and target, in per cent and in risks, and what it has touched.

A column's name carries the run whose plan it follows, `to_entry@17`: the same instrument may stand in two runs with two plans.
Drawn for each new price, so it is plain arithmetic on integers, like `cells`. Knows plans by run and key, no rows and no pages.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

from ltp.core.money import Price
from ltp.core.quote import Quote
from ltp.core.screener import Run
from ltp.core.tick import Tick

DASH: Final = "–"
STALE_BEYOND_PCT: Final = 25  # a plan so far from the price was made for another market
_KEPT: Final = 32  # runs; the newest of each screen and a few older ones that somebody looks at


class Plan(NamedTuple):
    """Prices in 1/10,000 rupee. `as_of`: ISO date of the session the plan was made after, empty when nobody said."""

    entry: Price
    low: Price
    high: Price
    stop: Price | None
    target: Price | None
    as_of: str


class Plans:
    """The plans of the runs that pages show."""

    def __init__(self) -> None:
        self._runs: OrderedDict[int, Mapping[str, Plan]] = OrderedDict()

    def learn(self, run: Run) -> None:
        """Take in a run that is about to be shown; one that is known costs nothing."""
        if run.id in self._runs:
            self._runs.move_to_end(run.id)
            return
        self._runs[run.id] = _plans(run)
        if len(self._runs) > _KEPT:
            self._runs.popitem(last=False)

    def of(self, run_id: int) -> Mapping[str, Plan]:
        return self._runs.get(run_id, {})


def _plans(run: Run) -> dict[str, Plan]:
    as_of = run.as_of.isoformat() if run.as_of else ""
    return {
        row.key: Plan(row.entry, row.entry_low or row.entry, row.entry_high or row.entry, row.stop, row.target, as_of)
        for row in run.rows
        if row.entry is not None
    }


def is_stale(plan: Plan, ltp: Price) -> bool:
    """Tell whether the price has left the plan behind."""
    return abs(ltp - plan.entry) * 100 > STALE_BEYOND_PCT * plan.entry


def state(plan: Plan, quote: Quote) -> str:
    """Say in words where the price stands in the plan, empty when the price is not known.

    The day's high and low count once they belong to a later session than the plan's: a touch between two ticks, or before the
    page was opened, happened all the same. Where the day reached both stop and target nobody knows which came first: the careful
    reading is the stop.
    """
    tick = quote.tick
    if tick is None or tick.ltp is None:
        return ""
    ltp = lowest = highest = tick.ltp
    if is_stale(plan, ltp):
        return "stale plan"
    if plan.as_of and tick.session > plan.as_of:
        lowest, highest = _range(tick, ltp)
    if plan.stop is not None and lowest <= plan.stop:
        return "stop hit"
    if plan.target is not None and highest >= plan.target:
        return "target hit"
    if plan.low <= ltp <= plan.high:
        return "in entry zone"
    return "entry touched" if lowest <= plan.high and highest >= plan.low else "waiting"


def _range(tick: Tick, ltp: Price) -> tuple[Price, Price]:
    """Return the lowest and highest price of the day; comparisons, because min and max cost three times as much."""
    low, high = tick.low, tick.high
    return low if low is not None and low < ltp else ltp, high if high is not None and high > ltp else ltp


class PlanCells:
    """The draw functions of the plans' live columns, for `cells`."""

    def __init__(self, plans: Plans) -> None:
        self._plans = plans

    def drawing(self, column: str) -> Callable[[Quote], str] | None:
        """Return what draws `column`, such as `to_entry@17`; None when that is no column of a plan."""
        name, _, run_id = column.partition("@")
        draw = _DRAW.get(name)
        if draw is None or not (run_id.isascii() and run_id.isdigit()):
            return None
        number, plans = int(run_id), self._plans
        known = plans.of(number)

        def cell(quote: Quote) -> str:
            nonlocal known
            plan = known.get(quote.key)
            if plan is None:
                if known:
                    return DASH
                known = plans.of(number)  # a column may be asked for before its run was learned
                plan = known.get(quote.key)
            return DASH if plan is None else draw(plan, quote)

        return cell


def value(name: str, plan: Plan, quote: Quote) -> float | str | None:
    """Return what a live column of a plan says, to sort by and to write down: words, per cent or risks, to two decimals."""
    if name == "state":
        return _said(plan, quote) or None
    hundredths = _COUNTED[name](plan, quote)
    return None if hundredths is None else hundredths / 100


def _said(plan: Plan, quote: Quote) -> str:
    """Return the state; of a price that may be out of date only what has happened already, else how doubtful it is."""
    said = state(plan, quote)
    return quote.state if said in _FLEETING and quote.state in _DOUBTFUL else said


def _state(plan: Plan, quote: Quote) -> str:
    said = _said(plan, quote)
    if not said:
        return DASH
    return f'<b class="{_CLASSES[said]}">{said}</b>' if said in _CLASSES else said


def _to(level: Price | None, ltp: Price | None) -> int | None:
    """Return the way from the price to the level in hundredths of a per cent of the price, half away from zero."""
    if ltp is None or level is None:
        return None
    hundredths = (abs(level - ltp) * 20_000 + ltp) // (2 * ltp)
    return hundredths if level > ltp else -hundredths


def _risks(plan: Plan, quote: Quote) -> int | None:
    ltp = _price(plan, quote)
    if ltp is None or plan.stop is None or plan.stop >= plan.entry:
        return None
    return round(100 * (ltp - plan.entry) / (plan.entry - plan.stop))


def _distance(count: Callable[[Plan, Quote], int | None]) -> Callable[[Plan, Quote], str]:
    def draw(plan: Plan, quote: Quote) -> str:
        hundredths = count(plan, quote)
        return DASH if hundredths is None else f"{_signed(hundredths)}%"

    return draw


def _r_now(plan: Plan, quote: Quote) -> str:
    hundredths = _risks(plan, quote)
    if hundredths is None:
        return DASH
    text = f"{_signed(hundredths)} R"
    # Before the entry it is no gain and no loss of anybody's, so it has no colour.
    if not hundredths or state(plan, quote) == "waiting":
        return text
    return f'<b class="g">{text}</b>' if hundredths > 0 else f'<b class="l">{text}</b>'


def _signed(hundredths: int) -> str:
    sign = "" if not hundredths else "+" if hundredths > 0 else "−"
    return f"{sign}{abs(hundredths) // 100}.{abs(hundredths) % 100:02d}"


def _price(plan: Plan, quote: Quote) -> Price | None:
    """Return the price distances are counted from: none that may be out of date, none that left the plan behind."""
    tick = quote.tick
    if tick is None or tick.ltp is None or quote.state in _DOUBTFUL or is_stale(plan, tick.ltp):
        return None
    return tick.ltp


_DOUBTFUL: Final = frozenset({"stale", "unknown"})
_FLEETING: Final = frozenset({"waiting", "in entry zone", "stale plan"})
_CLASSES: Final = {
    "in entry zone": "z",
    "entry touched": "z",
    "stop hit": "l",
    "target hit": "g",
    "stale plan": "w",
    "stale": "w",
    "unknown": "w",
}
_COUNTED: Final[Mapping[str, Callable[[Plan, Quote], int | None]]] = {
    "to_entry": lambda plan, quote: _to(plan.entry, _price(plan, quote)),
    "to_stop": lambda plan, quote: _to(plan.stop, _price(plan, quote)),
    "to_target": lambda plan, quote: _to(plan.target, _price(plan, quote)),
    "r_now": _risks,
}
_DRAW: Final[Mapping[str, Callable[[Plan, Quote], str]]] = {
    "state": _state,
    **{name: _distance(count) for name, count in _COUNTED.items()},
    "r_now": _r_now,
}
PLANNED: Final = tuple(_DRAW)
