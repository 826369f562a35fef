"""Current prices for programs: one cache read for any number of instruments, and an honest word on each."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

from flask import Blueprint, Response, request
from werkzeug.exceptions import RequestEntityTooLarge, UnsupportedMediaType

from ltp.core.instrument import parse_key
from ltp.core.money import rupees
from ltp.core.quote import Known
from ltp.core.tick import LINK_DEAD_AFTER_S, Feed, State, Tick, state
from ltp.errors import InputError, StoreError
from ltp.hub.hub import Hub
from ltp.store import demand, prices
from ltp.web.services import services

bp = Blueprint("api_v1", __name__)
MAX_KEYS: Final = 1_000
REST_WAIT_S: Final = 0.3
_POLL_EVERY_S: Final = 0.03
_ACCEPTED: Final = f"1 to {MAX_KEYS:,} keys such as NSE_EQ:1333 are expected"


class Answer(NamedTuple):
    """What is known of each key asked for, and the state it may be shown in. `fetched`: how many came by REST meanwhile."""

    known: Mapping[str, Known]
    states: Mapping[str, State]
    fetched: int = 0


class _Market(NamedTuple):
    """What decides about states. `since`: microseconds; the present feed connection was subscribed then."""

    feed: Feed
    phase: Mapping[str, str]
    since: int

    @classmethod
    def of(cls, hub: Hub) -> _Market:
        # Without the worker nobody knows whether the market is open, so its last word on the phase counts no more.
        return cls(hub.feed, hub.phase, hub.since) if hub.link_age_s <= LINK_DEAD_AFTER_S else cls("down", {}, 0)

    def state(self, known: Known, now: float) -> State:
        tick = known.tick
        covered = known.covered and tick is not None and 0 < self.since <= tick.received_at
        open_ = self.phase.get(known.key.partition(":")[0]) != "closed"
        return state(tick, now=now, feed=self.feed, open_=open_, covered=covered)


@bp.get("/api/v1/current_prices")
def current_prices() -> Response:
    """Answer for `?keys=SEGMENT:ID,SEGMENT:ID`."""
    given = request.args.getlist("keys")
    if len(given) != 1:
        raise InputError("keys", ",".join(given), "the parameter keys is expected once, such as keys=NSE_EQ:1333,NSE_EQ:11536")
    return _respond(_keys(given[0].split(",") if given[0] else []))


@bp.post("/api/v1/current_prices")
def current_prices_of() -> Response:
    """Answer for the JSON body `{"keys": ["SEGMENT:ID", ...]}`."""
    if not request.is_json:
        raise UnsupportedMediaType
    content = request.get_data()
    # Werkzeug refuses a longer body by its declared length; one without a length it cuts off here without a word.
    if request.content_length is None and len(content) == request.max_content_length:
        raise RequestEntityTooLarge
    try:
        body = json.loads(content)
    except (ValueError, RecursionError):
        raise InputError("body", content[:80].decode("utf-8", "replace"), "JSON is expected") from None
    keys = body.get("keys") if isinstance(body, dict) else None
    if not isinstance(keys, list):
        raise InputError("body", type(body if keys is None else keys).__name__, '{"keys": ["NSE_EQ:1333", ...]} is expected')
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
    services().demand(keys)
    answer = _answer(keys)
    now = datetime.now(UTC)
    priced = {key: known.tick for key, known in answer.known.items() if _priced(known)}
    document = {
        "prices": {key: _rupees(priced.get(key)) for key in keys},
        "states": {key: answer.states[key] for key in keys},
        "as_of": {key: _as_of(priced.get(key)) for key in keys},
        "count": len(priced),
        "cached_count": sum(known.covered for known in answer.known.values()),
        "api_fetched_count": answer.fetched,
        "source": services().source(),
        "timestamp": now.isoformat(timespec="milliseconds"),
    }
    return Response(json.dumps(document, allow_nan=False), mimetype="application/json", headers={"Cache-Control": "no-store"})


def _answer(keys: list[str]) -> Answer:
    held = services()
    try:
        known = {each.key: each for each in prices.read(held.redis, keys)}
    except StoreError:
        # The second wait for a cache that has just not answered would be the caller's, so the board answers as it is.
        quotes = held.hub.last_known(keys)
        states: dict[str, State] = {q.key: "closed" if q.state == "closed" else "stale" if q.tick else "unknown" for q in quotes}
        return Answer({quote.key: Known(quote.key, quote.tick, False) for quote in quotes}, states)
    fetched = _fetched([key for key in keys if not _priced(known[key]) and held.catalog.instrument(key) is not None])
    known |= fetched
    market, now = _Market.of(held.hub), time.time()
    return Answer(known, {key: market.state(each, now) for key, each in known.items()}, len(fetched))


def _fetched(missing: list[str]) -> dict[str, Known]:
    """Ask the worker for what nobody has ever seen, and wait a moment; return what came. Late prices wait in the cache."""
    held = services()
    if not missing or held.hub.link_age_s > LINK_DEAD_AFTER_S:
        return {}
    found: dict[str, Known] = {}
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


def _priced(known: Known) -> bool:
    return known.tick is not None and known.tick.ltp is not None


def _rupees(tick: Tick | None) -> float | None:
    return None if tick is None or tick.ltp is None else rupees(tick.ltp)


def _as_of(tick: Tick | None) -> str | None:
    """Return the instant of the last trade, of its arrival where the exchange named none."""
    if tick is None:
        return None
    try:
        at = datetime.fromtimestamp(tick.received_at / 1e6 if tick.ltt is None else tick.ltt, UTC)
    except (ValueError, OverflowError, OSError):  # a number in the cache that is no instant of this era
        return None
    return at.isoformat(timespec="milliseconds" if tick.ltt is None else "seconds")
