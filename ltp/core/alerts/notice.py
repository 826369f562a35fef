"""A firing as the worker announces it to every web process: all that a page shows of it."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from ltp.core.money import Price


class Notice(NamedTuple):
    """`id`: of the firing. `key`, `symbol`: "" for an alert on no instrument. `rule`, `note`: as they were when it
    fired. `at`: aware. `ltp`: None without a price. `how`: one of `core.alerts.alert.HOWS`.
    """

    id: int
    alert: int
    key: str
    symbol: str
    rule: str
    note: str
    at: datetime
    ltp: Price | None
    how: str
    detail: str = ""
