"""The grammar of rules: that of criteria, with values of the newest packet, plan levels and other instruments.

ltp > 1650    crosses_above(ltp, ema50)    change_pct < -3    day_volume > 3 * sma(volume, 20)
ltp < plan(swing, stop)    ltp / of("NSE_EQ:2885", ltp) > 1.2
enters(swing)    leaves("my-screen")    feed_trouble()
"""

from __future__ import annotations

import difflib
import re
from typing import Final, NamedTuple

from ltp.core.criteria.nodes import Live, Node, NodeKind, Of, PlanLevel, quoted
from ltp.core.criteria.parser import Parser
from ltp.core.criteria.tokens import Token
from ltp.core.criteria.vocabulary import FUNCTIONS, Function
from ltp.core.instrument import parse_key
from ltp.errors import InputError

LIVE: Final = {
    "ltp": "Last traded price",
    "change_pct": "Last price against the previous close, in per cent",
    "day_open": "First price of the day",
    "day_high": "Highest price of the day so far",
    "day_low": "Lowest price of the day so far",
    "day_volume": "Shares or contracts traded in the day so far",
}
LEVELS: Final = ("entry", "stop", "target")
ENTERS, LEAVES, FEED_TROUBLE = "enters", "leaves", "feed_trouble"
EVENTS: Final = {
    ENTERS: "enters(swing): a share is in the newest run of a screen, and was not in the run before",
    LEAVES: "leaves(swing): a share was in the run before of a screen, and is not in the newest",
    FEED_TROUBLE: "feed_trouble(): the feed is down or silent while the market trades",
}
CROSSES: Final = ("crosses_above", "crosses_below")
_SLUG = re.compile(r"[a-z0-9][a-z0-9-]{0,63}", re.ASCII)
_NUMBERS: Final = frozenset({NodeKind.SERIES, NodeKind.NEWEST})


class Event(NamedTuple):
    """`name`: one of EVENTS. `screen`: the slug of a screen, "" for FEED_TROUBLE."""

    name: str
    screen: str = ""

    @property
    def text(self) -> str:
        screen = self.screen if self.screen.isidentifier() or not self.screen else quoted(self.screen)
        return f"{self.name}({screen})"


class RuleParser(Parser):
    """Parses one rule."""

    quotes = True

    def rule(self) -> Event | Node:
        """Return the event or the tree of the rule. Raises CriterionError."""
        if self._current.text in EVENTS and self._current.kind == "name":
            return self._event()
        return self.criterion()

    def _event(self) -> Event:
        name = self._take().text
        self._expect("(", f"an opening parenthesis is expected, as in {EVENTS[name].partition(':')[0]}")
        screen = "" if name == FEED_TROUBLE else self._slug()
        self._expect(")", f"a closing parenthesis is expected, as in {EVENTS[name].partition(':')[0]}")
        if self._current.kind != "end":
            raise self._error(self._current, f"{name}() is a rule of its own: nothing follows it")
        return Event(name, screen)

    def _slug(self) -> str:
        token = self._take()
        if token.kind not in {"name", "quoted"} or not _SLUG.fullmatch(token.text):
            raise self._error(
                token, 'the short name of a screen is expected, such as swing or "my-screen" in quotes'
            )
        return token.text

    def _name(self, token: Token) -> Node:
        if token.text not in LIVE:
            return super()._name(token)
        if self._in_weeks:
            raise self._error(token, f"weekly() takes prices of sessions; {token.text} is live")
        return Live(token.text)

    def _call(self, token: Token) -> Node:
        if token.text == "plan":
            return self._plan_level()
        if token.text == "of":
            return self._of()
        if token.text in EVENTS:
            raise self._error(token, f"{token.text}() is a rule of its own and no part of one")
        if token.text not in FUNCTIONS:
            raise self._error(
                token, f"there is no such function, there are {', '.join((*FUNCTIONS, 'plan', 'of'))}"
            )
        start = self._current
        node = super()._call(token)
        if token.text in CROSSES and not is_live(node) and _takes_newest(node):
            raise self._error(start, f"{token.text} compares series of sessions, or a live value such as ltp")
        return node

    def _argument(self, function: Function) -> Node:
        if function.name not in CROSSES:
            return super()._argument(function)
        return self._typed(
            self._sum, _NUMBERS, f"{function.name} takes two numbers, as in crosses_above(ltp, 1650)"
        )

    def _plan_level(self) -> Node:
        self._take()
        screen = self._slug()
        self._expect(",", "a comma is expected here, as in plan(swing, stop)")
        level = self._take()
        if level.text not in LEVELS:
            raise self._error(level, f"a plan has the levels {', '.join(LEVELS)}")
        self._expect(")", "plan ends here with a closing parenthesis, as in plan(swing, stop)")
        return PlanLevel(screen, level.text)

    def _of(self) -> Node:
        example = 'as in of("NSE_EQ:2885", ltp)'
        self._take()
        key = self._take()
        if key.kind != "quoted" or not _is_key(key.text):
            raise self._error(key, f"the key of an instrument in quotes is expected, {example}")
        self._expect(",", f"a comma is expected here, {example}")
        name = self._take()
        if name.text not in LIVE:
            near = difflib.get_close_matches(name.text, LIVE, n=1)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise self._error(name, f"of() takes one of {', '.join(LIVE)}{hint}")
        self._expect(")", f"of ends here with a closing parenthesis, {example}")
        return Of(key.text, Live(name.text))


def is_live(node: Node) -> bool:
    """Return whether any part of a tree changes with packets."""
    return isinstance(node, Live | Of) or any(is_live(part) for part in parts(node))


def parts(node: Node) -> tuple[Node, ...]:
    """Return the nodes right below a node."""
    found: list[Node] = []
    for name in ("left", "right", "operand"):
        part = getattr(node, name, None)
        if part is not None:
            found.append(part)
    return (*found, *getattr(node, "arguments", ()), *getattr(node, "parts", ()))


def _is_key(text: str) -> bool:
    try:
        parse_key(text)
    except InputError:
        return False
    return True


def _takes_newest(node: Node) -> bool:
    return any(part.kind is NodeKind.NEWEST for part in parts(node))
