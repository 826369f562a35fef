"""A file of captured frames: two shares that trade for some minutes of one session, a connection that breaks."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ltp.dhan.clock import utc_to_ltt
from ltp.dhan.packets import QuotePacket, encode
from ltp.feed.capture.file import (
    CONNECTED,
    ENDED,
    FRAMES,
    SUBSCRIBED,
    Record,
    event,
    joined,
    of_keys,
)
from ltp.feed.capture.writer import CaptureWriter

OPEN = 1_796_010_300  # 2026-11-30T09:15:00+05:30
KEYS = ("NSE_EQ:1333", "NSE_EQ:11536")


def quote(security_id: int, second: int, volume: int) -> bytes:
    """Return a quote that was traded so many seconds after OPEN; prices move by a rupee each second."""
    rupees = 1000.0 + second % 7
    return encode(
        QuotePacket(
            1, security_id, rupees, 10, utc_to_ltt(OPEN + second), rupees, volume, 5, 5, 1000.0, 999.0, 1006.0, 1000.0
        )
    )  # fmt: skip


def records(seconds: int, *, breaks_at: int = -1, begin: int = -5) -> Iterator[Record]:
    """Yield the records of `seconds` seconds with one read each, received 300 ms after the trade.

    `breaks_at`: in this second the connection ends, and another one begins.
    """
    at_us = (OPEN + begin) * 1_000_000
    yield from connection(at_us)
    for second in range(begin, begin + seconds):
        at_us = (OPEN + second) * 1_000_000 + 300_000
        if second == breaks_at:
            yield event(ENDED, at_us, kind="closed", code=1006, sentence="The connection broke")
            yield from connection(at_us)
        messages = [quote(1333, second, 1000 + 10 * second), quote(11536, second, 2000 + 20 * second)]
        yield Record(FRAMES, at_us, joined(messages))


def connection(at_us: int) -> Iterator[Record]:
    yield event(CONNECTED, at_us, since=at_us, instruments=len(KEYS))
    yield of_keys(SUBSCRIBED, at_us, KEYS)


def captured(folder: Path, seconds: int, *, source: str = "dhanhq", breaks_at: int = -1) -> Path:
    """Return a file of `records`, a block for each quarter of a minute."""
    writer = CaptureWriter(folder, source=source, mode="quote")
    all_records = list(records(seconds, breaks_at=breaks_at))
    for begin in range(0, len(all_records), 15):
        writer.write(all_records[begin : begin + 15])
    writer.close()
    [path] = folder.glob("*.ltpcap")
    return path
