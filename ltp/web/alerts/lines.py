"""Alerts and firings as pages show them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from markupsafe import Markup

from ltp.core.alerts.alert import EVENT, INVALID, KEY, MUTED, ON, TRADE, Alert, Target
from ltp.core.alerts.preview import Preview
from ltp.core.alerts.rule import parse_rule
from ltp.core.alerts.words import how_words, price_words, repeat_words, rule_words
from ltp.core.counted import counted
from ltp.core.money import SCALE, Price
from ltp.core.trading_day import IST
from ltp.db.alerts.history import Delivered, Fired
from ltp.errors import InputError
from ltp.web import times
from ltp.web.alerts import targets


class AlertLine(NamedTuple):
    """`title`, `url`: of what it watches. `words`: the rule. `state`: in words, `is_off`: it cannot fire now.
    `distance`: of the price from the level, "" without one.
    """

    alert: Alert
    title: str
    url: str
    words: str
    state: Markup
    is_off: bool
    repeat: str
    preview: Preview | None
    distance: str
    last: Fired | None


class FiringLine(NamedTuple):
    """`title`, `url`: of the instrument, of the alert's market without one. `how`: in words. `deliveries`: to
    outside channels, in words, each with whether it failed.
    """

    fired: Fired
    title: str
    url: str
    words: str
    price: str
    at: Markup
    how: str
    deliveries: tuple[tuple[str, bool], ...]


def alert_lines(
    alerts: Sequence[Alert], previews: Mapping[int, Preview], last: Mapping[int, Fired]
) -> list[AlertLine]:
    now = datetime.now(UTC)
    return [_alert_line(each, previews.get(each.id), last.get(each.id), now) for each in alerts]


def firing_lines(found: Sequence[Fired]) -> list[FiringLine]:
    return [_firing_line(each) for each in found]


def words_of(rule: str) -> str:
    """Return a stored rule in words; its text where this version does not accept it."""
    try:
        return rule_words(parse_rule(rule))
    except InputError:
        return rule


def price_of(price: Price | None) -> str:
    return "" if price is None else price_words(price / SCALE)


def second(at: datetime) -> Markup:
    """Return an instant to the second, which an alert is about."""
    local = at.astimezone(IST)
    return Markup('<time datetime="{}">{} {:%b %Y, %H:%M:%S} IST</time>').format(
        at.isoformat(timespec="milliseconds"), local.day, local
    )


def _alert_line(alert: Alert, preview: Preview | None, last: Fired | None, now: datetime) -> AlertLine:
    terms = alert.terms
    snoozed = alert.state == ON and alert.snoozed_until is not None and alert.snoozed_until > now
    expired = terms.expires is not None and terms.expires < now.astimezone(IST).date()
    return AlertLine(
        alert,
        targets.title_of(terms.target),
        targets.path_of(terms.target),
        words_of(terms.rule),
        _state(alert, snoozed=snoozed, expired=expired),
        alert.state != ON or snoozed or expired,
        repeat_words(terms),
        preview,
        _distance(preview),
        last,
    )


def _state(alert: Alert, *, snoozed: bool, expired: bool) -> Markup:
    if alert.state == ON and expired:
        return Markup("ended: its last day is over")
    if snoozed and alert.snoozed_until is not None:
        return Markup("snoozed until {}").format(times.ist(alert.snoozed_until))
    if alert.state == MUTED:
        return Markup("muted")
    if alert.state == INVALID:
        return Markup("invalid: {}").format(alert.reason or "this version does not accept its rule")
    if alert.reason:
        return Markup("{}: {}").format(alert.state, alert.reason)
    return Markup("{}").format(alert.state)


def _distance(preview: Preview | None) -> str:
    if preview is None:
        return ""
    if preview.met:
        return "met now"
    return "" if preview.distance is None else f"{preview.distance:+.2f}%"


def _firing_line(fired: Fired) -> FiringLine:
    firing = fired.firing
    known = targets.path_of(Target(KEY, firing.key)) if firing.key else ""
    price, how = price_of(firing.ltp), how_words(firing.how, firing.since, firing.until)
    if firing.how == TRADE and price:
        how = f"traded at {price}"
    elif firing.how == EVENT:
        how = "event"
    return FiringLine(
        fired,
        fired.symbol or firing.key or "the market",
        known,
        words_of(fired.rule),
        price,
        second(firing.at),
        how,
        tuple((_delivery(each), each.state in ("failed", "dropped")) for each in fired.deliveries),
    )


def _delivery(each: Delivered) -> str:
    """Return what became of a delivery, such as "phone: failed after 3 attempts, HTTP 500"."""
    after = f" after {counted(each.attempts, 'attempt')}" if each.attempts > 1 else ""
    status = f", status {each.status}" if each.status else ""
    outcome = f", {each.outcome}" if each.outcome else ""
    digest = ", in a message with others" if each.digest else ""
    return f"{each.channel}: {each.state}{after}{status}{outcome}{digest}"
