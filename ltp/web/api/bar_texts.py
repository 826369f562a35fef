"""The bars of a page of `/api/v1/candles` as columns, as JSON and as CSV: up to 10,000 of them at once, so each
value that repeats is made once.
"""

from __future__ import annotations

import csv
import io
import json
from bisect import bisect_left
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any, Final

from ltp.core.bars.bar import MARKS, SOURCES, mark_names, source_name
from ltp.core.bars.columns import BarColumns
from ltp.core.money import rupees
from ltp.core.trading_day import DAY_S, IST_OFFSET_S

NAMES: Final = (
    "start", "open", "high", "low", "close", "volume", "oi", "source", "marks", "forming", "session",
)  # fmt: skip
_FIRST: Final = date(1970, 1, 1)
_CLOCKS: Final = tuple(f"T{minute // 60:02d}:{minute % 60:02d}:00+05:30" for minute in range(1_440))
_MARK_NAMES: Final = tuple(tuple(mark_names(bits)) for bits in range(2 * max(MARKS)))
_SOURCE_NAMES: Final = tuple(source_name(bits) for bits in range(2 * max(SOURCES)))
_PRICES: Final = NAMES[1:5]

Columns = dict[str, list[Any]]


class _Ends(dict[tuple[Any, ...], str]):
    """The end of the JSON object of a bar, by its values. A year of bars has a few."""

    def __missing__(self, values: tuple[Any, ...]) -> str:
        whole = json.dumps(dict(zip(NAMES[7:], values, strict=True)), separators=(",", ":"))
        text = self[values] = whole[1:]
        return text


def start_text(start: int) -> str:
    """Return the start of a minute as an ISO instant of India: "2026-11-30T09:15:00+05:30"."""
    day, second = divmod(start + IST_OFFSET_S, DAY_S)
    return f"{_FIRST + timedelta(days=day)}{_CLOCKS[second // 60]}"


def _start_texts(starts: Sequence[int]) -> list[str]:
    texts: list[str] = []
    while len(texts) < len(starts):
        day = (starts[len(texts)] + IST_OFFSET_S) // DAY_S
        midnight = day * DAY_S - IST_OFFSET_S
        of_day = starts[len(texts) : bisect_left(starts, midnight + DAY_S, len(texts))]
        date_text = str(_FIRST + timedelta(days=day))
        texts += [date_text + _CLOCKS[(start - midnight) // 60] for start in of_day]
    return texts


def columns(bars: BarColumns, sessions: Sequence[str | None], forming_from: float) -> Columns:
    """Return a list a name of NAMES; prices as JSON numbers, in rupees.

    Args:
        sessions: the phase of the market of each bar, None for one of a day or longer.
        forming_from: the start of the first bar that is not over, seconds since the epoch.
    """
    # A year of bars has a few thousand different prices.
    texts = {price: repr(rupees(price)) for price in set().union(*bars[1:5])}
    over = bisect_left(bars.starts, forming_from)
    values: tuple[Any, ...] = (
        _start_texts(bars.starts),
        *(list(map(texts.__getitem__, prices)) for prices in bars[1:5]),
        list(bars.volumes),
        list(bars.interests),
        list(map(_SOURCE_NAMES.__getitem__, bars.sources)),
        list(map(_MARK_NAMES.__getitem__, bars.marks)),
        [False] * over + [True] * (len(bars.starts) - over),
        list(sessions),
    )
    return dict(zip(NAMES, values, strict=True))


def as_rows(of: Columns) -> str:
    """Return the JSON of a list with an object a bar, as json.dumps makes it of the same values without spaces."""
    ends = map(_Ends().__getitem__, zip(*(of[name] for name in NAMES[7:]), strict=True))
    each = [
        f'{{"start":"{start}","open":{open_},"high":{high},"low":{low},"close":{close},"volume":{volume},'
        f'"oi":{"null" if oi is None else oi},{end}'
        for start, open_, high, low, close, volume, oi, end in zip(
            *(of[name] for name in NAMES[:7]), ends, strict=True
        )
    ]
    return f"[{','.join(each)}]"


def as_columns(of: Columns) -> str:
    texts = (
        f"[{','.join(values)}]" if name in _PRICES else json.dumps(values, separators=(",", ":"))
        for name, values in of.items()
    )
    return f"{{{','.join(f'{json.dumps(name)}:{text}' for name, text in zip(of, texts, strict=True))}}}"


def as_csv(of: Columns) -> str:
    target = io.StringIO(newline="")
    writer = csv.writer(target)
    writer.writerow(NAMES)
    writer.writerows(zip(*(of | {"marks": [" ".join(each) for each in of["marks"]]}).values(), strict=True))
    return target.getvalue()
