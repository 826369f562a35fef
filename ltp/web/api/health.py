"""The health endpoints for load balancers and operators: alive, ready, market stream."""

from __future__ import annotations

from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

from flask import Blueprint, Response, jsonify

from ltp.core import health_paths
from ltp.core.ticks.tick import LINK_DEAD_AFTER_S
from ltp.errors import StoreError
from ltp.store import heartbeat
from ltp.store.heartbeat import StreamStatus
from ltp.web.api.health_document import ChannelState, describe
from ltp.web.services import services

bp = Blueprint("health", __name__)


@bp.get(health_paths.ALIVE)
def alive() -> Response:
    """200 while the process answers; depends on nothing else."""
    return _uncached({"status": "ok"})


@bp.get(health_paths.READY)
def ready() -> Response:
    """200 while this process can serve current prices.

    Then Redis answers, batches arrive and it is not shutting down.
    """
    shared = services()
    missing = [
        reason
        for reason, holds in (
            ("this process is shutting down", not shared.hub.draining),
            ("no message comes from the worker", shared.hub.link_age_s <= LINK_DEAD_AFTER_S),
            ("Redis does not answer", stored_status() is not None),
        )
        if not holds
    ]
    return _uncached({"status": "unavailable" if missing else "ok", "missing": missing}, ok=not missing)


@bp.get(health_paths.MARKET_STREAM)
def market_stream() -> Response:
    """The market stream's health document: 200 when it is healthy, else 503."""
    shared = services()
    document = describe(stored_status(), ChannelState.of(shared.hub), now=datetime.now(UTC))
    document["source"] = document["source"] or shared.source()
    return _uncached(document, ok=document["status"] == "healthy")


def stored_status() -> StreamStatus | None:
    """Return the worker's heartbeat and status, None when Redis cannot be read.

    The client gives up after about half a second.
    """
    try:
        return heartbeat.read(services().redis)
    except StoreError:
        return None


def _uncached(document: dict[str, Any], *, ok: bool = True) -> Response:
    response = jsonify(document)
    response.status_code = HTTPStatus.OK if ok else HTTPStatus.SERVICE_UNAVAILABLE
    response.headers["Cache-Control"] = "no-store"
    return response
