"""The cost of a year of five-minute bars by the API, in a process of its own, beside the same of rows in DuckDB:
`python -m bench.longer_bars SECONDS` prints, as JSON, milliseconds of CPU, how many bars the year has, and megabytes
on disk per million one-minute bars. The last 60 days of ours are one-minute bars, as stored.
"""

from __future__ import annotations

import gc
import json
import random
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Final

from app import create_app
from bench.peers.duck_bars import DuckBars
from ltp.batch.minutes.upkeep import delete_old
from ltp.core.bars.bar import Bar
from ltp.core.instrument import Instrument
from ltp.core.market.session import Calendar
from ltp.core.trading_day import DAY_S, day_start
from ltp.db import instruments, minute_bars
from ltp.db.catalog import Catalog
from ltp.db.engine import open_engine
from ltp.settings import Settings
from ltp.web.services import EXTENSION

_SHARE: Final = Instrument("NSE_EQ", 1333, "HDFCBANK", "HDFC Bank Limited", "", 1, 500)
_LAST: Final = date(2026, 7, 31)
_DAYS: Final = 365
_URL: Final = "/api/v1/candles"


def walk(calendar: Calendar) -> Iterator[tuple[date, list[Bar]]]:
    """Yield a random walk of every minute of the year's continuous sessions, by day."""
    chance, price = random.Random(1), 1_650_0000
    for back in range(_DAYS):
        day = _LAST - timedelta(days=back)
        bars: list[Bar] = []
        for window in calendar.windows("NSE_EQ", day):
            for start in range(window.start, window.end, 60) if window.phase == "continuous" else ():
                moves = [price + chance.randint(-40, 40) * 500 for _ in range(4)]
                bars.append(
                    Bar(start, price, max(price, *moves), min(price, *moves), moves[-1], start % 90_000)
                )
                price = moves[-1]
        if bars:
            yield day, bars


def megabytes(folder: Path, sessions: Sequence[tuple[date, list[Bar]]]) -> dict[str, float]:
    """Return megabytes per million one-minute bars: as stored while a session is on, packed, and in DuckDB."""
    count = sum(len(bars) for _, bars in sessions) / 1e6
    found = {}
    for name in ("hot", "packed"):
        file = folder / f"{name}.sqlite3"
        engine = open_engine(f"sqlite:///{file}")
        empty = file.stat().st_size
        for day, bars in sessions:
            if name == "hot":
                minute_bars.upsert(engine, {_SHARE.key: bars})
            else:
                minute_bars.upsert_session(engine, day_start(day), {_SHARE.key: bars})
        engine.dispose()
        found[f"{name}_mb"] = (file.stat().st_size - empty) / count / 1e6
    rows = DuckBars(folder / "size.duckdb")
    empty = rows.size()
    for _, bars in sessions:
        rows.store(_SHARE.key, bars)
    found["duckdb_mb"] = (rows.size() - empty) / count / 1e6
    rows.close()
    return found


def duckdb_ms(folder: Path, sessions: Sequence[tuple[date, list[Bar]]], seconds: float) -> float:
    rows = DuckBars(folder / "year.duckdb")
    for _, bars in sessions:
        rows.store(_SHARE.key, bars)
    first, until = day_start(_LAST - timedelta(days=_DAYS - 1)), day_start(_LAST) + DAY_S
    spent, turns = 0.0, 0
    while spent < seconds or turns < 2:
        began = time.process_time()
        rows.fives(_SHARE.key, first, until)
        spent, turns = spent + time.process_time() - began, turns + 1
    rows.close()
    return spent / turns * 1e3


def main(seconds: float) -> None:
    with tempfile.TemporaryDirectory() as made:
        sessions = list(walk(Calendar.load()))
        beside = {"duckdb": duckdb_ms(Path(made), sessions, seconds / 2), **megabytes(Path(made), sessions)}
        settings = Settings(_env_file=None, database_url=f"sqlite:///{Path(made) / 'bars.sqlite3'}")
        engine, calendar = open_engine(settings.database), Calendar.load()
        instruments.seed(engine, [_SHARE])
        for day, each in sessions:
            minute_bars.upsert_session(engine, day_start(day), {_SHARE.key: each})
        today = day_start(_LAST) + DAY_S
        delete_old(engine, calendar, today - 60 * DAY_S, today - 730 * DAY_S)
        catalog = Catalog(engine)
        catalog.refresh()
        app = create_app(settings, catalog=catalog)
        app.extensions[EXTENSION] = replace(app.extensions[EXTENSION], calendar=lambda: calendar)
        client, result = app.test_client(), {}
        gc.collect()
        gc.freeze()  # as the web processes do, see gunicorn.conf.py
        for form in ("rows", "columns"):
            spent, turns, bars = 0.0, 0, 0
            while spent < seconds / 4 or turns < 2:
                following: str | None = str(_LAST - timedelta(days=_DAYS - 1))
                bars, turns = 0, turns + 1
                while following:
                    query = {"key": _SHARE.key, "timeframe": "5m", "from": following, "to": str(_LAST)}
                    began = time.process_time()
                    response = client.get(_URL, query_string=query | {"limit": 10_000, "form": form})
                    spent += time.process_time() - began
                    page = response.get_json()
                    bars += len(page["bars"]) if form == "rows" else len(page["bars"]["start"])
                    following = page["next"]
            result[form] = spent / turns * 1e3
        print(json.dumps(result | beside | {"bars": bars}))


if __name__ == "__main__":
    main(float(sys.argv[1]))
