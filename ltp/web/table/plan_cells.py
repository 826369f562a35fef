"""The live cells of a plan: how far the price is from entry, stop and target, in per cent and in risks, and
what it has touched.

A column's name carries the run whose plan it follows, `to_entry@17`: the same instrument may stand in two
runs with two plans. Drawn for each new price, so it is plain arithmetic on integers, like `cells`. Which
touches make which stage is `core.history.plan`'s; here the present day is added to what the candles said.
Knows plans by run and key, no rows and no pages.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from ltp.core.history.plan import ENDED, ENTERED, INVALIDATED, MISSED, REACHED, STOPPED, Plan, stage_after
from ltp.core.money import Price
from ltp.core.ticks.quote import Quote
from ltp.core.ticks.tick import Tick

DASH: Final = "–"
STALE_BEYOND_PCT: Final = 25  # a plan so far from the price was made for another market


def is_stale(plan: Plan, tick: Tick, ltp: Price) -> bool:
    """Tell whether the price has left the plan behind, or is after a split that the plan is not."""
    if plan.ends and tick.session >= plan.ends:
        return True
    entry = plan.entry
    return abs(ltp - entry) * 100 > STALE_BEYOND_PCT * entry


def state(plan: Plan, quote: Quote) -> str:
    """Say in words where the price stands in the plan, empty when the price is not known."""
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
    """Return the plan's stage with the present day's prices.

    The day's high and low count once they belong to a later session than the plan's: a touch between two
    ticks, or before the page was opened, happened all the same. A day whose candle is in already counts twice
    and says the same again.
    """
    as_of = plan.as_of
    if not as_of or tick.session <= as_of:
        return stage_after(plan, plan.stage, None, ltp, ltp)
    low, high = tick.low, tick.high
    # Comparisons, because min and max cost three times as much.
    if low is None or low > ltp:
        low = ltp
    if high is None or high < ltp:
        high = ltp
    return stage_after(plan, plan.stage, tick.open, low, high)


class PlanCells:
    """The draw functions of the plans' live columns, for `cells`."""

    def __init__(self, of: Callable[[int], Mapping[str, Plan]]) -> None:
        """`of` gives the plans of a run by key: always the same mapping, empty while the run is not known."""
        self._of = of

    def drawing(self, column: str) -> Callable[[Quote], str] | None:
        """Return what draws `column`, such as `to_entry@17`; None when that is no column of a plan."""
        name, _, run_id = column.partition("@")
        draw = _DRAW.get(name)
        if draw is None or not (run_id.isascii() and run_id.isdigit()):
            return None
        number, of = int(run_id), self._of
        known = of(number)

        def cell(quote: Quote) -> str:
            nonlocal known
            plan = known.get(quote.key)
            if plan is None:
                if known:
                    return DASH
                known = of(number)  # a column may be asked for before its run was learned
                plan = known.get(quote.key)
            return DASH if plan is None else draw(plan, quote)

        return cell


def value(name: str, plan: Plan, quote: Quote) -> float | str | None:
    """Return what a live column of a plan says, to sort by and to write down: words, per cent or risks, to
    two decimals.
    """
    if name == "state":
        return _said(plan, quote) or None
    hundredths = _COUNTED[name](plan, quote)
    return None if hundredths is None else hundredths / 100


def _said(plan: Plan, quote: Quote) -> str:
    """Return the state; of a price that may be out of date only what has happened already, else how doubtful
    it is.
    """
    said = state(plan, quote)
    return quote.state if said in _FLEETING and quote.state in _DOUBTFUL else said


def _state(plan: Plan, quote: Quote) -> str:
    said = _said(plan, quote)
    if not said:
        return DASH
    return f'<b class="{_CLASSES[said]}">{said}</b>' if said in _CLASSES else said


def _to(level: Price | None, ltp: Price | None) -> int | None:
    """Return the way from the price to the level in hundredths of a per cent of the price, half away from
    zero.
    """
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
    text = _signed(hundredths)  # no unit behind it: a spreadsheet takes what is copied as a number
    # Without an entry it is no gain and no loss of anybody's, so it has no colour.
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
    """Return the price distances are counted from: none that may be out of date, none that left the plan
    behind.
    """
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
