"""DhanHQ's daily charts: a share's candles as the broker restates them for every split and bonus since.

The account may make five calls a second, counted apart from those for quotes. The client tries passing
failures again and raises the others. `batch.broker_candles` decides which days are fetched.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any, Final

from ltp.core.history.candle import Candle, fault
from ltp.core.instrument import split_key
from ltp.core.money import Price, price_from_rupees
from ltp.core.trading_day import IST
from ltp.errors import FeedAuthError, FeedError
from ltp.feed.credentials import Credentials
from ltp.feed.rest import RestClient

PACE_S: Final = 0.21
NO_CANDLES: Final = 907  # the broker's code for "nothing in that time" as well as for wrong parameters
TRIES: Final = 5
_BACK_OFF_S: Final = 1.0
_ARRAYS: Final = ("timestamp", "open", "high", "low", "close")
# Share of the price. Restated prices are rounded one by one: a close may lie a few paise above its high, and
# one further away is no candle.
_ROUNDED_BY: Final = 0.005


class Charts:
    """The client of the chart endpoint. Not for several threads."""

    def __init__(
        self,
        base_url: str,
        credentials: Credentials,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Any] = time.sleep,
    ) -> None:
        self._client = RestClient(base_url, credentials, pace_s=0.0, monotonic=monotonic, sleep=sleep)
        self._monotonic, self._sleep = monotonic, sleep
        self._free_at = float("-inf")

    def daily(self, key: str, instrument_type: str, first: date, last: date) -> list[Candle]:
        """Return the candles from `first` to `last`, both included, oldest first.

        Args:
            instrument_type: EQUITY or INDEX.
        Raises:
            FeedAuthError: the credentials are refused.
            FeedError: it failed five times, or cannot succeed.
        """
        segment, security_id = split_key(key)
        body = {
            "securityId": str(security_id),
            "exchangeSegment": segment,
            "instrument": instrument_type,
            "fromDate": first.isoformat(),
            "toDate": (last + timedelta(days=1)).isoformat(),  # the broker leaves this day out
        }
        candles = self._fetch(body)
        # A broker in trouble was seen to answer with no candles where there are some; a second call returned
        # them.
        return [each for each in candles or self._fetch(body) if first <= each.day <= last]

    def _fetch(self, body: dict[str, str]) -> list[Candle]:
        for tried in range(1, TRIES + 1):
            # Paced from start to start: the broker counts calls, and an answer takes a part of the pause.
            self._sleep(max(0.0, self._free_at - self._monotonic()))
            self._free_at = self._monotonic() + PACE_S
            try:
                return read_daily(self._client.post("/charts/historical", body))
            except FeedError as error:
                if error.code == NO_CANDLES:
                    return []
                if error.permanent or isinstance(error, FeedAuthError) or tried == TRIES:
                    raise
                self._sleep(max(self._client.paused_s, error.retry_after_s, _BACK_OFF_S * 2 ** (tried - 1)))
        raise AssertionError("the last try returns or raises")


def read_daily(body: Any) -> list[Candle]:
    """Return the possible candles of an answer in the order of days; of two of one day the later.

    Raises:
        FeedError: the answer has another shape.
    """
    if not isinstance(body, dict):
        raise FeedError("The broker's chart is no JSON object")
    arrays = [body.get(name) for name in (*_ARRAYS, "volume")]
    if all(not array for array in arrays):
        return []
    if not all(isinstance(array, list) and len(array) == len(arrays[0] or ()) for array in arrays):
        raise FeedError("The broker's chart has arrays of different lengths")
    candles = {found.day: found for row in zip(*arrays, strict=True) if (found := _candle(row)) is not None}
    return [candles[day] for day in sorted(candles)]


def _candle(row: tuple[Any, ...]) -> Candle | None:
    stamp, *numbers, volume = row
    if not all(
        isinstance(number, (int, float)) and not isinstance(number, bool) for number in (stamp, *numbers)
    ):
        return None
    prices = [price_from_rupees(number) for number in numbers]
    if any(price is None for price in prices) or not 0 < stamp < 2**33:
        return None
    opened, high, low, close = (price for price in prices if price is not None)
    shares = int(volume) if isinstance(volume, (int, float)) and 0 <= volume < 2**62 else 0
    high, low = _widened(high, max(high, opened, close)), _widened(low, min(low, opened, close))
    found = Candle(datetime.fromtimestamp(stamp, IST).date(), opened, high, low, close, shares)
    return None if fault(found) else found


def _widened(bound: Price, furthest: Price) -> Price:
    return furthest if abs(furthest - bound) <= bound * _ROUNDED_BY else bound
