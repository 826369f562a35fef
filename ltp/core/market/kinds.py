"""The kind of session that bars belong to: an auction, the continuous session, or the trade after the close."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from ltp.core.market.holidays import CLOSED, PHASES
from ltp.core.market.session import Calendar, TradingWindow
from ltp.core.trading_day import date_of

CONTINUOUS: Final = "continuous"
ALL: Final = PHASES
# What a chart shows unless asked otherwise. The price at which a share with derivatives closes is made by the
# closing auction, and other shares trade on in its hours; pre-open and post-close have one price each.
USUAL: Final = (CONTINUOUS, "closing_auction")


def kinds(calendar: Calendar, segment: str, starts: Iterable[int]) -> list[str]:
    """Return the phase in which each bar starts, as of `Calendar.phase`.

    Args:
        starts: of bars, seconds since the epoch. Fastest in order.
    """
    found: list[str] = []
    window = TradingWindow(0, 0, CLOSED)
    for start in starts:
        if not window.start <= start < window.end:
            window = _window_at(calendar, segment, start)
        found.append(window.phase)
    return found


def _window_at(calendar: Calendar, segment: str, at: int) -> TradingWindow:
    for window in calendar.windows(segment, date_of(at)):
        if window.start <= at < window.end:
            return window
    return TradingWindow(at, at + 1, CLOSED)
