"""How far the price is from the level of each alert, by the prices and values of this moment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ltp.core.alerts.alert import KEY, Alert
from ltp.core.alerts.preview import Preview, preview
from ltp.core.alerts.rule import Rule, parse_rule
from ltp.core.criteria.nodes import PlanLevel, node_text
from ltp.core.money import SCALE
from ltp.core.screener import Row
from ltp.core.ticks.tick import Tick
from ltp.db.alerts import values as stored
from ltp.errors import DatabaseError, InputError, NotFoundError
from ltp.web.screens.catalogue import find_run, find_screener
from ltp.web.services import services
from ltp.web.waits import BUSY_TIMEOUT_MS


def prospects(alerts: Sequence[Alert]) -> Mapping[int, Preview]:
    """Return the preview by id of those alerts that watch one instrument."""
    parsed = {each.id: _parsed(each) for each in alerts if each.terms.target.kind == KEY}
    rules = {id_: rule for id_, rule in parsed.items() if rule is not None}
    keys = {each.terms.target.name for each in alerts if each.id in rules}
    ticks = _ticks([*keys, *(key for rule in rules.values() for key in rule.others)])
    known = _stored({each.terms.target.name for each in alerts if each.id in rules and rules[each.id].terms})
    found: dict[int, Preview] = {}
    for each in alerts:
        if rule := rules.get(each.id):
            key = each.terms.target.name
            found[each.id] = preview(rule, key, _values(rule, key, known.get(key, {})), ticks.get)
    return found


def prospect(rule: Rule, key: str) -> Preview:
    """Return the preview of a rule on one instrument, and have its prices subscribed."""
    keys = [key, *rule.others]
    services().demand(keys)
    known = _stored({key} if rule.terms else set()).get(key, {})
    return preview(rule, key, _values(rule, key, known), _ticks(keys).get)


def _parsed(alert: Alert) -> Rule | None:
    try:
        return parse_rule(alert.terms.rule)
    except InputError:  # stored by another version
        return None


def _ticks(keys: Sequence[str]) -> Mapping[str, Tick]:
    quotes = services().hub.quotes(list(dict.fromkeys(keys)))
    return {quote.key: quote.tick for quote in quotes if quote.tick is not None}


def _stored(keys: set[str]) -> Mapping[str, Mapping[str, float | None]]:
    """Return the computed terms by key, in one read for a whole page; none if SQL cannot be read."""
    try:
        return stored.of_instruments(services().engine, keys, busy_timeout_ms=BUSY_TIMEOUT_MS) if keys else {}
    except DatabaseError:
        return {}


def _values(rule: Rule, key: str, known: Mapping[str, float | None]) -> dict[str, float | None]:
    found = _terms(rule, key, known)
    for screen, level in rule.plans:
        price = _plan(screen, level, key)
        found[node_text(PlanLevel(screen, level))] = None if price is None else price / SCALE
    return found


def _terms(rule: Rule, key: str, known: Mapping[str, float | None]) -> dict[str, float | None]:
    found: dict[str, float | None] = {term: known.get(term) for term in rule.terms}
    extremes = services().past(key).extremes if {"high52", "low52"} & set(rule.terms) else None
    if extremes is not None and extremes.full:
        of_year = {"high52": extremes.high / SCALE, "low52": extremes.low / SCALE}
        found |= {term: value for term, value in of_year.items() if term in found and found[term] is None}
    return found


def _plan(screen: str, level: str, key: str) -> int | None:
    row = row_of(screen, key)
    price: int | None = getattr(row, level) if row is not None else None
    return price


def row_of(screen: str, key: str) -> Row | None:
    """Return the row of an instrument in the newest run of a screen, None without one."""
    try:
        run = find_run(find_screener(screen))
    except (NotFoundError, DatabaseError):
        return None
    return next((row for row in run.rows if row.key == key), None) if run else None
