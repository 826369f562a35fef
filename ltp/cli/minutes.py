"""`python -m ltp candles minutes`: one-minute bars from and into CSV files. `minute_fetch` has those of
the broker, `minute_upkeep` the commands about all that is stored.
"""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TextIO

from sqlalchemy import Engine

from ltp import settings as settings_module
from ltp.batch.minutes.hours import Hours
from ltp.batch.minutes.instrument_keys import InstrumentKeys
from ltp.batch.minutes.minute_import import import_files
from ltp.cli import history_jobs, history_summary, minute_fetch, minute_upkeep
from ltp.cli.database import open_seeded
from ltp.cli.progress import Stages
from ltp.core.bars.bar import Bar
from ltp.core.bars.columns import rolled_up
from ltp.core.bars.parts import both_parts, made_of_fives
from ltp.core.bars.timeframe import NAMES, minutes_of
from ltp.core.counted import counted, listed
from ltp.core.formats.minute_csv import COLUMNS, written
from ltp.core.instrument import split_key
from ltp.core.market.kinds import kinds
from ltp.core.market.session import Calendar
from ltp.core.trading_day import DAY_S, IST, day_start
from ltp.db import minute_bars
from ltp.db.bars import bar_days, five_minute_bars
from ltp.errors import InputError

if TYPE_CHECKING:
    from ltp.batch.minutes.minute_import import MinuteImport

_NAMED: Final = 12
_END: Final = 2**40  # later than all bars, and within the integers of SQL
_ACCEPTED_AT: Final = (
    "a day such as 2026-11-30, or an instant such as 2026-11-30T10:41 (India time unless it has an offset)"
)


def add(of_candles: Any) -> None:
    """Register the commands on the sub-parsers of `candles`."""
    actions = of_candles.add_parser("minutes", help="one-minute bars").add_subparsers(
        required=True, metavar="ACTION"
    )
    import_ = actions.add_parser("import", help="store CSV files; the same file twice changes nothing")
    import_.add_argument(
        "files", nargs="+", type=Path, metavar="FILE", help=".csv or .csv.gz, columns found by name"
    )
    import_.add_argument(
        "--key",
        "--symbol",
        default="",
        metavar="KEY",
        help="the instrument, such as NSE_EQ:1333 or HDFCBANK, of files whose rows name none",
    )
    import_.set_defaults(command=_import)
    export = actions.add_parser("export", help="write the bars of an instrument as CSV")
    export.add_argument("key", metavar="KEY", help="such as NSE_EQ:1333 or HDFCBANK")
    export.add_argument("--from", dest="since", default="", metavar="AT", help="default: the first bar")
    export.add_argument("--to", dest="until", default="", metavar="AT", help="a day counts up to its end")
    export.add_argument("--timeframe", default="1m", metavar="TIMEFRAME", help=", ".join(NAMES))
    export.add_argument("--csv", type=Path, metavar="FILE", help="default: standard output")
    export.set_defaults(command=_export)
    minute_fetch.add(actions)
    minute_upkeep.add(actions)
    history_summary.add(actions)
    history_jobs.add(actions)


def _import(given: argparse.Namespace) -> int:
    settings = settings_module.load()
    engine = open_seeded(settings)
    calendar = Calendar.named(settings.market_calendar, settings.market_calendar_overrides)
    key = InstrumentKeys(engine).require(given.key, "--key") if given.key else None
    with Stages() as stages:
        done = import_files(
            engine, given.files, calendar, key=key, days=settings.minute_bars_days, progress=stages
        )
    for sentence in done.refused:
        print(f"Not imported: {sentence}", file=sys.stderr)
    _print_left_out(done)
    if done.kept:
        print(
            f"{counted(done.kept, 'bar')} older than {settings.minute_bars_days} days kept as imported history; "
            "`candles minutes prune --imported` deletes it."
        )
    replaced = counted(done.removed, "instrument")
    print(
        f"{counted(done.files, 'file')} with {counted(done.bars, 'bar')} of "
        f"{counted(done.instruments, 'instrument')} in {counted(done.sessions, 'session')} imported, "
        f"{done.changed:,} of them new or changed; {counted(len(done.refused), 'file')} refused"
        + (f"; simulated candles of {replaced} were removed first." if done.removed else ".")
    )
    return 1 if done.refused else 0


