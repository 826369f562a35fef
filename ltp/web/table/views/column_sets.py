"""The columns by subject, and sets of columns for a purpose. Pure."""

from __future__ import annotations

from typing import Final, NamedTuple

from ltp.web.table.columns import COLUMNS

OTHER: Final = "Other"


class ColumnSet(NamedTuple):
    """Columns of both tabs for one purpose; each tab shows those that it has."""

    slug: str
    title: str
    names: tuple[str, ...]


_SUBJECTS: Final = {
    "Price": ("ltp", "chg", "chgp", "volume", "open", "high", "low", "prev", "spark_day", "range_day", "range_52w", "price", "change_pct", "gap_pct"),
    "Result": ("rank", "score", "base_score", "mtf_score", "criteria", "sector", "spark"),
    "List": ("flag", "note"),
    "Plan": (
        "setup", "state", "entry", "zone", "stop", "target", "to_entry", "to_stop", "to_target", "r_now", "r", "horizon",
        "why", "invalid",
    ),
    "Size": ("quantity", "risk", "allocation_pct", "allocation"),
    "Trend": (
        "trend", "days_in_trend", "ema20", "ema50", "ema200", "sma200", "dist_ema20", "dist_ema50", "dist_ema200",
        "dist_sma200", "slope_sma200", "ema20_over_ema50", "ema50_over_ema200", "supertrend", "supertrend_side",
        "dist_supertrend",
    ),
    "Weekly trend": (
        "weekly_trend", "weekly_dist_ema20", "weekly_ema20_over_ema50", "weekly_supertrend", "weekly_supertrend_side",
        "weekly_dist_supertrend",
    ),
    "Momentum": (
        "rsi", "adx", "plus_di", "minus_di", "di_diff", "macd", "macd_signal", "macd_hist", "macd_pct", "macd_hist_pct",
        "weekly_rsi", "weekly_adx", "weekly_macd_hist", "weekly_macd_hist_pct",
    ),
    "Returns": ("ret1m", "ret3m", "ret6m", "ret12m", "rs6m", "rs12m"),
    "Levels": ("high20", "high55", "low10", "high52", "low52", "pct_from_high52", "pct_from_low52", "bb_upper", "bb_lower", "bb_pct"),
    "Risk": ("atr", "atr_pct", "ext_ema20", "volatility", "drawdown_pct", "max_drawdown_pct", "weekly_atr"),
    "Trading": ("relvol", "updown_volume", "turnover"),
}  # fmt: skip
_PLACED: Final = frozenset(name for names in _SUBJECTS.values() for name in names)
# A column that is added later is offered even before somebody gives it a subject.
SUBJECTS: Final = {
    **_SUBJECTS,
    OTHER: tuple(column.name for column in COLUMNS if column.name not in _PLACED),
}
SETS: Final = (
    ColumnSet(
        "levels",
        "Levels",
        (
            "ltp", "chgp", "high20", "high55", "low10", "high52", "low52", "pct_from_high52", "dist_sma200", "bb_pct",
            "setup", "state", "entry", "zone", "stop", "target", "to_entry", "to_stop", "to_target",
        ),
    ),
    ColumnSet(
        "momentum",
        "Momentum",
        (
            "ltp", "chgp", "score", "rsi", "adx", "macd_hist_pct", "weekly_rsi", "ret1m", "ret3m", "ret6m", "rs6m", "relvol",
            "spark", "spark_day", "state", "r_now", "to_target",
        ),
    ),
    ColumnSet(
        "risk",
        "Risk",
        (
            "ltp", "chgp", "atr", "atr_pct", "ext_ema20", "volatility", "drawdown_pct", "max_drawdown_pct", "turnover",
            "state", "entry", "stop", "to_stop", "r_now", "r", "quantity", "risk", "allocation_pct", "allocation",
        ),
    ),
    ColumnSet("phone", "Phone", ("ltp", "chgp", "score", "rsi", "state", "to_entry", "to_stop")),
)  # fmt: skip
