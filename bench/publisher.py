"""Prices from a worker that needs no feed: `python -m bench.publisher URL INSTRUMENTS TICKS HZ`.

HZ times a second it writes and publishes the next TICKS of so many instruments, each at a new price, as the
worker does and with the worker's own code. Before that it writes them all.
"""

from __future__ import annotations

import itertools
import sys
import time
from datetime import UTC, datetime

from bench.stage import keys
from ltp.core.market.session import Calendar
from ltp.core.ticks.tick import Tick
from ltp.core.trading_day import session_of
from ltp.store.batch_publisher import BatchHeader, BatchPublisher, Beat
from ltp.store.client import connect
from ltp.store.encode import Coverage

_BEAT_S = 1.0
_STEP = 500  # of 1/10,000 rupee


def main() -> None:
    url, instruments, ticks, hz = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])
    outlet = BatchPublisher(connect(url, timeout_s=2), "simulator", allowed=lambda: True)
    named, since = keys(instruments), time.time_ns() // 1000
    order = itertools.cycle(range(instruments))
    phase = Calendar.named("always_open", None).phases(datetime.now(UTC))
    every = [_tick(key, number, 0) for number, key in enumerate(named)]
    outlet.begin(_moment(since, phase), every, _beat(every))
    coverage = Coverage(since)
    due, next_beat = time.monotonic(), time.monotonic() + _BEAT_S
    for turn in itertools.count(1):
        due += 1 / hz
        time.sleep(max(0.0, due - time.monotonic()))
        some = [_tick(named[number], number, turn) for number in itertools.islice(order, ticks)]
        beat = None
        if time.monotonic() >= next_beat:
            next_beat += _BEAT_S
            beat = _beat(every)
        outlet.send(_moment(since, phase), some, coverage, beat=beat)


def _tick(key: str, number: int, turn: int) -> Tick:
    now = time.time_ns() // 1000
    close = 12_500_000 + number * 1_000
    price = close + (turn * 7 + number) % 40 * _STEP
    day = session_of(now / 1e6)
    return Tick(
        key,
        price,
        now // 1_000_000,
        now,
        4_512_345 + turn,
        close,
        close + 90_000,
        close - 90_000,
        close,
        None,
        day,
        now,
    )


def _moment(since: int, phase: dict[str, str]) -> BatchHeader:
    return BatchHeader(time.time_ns() // 1000, "live", since, phase)


def _beat(covered: list[Tick]) -> Beat:
    at = datetime.now(UTC).isoformat(timespec="milliseconds")
    return Beat({"feed": "live", "source": "simulator", "ticks_per_s": "0"}, at, covered)


if __name__ == "__main__":
    main()
