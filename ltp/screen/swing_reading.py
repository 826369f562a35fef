"""The facts that decide a swing setup, and the checks on them.

Each check returns a sentence with its numbers, or "".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple, cast

from ltp.screen.facts import Value
from ltp.screen.finding import Weakness, per_cent, rupees_text

MAX_BELOW_HIGH52: Final = 25.0  # %; farther down, holders who bought higher sell into every rise
EXTENDED_ATRS: Final = 2.5
HOT_RSI: Final = 70.0
COLD_RSI: Final = 50.0
BOUNCE_RSI: Final = 45.0  # a pullback cools it
MIN_ADX: Final = 20.0
TRIGGER_ATRS: Final = 1.0  # within this of the 20-day high, on either side, the price is testing it
BOUNCE_ATRS: Final = 1.0  # up to this above the EMA 20, a rising day is the end of a pullback
DIP_ATRS: Final = -0.5  # and down to this below it


class SwingReading(NamedTuple):
    """The facts, all known. Units as in `core.criteria.facts`."""

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
    """Return the names of unknown facts; the ATR also if it is 0, because distances are divided by it."""
    return [
        name
        for name in SwingReading._fields
        if not isinstance(facts[name], float) or (name == "atr" and not facts[name])
    ]


def read(facts: Mapping[str, Value]) -> SwingReading:
    return SwingReading(*(cast(float, facts[name]) for name in SwingReading._fields))


def broken_trend(share: SwingReading) -> list[Weakness]:
    """Return the weaknesses that rule out any entry."""
    checks = (
        (
            share.ema50 > share.ema200,
            "the EMA 50 {ema50} is below the EMA 200 {ema200}",
            "the EMA 50 is above the EMA 200",
        ),
        (
            share.price > share.ema200,
            "the close {price} is below the EMA 200 {ema200}",
            "a close is above {ema200}",
        ),
        (
            share.price > share.ema50,
            "the close {price} is below the EMA 50 {ema50}",
            "a close is above {ema50}",
        ),
        (
            share.pct_from_high52 <= MAX_BELOW_HIGH52,
            f"it is {share.pct_from_high52:.1f}% below its 52-week high, more than {MAX_BELOW_HIGH52:g}%",
            f"it is within {MAX_BELOW_HIGH52:g}% of {{high52}}",
        ),
        (
            share.weekly_dist_ema20 > 0,
            f"the week is {per_cent(-share.weekly_dist_ema20)} below its EMA 20",
            "a week closes above its EMA 20",
        ),
    )
    return _weaknesses(share, checks)


def doubtful_trend(share: SwingReading) -> list[Weakness]:
    """Return the weaknesses that rule out an entry now, but not one after a breakout from a base."""
    checks = (
        (
            share.ema20 > share.ema50,
            "the EMA 20 {ema20} is below the EMA 50 {ema50}",
            "the EMA 20 is above {ema50}",
        ),
        (
            share.dist_supertrend > 0,
            "the Supertrend is down at {supertrend}",
            "a close is above {supertrend}",
        ),
        (
            share.weekly_dist_supertrend > 0,
            "the weekly Supertrend is down at {weekly_supertrend}",
            "a week closes above {weekly_supertrend}",
        ),
    )
    return _weaknesses(share, checks)


def _weaknesses(share: SwingReading, checks: tuple[tuple[bool, str, str], ...]) -> list[Weakness]:
    failed = [(reason, cure) for passed, reason, cure in checks if not passed]
    if not failed:
        return []
    words = {name: rupees_text(value) for name, value in share._asdict().items()}
    return [Weakness(reason.format_map(words), cure.format_map(words)) for reason, cure in failed]


def extension(share: SwingReading) -> str:
    """Return how far the price is extended above its average, "" if it is not."""
    parts = []
    if share.ext_ema20 > EXTENDED_ATRS:
        parts.append(f"{share.ext_ema20:.1f} ATR above the EMA 20")
    if share.rsi > HOT_RSI:
        parts.append(f"RSI {share.rsi:.1f}")
    return " and ".join(parts)


def trigger(share: SwingReading) -> str:
    """Return the trigger for an entry now in an uptrend, "" if there is none."""
    if share.adx < MIN_ADX or share.di_diff <= 0:
        return ""
    past = (share.price - share.high20) / share.atr
    bought = share.relvol >= 1 or share.updown_volume >= 1.2
    if abs(past) <= TRIGGER_ATRS and share.macd_hist > 0 and share.rsi >= COLD_RSI and bought:
        side = "above" if past >= 0 else "below"
        return f"the close is {abs(past):.1f} ATR {side} the 20-day high {rupees_text(share.high20)}"
    bouncing = DIP_ATRS <= share.ext_ema20 <= BOUNCE_ATRS and share.change_pct > 0
    if bouncing and share.macd > 0 and share.rsi >= BOUNCE_RSI and share.updown_volume >= 1:
        side = "above" if share.ext_ema20 >= 0 else "below"
        return f"it turned up {abs(share.ext_ema20):.1f} ATR {side} the EMA 20 after a pullback"
    return ""


def untriggered(share: SwingReading) -> str:
    """Return the conditions that are missing for a trigger, with their numbers."""
    parts = []
    if share.adx < MIN_ADX:
        parts.append(f"ADX {share.adx:.1f} is below {MIN_ADX:g}")
    if share.di_diff <= 0:
        parts.append("−DI is above +DI")
    if share.macd_hist <= 0:
        parts.append("the MACD is below its signal")
    if share.rsi < COLD_RSI:
        parts.append(f"RSI {share.rsi:.1f} is below {COLD_RSI:g}")
    if share.relvol < 1 and share.updown_volume < 1:
        parts.append(f"volume is {share.relvol:.1f} × usual and heavier on falling days")
    if not parts:
        away = (share.high20 - share.price) / share.atr
        parts.append(
            f"the 20-day high {rupees_text(share.high20)} is {away:.1f} ATR away "
            f"and the EMA 20 {share.ext_ema20:.1f} ATR"
        )
    return ", ".join(parts)


def strength(share: SwingReading) -> str:
    quick, slow = (">" if above else "<" for above in (share.ema20 > share.ema50, share.ema50 > share.ema200))
    return (
        f"EMA 20 {rupees_text(share.ema20)} {quick} EMA 50 {rupees_text(share.ema50)} "
        f"{slow} EMA 200 {rupees_text(share.ema200)}, "
        f"RSI {share.rsi:.1f}, ADX {share.adx:.1f}, volume {share.relvol:.1f} × usual"
    )
