"""What the book is given and what it returns."""

from __future__ import annotations

from typing import NamedTuple

from ltp.core.alerts.evaluate import Values
from ltp.core.alerts.level import Level
from ltp.core.alerts.rule import Rule
from ltp.core.money import Price


class Watch(NamedTuple):
    """An alert on one instrument.

    `values`: of the rule's terms and plans, by their texts. `hysteresis`: per cent. `phases`: of the market in
    which it is judged. `armed`: it may fire, since the rule was not met after it fired last. `last`, `last_at`:
    the price that was judged last, and when it was traded (microseconds since the epoch); None, 0: none yet,
    then the first packet is only compared with.
    """

    alert_id: int
    version: int
    key: str
    rule: Rule
    values: Values
    hysteresis: float = 0.0
    phases: tuple[str, ...] = ()
    armed: bool = True
    last: Price | None = None
    last_at: int = 0


class Hit(NamedTuple):
    """A rule that was not met before is met.

    `at`: microseconds since the epoch, of the trade if its time is known. `ltp`: the price that meets the rule.
    `how`: TRADE, BETWEEN_PACKETS, WHILE_DISCONNECTED or GAP_AT_OPEN. `level`: rupees, None for a rule without
    one. `since`, `until`: between which packets it happened, microseconds; 0 for a TRADE. `volume`: of the day.
    """

    alert_id: int
    version: int
    key: str
    at: int
    ltp: Price
    how: str
    level: float | None = None
    since: int = 0
    until: int = 0
    volume: int = 0


class Gap(NamedTuple):
    """A time in which no packet of an instrument came, though trades may have; microseconds since the epoch."""

    key: str
    since: int
    until: int


class Memory(NamedTuple):
    """What the book knows of a watch, for the next start of the worker."""

    alert_id: int
    version: int
    key: str
    armed: bool
    last: Price
    last_at: int


class Reading(NamedTuple):
    """What a rule saw last. `value`, `bound`: the two sides of a rule that is one comparison, in rupees, per cent
    or units; None for other rules or while they are not known. `met`: None for unknown. `missing`: the text of a
    term without a value, "" if there is none. `at`: microseconds, 0 before the first packet.
    """

    value: float | None
    bound: float | None
    met: bool | None
    missing: str
    at: int


class Blind(NamedTuple):
    """An armed watch whose level the day's range already holds, or whose packets have no day range: a touch
    between two packets does not show in them.
    """

    alert_id: int
    key: str
    level: Level
