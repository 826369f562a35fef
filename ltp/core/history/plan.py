"""Plans to buy and their stages since the run: waiting, entered, stop hit and so on.

The rows of a run become plans, and prices move a plan from stage to stage. The same rules apply to the daily
candles since the run and to the prices of today.

A daily candle does not show whether its high or its low came first; its open came before both. If that leaves
two readings, the rules take the less favourable one for the plan.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from ltp.core.history.candle import RECORD, day_number
from ltp.core.money import SCALE, Price
from ltp.core.screener import Row, Run
from ltp.core.trading_day import session_date

WAITING: Final = "waiting"
ENTERED: Final = "entered"
STOPPED: Final = "stop hit"
REACHED: Final = "target hit"
INVALIDATED: Final = "invalidated before entry"
MISSED: Final = "missed"
UNSEEN: Final = "unseen"  # an imported list without a session: its later prices are unknown
ENDED: Final = frozenset({STOPPED, REACHED, INVALIDATED, MISSED})

_WEEKLY: Final = "longterm"  # a weekly close below its stop invalidates the plan, not a touch
_MONDAY: Final = 3  # 1970-01-01 was a Thursday: (day + 3) // 7 counts weeks from Monday
_FRIDAY: Final = 4
_RESTATED_BEYOND: Final = 0.01  # of the price: less is rounding, and the smallest bonus is 1:10


class Plan(NamedTuple):
    """Prices in 1/10,000 rupee.

    `as_of`: ISO date of the session after which the plan was made, empty if unknown. `close`: of that
    session, as in the run. `weekly`: the stop counts at the close of a week. `stage`: after the newest known
    candle. `ends`: ISO date of a split since then; later prices have another scale than the plan.
    """

    entry: Price
    low: Price
    high: Price
    stop: Price | None
    target: Price | None
    as_of: str
    close: Price | None = None
    weekly: bool = False
    stage: str = WAITING
    ends: str = ""


def plans_of(run: Run) -> dict[str, Plan]:
    """Return the plans of a run's rows by key, in their first stage."""
    as_of = run.as_of.isoformat() if run.as_of else ""
    weekly, stage = bool(as_of) and run.kind == _WEEKLY, WAITING if as_of else UNSEEN
    return {
        row.key: Plan(
            row.entry,
            row.entry_low or row.entry,
            row.entry_high or row.entry,
            row.stop,
            row.target,
            as_of,
            _close(row),
            weekly,
            stage,
        )
        for row in run.rows
        if row.entry is not None
    }


def stage_after(plan: Plan, stage: str, opened: Price | None, low: Price, high: Price) -> str:
    """Return the stage of a plan after prices from `low` to `high` in one session, whose open is `opened`.

    Entry and stop in one session are an entry that was stopped, unless the session opened beyond the stop.
    Stop and target in one session are the stop. Entry and target in one session are the target only if the
    open shows that the entry came first.
    """
    # Unpacked once, because this runs for each new price and reading a tuple's attribute costs as much as a
    # comparison.
    _, zone_low, zone_high, stop, target, _, _, weekly, _, _ = plan
    touched = low <= zone_high and high >= zone_low
    if stop is not None and low <= stop and not weekly:
        if stage in ENDED:
            return stage
        if stage != WAITING or (touched and (opened is None or opened > stop)):
            return STOPPED
        return INVALIDATED
    if target is not None and high >= target:
        if stage in ENDED:
            return stage
        return REACHED if stage != WAITING or (opened is not None and opened <= zone_high) else MISSED
    return ENTERED if touched and stage not in ENDED else stage


def follow(plan: Plan, packed: bytes, split: str = "") -> Plan:
    """Return the plan with its stage after the sessions since it was made.

    Args:
        packed: records of `core.history.candle` in order of days, from the plan's own session on.
        split: ISO date of the first split or bonus since then, empty if there was none.
    """
    made = session_date(plan.as_of)
    if made is None:
        return plan
    first, ends = day_number(made), session_date(split)
    stage, week, closed = WAITING, 0, 0
    for number, opened, high, low, close, _ in RECORD.iter_unpack(packed):
        if (
            number == first
            and plan.close is not None
            and abs(close - plan.close) > plan.close * _RESTATED_BEYOND
        ):
            return plan._replace(stage=WAITING, ends=plan.as_of)  # restated by the broker for a later split
        if number <= first or not 0 < low <= high:  # a damaged candle must not count as a touch
            continue
        if ends is not None and number >= day_number(ends):
            break
        if plan.weekly and week not in (0, _week(number)):
            stage = _after_week(plan, stage, closed)
        stage = stage_after(plan, stage, opened, low, high)
        week, closed = _week(number), close
        if plan.weekly and (number + _MONDAY) % 7 >= _FRIDAY:
            stage = _after_week(plan, stage, closed)
    return plan._replace(stage=stage, ends=split)


def _after_week(plan: Plan, stage: str, closed: Price) -> str:
    if stage in ENDED or plan.stop is None or closed >= plan.stop:
        return stage
    return STOPPED if stage == ENTERED else INVALIDATED


def _week(number: int) -> int:
    return (number + _MONDAY) // 7


def _close(row: Row) -> Price | None:
    close = row.facts.get("price")
    return round(close * SCALE) if isinstance(close, int | float) else None
