"""DhanHQ's market quote REST endpoints over the simulated exchange: `/v2/marketfeed/ltp|ohlc|quote`.

Errors have the shape that these endpoints really return, `{"data": {"805": "..."}, "status": "failed"}`, not
the documented one. Ids come back as string keys, unknown ids are absent, unknown keys of the request are
ignored.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, Final

from flask import Blueprint, Request, Response, jsonify, request
from werkzeug.exceptions import BadRequest

from ltp.core.instrument import SEGMENTS
from ltp.core.money import rupees, snap
from ltp.dhan.clock import utc_to_trade_time
from ltp.feed.simulator.account import Account
from ltp.feed.simulator.book import BookSnapshot
from ltp.feed.simulator.exchange import Exchange
from ltp.feed.simulator.outgoing import depth, pending

MAX_INSTRUMENTS: Final = 1_000
_PACE_S: Final = 1.0
_SENTENCES: Final = {
    804: "Requested number of instruments exceeds limit",
    805: "Too many requests. Further requests may result in the user being blocked.",
    808: "Authentication Failed - Client ID or Token invalid",
    814: "Invalid Request",
}


class Pace:
    """Lets `limit` calls through in any `seconds`, per caller."""

    def __init__(self, limit: int, seconds: float, monotonic: Callable[[], float]) -> None:
        self._limit, self._seconds, self._monotonic = limit, seconds, monotonic
        self._lock = threading.Lock()
        self._calls: dict[str, list[float]] = {}

    def allows(self, caller: str) -> bool:
        with self._lock:
            now = self._monotonic()
            recent = [at for at in self._calls.get(caller, []) if now - at < self._seconds]
            allowed = len(recent) < self._limit
            self._calls[caller] = [*recent, now] if allowed else recent
        return allowed


def quotes(
    exchange: Exchange, account: Account, clock: Callable[[], float], monotonic: Callable[[], float]
) -> Blueprint:
    """Return the three endpoints."""
    blueprint = Blueprint("simulator_quotes", __name__)
    pace = Pace(1, _PACE_S, monotonic)

    def answer(kind: str) -> Response:
        token, client_id = request.headers.get("access-token", ""), request.headers.get("client-id", "")
        if not client_id or not account.accepts(token):
            return failed(401, 808)
        if not pace.allows(client_id):
            return failed(429, 805)
        wanted = _wanted(request)
        if wanted is None:
            return failed(400, 814)
        if sum(map(len, wanted.values())) > MAX_INSTRUMENTS:
            return failed(400, 804)
        exchange.admit([f"{segment}:{id_}" for segment, ids in wanted.items() for id_ in ids], clock())
        return jsonify(
            {
                "data": {segment: _found(exchange, segment, ids, kind) for segment, ids in wanted.items()},
                "status": "success",
            }
        )

    for kind in ("ltp", "ohlc", "quote"):
        blueprint.add_url_rule(f"/marketfeed/{kind}", kind, answer, methods=["POST"], defaults={"kind": kind})
    return blueprint


def failed(status: int, code: int, sentence: str = "") -> Response:
    """Return an error in the shape of the data endpoints."""
    response = jsonify(
        {"data": {str(code): sentence or _SENTENCES.get(code, "Request failed")}, "status": "failed"}
    )
    response.status_code = status
    return response


def _wanted(incoming: Request) -> dict[str, list[int]] | None:
    try:
        body = incoming.get_json(force=True)
    except BadRequest:
        return None
    if not isinstance(body, dict):
        return None
    wanted = {segment: ids for segment, ids in body.items() if segment in SEGMENTS}
    if not all(isinstance(ids, list) and all(type(one) is int for one in ids) for ids in wanted.values()):
        return None
    return wanted


def _found(exchange: Exchange, segment: str, ids: list[int], kind: str) -> dict[str, Any]:
    snapshots = {str(security_id): exchange.snapshot(f"{segment}:{security_id}") for security_id in ids}
    return {
        security_id: _fields(snapshot, kind)
        for security_id, snapshot in snapshots.items()
        if snapshot is not None
    }


def _fields(snapshot: BookSnapshot, kind: str) -> dict[str, Any]:
    fields: dict[str, Any] = {"last_price": rupees(snapshot.ltp)}
    if kind == "ltp":
        return fields
    fields["ohlc"] = {
        "open": rupees(snapshot.open),
        "close": rupees(snapshot.prev_close),
        "high": rupees(snapshot.high),
        "low": rupees(snapshot.low),
    }
    return fields if kind == "ohlc" else fields | _trading(snapshot) | _depth(snapshot)


def _trading(snapshot: BookSnapshot) -> dict[str, Any]:
    sell_qty, buy_qty = pending(snapshot)
    return {
        "average_price": round(snapshot.atp, 2),
        "last_quantity": snapshot.ltq,
        "last_trade_time": utc_to_trade_time(snapshot.ltt),
        "buy_quantity": buy_qty,
        "sell_quantity": sell_qty,
        "volume": snapshot.volume,
        "net_change": rupees(snapshot.ltp - snapshot.prev_close),
        "lower_circuit_limit": _circuit(snapshot, 9),
        "upper_circuit_limit": _circuit(snapshot, 11),
        "oi": snapshot.oi,
        "oi_day_high": snapshot.oi_high,
        "oi_day_low": snapshot.oi_low,
    }


def _circuit(snapshot: BookSnapshot, tenths: int) -> float:
    instrument = snapshot.listing.instrument
    if instrument.segment == "IDX_I":
        return 0.0
    return rupees(snap(snapshot.prev_close * tenths // 10, instrument.tick_size))


def _depth(snapshot: BookSnapshot) -> dict[str, Any]:
    levels = depth(snapshot)
    return {
        "depth": {
            "buy": [
                {"quantity": level.bid_qty, "orders": level.bid_orders, "price": level.bid_price}
                for level in levels
            ],
            "sell": [
                {"quantity": level.ask_qty, "orders": level.ask_orders, "price": level.ask_price}
                for level in levels
            ],
        }
    }
