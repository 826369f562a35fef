"""The facts of a share on its newest session, named as in `core.criteria.facts`.

The step between indicators and criteria: from arrays to single values.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final

import numpy as np

from ltp.screen import indicators
from ltp.screen.history import Floats, History
from ltp.screen.indicators import Supertrend
from ltp.screen.timeframe import Timeframe

Value = float | str | None

YEAR: Final = 252  # sessions
_DECIMALS: Final = 4  # the smallest step of a price, and enough for per cent
_TREND: Final = {1.0: "up", 0.0: "sideways", -1.0: "down"}
_SIDE: Final = {1.0: "up", -1.0: "down"}
_RETURNS: Final = {"ret1m": 21, "ret3m": 63, "ret6m": 126, "ret12m": YEAR}


def measure(daily: Timeframe, weekly: Timeframe, index: History | None) -> Mapping[str, Value]:
    """Return each fact of `core.criteria.facts.FACTS`, None if the history is too short for it.

    Args:
        index: NIFTY's daily candles; without them the relative strength is unknown.
    """
    found = {
        **_prices(daily),
        **_volumes(daily),
        **_averages(daily),
        **_momentum(daily),
        **_ranges(daily),
        **_year(daily),
        **_relative_strength(daily, index),
        **_weeks(weekly),
    }
    return {name: _plain(value) for name, value in found.items()}


def newest(values: Floats, back: int = 0) -> float:
    """Return the newest value, or the one `back` before it; NaN if there is none."""
    return float(values[-1 - back]) if values.size > back else math.nan


def over_pct(value: float, base: float) -> float:
    """Return how far `value` is above `base`, per cent; NaN if either is unknown or `base` is not above 0."""
    return 100 * (value / base - 1) if base > 0 else math.nan


def _share(value: float, base: float) -> float:
    return value / base if base > 0 else math.nan


def _plain(value: float | str | None) -> Value:
    if isinstance(value, float):
        return round(value, _DECIMALS) if math.isfinite(value) else None
    return value


def _prices(daily: Timeframe) -> dict[str, Value]:
    candles = daily.candles
    close, before = newest(candles.close), newest(candles.close, 1)
    returns = {name: over_pct(close, newest(candles.close, sessions)) for name, sessions in _RETURNS.items()}
    return {
        "price": close,
        "change_pct": over_pct(close, before),
        "gap_pct": over_pct(newest(candles.open), before),
        **returns,
    }


def _volumes(daily: Timeframe) -> dict[str, Value]:
    close, volume = daily.candles.close, daily.candles.volume
    relvol = updown = turnover = math.nan
    if close.size > 20:
        moves, traded = close[-20:] - close[-21:-1], volume[-20:]
        updown = _share(float(traded[moves > 0].sum()), float(traded[moves < 0].sum()))
        relvol = _share(newest(volume), float(volume[-21:-1].sum()) / 20)
    if close.size >= 20:
        middle = np.sort(close[-20:] * volume[-20:])[9:11]
        turnover = float(middle[0] + middle[1]) / 2
    return {"volume": newest(volume), "relvol": relvol, "updown_volume": updown, "turnover": turnover}


def _averages(daily: Timeframe) -> dict[str, Value]:
    close, atr = newest(daily.candles.close), newest(daily.atr)
    ema20, ema50, ema200 = newest(daily.ema20), newest(daily.ema50), newest(daily.ema200)
    sma200 = newest(daily.sma200)
    trends = indicators.trend(daily.candles.close, daily.ema20, daily.ema50, daily.ema200)
    return {
        "trend": _TREND.get(newest(trends)),
        "days_in_trend": float(indicators.run_length(trends)) or None,
        "ema20": ema20,
        "ema50": ema50,
        "ema200": ema200,
        "sma200": sma200,
        "dist_ema20": over_pct(close, ema20),
        "dist_ema50": over_pct(close, ema50),
        "dist_ema200": over_pct(close, ema200),
        "dist_sma200": over_pct(close, sma200),
        "slope_sma200": over_pct(sma200, newest(daily.sma200, 21)),
        "ext_ema20": _share(close - ema20, atr),
        "ema20_over_ema50": over_pct(ema20, ema50),
        "ema50_over_ema200": over_pct(ema50, ema200),
        "atr": atr,
        "atr_pct": 100 * _share(atr, close),
        **_supertrend(daily.supertrend, close, ""),
    }


def _supertrend(found: Supertrend, close: float, prefix: str) -> dict[str, Value]:
    line = newest(found.line)
    return {
        f"{prefix}supertrend": line,
        f"{prefix}supertrend_side": _SIDE.get(newest(found.side)),
        f"{prefix}dist_supertrend": over_pct(close, line),
    }


def _momentum(daily: Timeframe) -> dict[str, Value]:
    close, plus, minus = newest(daily.candles.close), newest(daily.plus_di), newest(daily.minus_di)
    macd, hist = newest(daily.macd.line), newest(daily.macd.hist)
    return {
        "rsi": newest(daily.rsi),
        "adx": newest(daily.adx),
        "plus_di": plus,
        "minus_di": minus,
        "di_diff": plus - minus,
        "macd": macd,
        "macd_signal": newest(daily.macd.signal),
        "macd_hist": hist,
        "macd_pct": 100 * _share(macd, close),
        "macd_hist_pct": 100 * _share(hist, close),
    }


def _ranges(daily: Timeframe) -> dict[str, Value]:
    candles = daily.candles
    upper, lower = newest(daily.bands.upper), newest(daily.bands.lower)
    return {
        "bb_upper": upper,
        "bb_lower": lower,
        "bb_pct": 100 * _share(newest(candles.close) - lower, upper - lower),
        "high20": highest_before(candles.high, 20),
        "high55": highest_before(candles.high, 55),
        "low10": lowest(candles.low, 10),
    }


def highest_before(high: Floats, sessions: int) -> float:
    """Return the highest high of the `sessions` before the newest one, which a breakout has to pass."""
    return float(high[-1 - sessions : -1].max()) if high.size > sessions else math.nan


def lowest(low: Floats, sessions: int) -> float:
    """Return the lowest low of the newest `sessions`."""
    return float(low[-sessions:].min()) if low.size >= sessions else math.nan


def _year(daily: Timeframe) -> dict[str, Value]:
    candles, close = daily.candles, newest(daily.candles.close)
    high52 = low52 = drawdown = deepest = volatility = math.nan
    if len(daily) >= YEAR:
        high52, low52 = float(candles.high[-YEAR:].max()), lowest(candles.low, YEAR)
        falls = 1 - candles.close[-YEAR:] / np.maximum.accumulate(candles.close[-YEAR:])
        drawdown, deepest = 100 * float(falls[-1]), 100 * float(falls.max())
    if len(daily) > YEAR:
        volatility = 100 * math.sqrt(YEAR) * float(np.diff(np.log(candles.close[-YEAR - 1 :])).std(ddof=1))
    return {
        "high52": high52,
        "low52": low52,
        "pct_from_high52": -over_pct(close, high52),
        "pct_from_low52": over_pct(close, low52),
        "drawdown_pct": drawdown,
        "max_drawdown_pct": deepest,
        "volatility": volatility,
    }


def _relative_strength(daily: Timeframe, index: History | None) -> dict[str, Value]:
    """Return the relative strength, from three days of the index and not from whole arrays."""
    found: dict[str, Value] = {"rs6m": None, "rs12m": None}
    if index is None or len(daily) <= YEAR // 2:
        return found
    candles, back = daily.candles, [1 + YEAR, 1 + YEAR // 2, 1]
    picked = np.array([-each for each in back if each <= len(daily)])
    ratio = candles.close[picked] / indicators.at_days(candles.days[picked], index.days, index.close)
    found["rs6m"] = over_pct(float(ratio[-1]), float(ratio[-2]))
    if len(ratio) == len(back):
        found["rs12m"] = over_pct(float(ratio[-1]), float(ratio[0]))
    return found


def _weeks(weekly: Timeframe) -> dict[str, Value]:
    close, ema20, hist = newest(weekly.candles.close), newest(weekly.ema20), newest(weekly.macd.hist)
    return {
        "weekly_trend": _TREND.get(
            newest(indicators.trend(weekly.candles.close, weekly.ema20, weekly.ema50))
        ),
        "weekly_rsi": newest(weekly.rsi),
        "weekly_adx": newest(weekly.adx),
        "weekly_macd_hist": hist,
        "weekly_macd_hist_pct": 100 * _share(hist, close),
        "weekly_atr": newest(weekly.atr),
        "weekly_dist_ema20": over_pct(close, ema20),
        "weekly_ema20_over_ema50": over_pct(ema20, newest(weekly.ema50)),
        **_supertrend(weekly.supertrend, close, "weekly_"),
    }
