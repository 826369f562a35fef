"""`python -m ltp candles`: daily candles from files and from the broker. `minutes` has one-minute bars."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, Final

from ltp import settings as settings_module
from ltp.batch.broker_candles import INDEX, fetch_history, last_settled
from ltp.batch.default_universe import default
from ltp.checks import credentials
from ltp.cli import history_jobs, history_summary, left_out, minutes, rebuild, renames
from ltp.cli.actions import NOT_SEEN, print_actions
from ltp.cli.database import open_seeded
from ltp.cli.orderly_end import orderly_end
from ltp.cli.progress import Stages
from ltp.core.counted import counted
from ltp.core.market.session import Calendar
from ltp.db import candle_source, candles, corporate_actions, universes
from ltp.db.candles import Basis
from ltp.db.engine import Engine, open_engine
from ltp.feed.charts import Charts
from ltp.feed.credentials import Credentials
from ltp.settings import Settings

DAYS: Final = 1_100  # three years: a year's comparison on a 200-day average that has settled
_MAX_DAYS: Final = 20_000
_NAMED: Final = 12
_COUNTED_AT_ONCE: Final = 100  # fetched instruments


def add(commands: Any) -> None:
    """Register the commands on the program's sub-parsers."""
    of_candles = commands.add_parser("candles", help="daily candles and one-minute bars").add_subparsers(
        required=True, metavar="ACTION"
    )
    import_ = of_candles.add_parser(
        "import", help="store NSE bhavcopies and histories; the same file twice changes nothing"
    )
    import_.add_argument(
        "paths", nargs="+", type=Path, metavar="PATH", help="files (.csv, .zip, .gz) or folders of them"
    )
    import_.add_argument(
        "--adjusted", action="store_true", help="the histories are restated for every split since"
    )
    import_.add_argument(
        "--force", action="store_true", help="replace most closes of a stored day by very different ones too"
    )
    import_.set_defaults(command=_import)
    fetch = of_candles.add_parser(
        "fetch", help="fetch what is missing from the broker; goes on where it was ended"
    )
    fetch.add_argument(
        "--universe", default="", help="of which instruments; left out: what the built-in screeners search"
    )
    fetch.add_argument(
        "--days", type=_days, default=DAYS, help="how far back (default %(default)s calendar days)"
    )
    history_jobs.add_option(fetch)
    fetch.set_defaults(command=_fetch)
    renames.add(of_candles)
    minutes.add(of_candles)
    rebuild.add(of_candles)
    of_candles.add_parser("status", help="print what is there").set_defaults(command=_status)


def _days(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= _MAX_DAYS):
        raise argparse.ArgumentTypeError(f"{text!r} is not accepted: a whole number from 1 to {_MAX_DAYS}")
    return int(text)


def _import(given: argparse.Namespace) -> int:
    # Numpy takes a while to load, which no other command should pay for.
    from ltp.batch.candle_import import import_files

    settings = settings_module.load()
    engine = open_seeded(settings)
    basis: Basis = "adjusted" if given.adjusted else "raw"
    with Stages() as stages:
        done = import_files(engine, given.paths, basis=basis, force=given.force, progress=stages)
    for sentence in done.refused:
        print(f"Not imported: {sentence}", file=sys.stderr)
    for sentence in done.thin[:_NAMED]:
        print(sentence)
    if len(done.thin) > _NAMED:
        print(
            f"{counted(len(done.thin) - _NAMED, 'other day')} of far fewer shares than the days around them."
        )
    left_out.report(done, settings.state_dir)
    if done.suspects:
        # The line names demergers too, or an operator would confirm one as a split.
        suspected = counted(
            len(done.suspects), "split, bonus or demerger is", "splits, bonuses or demergers are"
        )
        print(f"{suspected} suspected, and the history is cut until `actions confirm` or `dismiss`:")
        print_actions(engine, done.suspects[:_NAMED])
        if len(done.suspects) > _NAMED:
            print("and others: `python -m ltp actions list`")
    if done.changed and not given.adjusted:
        print(f"{NOT_SEEN}.")
    print(
        f"{counted(done.files, 'file')} of {counted(done.days, 'day')} "
        f"with {counted(done.candles, 'candle')} imported, {done.changed:,} of them new or changed; "
        f"{counted(len(done.refused), 'file')} refused{_replaced(done.removed)}."
    )
    return 1 if done.refused else 0


