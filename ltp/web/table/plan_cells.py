"""The live cells of a plan: its state, and the distance of the price from entry, stop and target.

A column's name contains the id of the run whose plan it follows, as in `to_entry@17`: the same instrument may
have different plans in two runs. The cells are drawn for each new price, so they are plain integer
arithmetic, as in `cells`. The rules by which prices change a plan's stage are in `core.history.plan`; here
the prices of the present day continue from the stage that the candles left. Knows plans by run and key, no
rows and no pages.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from ltp.core.history.plan import ENDED, ENTERED, INVALIDATED, MISSED, REACHED, STOPPED, Plan, stage_after
from ltp.core.money import Price
from ltp.core.ticks.quote import Quote
from ltp.core.ticks.tick import Tick

DASH: Final = "–"
STALE_BEYOND_PCT: Final = 25  # of the entry: at a price so far away the plan no longer applies


def is_stale(plan: Plan, tick: Tick, ltp: Price) -> bool:
    """Return whether the plan no longer applies: far from its entry, or after a split."""
    if plan.ends and tick.session >= plan.ends:
        return True
    entry = plan.entry
    return abs(ltp - entry) * 100 > STALE_BEYOND_PCT * entry


def state(plan: Plan, quote: Quote) -> str:
    """Return the state of the plan at the present price in words, empty when the price is not known."""
    tick = quote.tick
    if tick is None or tick.ltp is None:
        return ""
    ltp = tick.ltp
    if is_stale(plan, tick, ltp):
        return "stale plan"
    stage = _stage(plan, tick, ltp)
    if stage in ENDED:
        return stage
    if plan.weekly and plan.stop is not None and ltp < plan.stop:
        return "below invalidation"
    if stage != ENTERED:
        return "waiting"  # a price within the zone would have entered it
    return "in entry zone" if plan.low <= ltp <= plan.high else "entry touched"


def _stage(plan: Plan, tick: Tick, ltp: Price) -> str:
    """Return the plan's stage after the prices of the present day.

    The day's high and low count if their session is later than the plan's: so a touch between two ticks, or
    before the page was opened, is not missed. If the day's candle is already in the stage, counting it twice
    changes nothing.
    """
    as_of = plan.as_of
    if not as_of or tick.session <= as_of:
        return stage_after(plan, plan.stage, None, ltp, ltp)
    low, high = tick.low, tick.high
    # Not by min and max, which cost three times as much.
    if low is None or low > ltp:
        low = ltp
    if high is None or high < ltp:
        high = ltp
    return stage_after(plan, plan.stage, tick.open, low, high)


class PlanCells:
    """The draw functions of the live columns of plans, for `cells.draw_function`."""

    def __init__(self, plans_of: Callable[[int], Mapping[str, Plan]]) -> None:
        """`plans_of`: returns a run's plans by key, always the same mapping, empty while the run is unknown."""
        self._plans_of = plans_of

    def draw_function(self, column: str) -> Callable[[Quote], str] | None:
        """Return the draw function of a column such as `to_entry@17`, None when it is no column of a plan."""
        name, _, run_id = column.partition("@")
        draw = _DRAW.get(name)
        if draw is None or not (run_id.isascii() and run_id.isdigit()):
            return None
        number, plans_of = int(run_id), self._plans_of
        plans = plans_of(number)

        def cell(quote: Quote) -> str:
            nonlocal plans
            plan = plans.get(quote.key)
            if plan is None:
                if plans:
                    return DASH
                plans = plans_of(number)  # a page may show the column before this process has read the run
                plan = plans.get(quote.key)
            return DASH if plan is None else draw(plan, quote)

        return cell


def value(name: str, plan: Plan, quote: Quote) -> float | str | None:
    """Return the value of a live column, to sort by and for files: the state in words, else per cent or R."""
    if name == "state":
        return _certain_state(plan, quote) or None
    hundredths = _HUNDREDTHS[name](plan, quote)
    return None if hundredths is None else hundredths / 100


