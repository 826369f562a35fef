"""A rule against the price of this moment, in a sentence: how far it is, whether it is met, what no packet can show."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

from ltp.core.alerts import policy
from ltp.core.alerts.evaluate import Value, Values, live_value, truth
from ltp.core.alerts.level import Level, level_rule
from ltp.core.alerts.rule import Rule
from ltp.core.alerts.words import price_words
from ltp.core.criteria.nodes import Node, PlanLevel, node_text
from ltp.core.money import SCALE, Price
from ltp.core.ticks.tick import Tick

_INDEX: Final = (
    "The packets of an index have no day's high and low, so a touch between two of them does not show: "
    "the broker's bar of the minute is asked after each minute."
)
_TICKER: Final = (
    "The feed brings no day's high and low of it, as in ticker mode, so a touch between two packets does not "
    "show: the broker's bar of the minute is asked after each minute."
)
_RANGE: Final = (
    "The day's range, {low} to {high}, holds this level already, so a touch between two packets would not show "
    "in them: the broker's bar of the minute is asked after each minute."
)
# A rule that is met at first does not fire: that would tell what its author sees on the form.
_MET: Final = "it is met already, and fires once the price has gone back and meets it again"


class Preview(NamedTuple):
    """`met`: None for unknown. `distance`: per cent from the last price to the level, 0 where it is met, None
    without a level or a price. `blind`: a sentence where a touch between two packets does not show, else "".
    """

    sentence: str
    met: bool | None = None
    distance: float | None = None
    blind: str = ""


def preview(rule: Rule, key: str, values: Values, tick_of: Callable[[str], Tick | None]) -> Preview:
    """Return what a rule says of an instrument now.

    Args:
        values: of the rule's terms and plans, as far as they are known.
        tick_of: returns the newest tick of a key, None where none is known.
    """
    tick = tick_of(key)
    if rule.tree is None:
        return Preview("It fires on an event, not at a price.")
    if tick is None or tick.ltp is None:
        return Preview("There is no price yet to compare with.", blind=_blind(key, tick, None))
    level = policy.level(rule, values, tick.prev_close)
    if level is not None:
        return _of_level(level, _typed(rule.tree, level), key, tick)
    unknown = [
        text
        for text in (*rule.terms, *(node_text(PlanLevel(*plan)) for plan in rule.plans))
        if values.get(text) is None
    ]
    if unknown:
        return Preview(
            f"{unknown[0]} is not known yet: it is computed within minutes after the alert is saved."
        )
    met = truth(rule.tree, values, _reader(key, tick_of))()
    if met is None:
        return Preview("A price or a volume that it needs is not known at this moment.")
    return Preview("By the present values " + (_MET if met else "it is not met") + ".", met)


def _typed(tree: Node, level: Level) -> Price:
    """Return the level as people write it: `ltp > 1650` is met from 1650.0001 on."""
    rule = level_rule(tree)
    if rule is None or len(rule.sign) == 2:
        return level.bound
    return level.bound - 1 if level.up else level.bound + 1


def _of_level(level: Level, typed: Price, key: str, tick: Tick) -> Preview:
    assert tick.ltp is not None  # noqa: S101 (the caller looked)
    last, bound = price_words(tick.ltp / SCALE), price_words(typed / SCALE)
    blind = _blind(key, tick, level)
    if level.is_met(tick.ltp):
        return Preview(f"The last price is {last}: {_MET}.", True, 0.0, blind)
    away = (level.bound - tick.ltp) / tick.ltp * 100
    side = "above" if away > 0 else "below"
    return Preview(f"{bound} is {_per_cent(away)} {side} the last price, {last}.", False, away, blind)


def _blind(key: str, tick: Tick | None, level: Level | None) -> str:
    if key.startswith("IDX_I:"):
        return _INDEX
    if tick is None or level is None:
        return ""
    if tick.high is None or tick.low is None:
        return _TICKER
    if tick.low <= level.bound <= tick.high:
        return _RANGE.format(low=price_words(tick.low / SCALE), high=price_words(tick.high / SCALE))
    return ""


def _per_cent(value: float) -> str:
    size = abs(value)
    return "less than 0.01%" if size < 0.01 else f"{size:.2f}".rstrip("0").rstrip(".") + "%"


def _reader(own: str, tick_of: Callable[[str], Tick | None]) -> Callable[[str, str], Value]:
    def reader(key: str, name: str) -> Value:
        return lambda: _live(tick_of(key or own), name)

    return reader


def _live(tick: Tick | None, name: str) -> float | None:
    return None if tick is None else live_value(name, tick.ltp, tick.day, tick.prev_close, tick.volume)
