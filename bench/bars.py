"""`python -m bench.bars SECONDS`: builds one-minute bars of 5,000 instruments from ticks, and stores them.

Prints, as JSON, microseconds of processor time a tick, and seconds for the end of a minute of all
instruments: closing 5,000 bars, and storing them in SQLite.
"""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Final

from ltp.core.bars.bar import Bar
from ltp.core.bars.builder import BarBuilder
from ltp.core.ticks.tick import DayPrices, TickFields
from ltp.db import minute_bars
from ltp.db.engine import open_engine

INSTRUMENTS: Final = 5_000
_PER_S: Final = 20_000
OPEN: Final = 1_796_010_300  # 2026-11-30T09:15:00+05:30
_READ: Final = 400  # ticks of one call
_DAY: Final = DayPrices(100_0000, 200_0000, 50_0000, 100_0000)


def reads_of(seconds: float) -> Iterator[list[TickFields]]:
    """Yield ticks as the feed reads them: of random instruments, each a trade."""
    random = Random(1)
    prices, volumes = [100_0000] * INSTRUMENTS, [1_000] * INSTRUMENTS
    for read in range(int(seconds * _PER_S / _READ)):
        at = OPEN + read * _READ / _PER_S
        ticks: list[TickFields] = []
        for number in random.choices(range(INSTRUMENTS), k=_READ):
            prices[number] += random.choice((-500, 0, 500))
            volumes[number] += random.randrange(1, 50)
            ticks.append(one_tick(number, at, prices[number], volumes[number]))
        yield ticks


def one_tick(number: int, at: float, price: int, volume: int) -> TickFields:
    return f"NSE_EQ:{number + 1}", price, int(at), int(at * 1e6), volume, _DAY, None, "", 0, False


def main(seconds: float) -> None:
    builder = BarBuilder(Counter(), is_open=lambda _segment, _start: True)
    builder.connected((OPEN - 60) * 1_000_000)
    builder.take([one_tick(number, OPEN - 1, 100_0000, 1_000) for number in range(INSTRUMENTS)])
    reads = list(reads_of(min(59.0, 20 * seconds)))
    began_s = time.process_time()
    for ticks in reads:
        builder.take(ticks)
    taken_s = time.process_time() - began_s
    began_s = time.process_time()
    bars: dict[str, list[Bar]] = {}
    for key, bar in builder.close(builder.due((OPEN + 70) * 1_000_000)):
        bars.setdefault(key, []).append(bar)
    closed_s = time.process_time() - began_s
    with TemporaryDirectory() as folder:
        engine = open_engine(f"sqlite:///{Path(folder) / 'ltp.sqlite3'}")
        began_s = time.process_time()
        minute_bars.upsert(engine, bars, simulated=True)
        stored_s = time.process_time() - began_s
    figures = {"take_us": taken_s / (len(reads) * _READ) * 1e6, "minute_s": closed_s + stored_s}
    print(json.dumps({**figures, "bars": sum(map(len, bars.values()))}))


if __name__ == "__main__":
    main(float(sys.argv[1]))
