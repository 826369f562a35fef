"""The JSON document of `/api/v1/current_prices`, joined from the ready JSON members of each instrument.

The members of an instrument are the same for all clients until its quote changes, so the fast path, which
answers thousands of requests a second, caches them. Pure: knows neither requests nor the source of a price.
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
CACHE_CONTROL: Final = "no-store"  # an HTTP cache would serve an old price as the present one


class JsonMembers(NamedTuple):
    """The `"key": value` texts of one instrument in the objects `prices`, `states` and `as_of`."""

    price: str
    state: str
    as_of: str


def json_members(key: str, tick: Tick | None, state: State) -> JsonMembers:
    """Return the members of `key`, which has to be well-formed: it is not escaped."""
    if tick is None or tick.ltp is None:
        return JsonMembers(f'"{key}": null', f'"{key}": "{state}"', f'"{key}": null')
    at = _as_of(tick)
    return JsonMembers(
        f'"{key}": {rupees(tick.ltp)!r}',
        f'"{key}": "{state}"',
        f'"{key}": "{at}"' if at else f'"{key}": null',
    )


def stable_part(members: Sequence[JsonMembers], *, priced: int, covered: int, fetched: int) -> str:
    """Return the beginning of a document, up to the members that differ with each answer.

    Args:
        members: of the instruments, in the order of the request.
        priced: the number of instruments with a price.
        covered: the number of prices that the feed confirms.
        fetched: the number of prices that came by REST during this request.
    """
    price, state, as_of = zip(*members, strict=True)
    return (
        f'{{"prices": {{{", ".join(price)}}}, "states": {{{", ".join(state)}}}, "as_of": {{{", ".join(as_of)}}}, '
        f'"count": {priced}, "cached_count": {covered}, "api_fetched_count": {fetched}'
    )


def document(stable: str, source: str, now_s: float) -> bytes:
    """Return the body of an answer with its timestamp, `now_s`: seconds since the epoch."""
    at = datetime.fromtimestamp(now_s, UTC).isoformat(timespec="milliseconds")
    return f'{stable}, "source": {_quoted(source)}, "timestamp": "{at}"}}'.encode()


@lru_cache(maxsize=4)
def _quoted(source: str) -> str:
    return json.dumps(source)  # it comes from the channel and may contain any character


def _as_of(tick: Tick) -> str:
    """Return the instant of the last trade in UTC, empty when it is not known."""
    at = tick.traded
    if at is None:
        return ""
    return at.astimezone(UTC).isoformat(timespec="milliseconds" if tick.ltt is None else "seconds")
