"""`/api/v1/current_prices`: one cache read for up to 1,000 instruments, and the state of each price.

`current_prices_fast` answers most GETs before they reach this view, with the same bytes.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from flask import Blueprint, Response, request
from werkzeug.datastructures import MultiDict

from ltp.core.instrument import parse_key
from ltp.core.ticks.quote import CachedTick
from ltp.core.ticks.state import FeedState
from ltp.core.ticks.tick import LINK_DEAD_AFTER_S, State
from ltp.errors import InputError, StoreError
from ltp.hub.hub import Hub
from ltp.store import demand, prices
from ltp.web.api import prices_document
from ltp.web.clients import client
from ltp.web.json_bodies import json_object
from ltp.web.services import services

bp = Blueprint("api_v1", __name__)
PATH: Final = "/api/v1/current_prices"
MAX_KEYS: Final = 1_000
REST_WAIT_S: Final = 0.3
_REST_WANTED_FOR_S: Final = 10
_POLL_EVERY_S: Final = 0.03
_EXAMPLE: Final = '{"keys": ["NSE_EQ:1333", ...]}'
_ACCEPTED: Final = f"1 to {MAX_KEYS:,} keys such as NSE_EQ:1333 are expected"


class KnownPrices(NamedTuple):
    """The last known tick and the present state of each key of a request.

    `fetched`: how many of the prices came by REST during the request.
    """

    ticks: Mapping[str, CachedTick]
    states: Mapping[str, State]
    fetched: int = 0


@bp.get(PATH)
def current_prices() -> Response:
    """Answer `?keys=SEGMENT:ID,SEGMENT:ID`."""
    return _respond(keys_of(request.args))


def keys_of(args: MultiDict[str, str]) -> list[str]:
    """Return the instrument keys of a query string, without repetitions, in the order of their first mention.

    Raises:
        InputError: names the value that is not accepted.
    """
    given = args.getlist("keys")
    if len(given) != 1:
        raise InputError(
            "keys",
            ",".join(given),
            "the parameter keys is expected once, such as keys=NSE_EQ:1333,NSE_EQ:11536",
        )
    return _keys(given[0].split(",") if given[0] else [])


@bp.post(PATH)
def current_prices_of() -> Response:
    """Answer the JSON body `{"keys": ["SEGMENT:ID", ...]}`."""
    body = json_object(_EXAMPLE)
    keys = body.get("keys")
    if not isinstance(keys, list):
        found = body if keys is None else keys
        raise InputError("body", type(found).__name__, f"an object such as {_EXAMPLE} is expected")
    return _respond(_keys(keys))


def _keys(given: Sequence[Any]) -> list[str]:
    """Check the keys of a request; return each once, in the order of the first mention.

    Raises:
        InputError: names the first key that is not accepted, or the number of keys.
    """
    if not 0 < len(given) <= MAX_KEYS:
        raise InputError("keys", f"{len(given):,} keys", _ACCEPTED)
    for key in given:
        if not isinstance(key, str):
            raise InputError("keys", str(key), _ACCEPTED)
    return list(dict.fromkeys(parse_key(key) for key in given))


def _respond(keys: list[str]) -> Response:
    shared = services()
    shared.demand_of_program(keys, client())
    known = _known(keys)
    stable = prices_document.stable_part(
        [prices_document.json_members(key, known.ticks[key].tick, known.states[key]) for key in keys],
        priced=sum(map(_priced, known.ticks.values())),
        covered=sum(each.covered for each in known.ticks.values()),
        fetched=known.fetched,
    )
    body = prices_document.document(stable, shared.source(), time.time())
    return Response(
        body, mimetype=prices_document.MIMETYPE, headers={"Cache-Control": prices_document.CACHE_CONTROL}
    )


def _known(keys: list[str]) -> KnownPrices:
    shared = services()
    try:
        known = {each.key: each for each in prices.read(shared.redis, keys)}
    except StoreError:
        return _last_known(shared.hub, keys)
    fetched = _fetched(
        [key for key in keys if not _priced(known[key]) and shared.catalog.instrument(key) is not None]
    )
    known |= fetched
    feeds = shared.hub.feed_states()
    states = {key: _state(each, feeds[each.connection]) for key, each in known.items()}
    return KnownPrices(known, states, len(fetched))


def _state(known: CachedTick, feed: FeedState) -> State:
    covered = known.covered and feed.covers(known.tick)
    return feed.state(known.key.partition(":")[0], known.tick, covered)


def _last_known(hub: Hub, keys: list[str]) -> KnownPrices:
    """Return the prices on the board of this process, none of them live.

    The board is taken as it is: it would wait once more for a cache that has just not answered.
    """
    quotes = hub.last_known(keys)
    states: dict[str, State] = {
        quote.key: "closed" if quote.state == "closed" else "stale" if quote.tick else "unknown"
        for quote in quotes
    }
    return KnownPrices({quote.key: CachedTick(quote.key, quote.tick, False) for quote in quotes}, states)


def _fetched(missing: list[str]) -> dict[str, CachedTick]:
    """Have the worker fetch prices that were never received; return those that come within `REST_WAIT_S`.

    Later ones are in the cache for the next request.
    """
    shared = services()
    if not missing or shared.hub.link_age_s > LINK_DEAD_AFTER_S:
        return {}
    found: dict[str, CachedTick] = {}
    deadline = time.monotonic() + REST_WAIT_S
    try:
        demand.want_rest(shared.redis, missing, time.time() + _REST_WANTED_FOR_S)
        while missing and time.monotonic() < deadline:
            time.sleep(_POLL_EVERY_S)
            found |= {known.key: known for known in prices.read(shared.redis, missing) if _priced(known)}
            missing = [key for key in missing if key not in found]
    except StoreError:
        return found
    return found


def _priced(known: CachedTick) -> bool:
    return known.tick is not None and known.tick.ltp is not None
