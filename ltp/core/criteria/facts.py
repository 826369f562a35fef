"""The table of facts of a share: names, labels, units and meanings.

`screen.facts` computes them. They are columns of a screener and names in the criteria of a custom screen, and
pages label them without the code that computes them.
"""

from __future__ import annotations

from typing import Final, NamedTuple


class Fact(NamedTuple):
    """`unit`: ₹, %, × (a multiple), shares, days (sessions), text, or empty for a plain number."""

    name: str
    label: str
    unit: str
    meaning: str


# Each is the value on the newest session, None if the history is too short for it.
FACTS: Final = (
    Fact("price", "Price", "₹", "Close of the newest session, adjusted"),
    Fact("change_pct", "Change", "%", "Close against the previous close"),
    Fact("gap_pct", "Gap", "%", "Open against the previous close"),
    Fact("volume", "Volume", "shares", "Shares traded in the newest session"),
    Fact("relvol", "Relative volume", "×", "Volume against the average of the 20 sessions before"),
    Fact(
        "updown_volume",
        "Up/down volume",
        "×",
        "Volume of rising sessions against that of falling ones, of the last 20",
    ),
    Fact("turnover", "Turnover", "₹", "Median of close × volume over 20 sessions"),
    Fact(
        "trend",
        "Trend",
        "text",
        "up: close > EMA 50 and EMA 20 > EMA 50 > EMA 200; down: all reversed; else sideways",
    ),
    Fact("days_in_trend", "Days in trend", "days", "Sessions in a row, the newest included, with this trend"),
    Fact("ema20", "EMA 20", "₹", "Exponential average of 20 closes"),
    Fact("ema50", "EMA 50", "₹", "Exponential average of 50 closes"),
    Fact("ema200", "EMA 200", "₹", "Exponential average of 200 closes"),
    Fact("sma200", "200-day average", "₹", "Plain average of 200 closes"),
    Fact("dist_ema20", "From EMA 20", "%", "Close above (below: negative) the EMA 20"),
    Fact("dist_ema50", "From EMA 50", "%", "Close above (below: negative) the EMA 50"),
    Fact("dist_ema200", "From EMA 200", "%", "Close above (below: negative) the EMA 200"),
    Fact("dist_sma200", "From 200-day average", "%", "Close above (below: negative) the 200-day average"),
    Fact("slope_sma200", "200-day slope", "%", "Change of the 200-day average over 21 sessions"),
    Fact("ext_ema20", "Extension", "", "Close above the EMA 20 in ATRs (below: negative)"),
    Fact("ema20_over_ema50", "EMA 20 over 50", "%", "EMA 20 above (below: negative) the EMA 50"),
    Fact("ema50_over_ema200", "EMA 50 over 200", "%", "EMA 50 above (below: negative) the EMA 200"),
    Fact("supertrend", "Supertrend", "₹", "Supertrend line, 10 sessions, 3 ATRs"),
    Fact("supertrend_side", "Supertrend side", "text", "up: the line is below the price; down: above it"),
    Fact("dist_supertrend", "From Supertrend", "%", "Close above (below: negative) the Supertrend line"),
    Fact("rsi", "RSI", "", "Relative strength index of 14 sessions"),
    Fact("adx", "ADX", "", "Average directional index of 14 sessions"),
    Fact("plus_di", "+DI", "", "Positive directional indicator of 14 sessions"),
    Fact("minus_di", "−DI", "", "Negative directional indicator of 14 sessions"),
    Fact(
        "di_diff",
        "+DI less −DI",
        "",
        "Positive less negative directional indicator: above 0 the strength is upwards",
    ),
    Fact("macd", "MACD", "₹", "EMA 12 less EMA 26 of the close"),
    Fact("macd_signal", "MACD signal", "₹", "EMA 9 of the MACD"),
    Fact("macd_hist", "MACD histogram", "₹", "MACD less its signal"),
    Fact("macd_pct", "MACD %", "%", "MACD against the close"),
    Fact("macd_hist_pct", "MACD histogram %", "%", "MACD histogram against the close"),
    Fact("atr", "ATR", "₹", "Average true range of 14 sessions"),
    Fact("atr_pct", "ATR %", "%", "ATR against the close"),
    Fact("bb_upper", "Upper Bollinger band", "₹", "Average of 20 closes plus two standard deviations"),
    Fact("bb_lower", "Lower Bollinger band", "₹", "Average of 20 closes less two standard deviations"),
    Fact(
        "bb_pct",
        "Bollinger %B",
        "%",
        "Where the close lies between the bands: 0 at the lower, 100 at the upper",
    ),
    Fact("high20", "20-day high", "₹", "Highest high of the 20 sessions before the newest"),
    Fact("high55", "55-day high", "₹", "Highest high of the 55 sessions before the newest"),
    Fact("low10", "10-day low", "₹", "Lowest low of 10 sessions, the newest included"),
    Fact("high52", "52-week high", "₹", "Highest high of 252 sessions"),
    Fact("low52", "52-week low", "₹", "Lowest low of 252 sessions"),
    Fact(
        "pct_from_high52", "Below 52-week high", "%", "How far the close is below the 52-week high; 0 at it"
    ),
    Fact("pct_from_low52", "Above 52-week low", "%", "How far the close is above the 52-week low; 0 at it"),
    Fact("drawdown_pct", "Drawdown", "%", "How far the close is below the highest close of 252 sessions"),
    Fact(
        "max_drawdown_pct", "Deepest drawdown", "%", "Deepest fall from a highest close within 252 sessions"
    ),
    Fact("ret1m", "1 month", "%", "Return over 21 sessions"),
    Fact("ret3m", "3 months", "%", "Return over 63 sessions"),
    Fact("ret6m", "6 months", "%", "Return over 126 sessions"),
    Fact("ret12m", "12 months", "%", "Return over 252 sessions"),
    Fact(
        "rs6m",
        "RS 6 months",
        "%",
        "Growth over 126 sessions against NIFTY's between the same days; above 0 is stronger",
    ),
    Fact(
        "rs12m",
        "RS 12 months",
        "%",
        "Growth over 252 sessions against NIFTY's between the same days; above 0 is stronger",
    ),
    Fact("volatility", "Volatility", "%", "Standard deviation of 252 daily log returns, annualised"),
    Fact(
        "weekly_trend",
        "Weekly trend",
        "text",
        "up: close > EMA 50 and EMA 20 > EMA 50, of weeks; down: both reversed; else sideways",
    ),
    Fact("weekly_rsi", "Weekly RSI", "", "Relative strength index of 14 weeks"),
    Fact("weekly_adx", "Weekly ADX", "", "Average directional index of 14 weeks"),
    Fact("weekly_macd_hist", "Weekly MACD histogram", "₹", "MACD less its signal, of weeks"),
    Fact("weekly_macd_hist_pct", "Weekly MACD histogram %", "%", "MACD histogram of weeks against the close"),
    Fact("weekly_atr", "Weekly ATR", "₹", "Average true range of 14 weeks"),
    Fact("weekly_dist_ema20", "From weekly EMA 20", "%", "Close above (below: negative) the EMA 20 of weeks"),
    Fact(
        "weekly_ema20_over_ema50",
        "Weekly EMA 20 over 50",
        "%",
        "EMA 20 above (below: negative) the EMA 50, of weeks",
    ),
    Fact("weekly_supertrend", "Weekly Supertrend", "₹", "Supertrend line of weeks, 10 weeks, 3 ATRs"),
    Fact(
        "weekly_supertrend_side",
        "Weekly Supertrend side",
        "text",
        "up: the line is below the price; down: above it",
    ),
    Fact(
        "weekly_dist_supertrend",
        "From weekly Supertrend",
        "%",
        "Close above (below: negative) the Supertrend line of weeks",
    ),
)
FACT: Final = {fact.name: fact for fact in FACTS}
_CHANGES: Final = ("dist_", "weekly_dist_", "ret", "rs6m", "rs12m", "slope_")


def unit_of(name: str) -> str:
    """Return the unit of a criterion's value, empty for texts and plain numbers."""
    if name == "ext_ema20":
        return "ATR"
    unit = FACT[name].unit if name in FACT else ""
    return "" if unit == "text" else unit


def is_change(name: str) -> bool:
    """Return whether a plus sign is shown: for distances from a line, returns, slopes and the like."""
    return name in {"change_pct", "gap_pct"} or name.startswith(_CHANGES)
