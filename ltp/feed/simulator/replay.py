"""A file that replaces the random walk, of one-minute bars or of captured frames, played from now on.

Hands out the events that are due; knows no exchange and no clock. Captured frames are read while they play,
so a file may be larger than the memory.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Iterable, Iterator
from datetime import datetime, time
from pathlib import Path
from typing import Final

from ltp.core.instrument import Instrument, split_key
from ltp.core.trading_day import IST
from ltp.dhan.retime import retimed
from ltp.errors import InputError
from ltp.feed.capture.file import CaptureFile
from ltp.feed.simulator import replay_bars, replay_capture
from ltp.feed.simulator.replay_bars import Print
from ltp.feed.simulator.replay_capture import Break, Frame
from ltp.feed.simulator.universe import Listing

_TICK_SIZE: Final = 500  # price units, of instruments that only the file has

_log = logging.getLogger(__name__)


class Replay:
    """The events of one file, at least one, in the order of their time.

    `keys`: its instruments. `speed`: 60 plays an hour in a minute. The trade times of captured packets are
    moved by as much as the packets, so that a trade is as old as it was when its packet came.
    """

    def __init__(
        self,
        events: Iterable[Print | Frame | Break],
        speed: float,
        *,
        name: str,
        keys: set[str],
        first_prints: dict[str, Print] | None = None,
    ) -> None:
        """`name`: of the file. `first_prints`: the first trade of each instrument of a bar file."""
        if not (math.isfinite(speed) and speed > 0):
            raise InputError("speed", str(speed), "a number above 0")
        self.keys, self.first_prints = keys, first_prints or {}
        self._events: Iterator[Print | Frame | Break] = iter(events)
        self._speed, self._began = speed, 0.0
        self._next = next(self._events, None)
        if self._next is None:
            raise InputError("replay", name, "a file with something to play from that time on")
        self._first_at = self._next.at

    def missing(self, listed: set[str]) -> list[Listing]:
        """Return a listing for each instrument of a bar file that is not in `listed`, a set of keys."""
        return [
            Listing(_instrument(key), "", "", event.ltp, 1.0)
            for key, event in self.first_prints.items()
            if key not in listed
        ]

    def start(self, now: float) -> None:
        self._began = now

    def next_due(self) -> float | None:
        return None if self._next is None else self._began + (self._next.at - self._first_at) / self._speed

    def due(self, now: float) -> list[Print | Frame | Break]:
        events: list[Print | Frame | Break] = []
        while self._next is not None and (at := self.next_due()) is not None and at <= now:
            events.append(self._today(self._next))
            self._next = next(self._events, None)
        return events

    def _today(self, event: Print | Frame | Break) -> Print | Frame | Break:
        if not isinstance(event, Frame):
            return event
        # At the speed of 1 the second term is exactly 0, so all times move by the same number of seconds.
        moved_s = (self._began - self._first_at) + (event.at - self._first_at) * (1 / self._speed - 1)
        return event._replace(message=retimed(event.message, math.floor(moved_s)))


def _instrument(key: str) -> Instrument:
    segment, security_id = split_key(key)
    return Instrument(segment, security_id, f"ID{security_id}", key, "", 1, _TICK_SIZE)


def load(path: Path, speed: float, start: time | None = None) -> Replay:
    """Open a file of bars (`.csv`) or of captured frames (anything else).

    Args:
        start: time of the file's first day in India to begin at; None for its beginning.
    Raises:
        InputError: naming line and column, or the file.
    """
    if path.suffix == ".csv":
        prints = replay_bars.read(path)
        from_s = _on_the_day_of(prints[0].at, start)
        prints = [event for event in prints if event.at >= from_s]
        first = {event.key: event for event in reversed(prints)}
        return Replay(prints, speed, name=path.name, keys=set(first), first_prints=first)
    file = CaptureFile(path)
    if file.cut:
        _log.warning("%s was cut off; it plays to its last whole block", path)
    _log.info("%s was captured in the mode %s; subscribe in the same", path, file.mode)
    start_us = int(_on_the_day_of(file.began_us / 1e6, start) * 1e6)
    events = replay_capture.read(file, start_us)
    return Replay(events, speed, name=path.name, keys=file.instruments())


def _on_the_day_of(epoch_s: float, start: time | None) -> float:
    if start is None:
        return 0.0
    day = datetime.fromtimestamp(epoch_s, IST).date()
    return datetime.combine(day, start, IST).timestamp()