def _fetch(given: argparse.Namespace) -> int:
    settings = settings_module.load()
    engine = open_seeded(settings)
    calendar = Calendar.named(settings.market_calendar, settings.market_calendar_overrides)
    keys = universes.keys(engine, given.universe or default(engine, settings.screener_universe))
    last = last_settled(calendar, datetime.now(UTC))
    charts = Charts(settings.rest_url, Credentials(lambda: credentials(settings)))
    # The index first: a fetch that ends early still allows strength relative to it.
    with_index = list(dict.fromkeys((INDEX, *keys)))
    job = history_jobs.job_of(engine, given.job)
    uncounted = dict.fromkeys(with_index)
    counting = partial(_count_some, engine, settings, uncounted, [])
    with orderly_end(), Stages() as stages:
        try:
            done = fetch_history(
                engine,
                charts,
                with_index,
                first=last - timedelta(days=given.days),
                last=last,
                simulated=settings.source == "simulator",
                # Without keys: it fetches what is missing, so it goes on where it was by itself.
                progress=history_jobs.JobProgress(engine, job, (), stages),
                fetched_one=counting,
            )
        finally:
            history_summary.summarize_candles(engine, settings, list(uncounted))
    for sentence in done.failed[:_NAMED]:
        print(f"Not fetched: {sentence}", file=sys.stderr)
    print(
        f"{counted(done.changed, 'candle')} of {counted(done.behind, 'instrument')} fetched up to {last}; "
        f"{done.restated:,} had been restated, {counted(done.empty, 'has', 'have')} none, "
        f"{len(done.failed):,} failed; {counted(len(with_index) - done.behind, 'was', 'were')} up to date"
        f"{_replaced(done.removed)}."
    )
    return 1 if done.failed else 0


def _count_some(
    engine: Engine, settings: Settings, uncounted: dict[str, None], fetched: list[str], key: str
) -> None:
    """Note that an instrument was fetched; count what is stored of every hundred, so that pages show it meanwhile."""
    fetched.append(key)
    if len(fetched) >= _COUNTED_AT_ONCE:
        history_summary.summarize_candles(engine, settings, fetched)
        for each in fetched:
            uncounted.pop(each, None)
        fetched.clear()


def _replaced(instruments: int) -> str:
    """Return the end of a sentence about simulated candles that were removed, "" where there were none."""
    return (
        f"; simulated candles of {counted(instruments, 'instrument')} were removed first"
        if instruments
        else ""
    )


def _status(_: argparse.Namespace) -> int:
    engine = open_engine(settings_module.load().database)
    if candle_source.origin(engine) == "simulated":
        print("The candles are simulated; real ones that are imported or fetched take their place.")
    for basis in candles.BASES:
        newest = candles.last_days(engine, basis)
        behind = sum(day < max(newest.values()) for day in newest.values())
        ends = f"up to {max(newest.values())}, {behind:,} of them ending earlier" if newest else "no candle"
        print(f"{basis:9} {counted(len(newest), 'instrument')}, {ends}")
    sessions = candles.days(engine)
    if sessions:
        print(
            f"sessions  {len(sessions):,} from {sessions[0].day} to {sessions[-1].day}; "
            f"the newest from {sessions[-1].source}"
        )
    states = Counter(action.state for action in corporate_actions.fetch(engine))
    print(
        "actions   "
        + ", ".join(
            f"{states[state]:,} {state}" for state in ("detected", "unexplained", "confirmed", "dismissed")
        )
    )
    return 0
