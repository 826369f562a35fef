"""The kind of session that bars belong to: an auction, the continuous session, or the trade after the close."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from typing import Final

from ltp.core.market.holidays import CLOSED, PHASES
from ltp.core.market.session import Calendar, TradingWindow
from ltp.core.trading_day import date_of

CONTINUOUS: Final = "continuous"
ALL: Final = PHASES
# What a chart shows unless asked otherwise. The price at which a share with derivatives closes is made by the
# closing auction, and other shares trade on in its hours; pre-open and post-close have one price each.
USUAL: Final = (CONTINUOUS, "closing_auction")


def kinds(calendar: Calendar, segment: str, starts: Sequence[int]) -> list[str]:
    """Return the phase in which each bar starts, as of `Calendar.phase`.

    Args:
        starts: of bars, seconds since the epoch, in order.
    """
    found: list[str] = []
    while len(found) < len(starts):
        window = _window_at(calendar, segment, starts[len(found)])
        found += [window.phase] * (bisect_left(starts, window.end, len(found)) - len(found))
    return found


def _window_at(calendar: Calendar, segment: str, at: int) -> TradingWindow:
    for window in calendar.windows(segment, date_of(at)):
        if window.start <= at < window.end:
            return window
    return TradingWindow(at, at + 1, CLOSED)
