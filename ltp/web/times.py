"""Instants and days as pages show them: Indian words, and the machine's form beside them."""

from __future__ import annotations

import time
from datetime import UTC, date, datetime

from markupsafe import Markup

from ltp.core.trading_day import IST


def ist(at: datetime) -> Markup:
    """Return an aware instant as people in India read it, with the machine's form beside it."""
    local = at.astimezone(IST)
    return Markup('<time datetime="{}">{} {:%b %Y, %H:%M} IST</time>').format(
        at.isoformat(timespec="seconds"), local.day, local
    )


def day(of: date) -> Markup:
    return Markup('<time datetime="{}">{} {:%b %Y}</time>').format(of.isoformat(), of.day, of)


def clock(*, dated: bool = False) -> Markup:
    now = datetime.fromtimestamp(time.time(), UTC)
    local = now.astimezone(IST)
    text = f"{f'{local.day} {local:%b %Y}, ' if dated else ''}{local:%H:%M:%S} IST"
    return Markup('<time datetime="{}">{}</time>').format(now.isoformat(timespec="seconds"), text)
