"""`python -m ltp candles minutes status`, `verify`, `prune`, `pack` and `upkeep`: all stored one-minute bars at once."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from datetime import UTC, datetime
from itertools import chain
from typing import Any, Final

from ltp import settings as settings_module
from ltp.batch.minutes import coverage_report
from ltp.batch.minutes.hours import Hours
from ltp.batch.minutes.upkeep import delete_old, pack_sessions
from ltp.cli import history_summary
from ltp.cli.progress import Stages
from ltp.core.bars.bar import source_name
from ltp.core.bars.block import count_sources, unpacked
from ltp.core.bars.faults import block_faults
from ltp.core.counted import counted, listed
from ltp.core.instrument import split_key
from ltp.core.market.session import Calendar
from ltp.core.trading_day import DAY_S, IST, date_of, midnight_of
from ltp.db import candle_source, minute_bars
from ltp.db.bars import bar_audits, five_minute_bars, kept_sessions, worst_minutes
from ltp.db.bars.bar_blocks import Block
from ltp.db.engine import open_engine
from ltp.settings import Settings

_MAX_DAYS: Final = 20_000
_NAMED: Final = 12
_AUDITS_DAYS: Final = 730  # comparisons with the broker's bars are kept
_REASONS: Final = 2  # of one block


def add(actions: Any) -> None:
    """Register the commands on the sub-parsers of `minutes`."""
    actions.add_parser("status", help="print what is there, by segment").set_defaults(command=_status)
    verify = actions.add_parser("verify", help="read every block; status 1 where one is damaged")
    verify.set_defaults(command=_verify)
    prune = actions.add_parser("prune", help="delete old sessions, a few at a time")
    prune.add_argument(
        "--days", type=_days, help="calendar days of one-minute bars that are kept (default MINUTE_BARS_DAYS)"
    )
    prune.add_argument(
        "--imported", action="store_true", help="also of sessions that were imported as history, and kept"
    )
    prune.set_defaults(command=_prune)
    pack = actions.add_parser("pack", help="compress the sessions that are over")
    pack.set_defaults(command=_pack)
    upkeep = actions.add_parser("upkeep", help="prune, pack and count, as the worker does every night")
    upkeep.set_defaults(command=_upkeep)


def _days(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= _MAX_DAYS):
        raise argparse.ArgumentTypeError(f"{text!r} is not accepted: a whole number from 1 to {_MAX_DAYS}")
    return int(text)


class _Segment:
    """The sums of the blocks of one segment."""

    def __init__(self) -> None:
        self.instruments: set[str] = set()
        self.sessions: set[int] = set()
        self.blocks = self.bytes = 0
        self.sources: Counter[int] = Counter()

    def add(self, block: Block) -> None:
        self.instruments.add(block.key)
        self.sessions.add(midnight_of(block.start))
        self.blocks += 1
        self.bytes += len(block.packed)
        self.sources += count_sources(block.packed)

    def line(self) -> str:
        sources = Counter[str]()
        for bits, count in self.sources.items():
            sources[source_name(bits)] += count
        named = ", ".join(f"{name} {count:,}" for name, count in sources.most_common())
        return (
            f"{counted(len(self.instruments), 'instrument')}, {counted(len(self.sessions), 'session')} from "
            f"{date_of(min(self.sessions))} to {date_of(max(self.sessions))}, {counted(self.blocks, 'block')} of "
            f"{self.bytes / 1e6:,.1f} MB, {counted(self.sources.total(), 'bar')} ({named})"
        )


def _status(_: argparse.Namespace) -> int:
    settings = settings_module.load()
    engine = open_engine(settings.database)
    segments: dict[str, _Segment] = {}
    for block in minute_bars.fetch_blocks(engine):
        segments.setdefault(split_key(block.key)[0], _Segment()).add(block)
    if not segments:
        print("There are no one-minute bars.")
    elif candle_source.origin(engine) == "simulated":
        print("The bars are simulated; real ones that are imported or received take their place.")
    for segment, sums in segments.items():
        print(f"{segment:12} {sums.line()}")
    calendar = Calendar.named(settings.market_calendar, settings.market_calendar_overrides)
    midnight, covered = coverage_report.report(engine, calendar, datetime.now(UTC))
    if covered:
        print(f"Coverage of {date_of(midnight)} by the feed:")
    for each in covered:
        print(f"{each.segment:12} {coverage_report.line(each)}")

    longer: dict[str, _Segment] = {}
    for block in five_minute_bars.fetch_blocks(engine):
        longer.setdefault(split_key(block.key)[0], _Segment()).add(block)
    for segment, sums in longer.items():
        print(f"{segment:12} five minutes: {sums.line()}")
    return 0


def _verify(_: argparse.Namespace) -> int:
    settings = settings_module.load()
    engine = open_engine(settings.database)
    hours = Hours(_calendar(settings))
    total = minute_bars.count_blocks(engine) + five_minute_bars.count_blocks(engine)
    blocks, bars, damaged = 0, 0, list[str]()
    with Stages() as stages:
        for block in chain(minute_bars.fetch_blocks(engine), five_minute_bars.fetch_blocks(engine)):
            stages("verifying", blocks, max(total, blocks))
            blocks += 1
            bars += len(unpacked(block.packed, block.start))
            damaged += _faults(block, hours)
        stages("verifying", blocks, blocks)
    for sentence in damaged[:_NAMED]:
        print(sentence, file=sys.stderr)
    if len(damaged) > _NAMED:
        print(f"and {counted(len(damaged) - _NAMED, 'other block')}", file=sys.stderr)
    found = counted(len(damaged), "is damaged", "are damaged")
    print(f"{counted(blocks, 'block')} with {counted(bars, 'bar')} verified; {found}.")
    return 1 if damaged else 0


def _faults(block: Block, hours: Hours) -> list[str]:
    """Return a sentence about a damaged block, [] for a sound one."""
    segment = split_key(block.key)[0]
    faults = block_faults(block.packed, block.start, lambda at: hours.windows(segment, at))
    reasons = [f"{datetime.fromtimestamp(at, IST):%Y-%m-%d %H:%M} {reason}" for at, reason in faults]
    return [f"{block.key}: {listed(reasons, _REASONS)}"] if reasons else []


def _prune(given: argparse.Namespace) -> int:
    settings = settings_module.load()
    engine, today = open_engine(settings.database), midnight_of(_now())
    before = today - (given.days or settings.minute_bars_days) * DAY_S
    if given.imported:
        kept_sessions.forget(engine)
    with Stages() as stages:
        ones, fives = delete_old(engine, _calendar(settings), before, _fives_before(settings, today), stages)
    print(
        f"{counted(ones, 'block')} from before {date_of(before)} deleted, and {counted(fives, 'block')} of "
        "five-minute bars."
    )
    kept = kept_sessions.fetch(engine)
    if kept:
        print(f"{counted(len(kept), 'session')} imported as history kept; --imported deletes them too.")
    return 0


def _pack(_: argparse.Namespace) -> int:
    with Stages() as stages:
        packed = pack_sessions(open_engine(settings_module.load().database), midnight_of(_now()), stages)
    print(f"{counted(packed, 'session')} of instruments packed.")
    return 0


def _upkeep(_: argparse.Namespace) -> int:
    settings = settings_module.load()
    engine, today = open_engine(settings.database), midnight_of(_now())
    minute_bars.make_ahead(engine, today)
    before = today - settings.minute_bars_days * DAY_S
    ones, fives = delete_old(engine, _calendar(settings), before, _fives_before(settings, today))
    packed = pack_sessions(engine, today)
    for audits in (bar_audits, worst_minutes):
        audits.delete_before(engine, date_of(today - _AUDITS_DAYS * DAY_S))
    history_summary.summarize(engine, settings)
    print(
        f"{counted(packed, 'session')} of instruments packed, {counted(ones + fives, 'old block')} deleted."
    )
    return 0


def _calendar(settings: Settings) -> Calendar:
    return Calendar.named(settings.market_calendar, settings.market_calendar_overrides)


def _fives_before(settings: Settings, today: int) -> int:
    """Return the midnight before which five-minute bars are deleted; not before one-minute bars are."""
    return today - max(settings.longer_bars_days, settings.minute_bars_days) * DAY_S


def _now() -> int:
    return int(datetime.now(UTC).timestamp())
