"""Commands to the simulator over HTTP, under `/control`: faults, exact trades, disconnects, and a report.

Not part of DhanHQ. Every answer is JSON; a command that is not accepted gets one sentence with status 400. A
web page may not give commands: a browser sends a plain POST to any site, but JSON only to a site that allows
it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Final, cast

from flask import Blueprint, Response, jsonify, request

from ltp.core.clients.trusted_hosts import TrustedHosts, same_origin
from ltp.core.instrument import parse_key
from ltp.core.money import MAX_PRICE, SCALE, price_from_rupees, rupees
from ltp.dhan.packets import MAX_LTQ
from ltp.errors import InputError, NotFoundError
from ltp.feed.simulator.book import BookSnapshot
from ltp.feed.simulator.client import Ending
from ltp.feed.simulator.connections import Connections
from ltp.feed.simulator.faults import Fault, Faults

Publish = Callable[..., BookSnapshot]
_HOSTS: Final = TrustedHosts()
_ENDINGS: Final = ("reset", "fin", "close")


def control(faults: Faults, connections: Connections, publish: Publish) -> Blueprint:
    """Return the commands. `publish(key, ltp, ltq=, hold_s=)` makes a trade and sends it to subscribers."""
    blueprint = Blueprint("simulator_control", __name__)
    blueprint.before_request(_refuse_pages)
    _add_faults(blueprint, faults)
    _add_endings(blueprint, connections)

    @blueprint.errorhandler(InputError)
    @blueprint.errorhandler(NotFoundError)
    def refuse(error: Exception) -> tuple[Response, int]:
        return jsonify({"error": str(error)}), 404 if isinstance(error, NotFoundError) else 400

    @blueprint.post("/trades")
    def trade() -> Response:
        snapshot = publish(**_trade(_body()))
        return jsonify(
            {
                "key": snapshot.listing.key,
                "ltp": rupees(snapshot.ltp),
                "volume": snapshot.volume,
                "ltt": snapshot.ltt,
            }
        )

    blueprint.add_url_rule("/connections", "report", lambda: jsonify(connections.report()))
    return blueprint


def _add_faults(blueprint: Blueprint, faults: Faults) -> None:
    @blueprint.get("/faults")
    def show() -> Response:
        return jsonify({"active": [_fault(fault) for fault in faults.active()]})

    @blueprint.post("/faults")
    def add() -> Response:
        body = _body()
        return jsonify(_fault(faults.add(str(body.pop("kind", "")), **body)))

    @blueprint.delete("/faults")
    def clear() -> Response:
        faults.clear()
        return jsonify({"active": []})


def _add_endings(blueprint: Blueprint, connections: Connections) -> None:
    @blueprint.post("/drop")
    def drop() -> Response:
        body = _body()
        how, code = body.get("how", "reset"), body.get("code", 1001)
        if how not in _ENDINGS:
            raise InputError("how", str(how), "one of " + ", ".join(_ENDINGS))
        if type(code) is not int or not 1000 <= code <= 4999:
            raise InputError("code", str(code), "a WebSocket close code, 1000 to 4999")
        return jsonify({"ended": connections.drop(cast(Ending, how), code)})

    @blueprint.post("/disconnect")
    def disconnect() -> Response:
        reason = _body().get("reason", 800)
        if type(reason) is not int or not 0 <= reason <= MAX_LTQ:
            raise InputError("reason", str(reason), "a code such as 805")
        return jsonify({"ended": connections.disconnect(reason)})


def _refuse_pages() -> tuple[Response, int] | None:
    host, origin = request.headers.get("Host", ""), request.headers.get("Origin")
    foreign = request.headers.get("Sec-Fetch-Site", "none") not in {"none", "same-origin"}
    # Any site can point its name at this machine, and is then its own origin.
    if foreign or (
        origin is not None and not (_HOSTS.allows(host) and same_origin(origin, request.scheme, host))
    ):
        return jsonify({"error": "commands are not taken from pages of other sites"}), 403
    if request.method == "POST" and request.mimetype != "application/json":
        return jsonify({"error": "a command is sent with Content-Type: application/json"}), 415
    return None


def _body() -> dict[str, Any]:
    body = request.get_json(force=True, silent=True) if request.get_data() else {}
    if not isinstance(body, dict):
        raise InputError("body", str(body), "a JSON object")
    return body


def _trade(body: dict[str, Any]) -> dict[str, Any]:
    key = parse_key(str(body.get("key")), "key")
    ltp, ltq, hold_s = body.get("ltp"), body.get("ltq"), body.get("hold_s", 0)
    price = price_from_rupees(ltp) if isinstance(ltp, int | float) and not isinstance(ltp, bool) else None
    if price is None:
        raise InputError("ltp", str(ltp), f"rupees, above 0 and up to {MAX_PRICE // SCALE}")
    if ltq is not None and (type(ltq) is not int or not 0 <= ltq < 2**32):
        raise InputError("ltq", str(ltq), "a whole number of 0 or more")
    if not isinstance(hold_s, int | float) or not math.isfinite(hold_s) or hold_s < 0:
        raise InputError("hold_s", str(hold_s), "seconds, 0 or more")
    return {"key": key, "ltp": price, "ltq": ltq, "hold_s": float(hold_s)}


def _fault(fault: Fault) -> dict[str, Any]:
    return {
        "number": fault.number,
        "kind": fault.kind,
        "params": dict(fault.params),
        "left": fault.left,
        "struck": fault.struck,
    }
