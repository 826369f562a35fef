"""Open, high, low and close of a candle or a bar: which four prices cannot be."""

from __future__ import annotations

from ltp.core.money import Price


def fault(open: Price, high: Price, low: Price, close: Price) -> str:
    """Return why the prices contradict each other, "" if they do not. They must be above 0."""
    if high < low:
        return "the high is below the low"
    if not low <= open <= high:
        return "the open is not between low and high"
    if not low <= close <= high:
        return "the close is not between low and high"
    return ""
