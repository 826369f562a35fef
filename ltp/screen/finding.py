"""The result of a strategy for one share: fields of `core.screener.Row`, and their sentences.

The caller knows key, name and rank, and makes the row: `Row(key, rank, symbol, name, sector,
**finding._asdict())`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final, NamedTuple

from ltp.core.criteria.facts import FACT
from ltp.core.money import Price, grouped_text
from ltp.core.screener import Outcome
from ltp.screen.criterion import Score
from ltp.screen.facts import Value
from ltp.screen.study import Study

READY: Final = "READY"
WAIT_PULLBACK: Final = "WAIT_PULLBACK"
WAIT_BREAKOUT: Final = "WAIT_BREAKOUT"
NOT_READY: Final = "NOT_READY"

DAILY_WEIGHT: Final = 0.6
WEEKLY_WEIGHT: Final = 0.4
_STALE_AFTER_D: Final = 7  # longer than any run of holidays


class Finding(NamedTuple):
    """Units and meanings as in `core.screener.Row`. `score` is None if the history is too short for one."""

    setup: str
    why: str
    invalid: str = ""
    score: float | None = None
    base_score: float | None = None
    mtf_score: float | None = None
    entry: Price | None = None
    entry_low: Price | None = None
    entry_high: Price | None = None
    stop: Price | None = None
    target: Price | None = None
    quantity: int | None = None
    risk: Price | None = None
    allocation_pct: float | None = None
    allocation: Price | None = None
    horizon: str = ""
    facts: Mapping[str, Value] = MappingProxyType({})
    criteria: tuple[Outcome, ...] = ()
    spark: tuple[float, ...] = ()
    flags: tuple[str, ...] = ()


class Weakness(NamedTuple):
    """A reason against a share, and the event that would remove it, both as parts of a sentence."""

    reason: str
    cure: str


def not_ready(verdict: str, found: Sequence[Weakness]) -> Finding:
    reasons, cures = (
        "; ".join(weakness.reason for weakness in found),
        " and ".join(weakness.cure for weakness in found),
    )
    return Finding(NOT_READY, f"{verdict}: {reasons}.", f"Another look once {cures}.")


def blended(daily: float, weekly: float) -> float:
    return round(DAILY_WEIGHT * daily + WEEKLY_WEIGHT * weekly, 1)


def scored(advice: Finding, study: Study, daily: Score, weekly: Score, flags: tuple[str, ...]) -> Finding:
    """Return `advice` with the score and its parts, the facts and the outcome of every criterion."""
    return advice._replace(
        score=blended(daily.points, weekly.points),
        base_score=round(daily.points, 1),
        mtf_score=round(weekly.points, 1),
        facts=study.facts,
        criteria=daily.outcomes + weekly.outcomes,
        spark=study.spark,
        flags=flags,
    )


def no_score_reason(study: Study, min_sessions: int) -> str:
    """Return why a share gets no score: too few sessions, or none lately; "" if it gets one."""
    sessions = len(study.daily)
    if sessions < min_sessions:
        return f"Only {sessions} sessions of history; a score needs {min_sessions}."
    if study.lag_days > _STALE_AFTER_D:
        return f"Not traded for {study.lag_days} days before the newest session."
    return ""


def unscored(study: Study, why: str) -> Finding:
    return Finding(NOT_READY, why, facts=study.facts, spark=study.spark)


def doubts(study: Study) -> tuple[str, ...]:
    """Return sentences about unknown facts, so that a low score is not mistaken for a weak share."""
    sessions, found = len(study.daily), []
    if sessions <= 252:
        found.append(
            f"Only {sessions} sessions of history: what needs a year (253) is unknown and earned no points."
        )
    return tuple(found)


def too_short(unknown: Sequence[str]) -> Finding:
    """Return the finding for a share without the facts `unknown`, named as in `core.criteria.facts`."""
    labels = ", ".join(FACT[name].label for name in unknown)
    return Finding(NOT_READY, f"Too little history: {labels} unknown.", "More sessions.")


def per_cent(value: float) -> str:
    """Return "8.4%", and "less than 0.1%" instead of a misleading "0.0%"."""
    return f"{value:.1f}%" if abs(value) >= 0.05 else "less than 0.1%"


def rupees_text(value: float) -> str:
    """Return "₹1,402.10" for rupees."""
    return price_text(round(value * 100) * 100)


def price_text(price: Price) -> str:
    """Return "₹1,402.10" for a price in 1/10,000 rupee."""
    return f"₹{grouped_text(price)}"
