"""Firings of alerts on a channel of their own, one message each. SQL has them all; a missed message costs a toast."""

from __future__ import annotations

from datetime import datetime
from typing import Final, Literal

import msgspec
import redis

from ltp import metrics
from ltp.core.alerts.alert import HOWS
from ltp.core.alerts.notice import Notice
from ltp.core.instrument import parse_key
from ltp.core.money import MAX_PRICE, SCALE, rupees
from ltp.core.trading_day import IST
from ltp.errors import InputError
from ltp.store.client import translated
from ltp.store.keys import ALERTS

MAX_MESSAGE: Final = 16_384  # bytes; a rule and a note have some thousand characters
_VERSION: Final = 1


class _Message(msgspec.Struct):
    v: Literal[1]
    id: int
    alert: int
    key: str
    symbol: str
    rule: str
    note: str
    at: datetime
    ltp: float | None
    how: str
    detail: str


_decoder = msgspec.json.Decoder(_Message)


def publish(client: redis.Redis, notice: Notice) -> None:
    """Announce a firing.

    Raises:
        StoreError: Redis cannot be written.
    """
    with translated("announcing a firing"):
        client.publish(ALERTS, text_of(notice))


def text_of(notice: Notice) -> bytes:
    """Return the message of a firing as JSON."""
    price = None if notice.ltp is None else rupees(notice.ltp)
    at = notice.at.astimezone(IST)
    return msgspec.json.encode(_Message(v=_VERSION, **notice._asdict() | {"ltp": price, "at": at}))


def firing_of(body: bytes | memoryview) -> Notice | None:
    """Return the firing of a message. Any program may publish: one that is none is counted, and None."""
    try:
        message = _decoder.decode(body)
        if message.key:
            parse_key(message.key)
    except (msgspec.MsgspecError, InputError):
        metrics.count("store_skipped_messages")
        return None
    price = None if message.ltp is None else round(message.ltp * SCALE)
    sound = message.how in HOWS and message.at.tzinfo is not None and message.id > 0
    if not sound or len(body) > MAX_MESSAGE or not (price is None or 0 < price <= MAX_PRICE):
        metrics.count("store_skipped_messages")
        return None
    fields = {name: getattr(message, name) for name in Notice._fields}
    return Notice(**fields | {"ltp": price})
