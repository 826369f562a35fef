"""Captured frames back into ticks, with the times at which they were received."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from ltp.core.ticks.tick import TickFields
from ltp.dhan.codes import MODES, Mode
from ltp.dhan.protocol import Protocol
from ltp.errors import InputError
from ltp.feed.capture.file import (
    CONNECTED,
    ENDED,
    FRAMES,
    LOST,
    SUBSCRIBED,
    UNSUBSCRIBED,
    CaptureFile,
    Record,
)


class Step(NamedTuple):
    """The ticks of one read of the socket, or a change of the connection.

    `since_us`: of the connection that the step belongs to, microseconds since the epoch, 0 for none. It is
    another one behind frames that were not captured: nothing is known about the time between. `wanted`: the
    subscribed keys where they changed, else None.
    """

    at_us: int
    since_us: int
    ticks: list[TickFields]
    wanted: frozenset[str] | None = None


def steps(file: CaptureFile) -> Iterator[Step]:
    """Yield all steps of a file, in their order.

    Raises:
        InputError: the file was captured in a mode that there is not.
    """
    if file.mode not in MODES:
        raise InputError("file", file.mode, f"captured in one of the modes {', '.join(MODES)}")
    mode: Mode = file.mode
    protocol, since_us = Protocol(mode), 0
    for record in file.records():
        if record.kind == FRAMES:
            if since_us:
                yield Step(record.at_us, since_us, protocol.receive(record.messages, record.at_us))
            continue
        if record.kind == CONNECTED:
            protocol = Protocol(mode)
        since_us = _since(record, since_us)
        _subscribe(protocol, record)
        yield Step(record.at_us, since_us, [], frozenset(protocol.wanted))


def _since(record: Record, before: int) -> int:
    if record.kind == CONNECTED:
        return record.since_us
    if record.kind == LOST:
        return record.at_us
    return 0 if record.kind == ENDED else before


def _subscribe(protocol: Protocol, record: Record) -> None:
    if record.kind == SUBSCRIBED:
        protocol.subscribe(record.keys)
    elif record.kind == UNSUBSCRIBED:
        protocol.unsubscribe(record.keys)
