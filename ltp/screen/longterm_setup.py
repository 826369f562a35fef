"""The setup of the long-term strategy, and its plan: accumulation zone, invalidation and allocation.

Zone: around the EMA 50, never below the 200-day average. Invalidation: below the 200-day average and the
zone. Allocation: a fall to the invalidation costs the risk of one trade.
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

MAX_DRAWDOWN: Final = 30.0  # %; a share that fell farther is a recovery, not a trend
MAX_VOLATILITY: Final = 60.0  # % a year
MAX_BELOW_SMA200: Final = 5.0  # %; from less far below the 200-day average one good month brings it back
ZONE_BELOW_ATRS: Final = 1.0  # weekly ATRs below and above the anchor
ZONE_ABOVE_ATRS: Final = 0.5
STOP_ATRS: Final = 0.5  # weekly ATRs below the 200-day average, so that a touch does not end the plan
MIN_STOP_ATRS: Final = 1.5  # weekly ATRs between entry and invalidation
MAX_RISK_PCT: Final = 25.0  # of the entry
HORIZON: Final = "1 to 3 years"


class LongtermReading(NamedTuple):
    """The facts that decide a long-term setup, all known. Units as in `core.criteria.facts`."""

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
    """Rupees. The entry is between `low` and `high`. `stop_name`: the name of the stop for a sentence."""

    low: float
    high: float
    entry: float
    stop: float
    stop_name: str


def advise(facts: Mapping[str, Value], sizing: Sizing, tick_size: Price) -> Finding:
    """Return the setup with its sentences and, unless it is NOT_READY, its zone, stop and allocation."""
    missing = [name for name in LongtermReading._fields if not isinstance(facts[name], float)]
    if missing:
        return too_short(missing)
    share = LongtermReading(*(cast(float, facts[name]) for name in LongtermReading._fields))
    weaknesses = _weaknesses(share, facts)
    if weaknesses or share.dist_sma200 <= -MAX_BELOW_SMA200:
        below = [_below(share)] if share.dist_sma200 <= 0 else []
        return not_ready("No long-term uptrend", below + weaknesses)
    plan = _accumulate if share.dist_sma200 > 0 else _recover
    return plan(share, _relative(facts), sizing, tick_size)


def _below(share: LongtermReading) -> Weakness:
    average = rupees_text(share.sma200)
    return Weakness(
        f"the close is {per_cent(-share.dist_sma200)} below the 200-day average {average}",
        f"a close is above {average}",
    )


def _weaknesses(share: LongtermReading, facts: Mapping[str, Value]) -> list[Weakness]:
    supertrend = rupees_text(share.weekly_supertrend)
    checks = (
        (
            share.slope_sma200 > 0,
            f"the 200-day average fell {per_cent(-share.slope_sma200)} in 21 sessions",
            "the 200-day average rises",
        ),
        (
            share.weekly_ema20_over_ema50 > 0,
            f"the weekly EMA 20 is {per_cent(-share.weekly_ema20_over_ema50)} below the EMA 50",
            "the weekly EMA 20 is above the EMA 50",
        ),
        (
            share.weekly_dist_supertrend > 0,
            f"the weekly Supertrend is down at {supertrend}",
            f"a week closes above {supertrend}",
        ),
        (
            share.drawdown_pct <= MAX_DRAWDOWN,
            f"it is {share.drawdown_pct:.1f}% below its highest close of the year, "
            f"more than {MAX_DRAWDOWN:g}%",
            f"it is within {MAX_DRAWDOWN:g}% of that",
        ),
        (
            share.volatility <= MAX_VOLATILITY,
            f"its volatility is {share.volatility:.1f}% a year, more than {MAX_VOLATILITY:g}%",
            f"its volatility is below {MAX_VOLATILITY:g}%",
        ),
        (not _trails(facts), f"it trails: {_relative(facts)}", "it beats NIFTY over 6 or 12 months"),
    )
    return [Weakness(reason, cure) for passed, reason, cure in checks if not passed]


def _trails(facts: Mapping[str, Value]) -> bool:
    return all(isinstance(value := facts[name], float) and value <= 0 for name in ("rs6m", "rs12m"))


def _relative(facts: Mapping[str, Value]) -> str:
    six, twelve = facts["rs6m"], facts["rs12m"]
    if not isinstance(six, float) or not isinstance(twelve, float):
        return "relative strength unknown"
    return f"against NIFTY {six:+.1f}% over 6 and {twelve:+.1f}% over 12 months"


def _zone(share: LongtermReading, anchor: float) -> tuple[float, float]:
    low = max(share.sma200, anchor - ZONE_BELOW_ATRS * share.weekly_atr)
    return low, max(low, anchor + ZONE_ABOVE_ATRS * share.weekly_atr)


def _invalidation(share: LongtermReading, low: float, high: float, entry: float) -> Zone:
    """Return the zone with its stop: a little below the 200-day average, if that is neither near nor far."""
    average = share.sma200 - STOP_ATRS * share.weekly_atr
    near, far = entry - MIN_STOP_ATRS * share.weekly_atr, entry * (1 - MAX_RISK_PCT / 100)
    if average > near and near >= far:
        return Zone(low, high, entry, near, f"{MIN_STOP_ATRS:g} weekly ATR below the entry")
    if average < far or average > near:
        return Zone(low, high, entry, far, f"{MAX_RISK_PCT:g}% below the entry")
    return Zone(low, high, entry, average, f"{STOP_ATRS:g} weekly ATR below the 200-day average")


def _accumulate(share: LongtermReading, strength: str, sizing: Sizing, tick: Price) -> Finding:
    low, high = _zone(share, max(share.ema50, share.sma200))
    text = (
        f"Long-term uptrend: {share.dist_sma200:.1f}% above the 200-day average {rupees_text(share.sma200)}, "
        f"which rose {share.slope_sma200:.1f}% in 21 sessions; {strength}; "
        f"{share.drawdown_pct:.1f}% below the year's highest close"
    )
    if share.price > high:
        zone = _invalidation(share, low, high, max(low, min(high, share.ema50)))
        above = 100 * (share.price / high - 1)
        return _planned(
            WAIT_PULLBACK, zone, f"{text}. {above:.1f}% above the zone: wait for it.", sizing, tick
        )
    if share.price < low:
        zone = _invalidation(share, low, high, low)
        return _planned(
            WAIT_BREAKOUT,
            zone,
            f"{text}. Below the zone: buy when it is back above {rupees_text(low)}.",
            sizing,
            tick,
        )
    zone = _invalidation(share, low, high, share.price)
    return _planned(READY, zone, f"{text}. Inside the zone: accumulate.", sizing, tick)


def _recover(share: LongtermReading, strength: str, sizing: Sizing, tick: Price) -> Finding:
    zone = _invalidation(share, share.sma200, share.sma200 + ZONE_ABOVE_ATRS * share.weekly_atr, share.sma200)
    why = (
        f"The close is {per_cent(-share.dist_sma200)} below its rising 200-day average "
        f"{rupees_text(share.sma200)}; {strength}. Buy when it closes above that average again."
    )
    return _planned(WAIT_BREAKOUT, zone, why, sizing, tick)


def _planned(setup: str, zone: Zone, why: str, sizing: Sizing, tick: Price) -> Finding:
    rounded = tick_above if setup == WAIT_BREAKOUT else nearest_tick
    entry = rounded(zone.entry, tick)
    stop = stop_on_tick(zone.stop, entry, tick, MAX_RISK_PCT)
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
