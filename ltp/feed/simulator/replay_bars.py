"""A file of one-minute bars as the trades of a replay: four of each bar.

CSV with a header of `segment,security_id` (or `symbol`), `time` (ISO 8601 with offset),
`open,high,low,close,volume`.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Final, NamedTuple

from ltp.core.instrument import parse_key
from ltp.core.money import Price, price_from_rupees
from ltp.errors import InputError
from ltp.feed.simulator.universe import listings

_QUARTER_S: Final = 15.0
_COLUMNS: Final = ("time", "open", "high", "low", "close", "volume")


class Print(NamedTuple):
    """A trade of a bar file: `at` is the file's own time in seconds."""

    at: float
    key: str
    ltp: Price
    ltq: int


def read(path: Path) -> list[Print]:
    """Return the trades of a file, checked line by line, in the order of their time.

    Raises:
        InputError: naming line and column, or the file.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError("replay", str(path), f"a readable file ({error})") from None
    events = _bars(text)
    if not events:
        raise InputError("replay", str(path), "a file with at least one bar")
    return events


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
