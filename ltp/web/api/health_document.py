"""The market stream's health: a judgement of the worker's status and of its channel, as one JSON document.

Pure: status hash, state of the channel and clock in, document out.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, NamedTuple

from ltp.core.ticks import lag
from ltp.core.ticks.off_sessions import lines_to_add
from ltp.hub.hub import Hub
from ltp.store.heartbeat import StreamStatus
from ltp.web import market
from ltp.web.api import status_fields

NOT_RUNNING_AFTER_S: Final = 10.0  # without a batch; the worker publishes at least one a second
STALE_AFTER_S: Final = 15.0
CLOCK_WRONG_S: Final = 10.0


class ChannelState(NamedTuple):
    """The worker's state as this process received it over the channel.

    `age_s`: seconds since the last batch. `last_tick_at`: microseconds since the epoch, 0 before the first
    tick. `doubts`: see `core.ticks.wire.Batch`.
    """

    age_s: float
    feed: str
    phase: Mapping[str, str]
    last_tick_at: int
    doubts: Mapping[str, str] = {}

    @classmethod
    def of(cls, hub: Hub) -> ChannelState:
        return cls(hub.link_age_s, hub.feed, dict(hub.phase), hub.last_tick_at, dict(hub.doubts))


def describe(stored: StreamStatus | None, channel: ChannelState, *, now: datetime) -> dict[str, Any]:
    """Return the health document.

    Args:
        stored: the worker's heartbeat and status in Redis, None when Redis cannot be read.
        channel: the worker's state as received over the channel.
    """
    fields = stored.status if stored else {}
    heartbeat_at = stored.heartbeat_at if stored else None
    last_tick_at = max(channel.last_tick_at / 1e6, status_fields.instant(fields.get("last_tick_at")) or 0.0)
    tick_age_s = max(0.0, now.timestamp() - last_tick_at) if last_tick_at else None
    silent_s = _silent_s(fields, channel, last_tick_at, now)
    beat = status_fields.instant(heartbeat_at)
    running = channel.age_s <= NOT_RUNNING_AFTER_S
    status, reason = _judge(stored, channel, silent_s)
    return {
        "status": status,
        "reason": reason,
        "heartbeat_age_seconds": None if beat is None else round(max(0.0, now.timestamp() - beat), 3),
        "heartbeat_timestamp": heartbeat_at,
        "timestamp": now.isoformat(timespec="milliseconds"),
        "phase": channel.phase if running else status_fields.texts(fields.get("phases")),
        "feed": channel.feed,
        "source": fields.get("source", ""),
        "subscribed": status_fields.whole(fields.get("subscribed")),
        "last_tick_age_seconds": None if tick_age_s is None else round(tick_age_s, 3),
        "never_ticked": status_fields.whole(fields.get("never_ticked")),
        "reconnects": status_fields.whole(fields.get("reconnects")),
        "last_error": fields.get("last_error", ""),
        "calendar": fields.get("calendar", ""),
        **_calendar(fields),
        "silent": sorted(segment for segment, doubt in channel.doubts.items() if not doubt),
        "delay_s": status_fields.whole(fields.get("delay_s")),
        "lag": status_fields.lags(fields),
        "clock_error_s": status_fields.clock_error(fields),
        "channel_age_seconds": round(channel.age_s, 3) if math.isfinite(channel.age_s) else None,
    }


def _silent_s(fields: Mapping[str, str], channel: ChannelState, last_tick_at: float, now: datetime) -> float:
    """Return the seconds since the last packet.

    The worker's own count is preferred: it does not change when an operator sets a clock.
    """
    counted = status_fields.silent_for(fields)
    if counted is not None:
        return counted + channel.age_s
    # A previous worker's last packet may be old; a worker that has just started is not silent for that.
    return now.timestamp() - max(last_tick_at, status_fields.instant(fields.get("began_at")) or 0.0)


def _judge(stored: StreamStatus | None, channel: ChannelState, silent_s: float) -> tuple[str, str]:
    """Return the status and, unless it is healthy, the reason as a sentence."""
    if stored is None:
        return "error", "Redis cannot be read."
    if stored.status.get("stopped") == "1":
        return "error", "The feed has stopped for good; see last_error."
    if stored.heartbeat_at is None:
        return "not_running", "The worker has left no heartbeat."
    if channel.age_s > NOT_RUNNING_AFTER_S:
        return "not_running", f"No message has come over the channel for {NOT_RUNNING_AFTER_S:.0f} s."
    # A live feed had a packet within 10 s by the worker's own watch; the instants in the status may be older.
    silent = channel.feed != "live" and silent_s >= STALE_AFTER_S
    # A worker that may not connect has subscribed nothing, so `subscribed` alone would call it healthy.
    expected = stored.status.get("expected") == "1"
    open_ = any(phase != "closed" for phase in channel.phase.values())
    if silent and (expected or (open_ and status_fields.whole(stored.status.get("subscribed")))):
        return "stale", f"The market is open and no packet has come for {STALE_AFTER_S:.0f} s."
    return _judge_prices(stored.status, channel)


def _judge_prices(fields: Mapping[str, str], channel: ChannelState) -> tuple[str, str]:
    """Judge the prices of a feed that is up: whether all segments bring some, and in time."""
    error_s = status_fields.clock_error(fields)
    if words := market.doubt_words(channel.doubts):
        unsure = error_s is None and "delayed" in words
        return "stale", words + (
            "; or this host's clock is fast: the broker's time is not known yet." if unsure else "."
        )
    if error_s is not None and abs(error_s) >= CLOCK_WRONG_S:
        return (
            "stale",
            f"By the broker's, {lag.clock_words(error_s)}: ages of prices and trading hours are wrong by as much.",
        )
    return "healthy", ""


def _calendar(fields: Mapping[str, str]) -> dict[str, Any]:
    """Return what is provisional in the calendar of the month ahead, and days with trades but no session.

    `calendar_lines`: the lines of an override file that settle both.
    """
    days = status_fields.off_sessions(fields)
    lines = fields.get("calendar_lines", ""), lines_to_add(days)
    return {
        "calendar_ahead": status_fields.strings(fields.get("calendar_ahead")),
        "off_sessions": days,
        "calendar_lines": "\n\n".join(filter(None, lines)),
    }
