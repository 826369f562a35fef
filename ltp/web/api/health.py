"""Is it alive, can it serve, does the market's stream flow: for load balancers and operators."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any, Final, NamedTuple

from flask import Blueprint, Response, jsonify

from ltp.core import health
from ltp.core.instrument import SEGMENTS
from ltp.core.ticks import lag
from ltp.core.ticks.off_sessions import lines_to_add
from ltp.core.ticks.tick import LINK_DEAD_AFTER_S
from ltp.core.trading_day import is_session
from ltp.errors import StoreError
from ltp.hub.hub import Hub
from ltp.store import heartbeat
from ltp.store.heartbeat import StreamStatus
from ltp.web import market
from ltp.web.services import services

bp = Blueprint("health", __name__)
NOT_RUNNING_AFTER_S: Final = 10.0  # the worker speaks once a second
STALE_AFTER_S: Final = 15.0
CLOCK_WRONG_S: Final = 10.0


class ChannelLink(NamedTuple):
    """What this process hears of the worker itself.

    `age_s`: since its last word. `last_tick_at`: microseconds, 0 for never. `doubts`: see
    core.ticks.wire.Batch.
    """

    age_s: float
    feed: str
    phase: Mapping[str, str]
    last_tick_at: int
    doubts: Mapping[str, str] = {}

    @classmethod
    def of(cls, hub: Hub) -> ChannelLink:
        return cls(hub.link_age_s, hub.feed, dict(hub.phase), hub.last_tick_at, dict(hub.doubts))


@bp.get(health.ALIVE)
def alive() -> Response:
    """200 while the process answers at all; depends on nothing."""
    return _uncached({"status": "ok"})


@bp.get(health.READY)
def ready() -> Response:
    """200 while this process can serve current prices: Redis answers, its own subscription is heard, it is
    not leaving.
    """
    held = services()
    missing = [
        reason
        for reason, holds in (
            ("this process is shutting down", not held.hub.draining),
            ("the worker is not heard", held.hub.link_age_s <= LINK_DEAD_AFTER_S),
            ("Redis does not answer", stored_status() is not None),
        )
        if not holds
    ]
    return _uncached({"status": "unavailable" if missing else "ok", "missing": missing}, ok=not missing)


@bp.get(health.MARKET_STREAM)
def market_stream() -> Response:
    """Describe the market stream: 200 when healthy, 503 when not."""
    held = services()
    document = describe(stored_status(), ChannelLink.of(held.hub), now=datetime.now(UTC))
    document["source"] = document["source"] or held.source()
    return _uncached(document, ok=document["status"] == "healthy")


def describe(stored: StreamStatus | None, link: ChannelLink, *, now: datetime) -> dict[str, Any]:
    """Return the health document.

    Args:
        stored: what the worker wrote into Redis; None when Redis cannot be read.
        link: what this process hears on its own subscription.
    """
    fields = stored.status if stored else {}
    heartbeat_at = stored.heartbeat_at if stored else None
    last_tick_at = max(link.last_tick_at / 1e6, instant(fields.get("last_tick_at")) or 0.0)
    tick_age_s = max(0.0, now.timestamp() - last_tick_at) if last_tick_at else None
    silent_s = _silent_s(fields, link, last_tick_at, now)
    beat = instant(heartbeat_at)
    heard = link.age_s <= NOT_RUNNING_AFTER_S
    status, reason = _judged(stored, link, silent_s)
    return {
        "status": status,
        "reason": reason,
        "heartbeat_age_seconds": None if beat is None else round(max(0.0, now.timestamp() - beat), 3),
        "heartbeat_timestamp": heartbeat_at,
        "timestamp": now.isoformat(timespec="milliseconds"),
        "phase": link.phase if heard else _mapping(fields.get("phases")),
        "feed": link.feed,
        "source": fields.get("source", ""),
        "subscribed": whole(fields.get("subscribed")),
        "last_tick_age_seconds": None if tick_age_s is None else round(tick_age_s, 3),
        "never_ticked": whole(fields.get("never_ticked")),
        "reconnects": whole(fields.get("reconnects")),
        "last_error": fields.get("last_error", ""),
        "calendar": fields.get("calendar", ""),
        **_calendar(fields),
        "silent": sorted(segment for segment, why in link.doubts.items() if not why),
        "delay_s": whole(fields.get("delay_s")),
        "lag": lags(fields),
        "clock_error_s": clock_error(fields),
        "channel_age_seconds": round(link.age_s, 3) if math.isfinite(link.age_s) else None,
    }


def _silent_s(fields: Mapping[str, str], link: ChannelLink, last_tick_at: float, now: datetime) -> float:
    """Return for how long nothing has come: by the worker's own count where it tells it, for any clock may be
    set.
    """
    try:
        counted = float(fields["silent_s"])
        if 0 <= counted < 1e10:
            return counted + link.age_s
    except (KeyError, ValueError):
        pass
    # A worker that has just begun has not been silent yet, however old the last packet of the one before is.
    return now.timestamp() - max(last_tick_at, instant(fields.get("began_at")) or 0.0)


def _judged(stored: StreamStatus | None, link: ChannelLink, silent_s: float) -> tuple[str, str]:
    if stored is None:
        return "error", "Redis cannot be read."
    if stored.status.get("stopped") == "1":
        return "error", "The feed has stopped for good; see last_error."
    if stored.heartbeat_at is None:
        return "not_running", "The worker has left no heartbeat."
    if link.age_s > NOT_RUNNING_AFTER_S:
        return "not_running", f"Nothing has been heard on the channel for {NOT_RUNNING_AFTER_S:.0f} s."
    # A live feed has spoken within 10 s by the worker's own watch; the instants known here may lag behind
    # that.
    silent = link.feed != "live" and silent_s >= STALE_AFTER_S
    # Without a connection nothing is subscribed, so that alone would call a worker that may not connect
    # healthy.
    expected = stored.status.get("expected") == "1"
    open_ = any(phase != "closed" for phase in link.phase.values())
    if silent and (expected or (open_ and whole(stored.status.get("subscribed")))):
        return "stale", f"The market is open and no packet has come for {STALE_AFTER_S:.0f} s."
    return _doubted(stored.status, link)


def _doubted(fields: Mapping[str, str], link: ChannelLink) -> tuple[str, str]:
    """Judge what a live feed brings: whether all of it comes, and in time."""
    error_s = clock_error(fields)
    if words := market.doubt_words(link.doubts):
        unsure = error_s is None and "delayed" in words
        return "stale", words + (
            "; or this host's clock is fast, which no answer of the broker has told yet." if unsure else "."
        )
    if error_s is not None and abs(error_s) >= CLOCK_WRONG_S:
        return (
            "stale",
            f"By the broker's, {lag.clock_words(error_s)}: ages of prices and trading hours are wrong by as much.",
        )
    return "healthy", ""


def _calendar(fields: Mapping[str, str]) -> dict[str, Any]:
    """Return what is not certain about the month ahead, the days without a session on which trades are dated,
    and the lines of an override file that settle both.
    """
    found = {}
    for day, segments in members(fields.get("off_sessions")).items():
        named = [each for each in segments if each in SEGMENTS] if isinstance(segments, list) else []
        if day and is_session(day) and named:
            found[day] = named
    ahead = strings(fields.get("calendar_ahead"))
    lines = fields.get("calendar_lines", ""), lines_to_add(found)
    return {
        "calendar_ahead": ahead,
        "off_sessions": found,
        "calendar_lines": "\n\n".join(filter(None, lines)),
    }


def lags(fields: Mapping[str, str]) -> dict[str, dict[str, float]]:
    """Return, by segment, how late prices come, in seconds: the median and the 99th percentile over its
    instruments.
    """
    found = {}
    for segment, figures in members(fields.get("lags")).items():
        if (
            isinstance(figures, list)
            and len(figures) == 2
            and all(type(figure) in (int, float) for figure in figures)
        ):
            found[segment] = {"median_s": figures[0], "p99_s": figures[1]}
    return found


def clock_error(fields: Mapping[str, str]) -> float | None:
    """Return by how many seconds the worker's clock is ahead of the broker's, None when that is not known."""
    try:
        error_s = float(fields.get("clock_error_s") or "nan")
    except ValueError:
        return None
    return error_s if abs(error_s) < 1e10 else None


def stored_status() -> StreamStatus | None:
    """Return what the worker last wrote of itself, None when Redis cannot be read; that takes at most about
    half a second.
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


def instant(text: str | None) -> float | None:
    """Read an ISO 8601 instant as seconds since the epoch; None for what is none, for anybody may write into
    Redis.
    """
    try:
        at = datetime.fromisoformat(text or "")
        return at.replace(tzinfo=at.tzinfo or UTC).timestamp()
    except (ValueError, OverflowError):
        return None


def whole(text: str | None) -> int:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 10 else 0


def _mapping(text: str | None) -> dict[str, str]:
    return {name: str(value) for name, value in members(text).items()}


def strings(text: str | None) -> list[str]:
    try:
        plain = json.loads(text or "[]")
    except (ValueError, RecursionError):
        return []
    return [each for each in plain if isinstance(each, str)] if isinstance(plain, list) else []


def members(text: str | None) -> dict[str, Any]:
    try:
        plain = json.loads(text or "{}")
    except (ValueError, RecursionError):
        return {}
    return plain if isinstance(plain, dict) else {}
