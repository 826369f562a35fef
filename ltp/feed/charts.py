"""DhanHQ's charts: daily candles, which the broker restates for every split and bonus, and one-minute bars.

The account may make five calls a second, counted apart from those for quotes. The client tries passing
failures again and raises the others. `batch.broker_candles` and `batch.minutes.broker_bars` decide which days
are fetched.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any, Final, NamedTuple, TypeVar

from ltp.core.bars.bar import BROKER, Bar
from ltp.core.bars.faults import fault as bar_fault
from ltp.core.history.candle import Candle, fault
from ltp.core.instrument import CONTRACT_SEGMENTS, Instrument, split_key
from ltp.core.money import Price, price_from_rupees
from ltp.core.trading_day import IST
from ltp.dhan.instrument_type import instrument_type
from ltp.errors import FeedAuthError, FeedError
from ltp.feed.credentials import Credentials
from ltp.feed.rest import RestClient

T = TypeVar("T")

PACE_S: Final = 0.21
NO_CANDLES: Final = 907  # the broker's code for "nothing in that time" as well as for wrong parameters
TRIES: Final = 5
_BACK_OFF_S: Final = 1.0
MINUTES_DAYS: Final = 90  # of one-minute bars that one call returns at most
_ARRAYS: Final = ("timestamp", "open", "high", "low", "close")
# Share of the price. Restated prices are rounded one by one: a close may lie a few paise above its high, and
# one further away is no candle.
_ROUNDED_BY: Final = 0.005


class _Row(NamedTuple):
    """One possible row of a chart. `at`: seconds since the epoch. `volume`, `oi`: 0 for an impossible one."""

    at: int
    open: Price
    high: Price
    low: Price
    close: Price
    volume: int
    oi: int


class Charts:
    """The client of the chart endpoints. Not for several threads.

    Args:
        pace_s: from one call to the next; longer where other work may call at the same time.
    """

    def __init__(
        self,
        base_url: str,
        credentials: Credentials,
        *,
        pace_s: float = PACE_S,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Any] = time.sleep,
    ) -> None:
        self._client = RestClient(base_url, credentials, pace_s=0.0, monotonic=monotonic, sleep=sleep)
        self._monotonic, self._sleep, self._pace_s = monotonic, sleep, pace_s
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
        found = self._fetch("/charts/historical", body, read_daily)
        return [each for each in found if first <= each.day <= last]

    def intraday(self, instrument: Instrument, first: date, last: date) -> list[Bar]:
        """Return the one-minute bars of the days from `first` to `last`, both included, oldest first.

        The last one may be of the minute that runs. More than 90 days take several calls.

        Raises:
            FeedAuthError, FeedError: as `daily`; nothing is returned of earlier calls.
        """
        bars: list[Bar] = []
        while first <= last:
            end = min(last, first + timedelta(days=MINUTES_DAYS - 1))
            body: dict[str, Any] = {
                "securityId": str(instrument.security_id),
                "exchangeSegment": instrument.segment,
                "instrument": instrument_type(instrument),
                "interval": "1",
                "oi": instrument.segment in CONTRACT_SEGMENTS,
                "fromDate": f"{first} 00:00:00",
                "toDate": f"{end} 23:59:59",
            }
            found = self._fetch("/charts/intraday", body, read_minutes)
            bars += [bar for bar in found if first <= datetime.fromtimestamp(bar.start, IST).date() <= end]
            first = end + timedelta(days=1)
        return bars

    def _fetch(self, path: str, body: dict[str, Any], read: Callable[[Any], list[T]]) -> list[T]:
        # A broker in trouble was seen to answer with nothing where there is something; a second call returned
        # it.
        return self._call(path, body, read) or self._call(path, body, read)

    def _call(self, path: str, body: dict[str, Any], read: Callable[[Any], list[T]]) -> list[T]:
        for tried in range(1, TRIES + 1):
            # Paced from start to start: the broker counts calls, and an answer takes a part of the pause.
            self._sleep(max(0.0, self._free_at - self._monotonic()))
            self._free_at = self._monotonic() + self._pace_s
            try:
                return read(self._client.post(path, body))
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
    candles: dict[date, Candle] = {}
    for row in _rows(body):
        day = datetime.fromtimestamp(row.at, IST).date()
        candle = Candle(day, row.open, row.high, row.low, row.close, row.volume)
        if not fault(candle):
            candles[day] = candle
    return [candles[day] for day in sorted(candles)]


def read_minutes(body: Any) -> list[Bar]:
    """Return the possible one-minute bars of an answer by time; of two of one minute the later.

    Raises:
        FeedError: the answer has another shape.
    """
    bars: dict[int, Bar] = {}
    for row in _rows(body):
        oi = row.oi or None  # the broker sends zeros where it has none
        bar = Bar(row.at, row.open, row.high, row.low, row.close, row.volume, oi, sources=BROKER)
        if not bar_fault(bar):
            bars[bar.start] = bar
    return [bars[start] for start in sorted(bars)]


def _rows(body: Any) -> list[_Row]:
    """Return the readable rows of a chart's arrays. Raises FeedError."""
    if not isinstance(body, dict):
        raise FeedError("The broker's chart is no JSON object")
    arrays = [body.get(name) for name in (*_ARRAYS, "volume")]
    if all(not array for array in arrays):
        return []
    if not all(isinstance(array, list) and len(array) == len(arrays[0] or ()) for array in arrays):
        raise FeedError("The broker's chart has arrays of different lengths")
    count, oi = len(arrays[0] or ()), body.get("open_interest")
    arrays.append(oi if isinstance(oi, list) and len(oi) == count else [0] * count)
    return [found for cells in zip(*arrays, strict=True) if (found := _row(cells)) is not None]


def _row(cells: tuple[Any, ...]) -> _Row | None:
    stamp, *numbers, volume, oi = cells
    if not all(
        isinstance(number, (int, float)) and not isinstance(number, bool) for number in (stamp, *numbers)
    ):
        return None
    prices = [price_from_rupees(number) for number in numbers]
    if any(price is None for price in prices) or not 0 < stamp < 2**33:
        return None
    opened, high, low, close = (price for price in prices if price is not None)
    high, low = _widened(high, max(high, opened, close)), _widened(low, min(low, opened, close))
    return _Row(int(stamp), opened, high, low, close, _units(volume), _units(oi))


def _units(number: Any) -> int:
    return int(number) if isinstance(number, (int, float)) and 0 <= number < 2**62 else 0


def _widened(bound: Price, furthest: Price) -> Price:
    return furthest if abs(furthest - bound) <= bound * _ROUNDED_BY else bound
