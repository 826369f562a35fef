"""The cost of a chart, in a process of its own: `python -m bench.chart SECONDS` prints milliseconds of CPU as
JSON, of a session of one-minute bars that is read from SQLite and drawn, with its table; and microseconds of a move
of its forming candle, which is made once for all readers.
"""

from __future__ import annotations

import json
import random
import sqlite3
import sys
import tempfile
import time
import zlib
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Final

from app import create_app
from ltp.core.bars.bar import Bar
from ltp.core.bars.block import RECORD
from ltp.core.instrument import Instrument
from ltp.core.market.session import Calendar
from ltp.core.trading_day import IST
from ltp.db import instruments, minute_bars
from ltp.db.catalog import Catalog
from ltp.db.engine import Engine, open_engine
from ltp.settings import Settings
from ltp.web.charts import drawing, forming_candle
from ltp.web.charts.chart import chart_part
from ltp.web.charts.query import parse
from ltp.web.services import EXTENSION

_SHARE: Final = Instrument("NSE_EQ", 1333, "HDFCBANK", "HDFC Bank Limited", "", 1, 500)
_OPEN: Final = int(datetime(2026, 11, 27, 9, 15, tzinfo=IST).timestamp())
_MINUTES: Final = 375
_PARAMETERS: Final = {"timeframe": "1m"}


def store(engine: Engine) -> None:
    """Store a session of a random walk as one packed block, as it is kept after the close."""
    chance, price, bars = random.Random(1), 1_650_0000, []
    for minute in range(_MINUTES):
        moves = [price + chance.randint(-40, 40) * 500 for _ in range(4)]
        open_, close = price, moves[-1]
        high, low = max(open_, *moves), min(open_, *moves)
        bars.append(Bar(_OPEN + minute * 60, open_, high, low, close, chance.randint(0, 90_000)))
        price = close
    minute_bars.upsert(engine, {_SHARE.key: bars})
    minute_bars.pack(engine, _SHARE.key, _OPEN, _OPEN + _MINUTES * 60)


def page(folder: Path) -> Callable[[], None]:
    """Return the reading and drawing of the chart in the product's application."""
    settings = Settings(_env_file=None, database_url=f"sqlite:///{folder}/chart.sqlite3")
    engine = open_engine(settings.database)
    instruments.seed(engine, [_SHARE])
    store(engine)
    app = create_app(settings, catalog=Catalog(engine))
    calendar = Calendar.load()
    app.extensions[EXTENSION] = replace(app.extensions[EXTENSION], calendar=lambda: calendar)

    def draw() -> None:
        with app.test_request_context():
            part = chart_part(_SHARE, "/instruments/NSE_EQ/1333", _PARAMETERS, parse(_PARAMETERS))
        if part.shown != _MINUTES:
            raise SystemExit(f"{part.shown} bars are drawn, not {_MINUTES}: {part.why}")

    return draw


def moves() -> Callable[[], None]:
    """Return a move of the forming candle over a session that is drawn."""
    bars = [Bar(_OPEN + minute * 60, *[1_650_0000 + minute * 500] * 4, 9_000) for minute in range(_MINUTES)]
    day = datetime.fromtimestamp(_OPEN, IST).date()
    drawn = drawing.draw(bars[:-1], [day] * (_MINUTES - 1), [""] * (_MINUTES - 1), (), "", forming=bars[-1])

    def move() -> None:
        if len(forming_candle.draw(bars[-1], drawn.canvas, "Forming").markup) < 1_000:
            raise SystemExit("the forming candle is not drawn")

    return move


def least(folder: Path) -> Callable[[], None]:
    """Return the least there is: the block by sqlite3, a path and a row of plain numbers for each bar."""
    connection = sqlite3.connect(folder / "chart.sqlite3")

    def draw() -> None:
        [(block,)] = connection.execute("SELECT packed FROM minute_bars").fetchall()
        records = list(RECORD.iter_unpack(zlib.decompress(block[1:])))
        _ = "".join(
            f'<path d="M{at}5 {high}V{low}M{at}2 {close}h6V0h-6z"><title>{open_} {high} {low} {close}</title>'
            for at, _, _, open_, high, low, close, _, _ in records
        )
        _ = "".join(
            f"<tr><td>{at}<td>{open_}<td>{open_ + high}<td>{open_ + low}<td>{open_ + close}<td>{volume}"
            for at, _, _, open_, high, low, close, volume, _ in records
        )

    return draw


def ms_each(run: Callable[[], None], seconds: float) -> float:
    run()
    began, turns = time.process_time(), 0
    while time.process_time() - began < seconds:
        run()
        turns += 1
    return (time.process_time() - began) / turns * 1e3


if __name__ == "__main__":
    half = float(sys.argv[1]) / 2
    with tempfile.TemporaryDirectory() as made:
        ours = ms_each(page(Path(made)), half)
        moved = ms_each(moves(), half / 4) * 1e3
        print(json.dumps({"ours": ours, "move_us": moved, "floor": ms_each(least(Path(made)), half)}))
