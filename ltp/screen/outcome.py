"""What became of a plan in the sessions after it, in risks: how a strategy is held against the past.

Stages are those of `core.history.plan`, so that where a day touched two levels the careful reading is taken
here too. Knows no share.
"""

from __future__ import annotations

from collections.abc import Iterable

from ltp.core.history.plan import ENTERED, INVALIDATED, MISSED, REACHED, STOPPED, WAITING, Plan, stage_after
from ltp.core.money import Price

Bar = tuple[Price, Price, Price, Price]  # open, high, low, close


def outcome(plan: Plan, sessions: Iterable[Bar]) -> float | None:
    """Return what the plan gained in risks, (exit - fill) / (entry - stop), before costs; None where it was
    never filled.

    The fill is the open of the session that reached the zone, or the end of the zone that its price came
    through. Out goes the position at its stop or target, at the open where that is beyond it, else at the
    last close of `sessions`.
    """
    stop, target = plan.stop, plan.target
    if stop is None or stop >= plan.entry:
        return None
    stage, fill, last = WAITING, None, 0
    for opened, high, low, close in sessions:
        last = close
        before, stage = stage, stage_after(plan, stage, opened, low, high)
        if stage in (INVALIDATED, MISSED):
            return None
        if fill is None and stage != WAITING:
            fill = min(max(opened, plan.low), plan.high)
        if stage == STOPPED and fill is not None:
            return _risks(plan, fill, min(opened, stop) if before == ENTERED else stop)
        if stage == REACHED and fill is not None and target is not None:
            return _risks(plan, fill, max(opened, target) if before == ENTERED else target)
    return None if fill is None else _risks(plan, fill, last)


def _risks(plan: Plan, fill: Price, out: Price) -> float:
    return (out - fill) / (plan.entry - (plan.stop or 0))
