"""The peer of stored bars: one row a minute in DuckDB, as trading tools keep them, joined into longer bars by SQL."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import duckdb
import numpy

from ltp.core.bars.bar import Bar

_SCALE: Final = 10_000
_ROWS: Final = (
    "key VARCHAR, start BIGINT, open DOUBLE, high DOUBLE, low DOUBLE, close DOUBLE, volume BIGINT, oi BIGINT"
)
_FIVES: Final = """
    SELECT start // 300 * 300 AS bar, arg_min(open, start), max(high), min(low), arg_max(close, start), sum(volume),
    arg_max(oi, start) FROM bars WHERE key = ? AND start >= ? AND start < ? GROUP BY bar ORDER BY bar
"""


class DuckBars:
    """One connection with one thread, because the product answers a request with one."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self._connection: Any = duckdb.connect(str(file), config={"threads": 1})
        self._connection.execute(f"CREATE TABLE bars ({_ROWS}, PRIMARY KEY (key, start))")

    def store(self, key: str, bars: Sequence[Bar]) -> None:
        """Store bars of one instrument, in one statement."""
        rows = numpy.array([bar[:6] for bar in bars], dtype="int64")
        prices = dict(zip(("open", "high", "low", "close"), rows[:, 1:5].T / _SCALE, strict=True))
        columns = {"start": rows[:, 0], **prices, "volume": rows[:, 5]}
        self._connection.register("new_bars", columns)
        self._connection.execute(
            "INSERT INTO bars SELECT ?, start, open, high, low, close, volume, NULL FROM new_bars", [key]
        )
        self._connection.unregister("new_bars")

    def fives(self, key: str, first: int, until: int) -> str:
        """Return the five-minute bars of a stretch of time as JSON."""
        found = self._connection.execute(_FIVES, [key, first, until]).fetchall()
        names = ("start", "open", "high", "low", "close", "volume", "oi")
        return json.dumps({"bars": [dict(zip(names, row, strict=True)) for row in found]})

    def size(self) -> int:
        """Return the bytes of the file after all is written."""
        self._connection.execute("CHECKPOINT")
        return self.file.stat().st_size

    def close(self) -> None:
        self._connection.close()
