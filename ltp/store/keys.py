"""Names and lifetimes of the product's Redis keys and of its channels. No other module spells one out."""

from __future__ import annotations

from typing import Final

CHANNEL: Final = "live_ltp_updates"
HEARTBEAT: Final = "market_stream:heartbeat"
STATUS: Final = "market_stream:status"
NOT_BEFORE: Final = "market_stream:not_before"
LEASE: Final = "market_stream:lease"
FENCE: Final = "market_stream:fence"  # counter behind the lease's fencing number
SOURCE: Final = "market_stream:source"  # source of the cached prices: `dhanhq` or `simulator`
DEMAND: Final = "demand:instruments"
DEMAND_REST: Final = "demand:rest"
DEMAND_PAGES: Final = "demand:pages"
DEMAND_PROGRAMS: Final = "demand:programs"
DEMAND_DEPTH: Final = "demand:depth"
BARS: Final = "live_bar_updates"  # channel of forming bars
ALERTS: Final = "live_alerts"  # channel of firings
DEMAND_BARS: Final = "demand:bars"
DEMAND_TABLE: Final = "demand:subscriptions"  # exists while somebody looks at the table of subscriptions
DEMAND_VIEWERS: Final = "demand:viewers"
TABLE: Final = "market_stream:subscriptions"

LTP_TTL_S: Final = 30
LTP_RENEW_S: Final = 10
TICK_TTL_S: Final = 10 * 86_400  # outlasts the longest run of holidays
HEARTBEAT_TTL_S: Final = 60
HEARTBEAT_EVERY_S: Final = 30
LEASE_TTL_S: Final = 10
DEPTH_TTL_S: Final = 30
DETAILS_TTL_S: Final = 900
BARS_TTL_S: Final = 15
TABLE_TTL_S: Final = 15
DEMAND_TABLE_TTL_S: Final = 15
VIEWERS_TTL_S: Final = 60


def ltp(key: str) -> str:
    return f"ltp:{key}"


def tick(key: str) -> str:
    return f"tick:{key}"


def depth(key: str) -> str:
    return f"depth:{key}"


def details(key: str) -> str:
    return f"details:{key}"


def bars(key: str) -> str:
    return f"bars:{key}"
