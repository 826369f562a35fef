"""Values read from the worker's status hash.

Any client of Redis may have written the hash, so a field that is not as the worker writes it reads as unknown
or empty, never as an error. Pure: fields in, values out.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from ltp.core.instrument import SEGMENTS
from ltp.core.trading_day import is_session


def lags(fields: Mapping[str, str]) -> dict[str, dict[str, float]]:
    """Return by segment how many seconds prices are late: median and 99th percentile over its instruments."""
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


def silent_for(fields: Mapping[str, str]) -> float | None:
    """Return the seconds without a packet by the worker's own count, None when it wrote none."""
    try:
        counted = float(fields["silent_s"])
    except (KeyError, ValueError):
        return None
    return counted if 0 <= counted < 1e10 else None


def off_sessions(fields: Mapping[str, str]) -> dict[str, list[str]]:
    """Return the segments with trades on a day that has no session by the calendar, by ISO date."""
    found = {}
    for day, segments in members(fields.get("off_sessions")).items():
        named = [each for each in segments if each in SEGMENTS] if isinstance(segments, list) else []
        if day and is_session(day) and named:
            found[day] = named
    return found


def instant(text: str | None) -> float | None:
    """Return an ISO 8601 instant (UTC without an offset) as seconds since the epoch, None when it is none."""
    try:
        at = datetime.fromisoformat(text or "")
        return at.replace(tzinfo=at.tzinfo or UTC).timestamp()
    except (ValueError, OverflowError):
        return None


def whole(text: str | None) -> int:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 10 else 0


def texts(text: str | None) -> dict[str, str]:
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
