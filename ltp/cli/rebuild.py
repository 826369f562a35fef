"""`python -m ltp candles rebuild`: one-minute bars from a file of captured frames."""

from __future__ import annotations

import argparse
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from ltp import settings as settings_module
from ltp.batch.minutes.rebuild import rebuild, refuse_mixing
from ltp.cli.database import open_seeded
from ltp.core.counted import counted
from ltp.core.market.session import Calendar
from ltp.db import instruments
from ltp.feed.capture.bars import bars
from ltp.feed.capture.file import CaptureFile


def add(of_candles: Any) -> None:
    command = of_candles.add_parser(
        "rebuild", help="store the one-minute bars of captured frames; the same file twice changes nothing"
    )
    command.add_argument("file", type=Path, metavar="FILE", help="of CAPTURE_DIR")
    command.add_argument("--dry-run", action="store_true", help="count the bars and store nothing")
    command.set_defaults(command=_rebuild)


def _rebuild(given: argparse.Namespace) -> int:
    settings = settings_module.load()
    engine = open_seeded(settings)
    calendar = Calendar.named(settings.market_calendar, settings.market_calendar_overrides)
    counters: Counter[str] = Counter()
    with CaptureFile(given.file) as file:
        simulated = file.source == "simulator"
        if not given.dry_run:
            refuse_mixing(engine, simulated=simulated)
        tick_sizes = _tick_sizes(engine, sorted(file.instruments()))
        closed = bars(
            file,
            counters,
            is_open=lambda segment, start: calendar.is_open(segment, datetime.fromtimestamp(start, UTC)),
            tick_size=lambda key: tick_sizes.get(key, 0),
        )
        done = rebuild(closed, None if given.dry_run else engine, simulated=simulated)
        if file.cut:
            print("The file was cut off; its whole blocks were read.")
    for name, number in sorted(counters.items()):
        print(f"{name}  {number:,}")
    print(f"digest  {done.digest}")
    print(
        f"{counted(done.bars, 'bar')} of {counted(done.instruments, 'instrument')} "
        + (
            "counted, none stored."
            if given.dry_run
            else f"rebuilt; {done.kept:,} of the broker or of a file kept."
        )
    )
    return 0


def _tick_sizes(engine: Engine, keys: list[str]) -> dict[str, int]:
    return {
        each.key: each.tick_size
        for begin in range(0, len(keys), instruments.BATCH)
        for each in instruments.fetch_named(engine, keys[begin : begin + instruments.BATCH])
    }
