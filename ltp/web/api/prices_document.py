"""The document of `/api/v1/current_prices`, joined from one piece of JSON per instrument.

A piece is the same for everybody until its quote changes, so who answers thousands of requests a second keeps
it. Pure: knows neither a request nor where a price comes from.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final, NamedTuple

from ltp.core.money import rupees
from ltp.core.ticks.tick import State, Tick

MIMETYPE: Final = "application/json"
CACHE_CONTROL: Final = "no-store"  # a price kept by a cache would come back as the price


class InstrumentPiece(NamedTuple):
    """One instrument's members of the three objects."""

    price: str
    state: str
    as_of: str


def piece(key: str, tick: Tick | None, state: State) -> InstrumentPiece:
    """Return the members of a well-formed `key`: those have nothing in them that JSON escapes."""
    if tick is None or tick.ltp is None:
        return InstrumentPiece(f'"{key}": null', f'"{key}": "{state}"', f'"{key}": null')
    at = _as_of(tick)
    return InstrumentPiece(
        f'"{key}": {rupees(tick.ltp)!r}',
        f'"{key}": "{state}"',
        f'"{key}": "{at}"' if at else f'"{key}": null',
    )


def known(pieces: Sequence[InstrumentPiece], *, priced: int, covered: int, fetched: int) -> str:
    """Return what is known, the part of a document that stays the same until something else is.

    Args:
        priced, covered, fetched: how many have a price, one the feed vouches for, one that REST was asked for
            just now.
    """
    price, state, as_of = zip(*pieces, strict=True)
    return (
        f'{{"prices": {{{", ".join(price)}}}, "states": {{{", ".join(state)}}}, "as_of": {{{", ".join(as_of)}}}, '
        f'"count": {priced}, "cached_count": {covered}, "api_fetched_count": {fetched}'
    )


def document(known: str, source: str, now_s: float) -> bytes:
    """Return the body of an answer made at `now_s`, seconds since the epoch."""
    at = datetime.fromtimestamp(now_s, UTC).isoformat(timespec="milliseconds")
    return f'{known}, "source": {_quoted(source)}, "timestamp": "{at}"}}'.encode()


@lru_cache(maxsize=4)
def _quoted(source: str) -> str:
    return json.dumps(source)  # it came over the wire and may hold anything


def _as_of(tick: Tick) -> str:
    """Return the instant of the last trade; empty where nothing says when that was."""
    at = tick.traded
    return (
        ""
        if at is None
        else at.astimezone(UTC).isoformat(timespec="milliseconds" if tick.ltt is None else "seconds")
    )
