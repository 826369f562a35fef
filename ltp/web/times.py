"""Instants and days as pages show them: a text in Indian time in a `<time>` element with the ISO form."""

from __future__ import annotations

import time
from datetime import UTC, date, datetime

from markupsafe import Markup

from ltp.core.trading_day import IST


def ist(at: datetime) -> Markup:
    local = at.astimezone(IST)
    return Markup('<time datetime="{}">{} {:%b %Y, %H:%M} IST</time>').format(
        at.isoformat(timespec="seconds"), local.day, local
    )


def day(date_: date) -> Markup:
    return Markup('<time datetime="{}">{} {:%b %Y}</time>').format(date_.isoformat(), date_.day, date_)


def clock(*, dated: bool = False) -> Markup:
    """Return the present time of day, with the date if `dated`."""
    now = datetime.fromtimestamp(time.time(), UTC)
    local = now.astimezone(IST)
    text = f"{f'{local.day} {local:%b %Y}, ' if dated else ''}{local:%H:%M:%S} IST"
    return Markup('<time datetime="{}">{}</time>').format(now.isoformat(timespec="seconds"), text)
