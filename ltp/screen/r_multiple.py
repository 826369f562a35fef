"""The R multiple of a plan: its gain in the sessions after it, in units of its risk.

Stages follow the rules of `core.history.plan`, with the less favourable reading of a day that touched two
levels.
"""

from __future__ import annotations

from collections.abc import Iterable

from ltp.core.history.plan import ENTERED, INVALIDATED, MISSED, REACHED, STOPPED, WAITING, Plan, stage_after
from ltp.core.money import Price

Bar = tuple[Price, Price, Price, Price]  # open, high, low, close


def r_multiple(plan: Plan, sessions: Iterable[Bar]) -> float | None:
    """Return the plan's gain in R, (exit - fill) / (entry - stop), before costs; None if it was never filled.

    The fill is the open of the session that reached the zone, or the end of the zone that the price passed
    first. The exit is the stop or the target, the open if that is beyond it, else the last close.
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
            return _in_r(plan, fill, min(opened, stop) if before == ENTERED else stop)
        if stage == REACHED and fill is not None and target is not None:
            return _in_r(plan, fill, max(opened, target) if before == ENTERED else target)
    return None if fill is None else _in_r(plan, fill, last)


def _in_r(plan: Plan, fill: Price, exit_price: Price) -> float:
    return (exit_price - fill) / (plan.entry - (plan.stop or 0))
