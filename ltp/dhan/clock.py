"""DhanHQ's two clocks: that of the feed and that of REST quotes.

The feed counts Indian wall-clock seconds as if they were UTC; REST quotes hold Indian time as text. Chart
timestamps of REST are true UTC and need no conversion. One converter for all of them would shift one side by
5 h 30 min.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from ltp.core.trading_day import IST, IST_OFFSET_S

# An instrument without a trade carries 0 or 1980-01-01; no trade of this exchange is older than the century.
_FIRST_LTT: Final = 946_684_800
_TRADE_TIME: Final = "%d/%m/%Y %H:%M:%S"


def ltt_to_utc(ltt: int) -> int | None:
    """Convert the feed's LTT to whole seconds since the epoch; None when it stands for no trade."""
    return ltt - IST_OFFSET_S if ltt >= _FIRST_LTT else None


def utc_to_ltt(epoch_s: int) -> int:
    return epoch_s + IST_OFFSET_S


def trade_time_to_utc(text: object) -> int | None:
    """Convert `last_trade_time` of a REST quote, "23/11/2026 10:00:00" in India, to seconds since the epoch.

    None without a trade and for an unreadable text.
    """
    if not isinstance(text, str):
        return None
    try:
        local = datetime.strptime(text, _TRADE_TIME).replace(tzinfo=UTC)
    except ValueError:
        return None
    return ltt_to_utc(int(local.timestamp()))


def utc_to_trade_time(epoch_s: int) -> str:
    return datetime.fromtimestamp(epoch_s, IST).strftime(_TRADE_TIME)
