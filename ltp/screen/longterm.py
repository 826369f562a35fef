"""The long-term strategy: shares that have been rising for a year, bought at a rest.

The score is 60% from the daily and 40% from the weekly criteria below. `longterm_setup` makes the plan.
"""

from __future__ import annotations

from typing import Final

from ltp.core.money import Price
from ltp.core.sizing import Sizing
from ltp.screen.criterion import Criterion, assess
from ltp.screen.finding import Finding, doubts, no_score_reason, scored, unscored
from ltp.screen.longterm_setup import advise
from ltp.screen.study import Study

MIN_SESSIONS: Final = 200  # before that there is no 200-day average

DAILY: Final = (
    Criterion("Above the 200-day average", "dist_sma200", 20, ((-8, 0), (0, 0.6), (8, 1)), low=0),
    Criterion("200-day average rising", "slope_sma200", 15, ((-2, 0), (0, 0.5), (3, 1)), low=0),
    Criterion("EMA 50 above EMA 200", "ema50_over_ema200", 10, ((-4, 0), (0, 0.5), (6, 1)), low=0),
    Criterion("Shallow drawdown", "drawdown_pct", 15, ((5, 1), (20, 0.5), (40, 0)), high=20),
    Criterion("Stronger than NIFTY, 6 months", "rs6m", 13, ((-15, 0), (0, 0.5), (20, 1)), low=0),
    Criterion("Stronger than NIFTY, 12 months", "rs12m", 17, ((-20, 0), (0, 0.5), (30, 1)), low=0),
    Criterion("Calm", "volatility", 10, ((22, 1), (40, 0.5), (65, 0)), high=40),
)
WEEKLY: Final = (
    Criterion("Week above EMA 20", "weekly_dist_ema20", 20, ((-6, 0), (0, 0.6), (5, 1)), low=0),
    Criterion(
        "Weekly EMA 20 above EMA 50", "weekly_ema20_over_ema50", 30, ((-4, 0), (0, 0.5), (8, 1)), low=0
    ),
    Criterion("Weekly Supertrend up", "weekly_dist_supertrend", 30, ((-0.5, 0), (0, 0.7), (10, 1)), low=0),
    Criterion("Weekly RSI above 50", "weekly_rsi", 20, ((40, 0), (50, 0.5), (60, 1)), low=50),
)


def evaluate(study: Study, sizing: Sizing, tick_size: Price) -> Finding:
    """Return score, setup, accumulation zone and allocation for the newest session.

    Args:
        tick_size: 1/10,000 rupee; every price of the plan is a multiple of it. 0 (unknown) means ₹0.05.
    """
    if why := no_score_reason(study, MIN_SESSIONS):
        return unscored(study, why)
    daily, weekly = assess(DAILY, study.facts), assess(WEEKLY, study.facts)
    return scored(advise(study.facts, sizing, tick_size), study, daily, weekly, doubts(study))
