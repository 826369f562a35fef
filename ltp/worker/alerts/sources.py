"""All that watches are made of, as SQL has it at one moment."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import NamedTuple

from ltp.core.alerts.alert import MUTED, ON, Alert, Target
from ltp.core.alerts.rule import Rule, parse_rule
from ltp.core.history.corporate_action import Action
from ltp.core.money import Price
from ltp.core.trading_day import IST
from ltp.db import candle_source, corporate_actions
from ltp.db.alerts import members, rules, values
from ltp.db.alerts.values import TermValue
from ltp.db.engine import Engine, reading
from ltp.db.runs import RunHead
from ltp.errors import CriterionError


class Plans(NamedTuple):
    """The plans of a screen's newest run. `levels`: entry, stop and target by key."""

    run: RunHead
    levels: Mapping[str, Mapping[str, Price | None]]


class Sources(NamedTuple):
    """`alerts`: those that are on or muted. `rules`: of those that this version accepts, by alert; `invalid`: why it
    does not accept the others. `keys`: of targets; one that does not exist is missing. `values`: by key and term.
    `plans`, `runs`: by the slug of a screen that a rule names, the current run first. `is_beside_real`: prices are
    simulated, and stored candles are real.
    """

    version: members.Version
    alerts: tuple[Alert, ...]
    rules: Mapping[int, Rule]
    invalid: Mapping[int, str]
    keys: Mapping[Target, tuple[str, ...]]
    values: Mapping[str, Mapping[str, TermValue]]
    plans: Mapping[str, Plans]
    runs: Mapping[str, tuple[RunHead, ...]]
    actions: tuple[Action, ...]
    is_beside_real: bool = False


def read(
    engine: Engine, *, simulated: bool, before: Sources | None = None, busy_timeout_ms: int = 1_000
) -> Sources:
    """Read them.

    Args:
        simulated: prices are of the simulated exchange.
        before: what was read before. Its rules are not parsed again: ten thousand of them take seconds, in which
            firings would wait.
    Raises:
        DatabaseError: they cannot be read.
    """
    actions = tuple(corporate_actions.fetch(engine))
    beside_real = simulated and candle_source.origin(engine) == "real"
    with reading(engine, busy_timeout_ms=busy_timeout_ms) as connection:
        version = members.version_in(connection)
        alerts = tuple(each for each in rules.all_in(connection) if each.state in {ON, MUTED})
        parsed, invalid = _parsed(alerts, before)
        targets = {each.terms.target for each in alerts if each.id in parsed}
        planned = {screen for rule in parsed.values() for screen, _ in rule.plans}
        named = planned | {rule.event.screen for rule in parsed.values() if rule.event and rule.event.screen}
        runs = members.current_runs_in(connection, named) if named else {}
        plans = {
            slug: Plans(heads[0], members.plan_levels_in(connection, heads[0].id))
            for slug, heads in runs.items()
            if heads and slug in planned
        }
        keys = members.keys_in(connection, targets)
        stored = values.all_in(connection) if any(rule.terms for rule in parsed.values()) else {}
    return Sources(
        version, alerts, parsed, invalid, keys, stored, plans, runs, actions, is_beside_real=beside_real
    )


def version(engine: Engine, *, busy_timeout_ms: int = 1_000) -> members.Version:
    """Return the version that `read` would return. Raises DatabaseError."""
    with reading(engine, busy_timeout_ms=busy_timeout_ms) as connection:
        return members.version_in(connection)


def made_on(run: RunHead) -> date:
    """Return the day whose prices a run's plans are of."""
    return run.as_of or run.created_at.astimezone(IST).date()


def _parsed(alerts: Iterable[Alert], before: Sources | None) -> tuple[dict[int, Rule], dict[int, str]]:
    known = {} if before is None else _rules_by_text(before)
    found: dict[int, Rule] = {}
    invalid: dict[int, str] = {}
    for alert in alerts:
        try:
            text = alert.terms.rule
            found[alert.id] = known.get(text) or parse_rule(text)
        except CriterionError as error:
            invalid[alert.id] = str(error)
    return found, invalid


def _rules_by_text(sources: Sources) -> dict[str, Rule]:
    return {
        alert.terms.rule: sources.rules[alert.id] for alert in sources.alerts if alert.id in sources.rules
    }
