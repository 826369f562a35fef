"""Suspected renames: one symbol ends, and in the next session another begins at its price and volume.

A merger or a new listing may look the same, so an operator confirms each one. In files with ISINs a rename is
certain and nothing is suspected.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from itertools import pairwise
from math import log
from statistics import median
from typing import Final, NamedTuple

from ltp.core.history import candle
from ltp.core.history.candle import Candle
from ltp.core.money import SCALE

SESSIONS: Final = 10  # sessions before and after, of which the volumes are compared
_PRICE: Final = log(1.1)  # a rename does not move the price, but a usual gap overnight does
_VOLUME: Final = 10.0  # times: trading may thin out before a rename; another company has another magnitude


class Span(NamedTuple):
    """The first and last candles of a symbol, and the median volumes of its first and last ten sessions."""

    symbol: str
    first: Candle
    last: Candle
    first_volume: float
    last_volume: float


class Rename(NamedTuple):
    """`day`: the first under the new symbol. `evidence`: a sentence for the operator."""

    old: str
    new: str
    day: date
    evidence: str


def span(symbol: str, packed: bytes) -> Span:
    """Return the span of records of `core.history.candle`: at least one, in order of days."""
    records = candle.unpack(packed)
    first, last = records[:SESSIONS], records[-SESSIONS:]
    return Span(
        symbol,
        records[0],
        records[-1],
        median(each.volume for each in first),
        median(each.volume for each in last),
    )


def suspected(unknown: Iterable[Span], known: Iterable[Span], sessions: Sequence[date]) -> list[Rename]:
    """Return by day, for each unknown symbol that ended, the listed symbol that seems to continue it.

    If a share was renamed twice, the symbol in the middle is unknown too; both renames name the last one.

    Args:
        known: spans of listed shares.
        sessions: all sessions with candles, in order.
    """
    unknown, known = list(unknown), list(known)
    following = dict(pairwise(sessions))
    begun: dict[date, list[Span]] = {}
    for each in (*known, *unknown):
        begun.setdefault(each.first.day, []).append(each)
    # By new symbol: of several old ones that end near its price, the nearest.
    nearest: dict[str, tuple[float, Span]] = {}
    for old in unknown:
        day = following.get(old.last.day)
        likely = [(_gap(old, new), new) for new in begun.get(day, ()) if _continues(old, new)] if day else []
        gap, new = min(likely, default=(0.0, None), key=lambda pair: pair[0])
        if new is not None and gap < nearest.get(new.symbol, (1.0, old))[0]:
            nearest[new.symbol] = gap, old
    follows = {old.symbol: symbol for symbol, (_, old) in nearest.items()}
    spans = {each.symbol: each for each in (*unknown, *known)}
    listed = {each.symbol for each in known}
    found = [
        _rename(spans[old], spans[new])._replace(new=now)
        for old, new in follows.items()
        if (now := _newest(new, follows)) in listed
    ]
    return sorted(found, key=lambda each: (each.day, each.old))


def _newest(symbol: str, follows: Mapping[str, str]) -> str:
    for _ in follows:
        symbol = follows.get(symbol, symbol)
    return symbol


def _continues(old: Span, new: Span) -> bool:
    if _gap(old, new) > _PRICE or not old.last_volume or not new.first_volume:
        return False
    return 1 / _VOLUME <= new.first_volume / old.last_volume <= _VOLUME


def _gap(old: Span, new: Span) -> float:
    return abs(log(new.first.open / old.last.close))


def _rename(old: Span, new: Span) -> Rename:
    close, opened = old.last.close / SCALE, new.first.open / SCALE
    evidence = (
        f"{old.symbol} closed at {close:,.2f} and {new.symbol} opened at {opened:,.2f} in the next session; "
        f"{new.first_volume / old.last_volume:.1f} times the volume"
    )
    return Rename(old.symbol, new.symbol, new.first.day, evidence)
