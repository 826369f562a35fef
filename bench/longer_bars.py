"""The cost of a year of five-minute bars by the API, in a process of its own: `python -m bench.longer_bars SECONDS`
prints milliseconds of CPU as JSON, and how many bars the year has. Its last 60 days are one-minute bars, as stored.
"""

from __future__ import annotations

import gc
import json
import random
import sys
import tempfile
import time
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Final

from app import create_app
from ltp.batch.minutes.upkeep import delete_old
from ltp.core.bars.bar import Bar
from ltp.core.instrument import Instrument
from ltp.core.market.session import Calendar
from ltp.core.trading_day import DAY_S, day_start
from ltp.db import instruments, minute_bars
from ltp.db.catalog import Catalog
from ltp.db.engine import Engine, open_engine
from ltp.settings import Settings
from ltp.web.services import EXTENSION

_SHARE: Final = Instrument("NSE_EQ", 1333, "HDFCBANK", "HDFC Bank Limited", "", 1, 500)
_LAST: Final = date(2026, 7, 31)
_DAYS: Final = 365
_URL: Final = "/api/v1/candles"


def store(engine: Engine, calendar: Calendar) -> None:
    """Store a random walk of every minute of the year's continuous sessions, then do the upkeep of a night."""
    chance, price = random.Random(1), 1_650_0000
    for back in range(_DAYS):
        day = _LAST - timedelta(days=back)
        bars = []
        for window in calendar.windows("NSE_EQ", day):
            for start in range(window.start, window.end, 60) if window.phase == "continuous" else ():
                moves = [price + chance.randint(-40, 40) * 500 for _ in range(4)]
                bars.append(
                    Bar(start, price, max(price, *moves), min(price, *moves), moves[-1], start % 90_000)
                )
                price = moves[-1]
        minute_bars.upsert_session(engine, day_start(day), {_SHARE.key: bars} if bars else {})
    today = day_start(_LAST) + DAY_S
    delete_old(engine, calendar, today - 60 * DAY_S, today - 730 * DAY_S)


def main(seconds: float) -> None:
    with tempfile.TemporaryDirectory() as made:
        settings = Settings(_env_file=None, database_url=f"sqlite:///{Path(made) / 'bars.sqlite3'}")
        engine, calendar = open_engine(settings.database), Calendar.load()
        instruments.seed(engine, [_SHARE])
        store(engine, calendar)
        catalog = Catalog(engine)
        catalog.refresh()
        app = create_app(settings, catalog=catalog)
        app.extensions[EXTENSION] = replace(app.extensions[EXTENSION], calendar=lambda: calendar)
        client, result = app.test_client(), {}
        gc.collect()
        gc.freeze()  # as the web processes do, see gunicorn.conf.py
        for form in ("rows", "columns"):
            spent, turns, bars = 0.0, 0, 0
            while spent < seconds / 2 or turns < 2:
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
        print(json.dumps(result | {"bars": bars}))


if __name__ == "__main__":
    main(float(sys.argv[1]))
