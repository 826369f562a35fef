"""Texts for the state of the feed and of the market."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from ltp.core.ticks.tick import LINK_DEAD_AFTER_S
from ltp.hub.hub import Hub

SEGMENT_NAMES: Final = {
    "NSE_EQ": "NSE shares",
    "BSE_EQ": "BSE shares",
    "IDX_I": "Indices",
    "NSE_FNO": "NSE futures and options",
    "BSE_FNO": "BSE futures and options",
    "NSE_CURRENCY": "NSE currency",
    "BSE_CURRENCY": "BSE currency",
    "MCX_COMM": "MCX commodities",
}
_PHASES: Final = {
    "pre_open": "pre-open",
    "continuous": "open",
    "closing_auction": "closing auction",
    "post_close": "post-close",
    "closed": "closed",
}
_FEEDS: Final = {
    "live": "Feed live",
    "silent": "Feed silent: no prices are coming in",
    "down": "Feed disconnected: prices are the last known",
    "off": "Feed off",
}


class Status(NamedTuple):
    """The state of the feed and of the market.

    `feed`: live, silent, down, off, or lost if no batches come from the worker. `words`: the same as a text.
    `phases`: name of the segment and its phase as a text.
    """

    feed: str
    words: str
    phases: tuple[tuple[str, str], ...]


def status(hub: Hub) -> Status:
    phases = tuple(
        (SEGMENT_NAMES[segment], phase_words(hub.phase, segment))
        for segment in SEGMENT_NAMES
        if segment in hub.phase
    )
    if hub.link_age_s > LINK_DEAD_AFTER_S:
        return Status("lost", "Nothing received from the worker: prices are the last known", phases)
    if hub.feed == "live" and (doubts := doubt_words(hub.doubts)):
        return Status("silent", doubts, phases)
    return Status(hub.feed, _FEEDS.get(hub.feed, "Feed unknown"), phases)


def doubt_words(doubts: Mapping[str, str]) -> str:
    """Return the segments whose prices may not be shown as live, with the reason; "" for none.

    Example: "NSE shares delayed by 2 min 30 s".

    Args:
        doubts: reason by segment, "" for silence.
    """
    by_reason: dict[str, list[str]] = {}
    for segment, reason in doubts.items():
        if segment in SEGMENT_NAMES:
            by_reason.setdefault(reason, []).append(SEGMENT_NAMES[segment])
    return "; ".join(_doubt(", ".join(names), reason) for reason, names in by_reason.items())


def _doubt(names: str, reason: str) -> str:
    if not reason:
        return f"{names} silent: no prices are coming in"
    return f"{names} {reason}" if reason.startswith("delayed") else f"{names} of uncertain age: {reason}"


def phase_words(phases: Mapping[str, str], segment: str) -> str:
    phase = phases.get(segment, "")
    return _PHASES.get(phase, phase.replace("_", " ")) or "unknown"
