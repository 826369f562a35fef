"""What to do about a share within days: the setup of the swing strategy, its sentences and its plan.

The questions are asked in one order, and the first answer decides: is the trend broken, is the price
extended, is there a trigger worth its risk, is there a resistance to wait for, else a pullback. A setup for
which no sane plan exists is NOT_READY.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from ltp.core.money import Price
from ltp.core.sizing import MAX_POSITION_PCT, Sizing
from ltp.screen import swing_reading as asked
from ltp.screen.facts import lowest
from ltp.screen.finding import (
    NOT_READY,
    READY,
    WAIT_BREAKOUT,
    WAIT_PULLBACK,
    Finding,
    not_ready,
    rupees_text,
    too_short,
)
from ltp.screen.plan import (
    LEAST_ATRS,
    MOST_ATRS,
    MOST_RISK_PCT,
    RESISTANCE_FROM_R,
    Level,
    choose_stop,
    choose_target,
    nearest_tick,
    size,
    stop_on_tick,
    tick_above,
)
from ltp.screen.study import Study
from ltp.screen.swing_reading import SwingReading

REACH_ATRS: Final = 2.0  # a resistance farther than this is not what the next days are about
ABOVE_RESISTANCE_ATRS: Final = 0.1  # through it, not at it
_NO_STOP: Final = (
    f"no low leaves a stop {LEAST_ATRS:g} to {MOST_ATRS:g} ATR and at most {MOST_RISK_PCT:g}% below"
)
_CLEAR_ATRS: Final = 0.5  # a high this near above the entry is the one being tried, not one to sell at


class EntryZone(NamedTuple):
    """A way in, rupees: bought between `low` and `high`, reckoned at `entry`, with `stop` and `target`."""

    entry: float
    low: float
    high: float
    stop: Level
    target: Level


class Order(NamedTuple):
    setup: str
    way: EntryZone
    why: str
    invalid: str


def advise(study: Study, sizing: Sizing, tick_size: Price) -> Finding:
    """Return the setup with its sentences and, unless it is NOT_READY, its plan."""
    if missing := asked.unknown(study.facts):
        return too_short(missing)
    of = asked.read(study.facts)
    return decide(of, _supports(study, of), sizing, tick_size)


def decide(of: SwingReading, supports: tuple[Level, ...], sizing: Sizing, tick_size: Price) -> Finding:
    """Return what `advise` does. `supports`: what a stop may be set below, in order of preference."""
    broken, doubtful = asked.broken_trend(of), asked.doubtful_trend(of)
    if broken:
        return not_ready("No uptrend", broken + doubtful)
    order = None if doubtful else _now(of, supports)
    if not isinstance(order, Order):
        order = _breakout(of, supports) or (order and _pullback(of, supports, order))
    if order:
        return _planned(order, sizing, tick_size) or _too_wide(of)
    return not_ready("The uptrend is in doubt", doubtful) if doubtful else _too_wide(of)


def _supports(study: Study, of: SwingReading) -> tuple[Level, ...]:
    low = study.daily.candles.low
    lows = tuple(Level(lowest(low, sessions), f"{sessions}-day low") for sessions in (10, 20, 5, 3))
    return (*lows, Level(of.ema50, "EMA 50"))


def _way(
    of: SwingReading, entry: float, low: float, high: float, supports: tuple[Level, ...]
) -> EntryZone | None:
    stop = choose_stop(entry, of.atr, supports)
    if stop is None:
        return None
    return EntryZone(entry, low, high, stop, choose_target(entry, stop.price, _resistances(of, entry)))


def _resistances(of: SwingReading, entry: float) -> list[Level]:
    highs = (
        Level(of.high20, "20-day high"),
        Level(of.high55, "55-day high"),
        Level(of.high52, "52-week high"),
    )
    return [level for level in highs if level.price > entry + _CLEAR_ATRS * of.atr]


def _now(of: SwingReading, supports: tuple[Level, ...]) -> Order | str:
    """Return READY, or why not: extended, no trigger, no sane stop, or a resistance too near for the risk."""
    if far := asked.extension(of):
        return f"extended: {far}"
    trigger = asked.trigger(of)
    if not trigger:
        return f"no trigger yet: {asked.untriggered(of)}"
    way = _way(of, of.price, of.price - 0.5 * of.atr, of.price + 0.25 * of.atr, supports)
    if way is None:
        return f"{trigger} and {_NO_STOP} the price"
    for level in _resistances(of, of.price):
        if (reward := _reward(way, level)) < RESISTANCE_FROM_R:
            return f"the {level.name} {rupees_text(level.price)} is only {reward:.1f} R away"
    above_stop = of.supertrend > way.stop.price
    return Order(
        READY,
        way,
        f"Uptrend ({asked.strength(of)}); {trigger}.",
        f"A close below the Supertrend {rupees_text(of.supertrend)}."
        if above_stop
        else "A fall to the stop.",
    )


def _reward(way: EntryZone, level: Level) -> float:
    return (level.price - way.entry) / (way.entry - way.stop.price)


def _breakout(of: SwingReading, supports: tuple[Level, ...]) -> Order | None:
    """Return WAIT_BREAKOUT where a high that holds the price down is within reach and the price has not run
    away.
    """
    if asked.extension(of):
        return None
    highs = (
        Level(of.high52, "52-week high"),
        Level(of.high55, "55-day high"),
        Level(of.high20, "20-day high"),
    )
    within = [level for level in highs if 0 < level.price - of.price <= REACH_ATRS * of.atr]
    if not within:
        return None
    above = max(within, key=lambda level: level.price)
    entry = above.price + ABOVE_RESISTANCE_ATRS * of.atr
    way = _way(of, entry, entry, entry + 0.5 * of.atr, supports)
    away = above.price - of.price
    return way and Order(
        WAIT_BREAKOUT,
        way,
        f"Resistance at the {above.name} {rupees_text(above.price)}, {away / of.atr:.1f} ATR "
        f"({100 * away / of.price:.1f}%) above the close; {asked.strength(of)}. Buy when the price goes "
        f"through it.",
        f"A close below the EMA 50 {rupees_text(of.ema50)} before the breakout.",
    )


def _pullback(of: SwingReading, supports: tuple[Level, ...], reason: str) -> Order | None:
    way = _way(of, of.ema20, of.ema20 - 0.25 * of.atr, of.ema20 + 0.5 * of.atr, supports)
    do = "Buy near the EMA 20" if of.price >= of.ema20 else "Buy when it closes above the EMA 20 again"
    return way and Order(
        WAIT_PULLBACK,
        way,
        f"Uptrend ({asked.strength(of)}), but {reason}. {do}, {rupees_text(of.ema20)}.",
        f"A close below the EMA 50 {rupees_text(of.ema50)}: no pullback, but the end of the trend.",
    )


def _planned(order: Order, sizing: Sizing, tick: Price) -> Finding | None:
    way = order.way
    rounded = tick_above if order.setup == WAIT_BREAKOUT else nearest_tick
    entry = rounded(way.entry, tick)
    stop = stop_on_tick(way.stop.price, entry, tick, MOST_RISK_PCT)
    if stop is None:
        return None
    low = rounded(way.low, tick)
    position = size(entry, stop, sizing, MAX_POSITION_PCT)
    plan = f"Stop {way.stop.name}, target {way.target.name}."
    return Finding(
        order.setup,
        " ".join(filter(None, (order.why, plan, position.reason))),
        order.invalid,
        entry=entry,
        entry_low=low if stop < low < entry else entry,
        entry_high=max(rounded(way.high, tick), entry),
        stop=stop,
        target=max(nearest_tick(way.target.price, tick), 2 * entry - stop),
        quantity=position.quantity,
        risk=position.risk,
    )


def _too_wide(of: SwingReading) -> Finding:
    return Finding(
        NOT_READY,
        f"Uptrend ({asked.strength(of)}), but {_NO_STOP} any entry.",
        "Another look once the price has rested and left a nearer low.",
    )
