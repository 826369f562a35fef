"""The swing strategy: trends that should continue for days to weeks, bought near the point where they resume.

The score is 60% from the daily and 40% from the weekly criteria below. `swing_setup` makes the plan.
"""

from __future__ import annotations

from typing import Final

from ltp.core.money import Price
from ltp.core.sizing import Sizing
from ltp.screen.criterion import Criterion, assess
from ltp.screen.finding import Finding, doubts, no_score_reason, scored, unscored
from ltp.screen.study import Study
from ltp.screen.swing_setup import advise

MIN_SESSIONS: Final = 60  # EMA 50 and MACD are settled

DAILY: Final = (
    Criterion("Close above EMA 20", "dist_ema20", 6, ((-3, 0), (0, 0.7), (2, 1)), low=0),
    Criterion("EMA 20 above EMA 50", "ema20_over_ema50", 8, ((-2, 0), (0, 0.5), (3, 1)), low=0),
    Criterion("EMA 50 above EMA 200", "ema50_over_ema200", 8, ((-3, 0), (0, 0.5), (6, 1)), low=0),
    Criterion("Supertrend up", "dist_supertrend", 8, ((-0.5, 0), (0, 0.7), (4, 1)), low=0),
    Criterion("ADX strong", "adx", 6, ((15, 0), (20, 0.6), (30, 1)), low=20),
    Criterion("+DI above −DI", "di_diff", 4, ((-5, 0), (0, 0.5), (15, 1)), low=0),
    Criterion(
        "RSI in the band",
        "rsi",
        14,
        ((40, 0), (50, 0.7), (57, 1), (66, 1), (70, 0.7), (80, 0)),
        low=50,
        high=70,
    ),
    Criterion("MACD above its signal", "macd_hist_pct", 8, ((-0.6, 0), (0, 0.6), (0.4, 1)), low=0),
    Criterion("MACD above zero", "macd_pct", 3, ((-1, 0), (0, 0.6), (2, 1)), low=0),
    Criterion("Volume above usual", "relvol", 7, ((0.4, 0), (1, 0.6), (2, 1)), low=1),
    Criterion("More volume on rising days", "updown_volume", 8, ((0.6, 0), (1, 0.5), (2, 1)), low=1),
    Criterion("Near the 52-week high", "pct_from_high52", 12, ((3, 1), (15, 0.5), (30, 0)), high=15),
    Criterion(
        "Not extended", "ext_ema20", 8, ((-2.5, 0), (-0.5, 1), (1.5, 1), (2.5, 0.5), (4, 0)), low=-1, high=2.5
    ),
)
WEEKLY: Final = (
    Criterion("Week above EMA 20", "weekly_dist_ema20", 20, ((-5, 0), (0, 0.6), (5, 1)), low=0),
    Criterion(
        "Weekly EMA 20 above EMA 50", "weekly_ema20_over_ema50", 20, ((-4, 0), (0, 0.5), (6, 1)), low=0
    ),
    Criterion("Weekly Supertrend up", "weekly_dist_supertrend", 20, ((-0.5, 0), (0, 0.7), (8, 1)), low=0),
    Criterion(
        "Weekly RSI in the band",
        "weekly_rsi",
        20,
        ((40, 0), (50, 0.6), (58, 1), (72, 1), (88, 0)),
        low=50,
        high=80,
    ),
    Criterion("Weekly MACD above its signal", "weekly_macd_hist_pct", 10, ((-2, 0), (0, 0.6), (1, 1)), low=0),
    Criterion("Weekly ADX strong", "weekly_adx", 10, ((12, 0), (20, 0.6), (30, 1)), low=20),
)


def evaluate(study: Study, sizing: Sizing, tick_size: Price) -> Finding:
    """Return score, setup and plan for the newest session.

    Args:
        tick_size: 1/10,000 rupee; every price of the plan is a multiple of it. 0 (unknown) means ₹0.05.
    """
    if why := no_score_reason(study, MIN_SESSIONS):
        return unscored(study, why)
    daily, weekly = assess(DAILY, study.facts), assess(WEEKLY, study.facts)
    return scored(advise(study, sizing, tick_size), study, daily, weekly, doubts(study))
