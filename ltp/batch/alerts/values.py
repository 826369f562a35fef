"""The terms of rules on the newest session, such as sma(volume, 20), for each instrument that an alert watches.

The worker compares packets with them; they change once a session, and computing them takes arrays of candles.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from functools import partial
from typing import NamedTuple

from ltp.batch import histories
from ltp.batch.histories import LoadedHistory
from ltp.batch.progress import Progress
from ltp.core.alerts.alert import MUTED, ON, Alert, Target
from ltp.core.alerts.grammar import parts
from ltp.core.alerts.rule import is_stored, parse_rule
from ltp.core.criteria.nodes import Node, node_text
from ltp.core.history.candle import day_number, day_of
from ltp.db.alerts import members, rules, values
from ltp.db.alerts.values import TermValue
from ltp.db.engine import Engine, reading
from ltp.errors import CriterionError
from ltp.screen.evaluate import values as evaluated
from ltp.screen.history import History
from ltp.screen.study import Study

Terms = dict[str, Node]  # by their texts


class Computed(NamedTuple):
    """How many values were stored for how many instruments; `unknown`: those without one."""

    values: int
    instruments: int
    unknown: int


def compute(engine: Engine, now: datetime, progress: Progress = lambda *_: None) -> Computed:
    """Store the values of all terms of alerts that are on or muted, in place of those of the run before.

    Raises:
        DatabaseError: the candles cannot be read, or the values not be stored.
    """
    wanted = _wanted(engine)
    keys = sorted(wanted)
    index = histories.load_index(engine).history if keys else None
    session = day_number(histories.usual_end(engine, keys)) if keys else 0
    found: dict[tuple[str, str], TermValue] = {}
    for done, loaded in enumerate(histories.load(engine, keys), start=1):
        for text, value in _values(loaded, wanted[loaded.key], index, session).items():
            found[loaded.key, text] = TermValue(value, _as_of(loaded, now))
        progress("computing", done, len(keys))
    values.replace(engine, found, now)
    unknown = sum(each.value is None for each in found.values())
    return Computed(len(found), len(keys), unknown)


def _wanted(engine: Engine) -> dict[str, Terms]:
    """Return the terms by key."""
    wanted: dict[str, Terms] = {}
    with reading(engine) as connection:
        terms = dict(_terms_of_targets(rules.all_in(connection)))
        for target, keys in members.keys_in(connection, terms).items():
            for key in keys:
                wanted.setdefault(key, {}).update(terms[target])
    return wanted


def _terms_of_targets(alerts: list[Alert]) -> Iterator[tuple[Target, Terms]]:
    found: dict[Target, Terms] = {}
    for alert in alerts:
        if alert.state not in {ON, MUTED}:
            continue
        try:
            tree = parse_rule(alert.terms.rule).tree
        except CriterionError:
            continue  # of a version with another grammar; the worker marks it as invalid
        terms = {} if tree is None else {node_text(node): node for node in stored_parts(tree)}
        if terms:
            found.setdefault(alert.terms.target, {}).update(terms)
    yield from found.items()


def stored_parts(node: Node) -> Iterator[Node]:
    """Yield the parts of a rule that have one value for the whole session, each as a whole."""
    if is_stored(node):
        yield node
        return
    for part in parts(node):
        yield from stored_parts(part)


def _values(
    loaded: LoadedHistory, terms: Terms, index: History | None, session: int
) -> dict[str, float | None]:
    if loaded.fault or not loaded.history.days.size:
        return dict.fromkeys(terms)
    study = Study(loaded.history, index, session)
    found = evaluated(terms.values(), loaded.history, partial(getattr, study, "facts"))
    return dict(zip(terms, found, strict=True))


def _as_of(loaded: LoadedHistory, now: datetime) -> date:
    return day_of(int(loaded.history.days[-1])) if loaded.history.days.size else now.date()
