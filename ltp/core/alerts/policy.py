"""Whether a hit becomes a firing, by what the alert's owner has decided."""

from __future__ import annotations

from datetime import datetime, timedelta

from ltp.core.alerts.alert import (
    COOLING,
    DAILY,
    FIRED,
    IS_MUTED,
    MUTED,
    OFF,
    ON,
    ONCE,
    OUT_OF_PHASE,
    Alert,
)
from ltp.core.alerts.evaluate import Values
from ltp.core.alerts.level import Level, level_of, level_rule
from ltp.core.alerts.rule import Rule
from ltp.core.alerts.watch import Hit
from ltp.core.market.kinds import USUAL
from ltp.core.money import Price
from ltp.core.trading_day import IST, session_of


def judge(alert: Alert, fired_at: datetime | None, hit_at: datetime, phase: str | None, now: datetime) -> str:
    """Return FIRED, or the reason why an alert does not fire.

    Args:
        fired_at: its last firing on this instrument, by any version for DAILY and EACH, by this one for ONCE;
            None before the first.
        hit_at: when its rule was met.
        phase: of the market then; None where it does not matter, as for the feed's trouble.
    """
    if alert.state != ON:
        return IS_MUTED if alert.state == MUTED else OFF
    terms = alert.terms
    if terms.expires is not None and now.astimezone(IST).date() > terms.expires:
        return OFF
    if alert.snoozed_until is not None and now < alert.snoozed_until:
        return IS_MUTED
    if phase is not None and phase not in (terms.phases or USUAL):
        return OUT_OF_PHASE
    if fired_at is None:
        return FIRED
    return COOLING if _is_too_soon(alert, fired_at, hit_at) else FIRED


def _is_too_soon(alert: Alert, fired_at: datetime, hit_at: datetime) -> bool:
    if alert.terms.repeat == ONCE:
        return True
    if alert.terms.repeat == DAILY:
        return fired_at.astimezone(IST).date() >= hit_at.astimezone(IST).date()
    return hit_at - fired_at < timedelta(seconds=alert.terms.cool_down_s)


def ends(alert: Alert) -> bool:
    """Return whether an alert on one instrument is over with its firing."""
    return alert.terms.repeat == ONCE and alert.terms.target.kind == "key"


def token(alert: Alert, hit: Hit) -> str:
    """Return the name of the occasion: two workers that see the same hit give it the same name.

    An edited alert may fire again on the same occasion.
    """
    place = f"{alert.version} {hit.key}"
    if alert.terms.repeat == ONCE:
        return place
    if alert.terms.repeat == DAILY:
        return f"{place} {session_of(hit.at / 1e6)}"
    return f"{place} {hit.at // 1_000_000} {hit.volume or hit.ltp}"


def level(rule: Rule, values: Values, prev_close: Price | None) -> Level | None:
    """Return the level of a rule that is one, None for any other and where a value is not known."""
    of = None if rule.tree is None else level_rule(rule.tree)
    return None if of is None else level_of(of, values, prev_close)


def distance(rule: Rule, values: Values, ltp: Price | None, prev_close: Price | None) -> float | None:
    """Return by how many per cent the price must rise (fall: negative) to the level of a rule.

    0 where it is met already; None for a rule without a level, and without a price.
    """
    found = level(rule, values, prev_close)
    if found is None or not ltp:
        return None
    return 0.0 if found.is_met(ltp) else (found.bound - ltp) / ltp * 100
