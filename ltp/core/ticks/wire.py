"""Batches of `live_ltp_updates`: from parsed JSON to checked values.

Parsing the JSON is left to `ltp.store`. Nothing in a message is trusted: a message of another shape gives
None, and nothing here raises.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple, cast

from ltp.core.ticks.tick import FIRST_CONNECTION, Feed, Tick
from ltp.core.ticks.wire_tick import WireTick, is_connection, is_count, is_instant, read

VERSION: Final = 2
WITHOUT_CONNECTION: Final = 1  # the version before, which names no connection; still readable
FIRST_SEQ: Final = 1  # of an epoch: a reader of this batch reads the cache again
FEEDS: Final = ("live", "silent", "down", "off")
_IN_TIME: Final[Mapping[str, str]] = {}
_NONE: Final[Mapping[str, int]] = {}
_WORDS: Final = re.compile(r"[a-z][A-Za-z0-9' ]{0,59}", re.ASCII)


class Batch(NamedTuple):
    """One message of the worker: the state of one broker connection, and ticks that came by it.

    Of the worker:
        epoch: a new one begins whenever batches may have been lost.
        seq: rises by one with each batch of an epoch.
        at: microseconds since the epoch, rising over all batches; id of the events made from this one.
        source: "dhanhq" or "simulator".
        phase: phase of the trading day by segment.
        notice: a sentence for pages about the trading hours, empty while those are certain.
        reassigned: keys that mean another instrument since an instant in microseconds. An older price under
            such a key is of the former instrument.

    Of the connection:
        connection: its name.
        feed: its state.
        since: microseconds at which it was subscribed, 0 while there is none. A price received before is not
            covered.
        doubts: segments whose prices may not be shown as live although the feed is live, each with the reason
            in words, which is empty for mere silence.
        ticks: Tick before they are written, WireTick after they are received.
    """

    epoch: str
    seq: int
    at: int
    feed: Feed
    since: int
    source: str
    phase: Mapping[str, str]
    ticks: Sequence[Tick | WireTick]
    doubts: Mapping[str, str] = _IN_TIME
    notice: str = ""
    reassigned: Mapping[str, int] = _NONE
    connection: str = FIRST_CONNECTION


def batch_from_plain(plain: Any) -> Batch | None:
    """Return the batch in a parsed message, without its damaged ticks; None if it is none of a readable
    version.
    """
    if not isinstance(plain, dict):
        return None
    connection = connection_of(plain.get("v"), plain.get("connection"))
    epoch, seq, at, feed, since = (plain.get(name) for name in ("epoch", "seq", "at", "feed", "since"))
    phase, ticks, source = plain.get("phase"), plain.get("ticks"), plain.get("source", "")
    if not (
        connection is not None
        and isinstance(epoch, str)
        and is_count(seq)
        and is_instant(at)
        and feed in FEEDS
        and is_instant(since)
    ):
        return None
    if not (
        isinstance(phase, dict)
        and all(isinstance(value, str) for value in phase.values())
        and isinstance(ticks, list)
        and isinstance(source, str)
    ):
        return None
    return Batch(
        epoch,
        cast(int, seq),
        cast(int, at),
        cast(Feed, feed),
        cast(int, since),
        source,
        phase,
        read(ticks),
        doubts_from_plain(plain.get("doubts")),
        words(plain.get("notice")),
        reassigned_from_plain(plain.get("reassigned")),
        connection,
    )


def connection_of(version: object, connection: object) -> str | None:
    """Return the name of a batch's connection, None if the batch is of no readable version or names none."""
    if version == WITHOUT_CONNECTION:
        return FIRST_CONNECTION
    return connection if version == VERSION and is_connection(connection) else None


def words(text: Any) -> str:
    """Return a text that pages show, "" if it is no plain words."""
    return text if isinstance(text, str) and _WORDS.fullmatch(text) else ""


def doubts_from_plain(plain: Any) -> Mapping[str, str]:
    """Return `Batch.doubts`; a reason that is no plain words becomes ""."""
    if not isinstance(plain, dict):
        return _IN_TIME
    return {str(segment): words(reason) for segment, reason in plain.items()}


def reassigned_from_plain(plain: Any) -> Mapping[str, int]:
    """Return `Batch.reassigned`, without the keys that have no instant."""
    return {key: at for key, at in plain.items() if is_instant(at)} if isinstance(plain, dict) else _NONE
