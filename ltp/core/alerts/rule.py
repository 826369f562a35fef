"""A rule: its canonical text, its tree, and what has to be known for it beside the packets of its instrument."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from ltp.core.alerts.grammar import Event, RuleParser, is_live, parts
from ltp.core.criteria.nodes import Live, Node, Number, Of, PlanLevel, node_text
from ltp.errors import CriterionError


class Rule(NamedTuple):
    """`text`: canonical; parsing it gives the rule again. `tree`: None for an event.

    `terms`: texts of parts on the newest session, such as sma(volume, 20): criteria or numbers of
    `screen.evaluate`. `plans`: screen and level. `others`: keys of other instruments.
    """

    text: str
    tree: Node | None = None
    terms: tuple[str, ...] = ()
    plans: tuple[tuple[str, str], ...] = ()
    others: tuple[str, ...] = ()
    event: Event | None = None


def parse_rule(text: str, where: str = "rule") -> Rule:
    """Parse a rule, such as `ltp > 1650`.

    Args:
        where: the name of the field for the sentence of an error.
    Raises:
        CriterionError: names the character and the text that is accepted there.
    """
    found = RuleParser(text, where).rule()
    if isinstance(found, Event):
        return Rule(found.text, event=found)
    if not is_live(found):
        raise CriterionError(where, text, 0, "a rule has a live value such as ltp, change_pct or day_volume")
    terms = tuple(dict.fromkeys(node_text(node) for node in _walk(found) if is_stored(node)))
    plans = tuple(
        dict.fromkeys((node.screen, node.level) for node in _walk(found) if isinstance(node, PlanLevel))
    )
    others = tuple(dict.fromkeys(node.key for node in _walk(found) if isinstance(node, Of)))
    return Rule(node_text(found), found, terms, plans, others)


def is_stored(node: Node) -> bool:
    """Return whether a part has one value for the whole session, which is looked up by its text."""
    return not isinstance(node, Number) and not _has(node, Live | Of | PlanLevel) and not _is_plain(node)


def _walk(node: Node) -> Iterator[Node]:
    """Yield a tree's nodes, but none below a part that is stored as a whole."""
    yield node
    if not is_stored(node):
        for part in parts(node):
            yield from _walk(part)


def _has(node: Node, kinds: object) -> bool:
    return isinstance(node, kinds) or any(_has(part, kinds) for part in parts(node))  # type: ignore[arg-type]


def _is_plain(node: Node) -> bool:
    """Is it a number, or arithmetic of numbers?"""
    below = parts(node)
    return isinstance(node, Number) if not below else all(_is_plain(part) for part in below)