def _print_left_out(done: MinuteImport) -> None:
    if done.damaged:
        rows = counted(done.damaged, "row was left out", "rows were left out")
        print(f"{rows}; the first: {done.sentences[0]}")
    if done.outside:
        days = listed([f"{day} {count:,}" for day, count in sorted(done.outside.items())], _NAMED)
        bars = counted(done.outside.total(), "bar")
        print(f"{bars} outside of the trading hours left out: {days}.")
    if done.unknown:
        symbols = counted(len(done.unknown), "symbol is", "symbols are")
        rows = counted(done.unknown.total(), "row")
        names = listed([name for name, _ in done.unknown.most_common()], _NAMED)
        print(f"{symbols} not in the instrument master, {rows} left out with them: {names}.")


def _export(given: argparse.Namespace) -> int:
    settings = settings_module.load()
    minutes = minutes_of(given.timeframe)
    first = _at(given.since, "--from", timedelta()) if given.since else 0
    until = _at(given.until, "--to", timedelta(days=1)) if given.until else _END
    if first > until:
        raise InputError("--from", given.since, "it is not after --to")
    engine = open_seeded(settings)
    key = InstrumentKeys(engine).require(given.key, "KEY")
    calendar = Calendar.named(settings.market_calendar, settings.market_calendar_overrides)
    with _target(given.csv) as target:
        rows = csv.writer(target, lineterminator="\n")
        rows.writerow(COLUMNS)
        count = 0
        for bars in _sessions(engine, Hours(calendar), key, minutes, first, until):
            sessions = kinds(calendar, split_key(key)[0], [bar.start for bar in bars])
            rows.writerows(map(partial(written, key), bars, sessions))
            count += len(bars)
    place = f" written to {given.csv}" if given.csv else ""
    print(f"{counted(count, 'bar')} of {given.timeframe} of {key}{place}.", file=sys.stderr)
    return 0


def _sessions(
    engine: Engine, hours: Hours, key: str, minutes: int, first: int, until: int
) -> Iterator[list[Bar]]:
    """Yield the bars of a timeframe that start in `[first, until)`, seconds since the epoch, day by day."""
    fives = made_of_fives(minutes)
    for midnight, _, _ in bar_days.fetch(engine, key, first - DAY_S, until, fives=fives):
        windows = hours.windows(split_key(key)[0], midnight)
        bars = minute_bars.fetch_columns(engine, key, midnight, midnight + DAY_S)
        if fives:
            older = five_minute_bars.fetch_columns(engine, key, midnight, midnight + DAY_S)
            bars = both_parts(older, bars, windows)
        yield rolled_up(bars, minutes, windows).between(first, until).bars()


def _at(text: str, option: str, whole_day: timedelta) -> int:
    """Return seconds since the epoch. `whole_day`: added to a day without a time."""
    try:
        if len(text) == len("2026-11-30"):
            return day_start(date.fromisoformat(text) + whole_day)
        at = datetime.fromisoformat(text)
        return int((at if at.tzinfo else at.replace(tzinfo=IST)).timestamp())
    except (ValueError, OverflowError):
        raise InputError(option, text, _ACCEPTED_AT) from None


@contextmanager
def _target(file: Path | None) -> Iterator[TextIO]:
    if file is None:
        yield sys.stdout
        return
    try:
        with file.open("w", newline="", encoding="utf-8") as target:
            yield target
    except OSError as error:
        raise InputError("--csv", str(file), f"it cannot be written ({error.strerror})") from None
