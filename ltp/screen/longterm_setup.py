"""What to do about a share for a year and more: the zone to accumulate in, what ends the idea, and how much
to put in.

Zone: around the EMA 50, never below the 200-day average. Invalidation: below the 200-day average and the
zone. Allocation: so that reaching the invalidation costs the risk of one trade. Knows no score.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple, cast

from ltp.core.money import Price
from ltp.core.sizing import MAX_ALLOCATION_PCT, Sizing, share_pct
from ltp.screen.facts import Value
from ltp.screen.finding import (
    NOT_READY,
    READY,
    WAIT_BREAKOUT,
    WAIT_PULLBACK,
    Finding,
    Weakness,
    not_ready,
    per_cent,
    price_text,
    rupees_text,
    too_short,
)
from ltp.screen.plan import nearest_tick, size, stop_on_tick, tick_above

MOST_DRAWDOWN: Final = 30.0  # %; a share that fell farther is a recovery, not a trend
MOST_VOLATILITY: Final = 60.0  # % a year
MOST_BELOW_SMA200: Final = 5.0  # %; this near below the 200-day average, one good month brings it back
ZONE_BELOW_ATRS: Final = 1.0  # weekly ATRs below and above the anchor
ZONE_ABOVE_ATRS: Final = 0.5
STOP_ATRS: Final = 0.5  # weekly ATRs below the 200-day average, so that a touch does not end the idea
LEAST_STOP_ATRS: Final = 1.5  # weekly ATRs between entry and invalidation
MOST_RISK_PCT: Final = 25.0  # of the entry
HORIZON: Final = "1 to 3 years"


class LongtermReading(NamedTuple):
    """The facts a long-term setup is decided by, all known. Units as in `core.criteria.facts`."""

    price: float
    ema50: float
    sma200: float
    dist_sma200: float
    slope_sma200: float
    drawdown_pct: float
    volatility: float
    weekly_atr: float
    weekly_supertrend: float
    weekly_dist_supertrend: float
    weekly_ema20_over_ema50: float


class Zone(NamedTuple):
    """Where to buy and where the idea is over, rupees. `stop_name`: how the latter was found."""

    low: float
    high: float
    entry: float
    stop: float
    stop_name: str


def advise(facts: Mapping[str, Value], sizing: Sizing, tick_size: Price) -> Finding:
    """Return the setup with its sentences and, unless it is NOT_READY, its zone, invalidation and allocation."""
    missing = [name for name in LongtermReading._fields if not isinstance(facts[name], float)]
    if missing:
        return too_short(missing)
    of = LongtermReading(*(cast(float, facts[name]) for name in LongtermReading._fields))
    weak = _weak(of, facts)
    if weak or of.dist_sma200 <= -MOST_BELOW_SMA200:
        below = [_below(of)] if of.dist_sma200 <= 0 else []
        return not_ready("No long-term uptrend", below + weak)
    wait = _accumulate if of.dist_sma200 > 0 else _recover
    return wait(of, _relative(facts), sizing, tick_size)


def _below(of: LongtermReading) -> Weakness:
    average = rupees_text(of.sma200)
    return Weakness(
        f"the close is {per_cent(-of.dist_sma200)} below the 200-day average {average}",
        f"a close is above {average}",
    )


def _weak(of: LongtermReading, facts: Mapping[str, Value]) -> list[Weakness]:
    supertrend = rupees_text(of.weekly_supertrend)
    asked = (
        (
            of.slope_sma200 > 0,
            f"the 200-day average fell {per_cent(-of.slope_sma200)} in 21 sessions",
            "the 200-day average rises",
        ),
        (
            of.weekly_ema20_over_ema50 > 0,
            f"the weekly EMA 20 is {per_cent(-of.weekly_ema20_over_ema50)} below the EMA 50",
            "the weekly EMA 20 is above the EMA 50",
        ),
        (
            of.weekly_dist_supertrend > 0,
            f"the weekly Supertrend is down at {supertrend}",
            f"a week closes above {supertrend}",
        ),
        (
            of.drawdown_pct <= MOST_DRAWDOWN,
            f"it is {of.drawdown_pct:.1f}% below its highest close of the year, more than {MOST_DRAWDOWN:g}%",
            f"it is within {MOST_DRAWDOWN:g}% of that",
        ),
        (
            of.volatility <= MOST_VOLATILITY,
            f"its volatility is {of.volatility:.1f}% a year, more than {MOST_VOLATILITY:g}%",
            f"its volatility is below {MOST_VOLATILITY:g}%",
        ),
        (not _trails(facts), f"it trails: {_relative(facts)}", "it beats NIFTY over 6 or 12 months"),
    )
    return [Weakness(reason, cure) for fine, reason, cure in asked if not fine]


def _trails(facts: Mapping[str, Value]) -> bool:
    return all(isinstance(value := facts[name], float) and value <= 0 for name in ("rs6m", "rs12m"))


def _relative(facts: Mapping[str, Value]) -> str:
    six, twelve = facts["rs6m"], facts["rs12m"]
    if not isinstance(six, float) or not isinstance(twelve, float):
        return "relative strength unknown"
    return f"against NIFTY {six:+.1f}% over 6 and {twelve:+.1f}% over 12 months"


def _zone(of: LongtermReading, anchor: float) -> tuple[float, float]:
    low = max(of.sma200, anchor - ZONE_BELOW_ATRS * of.weekly_atr)
    return low, max(low, anchor + ZONE_ABOVE_ATRS * of.weekly_atr)


def _invalidation(of: LongtermReading, low: float, high: float, entry: float) -> Zone:
    """Return the zone with what ends the idea: a little below the 200-day average, if that is neither too
    near nor too far.
    """
    average = of.sma200 - STOP_ATRS * of.weekly_atr
    near, far = entry - LEAST_STOP_ATRS * of.weekly_atr, entry * (1 - MOST_RISK_PCT / 100)
    if average > near and near >= far:
        return Zone(low, high, entry, near, f"{LEAST_STOP_ATRS:g} weekly ATR below the entry")
    if average < far or average > near:
        return Zone(low, high, entry, far, f"{MOST_RISK_PCT:g}% below the entry")
    return Zone(low, high, entry, average, f"{STOP_ATRS:g} weekly ATR below the 200-day average")


def _accumulate(of: LongtermReading, strength: str, sizing: Sizing, tick: Price) -> Finding:
    low, high = _zone(of, max(of.ema50, of.sma200))
    text = (
        f"Long-term uptrend: {of.dist_sma200:.1f}% above the 200-day average {rupees_text(of.sma200)}, "
        f"which rose "
        f"{of.slope_sma200:.1f}% in 21 sessions; {strength}; {of.drawdown_pct:.1f}% below the year's "
        f"highest close"
    )
    if of.price > high:
        zone = _invalidation(of, low, high, max(low, min(high, of.ema50)))
        above = 100 * (of.price / high - 1)
        return _planned(
            WAIT_PULLBACK, zone, f"{text}. {above:.1f}% above the zone: wait for it.", sizing, tick
        )
    if of.price < low:
        zone = _invalidation(of, low, high, low)
        return _planned(
            WAIT_BREAKOUT,
            zone,
            f"{text}. Below the zone: buy when it is back above {rupees_text(low)}.",
            sizing,
            tick,
        )
    zone = _invalidation(of, low, high, of.price)
    return _planned(READY, zone, f"{text}. Inside the zone: accumulate.", sizing, tick)


def _recover(of: LongtermReading, strength: str, sizing: Sizing, tick: Price) -> Finding:
    zone = _invalidation(of, of.sma200, of.sma200 + ZONE_ABOVE_ATRS * of.weekly_atr, of.sma200)
    why = (
        f"The close is {per_cent(-of.dist_sma200)} below its rising 200-day average "
        f"{rupees_text(of.sma200)}; {strength}. "
        "Buy when it closes above that average again."
    )
    return _planned(WAIT_BREAKOUT, zone, why, sizing, tick)


def _planned(setup: str, zone: Zone, why: str, sizing: Sizing, tick: Price) -> Finding:
    rounded = tick_above if setup == WAIT_BREAKOUT else nearest_tick
    entry = rounded(zone.entry, tick)
    stop = stop_on_tick(zone.stop, entry, tick, MOST_RISK_PCT)
    if stop is None:
        return Finding(
            NOT_READY,
            f"{why} No plan: one tick is too coarse at this price.",
            "Another look at a higher price.",
        )
    low = rounded(zone.low, tick)
    position = size(entry, stop, sizing, MAX_ALLOCATION_PCT)
    cost = None if position.quantity is None else position.quantity * entry
    return Finding(
        setup,
        " ".join(filter(None, (why, position.reason))),
        f"A weekly close below {price_text(stop)}, {zone.stop_name}.",
        entry=entry,
        entry_low=low if stop < low < entry else entry,
        entry_high=max(rounded(zone.high, tick), entry),
        stop=stop,
        quantity=position.quantity,
        risk=position.risk,
        allocation=cost,
        allocation_pct=None if cost is None else share_pct(cost, sizing),
        horizon=HORIZON,
    )
