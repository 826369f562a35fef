"""Rules without a level, compiled for the instruments whose prices they read; and what a rule saw last."""

from __future__ import annotations

from collections.abc import Mapping

from ltp.core.alerts.entry import Entry, Watched
from ltp.core.alerts.evaluate import Value, constant, number, truth
from ltp.core.alerts.thresholds import thresholds_of
from ltp.core.alerts.watch import Reading
from ltp.core.criteria.nodes import COMPARE, Comparison


def compile_general(watched: Watched, entry: Entry, entries: Mapping[str, Entry]) -> None:
    """Make the functions that evaluate a rule at each packet of its instruments.

    A value of another instrument counts while its last packet is of the same connection and the same session.
    """
    tree, values = watched.watch.rule.tree, watched.watch.values
    if tree is None:
        return

    def reader(key: str, name: str) -> Value:
        return lambda: _value(entry, entries.get(key) if key else entry, name)

    watched.truth, watched.thresholds = truth(tree, values, reader), thresholds_of(tree, values, reader)
    if isinstance(tree, Comparison):
        watched.sides = number(tree.left, values, reader), number(tree.right, values, reader)


def _value(own: Entry, of: Entry | None, name: str) -> float | None:
    if of is None or not of.at or of.since != own.since or of.day_number != own.day_number:
        return None
    return of.live(name)


def reading(watched: Watched | None, entry: Entry | None) -> Reading:
    """Return what a rule saw last; nothing before its first packet."""
    if watched is None or entry is None:
        return Reading(None, None, None, "", 0)
    missing = next((text for text, value in watched.watch.values.items() if value is None), "")
    tree = watched.watch.rule.tree
    value, bound = _sides(watched, entry)
    met: bool | None = None
    if entry.at and entry.ltp is not None:
        met = watched.level.is_met(entry.ltp) if watched.level else None
        if watched.sides is not None and value is not None and bound is not None:
            met = COMPARE[tree.sign](value, bound) if isinstance(tree, Comparison) else None
    return Reading(value, bound, met, missing, entry.at)


def _sides(watched: Watched, entry: Entry) -> tuple[float | None, float | None]:
    if watched.of is not None:
        name = "change_pct" if watched.of.is_change else "ltp"
        value = entry.live(name) if entry.at else None
        return value, constant(watched.of.bound, watched.watch.values)
    if watched.sides is None:
        return None, None
    return watched.sides[0](), watched.sides[1]()
