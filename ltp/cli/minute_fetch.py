"""`python -m ltp candles minutes fetch`: one-minute bars from the broker."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Collection, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Engine

from ltp import settings as settings_module
from ltp.batch.minutes import gap_refill
from ltp.batch.minutes.broker_bars import days_with_bars, fetch_sessions, newest_session
from ltp.batch.minutes.instrument_keys import InstrumentKeys
from ltp.batch.minutes.missing_sessions import only_missing
from ltp.checks import credentials
from ltp.cli import history_jobs, history_summary
from ltp.cli.database import open_seeded
from ltp.cli.history_jobs import JobProgress
from ltp.cli.orderly_end import orderly_end
from ltp.cli.progress import Stages
from ltp.core.bars.kept_days import KeptDays
from ltp.core.counted import counted
from ltp.core.instrument import split_key
from ltp.core.market.session import Calendar
from ltp.core.trading_day import IST
from ltp.db import candle_source, universes
from ltp.db.history import schedules
from ltp.db.history.sessions import stored_keys
from ltp.db.history.summary import EVERYTHING
from ltp.errors import InputError
from ltp.feed.charts import Charts
from ltp.feed.credentials import Credentials
from ltp.worker.subprocess_job import SOME_FAILED

if TYPE_CHECKING:
    from ltp.batch.minutes.broker_bars import Fetched

_NAMED: Final = 12
_BEHIND_S: Final = 0.5  # from call to call: the account may make five a second, and other work comes first
_UNCOUNTED: Final = 2_000  # sessions of instruments, whose bars are counted in some 0.5 s
_MAX_DAYS: Final = 1_827  # the broker keeps one-minute bars of five years


def add(actions: Any) -> None:
    """Register the command on the sub-parsers of `minutes`."""
    fetch = actions.add_parser(
        "fetch", help="replace bars by the broker's; goes on where it was ended, names what differed"
    )
    fetch.add_argument(
        "keys",
        nargs="*",
        metavar="KEY",
        help="such as NSE_EQ:1333 or HDFCBANK; left out: all that have bars of the day, and scheduled lists",
    )
    fetch.add_argument(
        "--universe",
        default="",
        metavar="NAME",
        help="the instruments of a universe; everything: all that are stored",
    )
    fetch.add_argument("--from", dest="first", default="", metavar="DAY", help="default: that of --to")
    fetch.add_argument("--to", dest="last", default="", metavar="DAY", help="default: the newest session")
    fetch.add_argument("--again", action="store_true", help="also sessions that were fetched before")
    fetch.add_argument(
        "--uncovered",
        action="store_true",
        help="only minutes of today that the feed did not cover, of the subscribed instruments",
    )
    fetch.add_argument("--missing", action="store_true", help="only sessions that lack bars")
    history_jobs.add_option(fetch)
    fetch.set_defaults(command=_fetch)


def _fetch(given: argparse.Namespace) -> int:
    if given.uncovered:
        return _fill_uncovered(given)
    if given.again and given.missing:
        raise InputError("--missing", "--again", "one of the two")
    if given.keys and given.universe:
        raise InputError("--universe", given.universe, "it is for a command without keys")
    settings = settings_module.load()
    calendar = Calendar.named(settings.market_calendar, settings.market_calendar_overrides)
    now = datetime.now(UTC)
    kept = history_summary.kept_days(settings, now)
    first, last = _range(given, calendar, now, kept)
    engine = open_seeded(settings)
    simulated = settings.source == "simulator"
    charts = Charts(settings.rest_url, Credentials(lambda: credentials(settings)))
    job = history_jobs.job_of(engine, given.job)
    days = _days(engine, given, calendar, first, last, now, kept, simulated=simulated)
    with orderly_end(), Stages() as stages:
        progress = JobProgress(engine, job, list(days), stages)
        days = dict(list(days.items())[progress.skipped :])
        most = _most_uncounted(days)

        def counting(stage: str, number: int, total: int) -> None:
            progress(stage, number, total)
            if number and number % most == 0:
                history_summary.summarize(engine, settings, progress.uncounted())

        try:
            done = fetch_sessions(
                engine,
                charts,
                days,
                calendar,
                now=now,
                again=given.again,
                simulated=simulated,
                progress=counting,
            )
        finally:
            history_summary.summarize(engine, settings, progress.uncounted(begun=True))
    when = f"of {last}" if first == last else f"from {first} to {last}"
    return _print_end(done, when, kept.note(first) if done.bars else "")


def _most_uncounted(days: Mapping[str, Collection[date]]) -> int:
    """Return the number of instruments after which they are counted: the worker waits two seconds for an end."""
    return max(1, _UNCOUNTED // max(map(len, days.values()), default=1))


def _fill_uncovered(given: argparse.Namespace) -> int:
    if given.keys or given.universe or given.first or given.last or given.again or given.missing:
        raise InputError(
            "--uncovered", "", "it is of today's uncovered minutes alone, without keys and other options"
        )
    settings = settings_module.load()
    calendar = Calendar.named(settings.market_calendar, settings.market_calendar_overrides)
    now = datetime.now(UTC)
    engine = open_seeded(settings)
    minutes = gap_refill.wanted(engine, calendar, now)
    if not minutes:
        print("The feed left no minutes of today uncovered that are to be filled.")
        return 0
    simulated = settings.source == "simulator"
    charts = Charts(settings.rest_url, Credentials(lambda: credentials(settings)), pace_s=_BEHIND_S)
    with Stages() as stages:
        done = gap_refill.fill(
            engine, charts, minutes, calendar, now=now, simulated=simulated, progress=stages
        )
    status = _print_end(done, f"of uncovered minutes of {now.astimezone(IST).date()}")
    return SOME_FAILED if status and done.instruments else status


def _print_end(done: Fetched, when: str, note: str = "") -> int:
    for sentence in done.failed[:_NAMED]:
        print(f"Not fetched: {sentence}", file=sys.stderr)
    if len(done.failed) > _NAMED:
        print(f"and {counted(len(done.failed) - _NAMED, 'other instrument')}", file=sys.stderr)
    print(" ".join(filter(None, (_summary(done, when), note))))
    return 1 if done.failed else 0


def _summary(done: Fetched, when: str) -> str:
    sentence = (
        f"{counted(done.bars, 'bar')} of {counted(done.instruments, 'instrument')} fetched "
        f"{when}, {done.changed:,} of them new or "
        f"changed; {counted(done.empty, 'has', 'have')} none, {len(done.failed):,} failed, "
        f"{counted(done.up_to_date, 'was', 'were')} up to date"
    )
    if done.outside:
        sentence += f"; {counted(done.outside, 'bar')} outside of the trading hours left out"
    # Rounded down, so that 100% means that nothing differed.
    shares = [f"{value} {int(share * 1_000) / 10}%" for value, share in done.compared.shares().items()]
    if shares:
        minutes = counted(done.compared.minutes, "minute")
        sentence += f". Of {minutes} that had been built here, equal: {', '.join(shares)}"
    return f"{sentence}."


def _days(
    engine: Engine,
    given: argparse.Namespace,
    calendar: Calendar,
    first: date,
    last: date,
    now: datetime,
    kept: KeptDays,
    *,
    simulated: bool,
) -> dict[str, list[date]]:
    """Return the sessions to fetch by key."""
    keys = _keys(engine, given, simulated=simulated)
    days: dict[str, list[date]] = {}
    if keys is None and not given.missing:
        days = days_with_bars(engine, first, last, simulated=simulated)
    elif keys is None:
        keys = stored_keys(engine)
    if keys is None:
        keys = schedules.keys(engine)
    days |= {key: _sessions(calendar, key, first, last) for key in keys}
    return only_missing(engine, calendar, days, now=now, kept_from=kept.ones) if given.missing else days


def _keys(engine: Engine, given: argparse.Namespace, *, simulated: bool) -> list[str] | None:
    """Return the named instruments, None if none are named."""
    if given.universe == EVERYTHING:
        # Real bars would remove all simulated ones: then nothing is stored that is to be fetched.
        of_others = not simulated and candle_source.origin(engine) == "simulated"
        return [] if of_others else stored_keys(engine)
    if given.universe:
        return universes.keys(engine, given.universe)
    if not given.keys:
        return None
    known = InstrumentKeys(engine)
    return list(dict.fromkeys(known.require(name, "KEY") for name in given.keys))


def _range(given: argparse.Namespace, calendar: Calendar, now: datetime, kept: KeptDays) -> tuple[date, date]:
    today = now.astimezone(IST).date()
    last = _day(given.last, "--to") if given.last else newest_session(calendar, now)
    first = _day(given.first, "--from") if given.first else last
    if last > today:
        raise InputError("--to", given.last, "it is not after today")
    if first > last:
        raise InputError("--from", given.first, f"it is not after {last}")
    if (today - first).days > _MAX_DAYS:
        raise InputError("--from", str(first), "the broker keeps one-minute bars of five years")
    if given.job and last >= kept.fives:  # days may have grown too old while the job waited
        first = max(first, kept.fives)
    if (given.first or given.last) and first < kept.fives:
        raise InputError("--from", str(first), kept.refusal)
    return first, last


def _day(text: str, option: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise InputError(option, text, "a day such as 2026-11-30") from None


def _sessions(calendar: Calendar, key: str, first: date, last: date) -> list[date]:
    segment = split_key(key)[0]
    days = (first + timedelta(days=offset) for offset in range((last - first).days + 1))
    return [day for day in days if calendar.windows(segment, day)]
