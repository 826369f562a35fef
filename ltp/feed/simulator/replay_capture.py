"""A file of captured frames as the events of a replay: messages as they were sent, and ends of connections."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from ltp.feed.capture.file import ENDED, FRAMES, CaptureFile


class Frame(NamedTuple):
    """A captured message. `at`: when it was received, in seconds."""

    at: float
    message: bytes


class Break(NamedTuple):
    """The captured connection ended at `at`."""

    at: float


def read(file: CaptureFile, start_us: int) -> Iterator[Frame | Break]:
    """Yield what happened from `start_us` on, microseconds since the epoch."""
    for record in file.records(start_us):
        at = record.at_us / 1e6
        if record.kind == ENDED and record.at_us >= start_us:
            yield Break(at)
        elif record.kind == FRAMES:
            for message in record.messages:
                if isinstance(message, bytes):
                    yield Frame(at, message)
                    continue
                step = message.gap + message.size
                for end in range(step, len(message.block) + 1, step):
                    yield Frame(at, message.block[end - message.size : end])
