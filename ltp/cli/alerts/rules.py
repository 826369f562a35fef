"""`python -m ltp alerts list`, `add`, `test` and `history`: alerts as pages and the API have them."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import Engine

from ltp import settings as settings_module
from ltp.core.alerts import document
from ltp.core.alerts.alert import EACH, KEY, MARKET, MAX_COOL_DOWN_S, ONCE, REPEATS, STATES, Target, Terms
from ltp.core.alerts.preview import Preview, preview
from ltp.core.alerts.rule import Rule, parse_rule
from ltp.core.alerts.terms import Known, checked, target_of
from ltp.core.alerts.words import how_words, price_words, repeat_words, rule_words
from ltp.core.criteria.nodes import PlanLevel, node_text
from ltp.core.money import SCALE
from ltp.core.screener import KINDS
from ltp.core.ticks.tick import Tick
from ltp.core.trading_day import IST
from ltp.db import saved_screens, universes
from ltp.db.alerts import history, members, rules, values
from ltp.db.alerts.history import Fired
from ltp.db.alerts.rules import Choice
from ltp.db.engine import open_engine, reading
from ltp.db.instruments import fetch_named
from ltp.errors import InputError, NotFoundError
from ltp.settings import Settings
from ltp.store import prices
from ltp.store.client import connect

_REDIS_TIMEOUT_S: Final = 2.0
_RULE_HELP: Final = "such as 'ltp > 1650'; docs/alerts.md has the grammar"
_KEY_HELP: Final = (
    "instrument, such as NSE_EQ:1333; universe:NAME or screen:NAME for each of a list; market for events"
)
_MOST: Final = 10_000


def add(actions: Any) -> None:
    """Register the commands on the sub-parsers of `alerts`."""
    each = actions.add_parser("list", help="print all alerts")
    each.add_argument("--state", choices=STATES, help="only those in this state")
    _with_json(each, _list)

    new = actions.add_parser("add", help="make an alert")
    new.add_argument("key", metavar="KEY", help=_KEY_HELP)
    new.add_argument("rule", metavar="RULE", help=_RULE_HELP)
    new.add_argument("--repeat", default=ONCE, help=f"{', '.join(REPEATS)} (default %(default)s)")
    new.add_argument(
        "--cool-down", type=float, default=0.0, metavar="MIN", help=f"minutes between two firings, of {EACH}"
    )
    new.add_argument(
        "--hysteresis", type=float, default=0.0, metavar="PERCENT", help="move back before it fires again"
    )
    new.add_argument("--expires", default="", metavar="DATE", help="last day")
    new.add_argument("--note", default="")
    _with_json(new, _add)

    test = actions.add_parser(
        "test", help="say what a rule means, how far the price is, and whether it is met now"
    )
    test.add_argument("rule", metavar="RULE", help=_RULE_HELP)
    test.add_argument("key", metavar="KEY", help="instrument, such as NSE_EQ:1333")
    _with_json(test, _test)

    fired = actions.add_parser("history", help="print firings, newest first")
    fired.add_argument("id", type=int, nargs="?", metavar="ID", help="of one alert")
    fired.add_argument("--limit", type=int, default=50, metavar="N", help="default %(default)s")
    _with_json(fired, _history)


def _with_json(parser: argparse.ArgumentParser, command: Callable[[argparse.Namespace], int]) -> None:
    parser.add_argument("--json", action="store_true", help="print as the API answers")
    parser.set_defaults(command=command)


def _list(given: argparse.Namespace) -> int:
    engine = open_engine(settings_module.load().database)
    found = rules.listed(engine, Choice((given.state,) if given.state else ()))
    if given.json:
        return _print_json({"alerts": [document.alert(each) for each in found.alerts], "total": found.total})
    for each in found.alerts:
        terms = each.terms
        target = (
            terms.target.name
            if terms.target.kind == KEY
            else f"{terms.target.kind}:{terms.target.name}".rstrip(":")
        )
        reason = f" ({each.reason})" if each.reason else ""
        note = f"  # {terms.note}" if terms.note else ""
        print(f"{each.id}  {each.state}{reason}  {target}  {terms.rule}  {repeat_words(terms)}{note}")
    return 0


def _add(given: argparse.Namespace) -> int:
    engine = open_engine(settings_module.load().database)
    terms = Terms(
        _target(given.key),
        given.rule,
        given.repeat,
        _seconds(given.cool_down),
        given.hysteresis,
        _day(given.expires),
        (),
        given.note,
    )
    made = rules.create(engine, _checked(engine, terms))
    if given.json:
        return _print_json(document.alert(made))
    print(f"Alert {made.id}: {made.terms.target.name or MARKET}, {rule_words(parse_rule(made.terms.rule))}")
    return 0


def _test(given: argparse.Namespace) -> int:
    settings = settings_module.load()
    engine = open_engine(settings.database)
    target = target_of(KEY, given.key) if parse_rule(given.rule).event is None else Target(MARKET, "")
    rule = parse_rule(_checked(engine, Terms(target, given.rule)).rule)
    found = _preview(engine, settings, rule, given.key)
    if given.json:
        return _print_json(
            {"rule": rule.text, "words": rule_words(rule), "met": found.met, "distance": found.distance,
             "sentence": found.sentence, "blind": found.blind}
        )  # fmt: skip
    print(f"{rule.text}: {rule_words(rule)}")
    print("\n".join(filter(None, (found.sentence, found.blind))))
    return 0


def _history(given: argparse.Namespace) -> int:
    if not 1 <= given.limit <= _MOST:
        raise InputError("--limit", str(given.limit), f"it is 1 to {_MOST}")
    if given.id is not None and not 1 <= given.id <= rules.MAX_ID:
        raise NotFoundError("alert", str(given.id))
    engine = open_engine(settings_module.load().database)
    found = history.firings(engine, given.id, most=given.limit)
    if given.id is not None and not found:
        rules.fetch(engine, given.id)
    if given.json:
        return _print_json({"firings": [each.document() for each in found]})
    for each in found:
        print(_line(each))
    return 0


def _line(fired: Fired) -> str:
    firing = fired.firing
    price = f" {price_words(firing.ltp / SCALE)}" if firing.ltp else ""
    sent = "".join(f"; {each.channel}: {each.state}" for each in fired.deliveries)
    at, how = firing.at.astimezone(IST), how_words(firing.how, firing.since, firing.until)
    return f"{at:%Y-%m-%d %H:%M:%S} IST  alert {firing.alert_id}  {fired.symbol or MARKET}{price}  {how}  {fired.rule}{sent}"


def _preview(engine: Engine, settings: Settings, rule: Rule, key: str) -> Preview:
    if rule.event is not None:
        return preview(rule, key, {}, lambda _: None)
    client = connect(settings.secret("redis_url"), timeout_s=_REDIS_TIMEOUT_S)
    ticks: dict[str, Tick | None] = {each.key: each.tick for each in prices.read(client, [key, *rule.others])}
    known: dict[str, float | None] = values.of_instruments(engine, [key])[key] if rule.terms else {}
    with reading(engine) as connection:
        heads = (
            members.current_runs_in(connection, {screen for screen, _ in rule.plans}) if rule.plans else {}
        )
        for screen, level in rule.plans:
            levels = members.plan_levels_in(connection, heads[screen][0].id) if heads.get(screen) else {}
            price = levels.get(key, {}).get(level)
            known[node_text(PlanLevel(screen, level))] = None if price is None else price / SCALE
    return preview(rule, key, known, ticks.get)


def _target(text: str) -> Target:
    kind, colon, name = text.partition(":")
    if kind in ("universe", "screen") and colon:
        return target_of(kind, name)
    return Target(MARKET, "") if text == MARKET else target_of(KEY, text)


def _checked(engine: Engine, terms: Terms) -> Terms:
    keys = [terms.target.name] if terms.target.kind == KEY else []
    keys += parse_rule(terms.rule).others
    found = {each.key for each in fetch_named(engine, keys)} if keys else set()
    with reading(engine) as connection:
        screens = {*KINDS, *(each.slug for each in saved_screens.all_in(connection))}
    known = Known(found.__contains__, universes.fetch(engine).__contains__, screens.__contains__)
    return checked(terms, datetime.now(IST).date(), known)


def _seconds(minutes: float) -> int:
    if not abs(minutes) * 60 <= MAX_COOL_DOWN_S:  # also nan
        raise InputError("--cool-down", f"{minutes:g}", f"it is 0 to {MAX_COOL_DOWN_S // 60} minutes")
    return round(minutes * 60)


def _day(text: str) -> date | None:
    """Parse a day as the API does. Raises InputError, also for 20261231 and for the last year that there is."""
    if not text:
        return None
    try:
        found = date.fromisoformat(text)
    except ValueError:
        found = date.max
    if found.isoformat() != text or found.year == date.max.year:
        raise InputError("--expires", text, "it is a day such as 2026-12-31")
    return found


def _print_json(found: object) -> int:
    print(json.dumps(found, indent=2, ensure_ascii=False))
    return 0
