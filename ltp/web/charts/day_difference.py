"""A session's official candle beside its one-minute bars: a day is never made of minutes, and the two may differ."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from ltp.core.bars.bar import Bar
from ltp.core.history.candle import Candle
from ltp.core.money import Price, group_indian, grouped_text
from ltp.db import daily_history
from ltp.db.daily_history import Wanted
from ltp.web.services import services


def sentence(key: str, bars: Sequence[Bar], day: date, *, currency: bool) -> str:
    """Return what differs between the stored candle of a day and the bars of it, "" where nothing does or no candle is
    stored. The open is left out: it is made in the auction before these bars.

    Raises:
        DatabaseError: the candles cannot be read, or not within a moment.
        ValueError: they are damaged.
    """
    found = daily_history.fetch(services().engine, key, Wanted(day, day, 1, newest=True), adjusted=False)
    return difference(found.candles[0], bars, currency=currency) if found.candles and bars else ""


def difference(official: Candle, bars: Sequence[Bar], *, currency: bool) -> str:
    """Return the sentence for a candle and bars, at least one."""

    def both(name: str, of_day: Price, of_bars: Price) -> str:
        texts = (grouped_text(price, currency=currency) for price in (of_day, of_bars))
        return "{} {} (bars {})".format(name, *texts) if of_day != of_bars else ""

    parts = [
        both("high", official.high, max(bar.high for bar in bars)),
        both("low", official.low, min(bar.low for bar in bars)),
        both("close", official.close, bars[-1].close),
    ]
    volume = sum(bar.volume for bar in bars)
    if volume and official.volume != volume:
        stated, counted = (group_indian(str(each)) for each in (official.volume, volume))
        parts.append(f"volume {stated} (bars {counted})")
    differing = [part for part in parts if part]
    return (
        f"The official candle of the day differs from these bars: {', '.join(differing)}."
        if differing
        else ""
    )
