"""Which alert watches which instruments, with which numbers: made anew whenever one of its sources changes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from itertools import islice
from typing import Final, NamedTuple

from ltp.core.alerts.alert import KEY, MARKET, Alert
from ltp.core.alerts.rule import Rule
from ltp.core.alerts.watch import Watch
from ltp.core.criteria.nodes import PlanLevel, node_text
from ltp.core.money import rupees
from ltp.core.trading_day import IST
from ltp.db.alerts.states import State
from ltp.worker.alerts import splits
from ltp.worker.alerts.sources import Sources, made_on
from ltp.worker.alerts.splits import Splits

MAX_WATCHES: Final = 50_000  # some 50 MB; ten lists of every share

Place = tuple[int, str]  # alert and key
States = Mapping[Place, State]


class Roster(NamedTuple):
    """`alerts`, `rules`: by id, of those that are on or muted and valid. `watches`: by place. `keys`: of all
    instruments that are needed, those of the first alerts first. `invalid`: alerts to end, with the reason.
    `withheld`: instruments of alerts on many that a split keeps out, with the reason. `left_out`: watches beyond
    MAX_WATCHES. `sources`: that it was made from.
    """

    alerts: Mapping[int, Alert]
    rules: Mapping[int, Rule]
    watches: Mapping[Place, Watch]
    keys: tuple[str, ...]
    invalid: Mapping[int, str]
    withheld: Mapping[Place, str]
    left_out: int
    sources: Sources | None


NOBODY: Final = Roster({}, {}, {}, (), {}, {}, 0, None)


def make(sources: Sources, states: States, today: date) -> Roster:
    """Return the roster of today; without watches while simulated prices run beside real candles."""
    known = splits.by_key(sources.actions, today)
    invalid, withheld = dict(sources.invalid), {}
    wanted: list[tuple[Alert, str]] = []
    for alert in sources.alerts:
        rule = sources.rules.get(alert.id)
        if rule is None or rule.tree is None or alert.terms.target.kind == MARKET:
            continue
        for key, reason in _split(alert, rule, sources, known):
            if alert.terms.target.kind == KEY:
                invalid[alert.id] = reason
            withheld[alert.id, key] = reason
        keys = sources.keys.get(alert.terms.target, ())
        wanted += [(alert, key) for key in keys if (alert.id, key) not in withheld]
    if sources.is_beside_real:
        wanted = []
    watches = {
        (alert.id, key): _watch(alert, key, sources, known, states)
        for alert, key in islice(wanted, MAX_WATCHES)
    }
    return Roster(
        {alert.id: alert for alert in sources.alerts if alert.id not in invalid},
        {id_: rule for id_, rule in sources.rules.items() if id_ not in invalid},
        watches,
        tuple(dict.fromkeys(_needed(watches))),
        invalid,
        withheld,
        max(0, len(wanted) - MAX_WATCHES),
        sources,
    )


def _split(alert: Alert, rule: Rule, sources: Sources, known: Splits) -> Iterator[tuple[str, str]]:
    """Yield the instruments that split since the price in an alert's rule was written, with the sentence."""
    if not known or not splits.has_fixed_price(rule):
        return
    written = alert.changed_at.astimezone(IST).date()
    for key in sources.keys.get(alert.terms.target, ()):
        for each in (key, *rule.others):
            action = splits.first_after(known, each, written)
            if action is not None:
                yield key, splits.sentence(action)
                break


def _watch(alert: Alert, key: str, sources: Sources, known: Splits, states: States) -> Watch:
    rule, state = sources.rules[alert.id], states.get((alert.id, key))
    watch = Watch(
        alert.id, alert.version, key, rule, _values(rule, key, sources, known), alert.terms.hysteresis,
        alert.terms.phases,
    )  # fmt: skip
    if state is None or state.version != alert.version or state.seen_at is None or state.ltp is None:
        return watch
    return watch._replace(
        armed=state.is_armed, last=state.ltp, last_at=int(state.seen_at.timestamp() * 1_000_000)
    )


def _values(rule: Rule, key: str, sources: Sources, known: Splits) -> Mapping[str, float | None]:
    """Return terms and plan levels; one of prices before a split is not known."""
    found: dict[str, float | None] = {}
    terms = sources.values.get(key, {})
    for text in rule.terms:
        term = terms.get(text)
        is_old = term is None or splits.first_after(known, key, term.as_of) is not None
        found[text] = None if term is None or is_old else term.value
    for screen, name in rule.plans:
        found[node_text(PlanLevel(screen, name))] = _plan_level(screen, name, key, sources, known)
    return found


def _plan_level(screen: str, name: str, key: str, sources: Sources, known: Splits) -> float | None:
    plans = sources.plans.get(screen)
    price = None if plans is None else plans.levels.get(key, {}).get(name)
    if plans is None or price is None or splits.first_after(known, key, made_on(plans.run)) is not None:
        return None
    return rupees(price)


def _needed(watches: Mapping[Place, Watch]) -> Iterator[str]:
    for watch in watches.values():
        yield watch.key
        yield from watch.rule.others
