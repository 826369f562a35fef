"""Files that replace the random walk: one-minute bars, or captured frames.

Bars: CSV with a header of `segment,security_id` (or `symbol`), `time` (ISO 8601 with offset),
`open,high,low,close,volume`. Frames: JSON lines `{"at": seconds, "hex": "..."}`. Reads the whole file, checks
every line, and hands out the events that are due; knows no exchange and no clock.
"""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Final, NamedTuple

from ltp.core.instrument import Instrument, parse_key, split_key
from ltp.core.money import Price, price_from_rupees
from ltp.dhan.codes import SEGMENT_NAMES
from ltp.dhan.packets import decode
from ltp.errors import InputError
from ltp.feed.simulator.universe import Listing, listings

_QUARTER_S: Final = 15.0
_TICK_SIZE: Final = 500  # price units, of instruments that only the file has
_COLUMNS: Final = ("time", "open", "high", "low", "close", "volume")


class Print(NamedTuple):
    """A trade of a bar file: `at` is the file's own time in seconds."""

    at: float
    key: str
    ltp: Price
    ltq: int


class Frame(NamedTuple):
    """A captured message."""

    at: float
    message: bytes


class Replay:
    """The events of one file. `events`: in the order of their time. `speed`: 60 plays an hour in a minute."""

    def __init__(self, events: list[Print] | list[Frame], speed: float) -> None:
        if not (math.isfinite(speed) and speed > 0):
            raise InputError("speed", str(speed), "a number above 0")
        self._events, self._speed, self._next, self._began = events, speed, 0, 0.0

    @property
    def keys(self) -> set[str]:
        """The instruments of this replay."""
        keys = {event.key for event in self._events if isinstance(event, Print)}
        for event in self._events:
            if isinstance(event, Frame):
                packets, _ = decode(event.message)
                keys.update(f"{SEGMENT_NAMES.get(packet.segment)}:{packet.security_id}" for packet in packets)
        return keys

    def first_prints(self) -> dict[str, Print]:
        """Return the first trade of each instrument of a bar file; nothing of a file of frames."""
        return {event.key: event for event in reversed(self._events) if isinstance(event, Print)}

    def missing(self, listed: set[str]) -> list[Listing]:
        """Return a listing for each instrument of a bar file that is not in `listed`, a set of keys."""
        return [
            Listing(_instrument(key), "", "", event.ltp, 1.0)
            for key, event in self.first_prints().items()
            if key not in listed
        ]

    def start(self, now: float) -> None:
        self._began = now

    def next_due(self) -> float | None:
        if self._next >= len(self._events):
            return None
        return self._began + (self._events[self._next].at - self._events[0].at) / self._speed

    def due(self, now: float) -> list[Print | Frame]:
        events: list[Print | Frame] = []
        while (at := self.next_due()) is not None and at <= now:
            events.append(self._events[self._next])
            self._next += 1
        return events


def _instrument(key: str) -> Instrument:
    segment, security_id = split_key(key)
    return Instrument(segment, security_id, f"ID{security_id}", key, "", 1, _TICK_SIZE)


def load(path: Path, speed: float) -> Replay:
    """Read a file of bars (`.csv`) or of frames (anything else).

    Raises:
        InputError: naming line and column, or the file.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError("replay", str(path), f"a readable file ({error})") from None
    events: list[Print] | list[Frame] = _bars(text) if path.suffix == ".csv" else _frames(text)
    if not events:
        raise InputError("replay", str(path), "a file with at least one bar or frame")
    return Replay(events, speed)


def _bars(text: str) -> list[Print]:
    symbols = {listing.instrument.symbol: listing.key for listing in listings()}
    events: list[Print] = []
    for number, row in enumerate(csv.DictReader(text.splitlines()), start=2):
        events.extend(_prints(row, f"line {number}", symbols))
    return sorted(events, key=lambda event: event.at)  # recorded files are known to be out of order


def _prints(row: Mapping[str, str | None], where: str, symbols: Mapping[str, str]) -> list[Print]:
    for column in _COLUMNS:
        if not row.get(column):
            raise InputError(f"{where}, {column}", "", "every bar needs " + ", ".join(_COLUMNS))
    key = _key(row, where, symbols)
    open_, high, low, close = (_price(row, column, where) for column in ("open", "high", "low", "close"))
    at, volume = _at(str(row["time"]), where), _volume(str(row["volume"]), where)
    turns = (open_, low, high, close) if close >= open_ else (open_, high, low, close)
    last = volume - 3 * (volume // 4)
    return [
        Print(at + index * _QUARTER_S, key, price, last if index == 3 else volume // 4)
        for index, price in enumerate(turns)
    ]


def _key(row: Mapping[str, str | None], where: str, symbols: Mapping[str, str]) -> str:
    if row.get("security_id"):
        return parse_key(f"{row.get('segment') or 'NSE_EQ'}:{row['security_id']}", where)
    symbol = row.get("symbol") or ""
    if symbol not in symbols:
        raise InputError(
            f"{where}, symbol", symbol, "a symbol of the simulator's universe, or segment and security_id"
        )
    return symbols[symbol]


def _price(row: Mapping[str, str | None], column: str, where: str) -> Price:
    try:
        price = price_from_rupees(float(row[column] or ""))
    except ValueError:
        price = None
    if price is None:
        raise InputError(f"{where}, {column}", str(row[column]), "a price in rupees above 0")
    return price


def _at(text: str, where: str) -> float:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise InputError(f"{where}, time", text, "ISO 8601 with offset, such as 2026-11-23T09:15:00+05:30")
    return moment.timestamp()


def _volume(text: str, where: str) -> int:
    try:
        volume = int(float(text))
    except (ValueError, OverflowError):
        volume = -1
    if volume < 0:
        raise InputError(f"{where}, volume", text, "a whole number of 0 or more")
    return volume


def _frames(text: str) -> list[Frame]:
    frames = []
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
            frames.append(Frame(float(record["at"]), bytes.fromhex(record["hex"])))
        except (ValueError, KeyError, TypeError):
            raise InputError(f"line {number}", line, 'a frame is {"at": seconds, "hex": "0210..."}') from None
    return sorted(frames, key=lambda frame: frame.at)
