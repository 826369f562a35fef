"""The facts a swing setup is decided by, and the questions asked of them.

Every answer is a sentence with its numbers, empty or missing where there is nothing to say. Knows no price to
buy at.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple, cast

from ltp.screen.facts import Value
from ltp.screen.finding import Weakness, per_cent, rupees_text

MOST_BELOW_HIGH52: Final = 25.0  # %; farther down, those who bought higher sell into every rise
EXTENDED_ATRS: Final = 2.5
HOT_RSI: Final = 70.0
COLD_RSI: Final = 50.0
BOUNCE_RSI: Final = 45.0  # a pullback cools it
LEAST_ADX: Final = 20.0
TRIGGER_ATRS: Final = 1.0  # this near the 20-day high, on either side, it is being tried now
BOUNCE_ATRS: Final = 1.0  # this near above the EMA 20, a rising day is the end of a pullback
DIP_ATRS: Final = -0.5  # and a little below it still is


class SwingReading(NamedTuple):
    """All known. Units as in `core.criteria.facts`."""

    price: float
    change_pct: float
    atr: float
    ema20: float
    ema50: float
    ema200: float
    ext_ema20: float
    rsi: float
    adx: float
    di_diff: float
    macd: float
    macd_hist: float
    relvol: float
    updown_volume: float
    high20: float
    high55: float
    high52: float
    pct_from_high52: float
    supertrend: float
    dist_supertrend: float
    weekly_dist_ema20: float
    weekly_supertrend: float
    weekly_dist_supertrend: float


def unknown(facts: Mapping[str, Value]) -> list[str]:
    """Return the names of what is not known, the ATR also when it is 0: nothing can be measured in it."""
    return [
        name
        for name in SwingReading._fields
        if not isinstance(facts[name], float) or (name == "atr" and not facts[name])
    ]


def read(facts: Mapping[str, Value]) -> SwingReading:
    return SwingReading(*(cast(float, facts[name]) for name in SwingReading._fields))


def broken_trend(of: SwingReading) -> list[Weakness]:
    """Return what stands against any buying: without these nothing else counts."""
    asked = (
        (
            of.ema50 > of.ema200,
            "the EMA 50 {ema50} is below the EMA 200 {ema200}",
            "the EMA 50 is above the EMA 200",
        ),
        (
            of.price > of.ema200,
            "the close {price} is below the EMA 200 {ema200}",
            "a close is above {ema200}",
        ),
        (of.price > of.ema50, "the close {price} is below the EMA 50 {ema50}", "a close is above {ema50}"),
        (
            of.pct_from_high52 <= MOST_BELOW_HIGH52,
            f"it is {of.pct_from_high52:.1f}% below its 52-week high, more than {MOST_BELOW_HIGH52:g}%",
            f"it is within {MOST_BELOW_HIGH52:g}% of {{high52}}",
        ),
        (
            of.weekly_dist_ema20 > 0,
            f"the week is {per_cent(-of.weekly_dist_ema20)} below its EMA 20",
            "a week closes above its EMA 20",
        ),
    )
    return _weak(of, asked)


def doubtful_trend(of: SwingReading) -> list[Weakness]:
    """Return what a base may still have against it, but not a trend to buy into."""
    asked = (
        (
            of.ema20 > of.ema50,
            "the EMA 20 {ema20} is below the EMA 50 {ema50}",
            "the EMA 20 is above {ema50}",
        ),
        (of.dist_supertrend > 0, "the Supertrend is down at {supertrend}", "a close is above {supertrend}"),
        (
            of.weekly_dist_supertrend > 0,
            "the weekly Supertrend is down at {weekly_supertrend}",
            "a week closes above {weekly_supertrend}",
        ),
    )
    return _weak(of, asked)


def _weak(of: SwingReading, asked: tuple[tuple[bool, str, str], ...]) -> list[Weakness]:
    failed = [(reason, cure) for fine, reason, cure in asked if not fine]
    if not failed:
        return []
    words = {name: rupees_text(value) for name, value in of._asdict().items()}
    return [Weakness(reason.format_map(words), cure.format_map(words)) for reason, cure in failed]


def extension(of: SwingReading) -> str:
    """Say how far the price has run away from its average; empty where it has not."""
    parts = []
    if of.ext_ema20 > EXTENDED_ATRS:
        parts.append(f"{of.ext_ema20:.1f} ATR above the EMA 20")
    if of.rsi > HOT_RSI:
        parts.append(f"RSI {of.rsi:.1f}")
    return " and ".join(parts)


def trigger(of: SwingReading) -> str:
    """Say what makes now the moment to buy in an uptrend; empty where nothing does."""
    if of.adx < LEAST_ADX or of.di_diff <= 0:
        return ""
    past = (of.price - of.high20) / of.atr
    bought = of.relvol >= 1 or of.updown_volume >= 1.2
    if abs(past) <= TRIGGER_ATRS and of.macd_hist > 0 and of.rsi >= COLD_RSI and bought:
        return f"the close is {abs(past):.1f} ATR {'above' if past >= 0 else 'below'} the 20-day high {rupees_text(of.high20)}"
    bouncing = DIP_ATRS <= of.ext_ema20 <= BOUNCE_ATRS and of.change_pct > 0
    if bouncing and of.macd > 0 and of.rsi >= BOUNCE_RSI and of.updown_volume >= 1:
        side = "above" if of.ext_ema20 >= 0 else "below"
        return f"it turned up {abs(of.ext_ema20):.1f} ATR {side} the EMA 20 after a pullback"
    return ""


def untriggered(of: SwingReading) -> str:
    """Say what is missing for a trigger, with its numbers."""
    parts = []
    if of.adx < LEAST_ADX:
        parts.append(f"ADX {of.adx:.1f} is below {LEAST_ADX:g}")
    if of.di_diff <= 0:
        parts.append("−DI is above +DI")
    if of.macd_hist <= 0:
        parts.append("the MACD is below its signal")
    if of.rsi < COLD_RSI:
        parts.append(f"RSI {of.rsi:.1f} is below {COLD_RSI:g}")
    if of.relvol < 1 and of.updown_volume < 1:
        parts.append(f"volume is {of.relvol:.1f} × usual and heavier on falling days")
    if not parts:
        away = (of.high20 - of.price) / of.atr
        parts.append(
            f"the 20-day high {rupees_text(of.high20)} is {away:.1f} ATR away and the EMA 20 "
            f"{of.ext_ema20:.1f} ATR"
        )
    return ", ".join(parts)


def strength(of: SwingReading) -> str:
    quick, slow = (">" if above else "<" for above in (of.ema20 > of.ema50, of.ema50 > of.ema200))
    return (
        f"EMA 20 {rupees_text(of.ema20)} {quick} EMA 50 {rupees_text(of.ema50)} {slow} EMA 200 "
        f"{rupees_text(of.ema200)}, "
        f"RSI {of.rsi:.1f}, ADX {of.adx:.1f}, volume {of.relvol:.1f} × usual"
    )
