"""The sentence of a firing: which price met which rule, and how that was noticed."""

from __future__ import annotations

from datetime import datetime

from ltp.core.alerts.alert import BETWEEN_PACKETS, BROKER_CANDLE, GAP_AT_OPEN, WHILE_DISCONNECTED
from ltp.core.alerts.rule import Rule
from ltp.core.alerts.watch import Hit, Watch
from ltp.core.money import Price, decimal_text, is_currency
from ltp.core.trading_day import IST
from ltp.worker.alerts.remembered import instant


def detail(hit: Hit, watch: Watch) -> str:
    """Return it, such as "1650.05 meets ltp > 1650" or "while disconnected, between 10:41 and 10:43: 1652.00"."""
    price = _price(hit.ltp, hit.key)
    known = _numbers(watch)
    return f"{_beginning(hit, price, watch.rule)}{f' ({known})' if known else ''}"


def between(since: datetime, until: datetime) -> str:
    """Return "between 10:41 and 10:43", with the day where it is not the same."""
    first, last = since.astimezone(IST), until.astimezone(IST)
    day = "" if first.date() == last.date() else "%d %b "
    return f"between {first:{day}%H:%M} and {last:{day}%H:%M}"


def _beginning(hit: Hit, price: str, rule: Rule) -> str:
    if hit.how == GAP_AT_OPEN:
        return f"passed by a gap at the open: {price} meets {rule.text}"
    if hit.how == BETWEEN_PACKETS:
        return f"between two packets: the day's range came to {price}, which meets {rule.text}"
    if hit.how in {WHILE_DISCONNECTED, BROKER_CANDLE}:
        when = between(instant(hit.since), instant(hit.until))
        how = "while disconnected" if hit.how == WHILE_DISCONNECTED else "by the broker's bar"
        return f"{how}, {when}: {price} meets {rule.text}"
    return f"{price} meets {rule.text}"


def _numbers(watch: Watch) -> str:
    """Return the numbers that the rule's words stood for: "high52 is 1725.5"."""
    return ", ".join(
        f"{text} is {value:.2f}".removesuffix(".00")
        for text, value in watch.values.items()
        if value is not None
    )


def _price(price: Price, key: str) -> str:
    return decimal_text(price, currency=is_currency(key))
