"""`/status`: the figures of the worker and of this web process, for operators.

The worker's figures come from Redis, where any client may have written them: each is parsed as a number or
left out. The page has no figures of other web processes.
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

from flask import Blueprint, render_template, request

from ltp import metrics
from ltp.core.clients import allotment
from ltp.core.money import group_indian
from ltp.core.ticks.lag import duration
from ltp.hub.fragments import BEAT
from ltp.web import market, params
from ltp.web.api import health, status_fields
from ltp.web.api.health_document import ChannelState, describe
from ltp.web.live import poll, status_line
from ltp.web.services import Services, services
from ltp.web.table.cells import DASH
from ltp.web.times import ist

bp = Blueprint("status", __name__)
_VERDICTS: Final = {"healthy": "Healthy", "stale": "Stale", "not_running": "Not running", "error": "Error"}
_LISTS: Final = {
    "never_ticked": "Never ticked",
    "waiting": "Waiting for a place",
    "mistimed": "Trade time contradicts volume",
}
_CUT: Final = ("stalled", "drain_cut")  # reasons for ending a stream whose browser reads too slowly
_LISTED: Final = 20  # keys and kinds shown of one field: Redis may hold any number
CLOCK_RIGHT_S: Final = 2.0  # the Date header of the broker has whole seconds
_MAX_TEXT: Final = 500
_MAX_LINES: Final = 8_000


class Figure(NamedTuple):
    """`text`: may be Markup."""

    label: str
    text: str


@bp.get("/status")
def page() -> str:
    live = params.is_live(params.single(request.args.items(multi=True)))
    return render_template(
        "status/index.html",
        **_figures(services()),
        live=poll.LiveAddresses("", "/status/poll") if live else None,
        pause_url="/status?live=0" if live else "/status",
    )


@bp.get("/status/poll")
def polled() -> str:
    shared = services()
    return (
        render_template("status/_figures.html", **_figures(shared))
        + status_line.render_partial(shared.hub)
        + BEAT
    )


def _figures(shared: Services) -> dict[str, Any]:
    began_s = time.monotonic()
    stored = health.stored_status()
    took_s = time.monotonic() - began_s
    document = describe(stored, ChannelState.of(shared.hub), now=datetime.now(UTC))
    fields = stored.status if stored else {}
    return {
        "health": document,
        "verdict": _VERDICTS[document["status"]],
        "redis_answers": stored is not None,
        "worker": worker_figures(fields, document) if fields else [],
        "lists": [(label, *listed_keys(fields, name)) for name, label in _LISTS.items()],
        "calendar": _calendar(document),
        "calendar_lines": document["calendar_lines"][:_MAX_LINES],
        "rule": allotment.RULE,
        "last_error": document["last_error"][:_MAX_TEXT],
        "pid": os.getpid(),
        "began": _instant(shared.vitals.began_s),
        "process": process_figures(shared, metrics.snapshot(), None if stored is None else took_s),
    }


def worker_figures(fields: Mapping[str, str], document: Mapping[str, Any]) -> list[Figure]:
    """Return the figures of the worker.

    Args:
        fields: of `store.heartbeat.StreamStatus`.
        document: the health document of the same moment.
    """
    received, written = number(fields.get("ticks_per_s")), number(fields.get("ticks_written_per_s"))
    return [
        Figure("Ticks in, a second", rate(received)),
        Figure("Ticks written, a second", rate(written)),
        Figure("Conflation", f"{received / written:.2f} in for 1 written" if received and written else DASH),
        Figure("Batches, a second", rate(number(fields.get("batches_per_s")))),
        Figure("A write to Redis", _write(fields)),
        Figure("Trades come late by", _lags(document["lag"])),
        Figure(
            "Silent",
            ", ".join(market.SEGMENT_NAMES.get(segment, segment) for segment in document["silent"]) or "none",
        ),
        Figure("Clock, against the broker's", _clock(document["clock_error_s"])),
        Figure("Last packet", ago(document["last_tick_age_seconds"])),
        Figure("Wanted", _count(fields, "wanted")),
        Figure("Subscribed", _count(fields, "subscribed")),
        Figure("Never ticked", _count(fields, "never_ticked")),
        Figure("Places of pages, screens, programs", _places(fields)),
        Figure("Waiting for a place", _count(fields, "waiting")),
        Figure("Trade time contradicts volume", _count(fields, "mistimed")),
        Figure("Minute bars", _counts_text(_counts(fields, "bars"))),
        Figure("Alerts", _counts_text(_counts(fields, "alerts"))),
        Figure("Odd packets", _counts_text(_counts(fields, "odd_ticks"))),
        Figure("Feed reconnects", _count(fields, "reconnects")),
        Figure("Failed connection attempts", _count(fields, "connect_failures")),
        Figure("Last heartbeat", ago(document["heartbeat_age_seconds"])),
        Figure("Publishing since", _instant(status_fields.instant(fields.get("began_at")) or 0.0)),
    ]


def _calendar(document: Mapping[str, Any]) -> list[str]:
    """Return a sentence for each date with refused trades, and for each doubt about the trading hours."""
    refused = [
        f"Trades dated {day} were refused: by the calendar {', '.join(segments)} had no session then."
        for day, segments in document["off_sessions"].items()
    ]
    return [sentence[:_MAX_TEXT] for sentence in (*refused, *document["calendar_ahead"])]


def process_figures(shared: Services, counts: Mapping[str, int], redis_took_s: float | None) -> list[Figure]:
    """Return the figures of this web process.

    Args:
        counts: the process's counters, as `metrics.snapshot` returns them.
        redis_took_s: seconds until Redis answered, None without an answer.
    """
    hub, lag, ends = shared.hub, shared.vitals.lag(), counts_by_kind(counts, "stream_ends")
    cut = {reason: n for reason, n in ends.items() if reason in _CUT}
    late = (
        f"p50 {lag.p50_s * 1000:.1f}, p99 {lag.p99_s * 1000:.1f}, worst {lag.worst_s * 1000:.1f}"
        if lag
        else DASH
    )
    return [
        Figure("Browsers", f"{whole(hub.streams)} of {whole(hub.max_streams)}"),
        Figure("Events sent, a second", rate(shared.vitals.rates.per_s("stream_writes"))),
        Figure("Behind now", whole(hub.slow_browsers)),
        Figure("Fell behind", whole(counts.get("streams_fell_behind", 0))),
        Figure("Cut as too slow", _counts_text(cut)),
        Figure(
            "Ended otherwise", _counts_text({reason: n for reason, n in ends.items() if reason not in _CUT})
        ),
        Figure("Refused", _counts_text(counts_by_kind(counts, "streams_refused"))),
        Figure(
            "Gaps in the worker's batches",
            _counts_text(counts_by_kind(counts, "relay_rereads"), without="subscribed"),
        ),
        Figure("Subscription made again", _counts_text(counts_by_kind(counts, "relay_reconnects"))),
        Figure("Loop lag, ms", late),
        Figure("Last batch from the worker", ago(hub.link_age_s)),
        Figure("Redis answered in", "no answer" if redis_took_s is None else _ms(redis_took_s)),
    ]


def listed_keys(fields: Mapping[str, str], name: str) -> tuple[list[str], int]:
    """Return the keys that the worker lists under a name, and the number of the others that it counts."""
    keys = [key for key in status_fields.strings(fields.get(f"{name}_keys")) if len(key) < 40][:_LISTED]
    return keys, max(0, status_fields.whole(fields.get(name)) - len(keys))


def counts_by_kind(counts: Mapping[str, int], name: str) -> dict[str, int]:
    """Return the counts named `<name>.<kind>` by kind."""
    return {full.partition(".")[2]: n for full, n in counts.items() if full.partition(".")[0] == name}


def _counts_text(counts: Mapping[str, int], *, without: str = "") -> str:
    shown = [
        f"{kind.replace('_', ' ')} {whole(n)}" for kind, n in sorted(counts.items()) if n and kind != without
    ]
    return ", ".join(shown) or "0"


def number(text: str | None) -> float | None:
    """Parse a number from 0 to 1e12; None for any other text."""
    try:
        value = float(text or "")
    except ValueError:
        return None
    return value if 0 <= value < 1e12 else None  # also false for NaN


def rate(per_s: float | None) -> str:
    if per_s is None:
        return DASH
    before, _, after = f"{per_s:.1f}".partition(".")
    return f"{group_indian(before)}.{after}"


def whole(n: int) -> str:
    return group_indian(str(n))


def ago(seconds: float | None) -> str:
    """Return an age as a text, "never" for None and for infinity."""
    if seconds is None or not math.isfinite(seconds):
        return "never"
    if seconds < 120:
        return f"{seconds:.1f} s ago"
    return f"{seconds / 60:.0f} min ago" if seconds < 7_200 else f"{whole(round(seconds / 3_600))} h ago"


def _count(fields: Mapping[str, str], name: str) -> str:
    return whole(status_fields.whole(fields[name])) if name in fields else DASH


def _counts(fields: Mapping[str, str], name: str) -> dict[str, int]:
    """Parse counts by kind; values that are no counts are left out."""
    counts = list(status_fields.members(fields.get(name)).items())[:_LISTED]
    return {kind[:40]: n for kind, n in counts if type(n) is int and 0 <= n < 1 << 53}


def _places(fields: Mapping[str, str]) -> str:
    """Return the subscriptions taken by pages, screens and programs."""
    taken = _counts(fields, "places")
    return (
        ", ".join(whole(taken.get(kind, 0)) for kind in ("pages", "screens", "programs")) if taken else DASH
    )


def _write(fields: Mapping[str, str]) -> str:
    """Return mean and worst duration of the worker's writes to Redis."""
    mean, worst = number(fields.get("write_ms")), number(fields.get("write_worst_ms"))
    return DASH if mean is None or worst is None else f"{_ms(mean / 1000)}, worst {_ms(worst / 1000)}"


def _lags(lags: Mapping[str, Mapping[str, float]]) -> str:
    shown = [
        f"{market.SEGMENT_NAMES[segment]} {lag['median_s']:.1f} s (p99 {lag['p99_s']:.1f} s)"
        for segment, lag in lags.items()
        if segment in market.SEGMENT_NAMES
    ]
    return ", ".join(shown) or DASH


def _clock(error_s: float | None) -> str:
    if error_s is None:
        return DASH
    return (
        "right"
        if abs(error_s) < CLOCK_RIGHT_S
        else f"{duration(abs(error_s))} {'fast' if error_s > 0 else 'slow'}"
    )


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.1f} ms"


def _instant(epoch_s: float) -> str:
    try:
        return ist(datetime.fromtimestamp(epoch_s, UTC)) if epoch_s else DASH
    except (ValueError, OverflowError, OSError):
        return DASH
