"""Prices as integers of 1/10,000 rupee, their conversions and their texts.

Integers, because the feed's 32-bit floats and Python's 64-bit ones differ for 1402.10; 1/10,000, because a
currency moves in steps of 0.0025.
"""

from __future__ import annotations

import re

from ltp.core.instrument import CURRENCY_SEGMENTS

Price = int
SCALE = 10_000
MAX_PRICE: Price = 10_000_000 * SCALE  # nothing on these exchanges trades above a crore; more is damage

# Below these a float32 with its mantissa of 24 bits distinguishes neighbouring paise (or 1/10,000 rupee).
_EXACT_PAISE_BELOW = 131_072.0
_EXACT_CURRENCY_BELOW = 1_024.0

_DECIMAL = re.compile(r"([0-9]{1,12})(?:\.([0-9]{1,4}))?", re.ASCII)


def price_from_float32(value: float, *, currency: bool) -> Price | None:
    """Convert a feed price.

    Args:
        value: rupees, widened from float32.
        currency: 4 decimals instead of 2.
    Returns:
        The price on the grid of 0.01 (0.0001) rupee where float32 is exact; above that the nearest 1/10,000,
            to be snapped to the instrument's tick by the caller. None for an impossible price: NaN, infinite,
            zero, negative, above 10,000,000.
    """
    if not 0.0 < value <= 10_000_000.0:  # also false for NaN
        return None
    if currency or value >= _EXACT_PAISE_BELOW:
        return round(value * SCALE) or None
    return round(value * 100) * 100 or None


def needs_snap(price: Price, *, currency: bool) -> bool:
    """Return whether float32 was too coarse for this price, so that `snap` must restore it."""
    return price >= snap_from(currency=currency)


def snap_from(*, currency: bool) -> Price:
    """Return the lowest price for which float32 is too coarse."""
    return int((_EXACT_CURRENCY_BELOW if currency else _EXACT_PAISE_BELOW) * SCALE)


def snap(price: Price, tick_size: Price) -> Price:
    """Return the multiple of `tick_size` nearest to `price`; a tick size of 0 (unknown) changes nothing."""
    if tick_size <= 0:
        return price
    return (price + tick_size // 2) // tick_size * tick_size


def price_from_rupees(value: float) -> Price | None:
    """Convert a JSON number in rupees (REST, an import). None as for `price_from_float32`."""
    if not 0 < value <= 10_000_000:  # also false for NaN
        return None
    return round(value * SCALE) or None


def is_currency(key: str) -> bool:
    return key.partition(":")[0] in CURRENCY_SEGMENTS


def rupees(price: Price) -> float:
    """Return the price as a JSON number: the float nearest to the decimal."""
    return price / SCALE


def decimal_text(price: Price, *, currency: bool = False) -> str:
    """Return the plain decimal: "1402.10", or "83.2475" with 4 decimals for a currency."""
    if currency:
        return f"{'-' if price < 0 else ''}{abs(price) // SCALE}.{abs(price) % SCALE:04d}"
    paise = (abs(price) + 50) // 100
    sign = "-" if price < 0 and paise else ""  # a change of less than half a paisa is no "-0.00"
    return f"{sign}{paise // 100}.{paise % 100:02d}"


def parse_decimal(text: str) -> Price | None:
    """Parse a text of `decimal_text`; None for other texts and for negative prices."""
    match = _DECIMAL.fullmatch(text)
    return None if match is None else int(match[1]) * SCALE + int((match[2] or "").ljust(4, "0"))


def group_indian(digits: str) -> str:
    """Group a run of digits the Indian way: last three, then twos: "1234567" becomes "12,34,567"."""
    if len(digits) <= 3:
        return digits
    head, tail = digits[:-3], digits[-3:]
    pairs = [head[max(0, end - 2) : end] for end in range(len(head), 0, -2)]
    return ",".join(reversed(pairs)) + "," + tail


def grouped_text(price: Price, *, currency: bool = False) -> str:
    """Return the text for a page: "12,34,567.85", with a minus sign if negative, without the rupee sign."""
    text = decimal_text(price, currency=currency)
    sign, text = ("-", text[1:]) if text[0] == "-" else ("", text)
    whole, _, fraction = text.partition(".")
    return f"{sign}{group_indian(whole)}.{fraction}"