def _certain_state(plan: Plan, quote: Quote) -> str:
    """Return the state, or that of the quote where a stale price leaves it open.

    A stop that was hit stays hit; only states that another price could undo need a present price.
    """
    words = state(plan, quote)
    return quote.state if words in _FLEETING and quote.state in _DOUBTFUL else words


def _state(plan: Plan, quote: Quote) -> str:
    words = _certain_state(plan, quote)
    if not words:
        return DASH
    return f'<b class="{_CLASSES[words]}">{words}</b>' if words in _CLASSES else words


def _distance(level: Price | None, ltp: Price | None) -> int | None:
    """Return level - price in hundredths of a per cent of the price, half away from zero."""
    if ltp is None or level is None:
        return None
    hundredths = (abs(level - ltp) * 20_000 + ltp) // (2 * ltp)
    return hundredths if level > ltp else -hundredths


def _gain(plan: Plan, quote: Quote) -> int | None:
    """Return the gain since the entry in hundredths of the plan's risk, entry - stop."""
    ltp = _price(plan, quote)
    if ltp is None or plan.stop is None or plan.stop >= plan.entry:
        return None
    return round(100 * (ltp - plan.entry) / (plan.entry - plan.stop))


def _draw_distance(measure: Callable[[Plan, Quote], int | None]) -> Callable[[Plan, Quote], str]:
    def draw(plan: Plan, quote: Quote) -> str:
        hundredths = measure(plan, quote)
        return DASH if hundredths is None else f"{_signed(hundredths)}%"

    return draw


def _r_now(plan: Plan, quote: Quote) -> str:
    hundredths = _gain(plan, quote)
    if hundredths is None:
        return DASH
    text = _signed(hundredths)  # without a unit, so that a spreadsheet takes a copied cell as a number
    # Before the entry there is no position, so no gain or loss to colour.
    if (
        not hundredths
        or quote.tick is None
        or quote.tick.ltp is None
        or _stage(plan, quote.tick, quote.tick.ltp) not in _BOUGHT
    ):
        return text
    return f'<b class="g">{text}</b>' if hundredths > 0 else f'<b class="l">{text}</b>'


def _signed(hundredths: int) -> str:
    sign = "" if not hundredths else "+" if hundredths > 0 else "-"
    return f"{sign}{abs(hundredths) // 100}.{abs(hundredths) % 100:02d}"


def _price(plan: Plan, quote: Quote) -> Price | None:
    """Return the price for distances, None when it is out of date or the plan no longer applies."""
    tick = quote.tick
    if tick is None or tick.ltp is None or quote.state in _DOUBTFUL or is_stale(plan, tick, tick.ltp):
        return None
    return tick.ltp


_DOUBTFUL: Final = frozenset({"stale", "unknown"})
_FLEETING: Final = frozenset({"waiting", "in entry zone", "stale plan", "below invalidation"})
_BOUGHT: Final = frozenset({ENTERED, STOPPED, REACHED})
_CLASSES: Final = {
    "in entry zone": "z",
    "entry touched": "z",
    STOPPED: "l",
    REACHED: "g",
    INVALIDATED: "w",
    MISSED: "w",
    "below invalidation": "w",
    "stale plan": "w",
    "stale": "w",
    "unknown": "w",
}
_HUNDREDTHS: Final[Mapping[str, Callable[[Plan, Quote], int | None]]] = {
    "to_entry": lambda plan, quote: _distance(plan.entry, _price(plan, quote)),
    "to_stop": lambda plan, quote: _distance(plan.stop, _price(plan, quote)),
    "to_target": lambda plan, quote: _distance(plan.target, _price(plan, quote)),
    "r_now": _gain,
}
_DRAW: Final[Mapping[str, Callable[[Plan, Quote], str]]] = {
    "state": _state,
    **{name: _draw_distance(measure) for name, measure in _HUNDREDTHS.items()},
    "r_now": _r_now,
}
