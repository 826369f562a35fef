"""The indicators of one timeframe, days or weeks, each computed on first use and cached."""

from __future__ import annotations

from functools import cached_property

from ltp.screen import indicators
from ltp.screen.history import Floats, History
from ltp.screen.indicators import Bands, Macd, Supertrend


class Timeframe:
    """`candles` and their indicators: arrays of one length, shared by strategies and therefore read-only."""

    def __init__(self, candles: History) -> None:
        self.candles = candles

    def __len__(self) -> int:
        return self.candles.close.size

    @cached_property
    def ema20(self) -> Floats:
        return indicators.ema(self.candles.close, 20)

    @cached_property
    def ema50(self) -> Floats:
        return indicators.ema(self.candles.close, 50)

    @cached_property
    def ema200(self) -> Floats:
        return indicators.ema(self.candles.close, 200)

    @cached_property
    def sma200(self) -> Floats:
        return indicators.sma(self.candles.close, 200)

    @cached_property
    def rsi(self) -> Floats:
        return indicators.rsi(self.candles.close)

    @cached_property
    def atr(self) -> Floats:
        return indicators.atr(self.candles.high, self.candles.low, self.candles.close)

    @cached_property
    def adx(self) -> Floats:
        return indicators.adx(self.candles.high, self.candles.low, self.candles.close)

    @cached_property
    def plus_di(self) -> Floats:
        return indicators.plus_di(self.candles.high, self.candles.low, self.candles.close)

    @cached_property
    def minus_di(self) -> Floats:
        return indicators.minus_di(self.candles.high, self.candles.low, self.candles.close)

    @cached_property
    def macd(self) -> Macd:
        return indicators.macd(self.candles.close)

    @cached_property
    def bands(self) -> Bands:
        return indicators.bollinger(self.candles.close)

    @cached_property
    def supertrend(self) -> Supertrend:
        return indicators.supertrend(self.candles.high, self.candles.low, self.candles.close)
