"""A list of corporate actions into SQL: rows of one share and day together, unless its candles deny them.

The step between `core.formats.action_list` and `db.corporate_actions`. Each row that is not used is reported
with its reason, for an action that is missing shows as a crash in every screen.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, timedelta
from fractions import Fraction
from typing import Final, NamedTuple

from ltp.core.formats import action_list
from ltp.core.formats.action_list import ActionRow
from ltp.core.history.corporate_action import PAISE, Action
from ltp.core.symbol_lookup import SymbolLookup
from ltp.db import candles, corporate_actions
from ltp.db.engine import Engine
from ltp.screen.announced import contradiction, step_on, stepped
from ltp.screen.history import History, from_packed

_AROUND: Final = timedelta(days=30)
_A_WEEK: Final = timedelta(days=7)


class ActionImport(NamedTuple):
    """`confirmed`: the actions that are stored now; `known`: how many of them were confirmed before.
    `unused`: a sentence for each row that was not used. `replaced`: actions that were removed, each with the
    one in its place.
    """

    confirmed: list[Action]
    known: int
    unused: list[str]
    replaced: list[tuple[Action, Action]]


def confirm_list(engine: Engine, lookup: SymbolLookup, content: bytes, name: str) -> ActionImport:
    """Confirm the actions that a list announces.

    Raises:
        InputError: the file is no such list; nothing is changed.
    """
    rows = action_list.parse(content, name)
    of_day, unused = _by_share_and_day(lookup, rows)
    found = []
    for (key, day), together in of_day.items():
        ratio, reason = action_list.combined_ratio(together)
        around = _around(engine, key, day)
        reason = reason or _denial(engine, around, key, day, ratio)
        if reason:
            shown = _waits(engine, around, key, day, together, name) or _shown(around, day)
            unused |= {row.line: f"{row.refusal}{shown}" if row.refusal else reason for row in together}
        else:
            found.append(Action(key, day, ratio.numerator, ratio.denominator, "confirmed", "announced", name))
    for action, other in _twice_in_a_week(found):
        reason = f"{other.ratio} is announced for {other.ex_day} too, and only one of these days can be right"
        unused |= {row.line: reason for row in of_day[action.key, action.ex_day]}
        found.remove(action)
    known = _known(engine, found)
    removed = corporate_actions.confirm(engine, found) if found else []
    sentences = [_unused(row, unused[row.line], name) for row in rows if row.line in unused]
    return ActionImport(found, known, sentences, [(old, _in_place_of(found, old)) for old in removed])


def _by_share_and_day(
    lookup: SymbolLookup, rows: Sequence[ActionRow]
) -> tuple[dict[tuple[str, date], list[ActionRow]], dict[int, str]]:
    """Return the rows by key of the share, under any of its symbols, and day; and by line the reason why a
    row is left out.
    """
    of_day: dict[tuple[str, date], list[ActionRow]] = defaultdict(list)
    unused: dict[int, str] = {}
    for row in rows:
        instrument = lookup.find(row.symbol) if row.symbol else None
        if row.other_series or row.ex_day is None or not row.symbol:
            unused[row.line] = row.refusal
        elif instrument is None:
            unused[row.line] = f"the instrument master does not know {row.symbol}"
        else:
            of_day[instrument.key, row.ex_day].append(row)
    return of_day, unused


def _denial(engine: Engine, around: History, key: str, day: date, ratio: Fraction) -> str:
    """Return a sentence with both ratios where the candles contradict the one announced, else ""."""
    shown = contradiction(around, day, ratio)
    announced = f"{ratio.numerator}:{ratio.denominator} is announced"
    return f"{announced}, but {shown}{_suspected_near(engine, key, day)}" if shown else ""


def contradicted(engine: Engine, key: str, day: date, ratio: Fraction) -> str:
    """Return the end of a sentence about the step in the candles as traded where they contradict a ratio,
    else "".
    """
    return contradiction(_around(engine, key, day), day, ratio)


def _waits(engine: Engine, around: History, key: str, day: date, rows: Sequence[ActionRow], name: str) -> str:
    """Store the step of an announced demerger that shows in the candles, to wait for its ratio; return the
    end of a sentence about it.
    """
    announced = next((row for row in rows if row.divides), None)
    found = stepped(around, day) if announced else None
    if announced is None or found is None:
        return ""
    ex_day, before, opened = found
    prices = round(before * PAISE), round(opened * PAISE)
    step = Action(key, ex_day, *prices, "unexplained", f"announced: {announced.text[:80]}", name)
    return (
        f"; its step of {step.ratio} waits for `actions confirm`"
        if corporate_actions.suspect(engine, [step])
        else ""
    )


def _shown(around: History, day: date) -> str:
    """Return the end of a sentence with the step in the candles: an operator needs it to confirm a row
    without a ratio by a ratio of prices.
    """
    shown = step_on(around, day)
    return f"; the candles {shown}" if shown else ""


def _suspected_near(engine: Engine, key: str, day: date) -> str:
    """Return the end of a sentence about suspected steps within a week: the announced day may be wrong."""
    near = [
        each
        for each in corporate_actions.fetch(engine, key)
        if each.waits and timedelta() < abs(each.ex_day - day) <= _A_WEEK
    ]
    return "".join(f"; {each.ratio} is suspected on {each.ex_day}" for each in near)


def _around(engine: Engine, key: str, day: date) -> History:
    packed = candles.fetch_packed(engine, "raw", [key], day - _AROUND, day + _AROUND).get(key, b"")
    try:
        return from_packed(packed)
    except ValueError:
        return from_packed(b"")  # the notes of a run name damaged candles


def _twice_in_a_week(found: Sequence[Action]) -> list[tuple[Action, Action]]:
    """Return each action that has a twin of the same ratio within a week, with it: an ex-day that was put
    off.
    """
    of_key: dict[str, list[Action]] = defaultdict(list)
    for action in found:
        of_key[action.key].append(action)
    return [
        (action, other)
        for of_one in of_key.values()
        for action in of_one
        for other in of_one
        if action.ratio == other.ratio and timedelta() < abs(action.ex_day - other.ex_day) <= _A_WEEK
    ]


def _known(engine: Engine, found: Sequence[Action]) -> int:
    """Return how many of the actions are confirmed already."""
    confirmed = {
        (each.key, each.ex_day, each.ratio)
        for each in corporate_actions.fetch(engine)
        if each.state == "confirmed"
    }
    return sum((each.key, each.ex_day, each.ratio) in confirmed for each in found)


def _in_place_of(found: Sequence[Action], old: Action) -> Action:
    return min(
        (each for each in found if each.key == old.key), key=lambda each: abs(each.ex_day - old.ex_day)
    )


def _unused(row: ActionRow, reason: str, name: str) -> str:
    day = row.ex_day or "without a day"
    return (
        f"{name}, line {row.line}: {row.symbol or 'no symbol'} {day} {row.text[:80]!r} is not used; {reason}"
    )
