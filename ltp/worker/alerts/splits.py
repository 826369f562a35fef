"""Rules that a split makes wrong: a price that a person wrote down is of the time before it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Final

from ltp.core.alerts.grammar import CROSSES, is_live, parts
from ltp.core.alerts.rule import Rule, is_stored
from ltp.core.criteria.nodes import Call, Comparison, Live, Node, Of, PlanLevel
from ltp.core.history.corporate_action import Action

_PRICES: Final = {"ltp", "day_open", "day_high", "day_low"}

Splits = Mapping[str, tuple[Action, ...]]


def by_key(actions: Iterable[Action], today: date) -> Splits:
    """Return the actions that are known or suspected until today, by key."""
    found: dict[str, tuple[Action, ...]] = {}
    for action in actions:
        if action.state != "dismissed" and action.ex_day <= today:
            found[action.key] = (*found.get(action.key, ()), action)
    return found


def first_after(splits: Splits, key: str, day: date) -> Action | None:
    """Return the first action of an instrument after a day."""
    later = [action for action in splits.get(key, ()) if action.ex_day > day]
    return min(later, key=lambda action: action.ex_day, default=None)


def sentence(action: Action) -> str:
    return f"the share split {action.ratio} on {action.ex_day:%d %b %Y}: check the price in the rule"


def has_fixed_price(rule: Rule) -> bool:
    """Return whether a rule compares live prices with plain numbers, as ltp > 1650 does."""
    return rule.tree is not None and _compares(rule.tree)


def _compares(node: Node) -> bool:
    match node:
        case Comparison(_, left, right):
            return _is_fixed(left, right) or _is_fixed(right, left)
        case Call(function, (left, right)) if function in CROSSES:
            return _is_fixed(left, right) or _is_fixed(right, left)
        case _:
            return not is_stored(node) and any(map(_compares, parts(node)))


def _is_fixed(priced: Node, plain: Node) -> bool:
    return _has_price(priced) and not is_live(plain) and not is_stored(plain) and not _has_plan(plain)


def _has_price(node: Node) -> bool:
    named = node.operand if isinstance(node, Of) else node
    if isinstance(named, Live):
        return named.name in _PRICES
    return any(map(_has_price, parts(node)))


def _has_plan(node: Node) -> bool:
    return isinstance(node, PlanLevel) or any(map(_has_plan, parts(node)))
