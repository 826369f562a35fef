"""Rules and firings in plain words, for pages and messages."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from ltp.core.alerts.alert import (
    BETWEEN_PACKETS,
    BROKER_CANDLE,
    DAILY,
    EACH,
    EVENT,
    GAP_AT_OPEN,
    ONCE,
    TRADE,
    WHILE_DISCONNECTED,
    Terms,
)
from ltp.core.alerts.grammar import CROSSES, ENTERS, FEED_TROUBLE, LIVE
from ltp.core.alerts.rule import Rule
from ltp.core.criteria.nodes import (
    Call,
    Comparison,
    Live,
    Logic,
    Negative,
    Node,
    Number,
    PlanLevel,
    node_text,
)
from ltp.core.money import SCALE, grouped_text
from ltp.core.trading_day import IST

_LIVE: Final = {
    "ltp": "price",
    "change_pct": "change",
    "day_open": "the day's open",
    "day_high": "the day's high",
    "day_low": "the day's low",
    "day_volume": "the day's volume",
}
_SIGNS: Final = {
    ">": "above", ">=": "at least", "<": "below", "<=": "at most", "==": "equal to", "!=": "not",
}  # fmt: skip
_PRICES: Final = frozenset(LIVE) - {"change_pct", "day_volume"}
_NAMES: Final = {"high52": "the 52-week high", "low52": "the 52-week low"}
_HOWS: Final = {
    TRADE: "traded at",
    BETWEEN_PACKETS: "between two packets",
    WHILE_DISCONNECTED: "while disconnected",
    GAP_AT_OPEN: "gap at the open",
    BROKER_CANDLE: "by the broker's candle",
    EVENT: "noticed at",
}
_SPANNED: Final = frozenset({WHILE_DISCONNECTED, BETWEEN_PACKETS, BROKER_CANDLE})


def rule_words(rule: Rule) -> str:
    """Return a rule in words, such as "price above ₹1,650"; its text where it is no simple comparison."""
    if rule.event is not None:
        if rule.event.name == FEED_TROUBLE:
            return "trouble of the feed"
        return f"{'enters' if rule.event.name == ENTERS else 'leaves'} the screen {rule.event.screen}"
    return (_comparison(rule.tree) if rule.tree else "") or rule.text


def repeat_words(terms: Terms) -> str:
    """Return how often an alert fires, such as "each time, at most every 15 min"."""
    if terms.repeat == EACH:
        pauses = [f"at most every {_minutes(terms.cool_down_s)}"] if terms.cool_down_s else []
        pauses += [f"after a move back of {terms.hysteresis:g}%"] if terms.hysteresis else []
        return ", ".join(["each time", *pauses])
    return {ONCE: "once", DAILY: "once a day"}.get(terms.repeat, terms.repeat)


def how_words(how: str, since: datetime | None, until: datetime | None) -> str:
    """Return how a firing was noticed, such as "while disconnected, between 10:41 and 10:43"."""
    words = _HOWS.get(how, how)
    if how not in _SPANNED or since is None or until is None:
        return words
    seconds = since.replace(second=0, microsecond=0) == until.replace(second=0, microsecond=0)
    form = "%H:%M:%S" if seconds else "%H:%M"
    begin, end = since.astimezone(IST).strftime(form), until.astimezone(IST).strftime(form)
    if begin == end:
        return f"{words}, at {begin}"
    return f"{words}, between {begin} and {end}"


def price_words(rupees: float) -> str:
    """Return an amount such as ₹1,650 or ₹1,650.50."""
    text = grouped_text(round(rupees * SCALE), currency=round(rupees * 100, 6) % 1 != 0)
    whole, _, fraction = text.partition(".")
    return f"₹{whole}" if not fraction.strip("0") else f"₹{text}"


def _minutes(seconds: int) -> str:
    if seconds % 3600 == 0:
        return f"{seconds // 3600} h"
    return f"{seconds / 60:g} min"


def _comparison(tree: Node) -> str:
    """Return the words of a comparison of a live value with something, "" for any other tree."""
    match tree:
        case Comparison(sign, Live(name), right) if sign in _SIGNS:
            return f"{_LIVE[name]} {_SIGNS[sign]} {_bound(name, right)}"
        case Call(function, (Live(name), right)) if function in CROSSES:
            return f"{_LIVE[name]} crosses {function.removeprefix('crosses_')} {_bound(name, right)}"
        case Logic(
            "or", (Call("crosses_above", (Live(name), up)), Call("crosses_below", (Live(other), down)))
        ):
            return f"{_LIVE[name]} crosses {_bound(name, up)}" if (name, up) == (other, down) else ""
        case _:
            return ""


def _bound(name: str, node: Node) -> str:
    number = _number(node)
    if number is not None:
        if name == "change_pct":
            return f"{number:+g}%"
        return price_words(number) if name in _PRICES else f"{number:,.0f}"
    if isinstance(node, PlanLevel):
        return f"the {node.level} of its plan in {node.screen}"
    text = node_text(node)
    return _NAMES.get(text, text)


def _number(node: Node) -> float | None:
    match node:
        case Number(value):
            return value
        case Negative(Number(value)):
            return -value
        case _:
            return None
