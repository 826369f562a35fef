"""Splits, bonuses and demergers in the stored histories: the suspected ones, and falls that may be one."""

from __future__ import annotations

from typing import Final

from ltp.batch.progress import Progress
from ltp.batch.stored_histories import histories, market_moves, shares
from ltp.core.history.corporate_action import CANDLES, Action, ActionState
from ltp.db import corporate_actions, former_names
from ltp.db.engine import Engine
from ltp.screen.actions import Suspect, detect
from ltp.screen.open_falls import Fall, falls

_AT_ONCE: Final = 400  # shares


def search_actions(engine: Engine, progress: Progress = lambda *_: None) -> list[Action]:
    """Search the histories as traded for splits and bonuses; store the suspected ones, return the new ones.

    All histories are searched, because a step is judged beside the market's own, which any import may have
    changed. Otherwise the order of two imports would decide whether a demerger on a bad day looks like a
    split.
    """
    keys, found = shares(engine), []
    isins, moves = former_names.isin_last_days(engine), market_moves(engine, keys)
    for start in range(0, len(keys), _AT_ONCE):
        progress("looking for splits", start, len(keys))
        for key, history in histories(engine, keys[start : start + _AT_ONCE]):
            found += [_suspected(key, suspect) for suspect in detect(history, isins.get(key, ()), moves)]
    return corporate_actions.replace_detected(engine, keys, found)


def _suspected(key: str, suspect: Suspect) -> Action:
    ratio = suspect.prices if suspect.ratio is None else (suspect.ratio.numerator, suspect.ratio.denominator)
    state: ActionState = "unexplained" if suspect.ratio is None else "detected"
    return Action(key, suspect.ex_day, *ratio, state, suspect.evidence, CANDLES)


def unseen_falls(engine: Engine, key: str) -> list[Fall]:
    """Return the falls of a share that may be a small bonus or a demerger, without those around known
    actions.

    They are too small for a suspicion: an operator has to look them up.
    """
    history = dict(histories(engine, [key])).get(key)
    if history is None:
        return []
    return falls(
        history,
        [each.ex_day for each in corporate_actions.fetch(engine, key)],
        market_moves(engine, shares(engine)),
    )
