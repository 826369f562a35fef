"""Current prices for programs: one cache read for any number of instruments, and an honest word on each.

Most GETs never get here: `prices_wsgi` answers them in the same words while the board of this process knows
what the cache does.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from flask import Blueprint, Response, request
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import RequestEntityTooLarge, UnsupportedMediaType

from ltp.core.instrument import parse_key
from ltp.core.ticks.quote import CachedTick
from ltp.core.ticks.state import FeedState
from ltp.core.ticks.tick import LINK_DEAD_AFTER_S, State
from ltp.errors import InputError, StoreError
from ltp.store import demand, prices
from ltp.web.api import prices_document
from ltp.web.clients import client
from ltp.web.services import services

bp = Blueprint("api_v1", __name__)
PATH: Final = "/api/v1/current_prices"
MAX_KEYS: Final = 1_000
REST_WAIT_S: Final = 0.3
_POLL_EVERY_S: Final = 0.03
_ACCEPTED: Final = f"1 to {MAX_KEYS:,} keys such as NSE_EQ:1333 are expected"


class Answer(NamedTuple):
    """What is known of each key asked for, and the state it may be shown in. `fetched`: how many came by REST
    meanwhile.
    """

    known: Mapping[str, CachedTick]
    states: Mapping[str, State]
    fetched: int = 0


@bp.get(PATH)
def current_prices() -> Response:
    """Answer for `?keys=SEGMENT:ID,SEGMENT:ID`."""
    return _respond(keys_of(request.args))


def keys_of(args: MultiDict[str, str]) -> list[str]:
    """Return the instruments a query asks for, each once, in the order of their first mention.

    Raises:
        InputError: names what is not accepted.
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
    """Answer for the JSON body `{"keys": ["SEGMENT:ID", ...]}`."""
    if not request.is_json:
        raise UnsupportedMediaType
    content = request.get_data()
    # Werkzeug refuses a longer body by its declared length; one without a length it cuts off here without a
    # word.
    if request.content_length is None and len(content) == request.max_content_length:
        raise RequestEntityTooLarge
    try:
        body = json.loads(content)
    except (ValueError, RecursionError):
        raise InputError("body", content[:80].decode("utf-8", "replace"), "JSON is expected") from None
    keys = body.get("keys") if isinstance(body, dict) else None
    if not isinstance(keys, list):
        raise InputError(
            "body",
            type(body if keys is None else keys).__name__,
            '{"keys": ["NSE_EQ:1333", ...]} is expected',
        )
    return _respond(_keys(keys))


def _keys(given: Sequence[Any]) -> list[str]:
    """Check what was asked for; each key once, in the order of its first mention.

    Raises:
        InputError: names the first key that is not accepted, or how many there are.
    """
    if not 0 < len(given) <= MAX_KEYS:
        raise InputError("keys", f"{len(given):,} keys", _ACCEPTED)
    for key in given:
        if not isinstance(key, str):
            raise InputError("keys", str(key), _ACCEPTED)
    return list(dict.fromkeys(parse_key(key) for key in given))


def _respond(keys: list[str]) -> Response:
    held = services()
    held.demand_of_program(keys, client())
    answer = _answer(keys)
    known = prices_document.known(
        [prices_document.piece(key, answer.known[key].tick, answer.states[key]) for key in keys],
        priced=sum(map(_priced, answer.known.values())),
        covered=sum(known.covered for known in answer.known.values()),
        fetched=answer.fetched,
    )
    body = prices_document.document(known, held.source(), time.time())
    return Response(
        body, mimetype=prices_document.MIMETYPE, headers={"Cache-Control": prices_document.CACHE_CONTROL}
    )


def _answer(keys: list[str]) -> Answer:
    held = services()
    try:
        known = {each.key: each for each in prices.read(held.redis, keys)}
    except StoreError:
        # The second wait for a cache that has just not answered would be the caller's, so the board answers
        # as it is.
        quotes = held.hub.last_known(keys)
        states: dict[str, State] = {
            q.key: "closed" if q.state == "closed" else "stale" if q.tick else "unknown" for q in quotes
        }
        return Answer({quote.key: CachedTick(quote.key, quote.tick, False) for quote in quotes}, states)
    fetched = _fetched(
        [key for key in keys if not _priced(known[key]) and held.catalog.instrument(key) is not None]
    )
    known |= fetched
    feeds = held.hub.feed_states()
    return Answer(
        known, {key: _state(each, feeds[each.connection]) for key, each in known.items()}, len(fetched)
    )


def _state(known: CachedTick, feed: FeedState) -> State:
    covered = known.covered and feed.covers(known.tick)
    return feed.state(known.key.partition(":")[0], known.tick, covered)


def _fetched(missing: list[str]) -> dict[str, CachedTick]:
    """Ask the worker for what nobody has ever seen, and wait a moment; return what came. Late prices wait in
    the cache.
    """
    held = services()
    if not missing or held.hub.link_age_s > LINK_DEAD_AFTER_S:
        return {}
    found: dict[str, CachedTick] = {}
    deadline = time.monotonic() + REST_WAIT_S
    try:
        demand.want_rest(held.redis, missing, time.time() + 10)
        while missing and time.monotonic() < deadline:
            time.sleep(_POLL_EVERY_S)
            found |= {known.key: known for known in prices.read(held.redis, missing) if _priced(known)}
            missing = [key for key in missing if key not in found]
    except StoreError:
        return found
    return found


def _priced(known: CachedTick) -> bool:
    return known.tick is not None and known.tick.ltp is not None
