"""The bars of a page of `/api/v1/candles` as columns, as JSON and as CSV: up to 10,000 of them at once, so each
value that repeats is made once.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any, Final

from ltp.core.bars.bar import MARKS, SOURCES, Bar, mark_names, source_name
from ltp.core.money import rupees
from ltp.core.trading_day import DAY_S, IST_OFFSET_S

NAMES: Final = (
    "start", "open", "high", "low", "close", "volume", "oi", "source", "marks", "forming", "session",
)  # fmt: skip
_FIRST: Final = date(1970, 1, 1)
_CLOCKS: Final = tuple(f"T{minute // 60:02d}:{minute % 60:02d}:00+05:30" for minute in range(1_440))
_MARK_NAMES: Final = tuple(mark_names(bits) for bits in range(2 * max(MARKS)))
_SOURCE_NAMES: Final = tuple(source_name(bits) for bits in range(2 * max(SOURCES)))
_MARK_TEXTS: Final = {" ".join(names): json.dumps(names, separators=(",", ":")) for names in _MARK_NAMES}
_FORMING: Final = {False: "false", True: "true"}

Columns = dict[str, list[Any]]


def start_text(start: int) -> str:
    """Return the start of a minute as an ISO instant of India: "2026-11-30T09:15:00+05:30"."""
    day, second = divmod(start + IST_OFFSET_S, DAY_S)
    return f"{_FIRST + timedelta(days=day)}{_CLOCKS[second // 60]}"


def columns(bars: Sequence[Bar], sessions: Sequence[str | None], forming_from: float) -> Columns:
    """Return a list a name of NAMES.

    Args:
        sessions: the phase of the market of each bar, None for one of a day or longer.
        forming_from: the start of the first bar that is not over, seconds since the epoch.
    """
    starts, opens, highs, lows, closes, volumes, interests, marks, sources = (
        zip(*bars, strict=True) if bars else [()] * 9
    )
    days = {day: str(_FIRST + timedelta(days=day)) for day in {(at + IST_OFFSET_S) // DAY_S for at in starts}}
    local = [divmod(at + IST_OFFSET_S, DAY_S) for at in starts]
    values: tuple[Any, ...] = (
        [days[day] + _CLOCKS[second // 60] for day, second in local],
        *([rupees(price) for price in prices] for prices in (opens, highs, lows, closes)),
        list(volumes),
        list(interests),
        [_SOURCE_NAMES[bits] for bits in sources],
        [_MARK_NAMES[bits] for bits in marks],
        [at >= forming_from for at in starts],
        list(sessions),
    )
    return dict(zip(NAMES, values, strict=True))


def as_rows(of: Columns) -> str:
    """Return the JSON of a list with an object a bar, as json.dumps makes it of the same values without spaces."""
    texts = {None: "null"} | {name: f'"{name}"' for name in {*of["source"], *of["session"]} - {None}}
    each = (
        f'{{"start":"{start}","open":{open_!r},"high":{high!r},"low":{low!r},"close":{close!r},"volume":{volume},'
        f'"oi":{"null" if oi is None else oi},"source":{texts[source]},"marks":{_MARK_TEXTS[" ".join(marks)]},'
        f'"forming":{_FORMING[forming]},"session":{texts[session]}}}'
        for start, open_, high, low, close, volume, oi, source, marks, forming, session in zip(
            *of.values(), strict=True
        )
    )
    return f"[{','.join(each)}]"


def as_columns(of: Columns) -> str:
    return json.dumps(of, separators=(",", ":"))


def as_csv(of: Columns) -> str:
    target = io.StringIO(newline="")
    writer = csv.writer(target)
    writer.writerow(NAMES)
    writer.writerows(zip(*(of | {"marks": [" ".join(each) for each in of["marks"]]}).values(), strict=True))
    return target.getvalue()
