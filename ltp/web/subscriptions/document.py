"""The table of subscriptions as values for programs."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any, Final

from ltp.core.clients import allotment
from ltp.core.subscriptions.pins import Pin
from ltp.core.subscriptions.table import Subscription, SubscriptionTable
from ltp.core.trading_day import IST
from ltp.web.subscriptions.lines import last_age_s
from ltp.web.subscriptions.query import Query
from ltp.web.subscriptions.select import Counts, NameOf, select

FIELDS: Final = (
    "key", "symbol", "name", "place", "state", "mode", "last_packet_at", "age_s", "packets_per_min", "viewers",
    "api_clients", "reasons",
)  # fmt: skip
_AT_ONCE: Final = 100


def values(table: SubscriptionTable, row: Subscription, name_of: NameOf, age_s: float) -> dict[str, Any]:
    """Return the values of a row by FIELDS, None for what is not known or not so. `age_s`: of the table."""
    symbol, name = name_of(row.key)
    last_s = last_age_s(table, row, age_s)
    reasons = [table.reasons[number] for number in row.reasons]
    return {
        "key": row.key,
        "symbol": symbol,
        "name": name,
        "place": row.place or None,
        "state": row.state,
        "mode": row.mode or None,
        "last_packet_at": instant(row.last_us) if row.last_us else None,
        "age_s": None if last_s is None else round(last_s, 1),
        "packets_per_min": row.per_min,
        "viewers": row.viewers,
        "api_clients": row.clients,
        "reasons": [reason._asdict() for reason in reasons],
    }


def paced(rows: Iterable[Subscription]) -> Iterator[Subscription]:
    """Yield rows, and let the streams of this process go on in between: a table has thousands."""
    for number, row in enumerate(rows):
        if number % _AT_ONCE == _AT_ONCE - 1:
            time.sleep(0)
        yield row


def of_table(table: SubscriptionTable, counted: Counts, asked: Query, name_of: NameOf, age_s: float) -> str:
    """Return the document of `/api/v1/subscriptions` as JSON."""
    chosen = select(table, asked, name_of)
    rows = ",".join(_json(values(table, row, name_of, age_s)) for row in paced(chosen.rows))
    head = {
        "at": instant(table.at_us),
        "price_source": table.source,
        "feed": table.feed,
        "capacity": {
            "used": counted.placed,
            "limit": table.limit,
            "waiting": table.waiting,
            "connections": 1,
            "account_connections": allotment.CONNECTIONS,
        },
        "rule": allotment.RULE,
        "states": counted.states,
        "reasons": counted.reasons,
        "query": dict(asked.pairs()),
        "matching": chosen.matching,
        "page": chosen.page,
        "pages": chosen.pages,
    }
    return f'{_json(head)[:-1]},"subscriptions":[{rows}]}}'


def _json(document: dict[str, Any]) -> str:
    return json.dumps(document, separators=(",", ":"))


def of_pin(pin: Pin) -> dict[str, Any]:
    pinned_at = pin.pinned_at.astimezone(IST).isoformat(timespec="seconds")
    return {"key": pin.key, "mode": pin.mode, "note": pin.note, "pinned_at": pinned_at}


def instant(at_us: int) -> str:
    try:
        return datetime.fromtimestamp(at_us / 1e6, IST).isoformat(timespec="milliseconds")
    except (ValueError, OverflowError, OSError):
        return ""  # Redis may hold any number
