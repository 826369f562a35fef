"""An alert, what it watches and how it fired: the nouns that all layers share."""

from __future__ import annotations

from datetime import date, datetime
from typing import Final, NamedTuple

from ltp.core.money import Price

# How often an alert fires on one instrument. EACH: again after its cool-down, once the price has moved back
# over the hysteresis.
ONCE, DAILY, EACH = "once", "daily", "each"
REPEATS: Final = (ONCE, DAILY, EACH)

# ENDED: it fired for the last time or its last day is over. INVALID: this version does not accept its rule.
ON, MUTED, ENDED, INVALID = "on", "muted", "ended", "invalid"
STATES: Final = (ON, MUTED, ENDED, INVALID)

# What an alert watches. UNIVERSE: each member of a list or an index. SCREEN: each row of a screen's newest run.
# MARKET: no instrument, for rules on the feed and on a screen's changes.
KEY, UNIVERSE, SCREEN, MARKET = "key", "universe", "screen", "market"
TARGETS: Final = (KEY, UNIVERSE, SCREEN, MARKET)

# How a firing was noticed. TRADE: a packet's own price. BETWEEN_PACKETS: the day's high or low passed the level
# since the packet before. WHILE_DISCONNECTED: bars of minutes without a feed did. GAP_AT_OPEN: the first price
# of the session lay beyond the level. BROKER_CANDLE: the broker's bar of a minute did, where no packet can show
# it. EVENT: no price, such as a share that entered a screen.
TRADE, BETWEEN_PACKETS, WHILE_DISCONNECTED = "trade", "between_packets", "while_disconnected"
GAP_AT_OPEN, BROKER_CANDLE, EVENT = "gap_at_open", "broker_candle", "event"
HOWS: Final = (TRADE, BETWEEN_PACKETS, WHILE_DISCONNECTED, GAP_AT_OPEN, BROKER_CANDLE, EVENT)

# What became of a decision that is kept for the page that says why.
FIRED, OFF, IS_MUTED, OUT_OF_PHASE, COOLING, NO_DATA, NOT_MET = (
    "fired", "off", "muted", "phase", "cool-down", "no data", "not met",
)  # fmt: skip
OUTCOMES: Final = (FIRED, OFF, IS_MUTED, OUT_OF_PHASE, COOLING, NO_DATA, NOT_MET)

MAX_ALERTS: Final = 10_000
MAX_NOTE: Final = 500  # characters
MAX_COOL_DOWN_S: Final = 7 * 86_400
MAX_HYSTERESIS: Final = 10.0  # per cent


class Target(NamedTuple):
    """`kind`: one of TARGETS. `name`: a key, a universe or a screen's slug; "" for MARKET."""

    kind: str
    name: str


class Terms(NamedTuple):
    """What a person decides about an alert.

    `rule`: canonical text of `core.alerts.rule`. `cool_down_s`: least seconds between two firings on an
    instrument, of EACH. `hysteresis`: per cent of the level by which the price must move back before it fires
    again. `expires`: its last day. `phases`: of the market in which it may fire, empty for continuous trading.
    `channels`: ids; every open page shows each firing anyway.
    """

    target: Target
    rule: str
    repeat: str = ONCE
    cool_down_s: int = 0
    hysteresis: float = 0.0
    expires: date | None = None
    phases: tuple[str, ...] = ()
    note: str = ""
    channels: tuple[int, ...] = ()


class Alert(NamedTuple):
    """`version` rises with each change by a person: an older version never fires after a newer one is stored.
    `snoozed_until`: it does not fire before, None without. `reason`: why the worker ended it, or takes its rule
    for INVALID.
    """

    id: int
    version: int
    terms: Terms
    state: str
    snoozed_until: datetime | None
    created_at: datetime
    changed_at: datetime
    reason: str = ""


class Firing(NamedTuple):
    """One firing of an alert on an instrument; `key` is "" for MARKET.

    `at`: of the trade, or when it was noticed. `ltp`: the price that met the rule, None for EVENT. `since`,
    `until`: the minutes in which it happened, where no packet says when. `detail`: a sentence with the values.
    """

    id: int
    alert_id: int
    version: int
    key: str
    at: datetime
    ltp: Price | None
    how: str
    since: datetime | None = None
    until: datetime | None = None
    detail: str = ""
