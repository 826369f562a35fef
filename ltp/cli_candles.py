"""`python -m ltp candles` and `actions`: daily candles from files and from the broker, and the splits and bonuses in them."""

from __future__ import annotations

import argparse
import csv
import sys
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Engine

from ltp import cli_left_out, cli_renames
from ltp import settings as settings_module
from ltp.cli_files import read
from ltp.cli_stages import Stages
from ltp.core import corporate_action
from ltp.core.corporate_action import Action
from ltp.core.counted import counted
from ltp.core.exchange_csv import parse_day
from ltp.core.lookup import Lookup
from ltp.core.session import Calendar
from ltp.db import actions, candle_source, candles, instruments, universes
from ltp.db.candles import Basis
from ltp.db.engine import open_engine
from ltp.errors import ConfigError, InputError, NotFoundError
from ltp.feed.charts import Charts
from ltp.feed.credentials import Credentials
from ltp.jobs import shipped
from ltp.jobs.candle_history import INDEX, fetch_history, last_settled
from ltp.jobs.universes import default
from ltp.settings import Settings

DAYS: Final = 1_100  # three years: a year's comparison on a 200-day average that has settled
_MOST_DAYS: Final = 20_000
_NAMED: Final = 12


def add(commands: Any) -> None:
    """Register the commands on the program's sub-parsers."""
    of_candles = commands.add_parser("candles", help="daily candles").add_subparsers(required=True, metavar="ACTION")
    import_ = of_candles.add_parser("import", help="store NSE bhavcopies and histories; the same file twice changes nothing")
    import_.add_argument("paths", nargs="+", type=Path, metavar="PATH", help="files (.csv, .zip, .gz) or folders of them")
    import_.add_argument("--adjusted", action="store_true", help="the histories are restated for every split since")
    import_.add_argument("--force", action="store_true", help="replace most closes of a stored day by very different ones too")
    import_.set_defaults(command=_import)
    fetch = of_candles.add_parser("fetch", help="fetch what is missing from DhanHQ; goes on where it was ended")
    fetch.add_argument("--universe", default="", help="whose; left out: what the built-in screeners search")
    fetch.add_argument("--days", type=_days, default=DAYS, help="how far back (default %(default)s calendar days)")
    fetch.set_defaults(command=_fetch)
    cli_renames.add(of_candles)
    of_candles.add_parser("status", help="print what is there").set_defaults(command=_status)

    of_actions = commands.add_parser("actions", help="splits, bonuses, consolidations").add_subparsers(
        required=True, metavar="ACTION"
    )
    list_ = of_actions.add_parser("list", help="print those that wait for a word, and the others")
    list_.add_argument("--csv", action="store_true", help="those that wait alone, as a file that `actions import` takes")
    list_.set_defaults(command=_list)
    confirm = of_actions.add_parser("confirm", help="adjust the candles before DATE by RATIO")
    confirm.add_argument("symbol", metavar="SYMBOL")
    confirm.add_argument("date", metavar="DATE", help="the ex-day, such as 2025-06-16")
    confirm.add_argument("ratio", nargs="?", metavar="RATIO", help=f"{corporate_action.RATIO_ACCEPTED}; left out: as detected")
    confirm.set_defaults(command=_confirm)
    dismiss = of_actions.add_parser("dismiss", help="say that there was no such action")
    dismiss.add_argument("symbol", metavar="SYMBOL")
    dismiss.add_argument("date", metavar="DATE")
    dismiss.set_defaults(command=_dismiss)
    of_file = of_actions.add_parser("import", help="confirm all of a file: symbol, ex_date, ratio; or NSE's own list")
    of_file.add_argument("file", type=Path, metavar="FILE.csv")
    of_file.set_defaults(command=_import_actions)


def _days(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= _MOST_DAYS):
        raise argparse.ArgumentTypeError(f"{text!r} is not accepted: a whole number from 1 to {_MOST_DAYS}")
    return int(text)


def _import(given: argparse.Namespace) -> int:
    # Numpy takes a while to load, which no other command should pay for.
    from ltp.jobs.candles import import_files

    settings = settings_module.load()
    engine = _engine(settings)
    basis: Basis = "adjusted" if given.adjusted else "raw"
    with Stages() as stages:
        done = import_files(engine, given.paths, basis=basis, force=given.force, progress=stages)
    for sentence in done.refused:
        print(f"Not imported: {sentence}", file=sys.stderr)
    for sentence in done.thin[:_NAMED]:
        print(sentence)
    if len(done.thin) > _NAMED:
        print(f"{counted(len(done.thin) - _NAMED, 'other day')} of far fewer shares than the days around them.")
    cli_left_out.tell(done, settings.state_dir)
    if done.suspects:
        suspected = counted(len(done.suspects), "split or bonus is", "splits or bonuses are")
        print(f"{suspected} suspected, and the history is cut until `actions confirm` or `dismiss`:")
        _print_actions(engine, done.suspects[:_NAMED])
        if len(done.suspects) > _NAMED:
            print("and others: `python -m ltp actions list`")
    print(
        f"{counted(done.files, 'file')} of {counted(done.days, 'day')} with {counted(done.candles, 'candle')} imported, "
        f"{done.changed:,} of them new or changed; {counted(len(done.refused), 'file')} refused{_replaced(done.removed)}."
    )
    return 1 if done.refused else 0


def _fetch(given: argparse.Namespace) -> int:
    settings = settings_module.load()
    engine = _engine(settings)
    calendar = Calendar.named(settings.market_calendar, settings.market_calendar_overrides)
    keys = universes.keys(engine, given.universe or default(engine, settings.screener_universe))
    last = last_settled(calendar, datetime.now(UTC))
    charts = Charts(settings.dhanhq_rest_url, Credentials(lambda: _credentials(settings)))
    with Stages() as stages:
        # The index first: without it no strength relative to it.
        wanted = list(dict.fromkeys((INDEX, *keys)))
        done = fetch_history(
            engine,
            charts,
            wanted,
            first=last - timedelta(days=given.days),
            last=last,
            simulated=settings.source == "simulator",
            progress=stages,
        )
    for sentence in done.failed[:_NAMED]:
        print(f"Not fetched: {sentence}", file=sys.stderr)
    print(
        f"{counted(done.changed, 'candle')} of {counted(done.asked, 'instrument')} fetched up to {last}; {done.restated:,} had "
        f"been restated, {counted(done.empty, 'has', 'have')} none, {len(done.failed):,} failed; "
        f"{counted(len(wanted) - done.asked, 'was', 'were')} up to date{_replaced(done.removed)}."
    )
    return 1 if done.failed else 0


def _replaced(instruments: int) -> str:
    """Say that simulated candles made room for the real ones, nothing where there were none."""
    return f"; simulated candles of {counted(instruments, 'instrument')} were removed first" if instruments else ""


def _credentials(settings: Settings) -> tuple[str, str]:
    client_id, token = settings.secret("dhanhq_client_id"), settings.secret("dhanhq_access_token")
    if not client_id or not token:
        raise ConfigError("DHANHQ_ACCESS_TOKEN", "", "it and DHANHQ_CLIENT_ID (or their _FILE) are needed to fetch candles")
    return client_id, token


def _status(_: argparse.Namespace) -> int:
    engine = open_engine(settings_module.load().database)
    if candle_source.held(engine) == "simulated":
        print("The candles are simulated; real ones that are imported or fetched take their place.")
    for basis in candles.BASES:
        newest = candles.last_days(engine, basis)
        behind = sum(day < max(newest.values()) for day in newest.values())
        told = f"up to {max(newest.values())}, {behind:,} of them ending earlier" if newest else "no candle"
        print(f"{basis:9} {counted(len(newest), 'instrument')}, {told}")
    sessions = candles.days(engine)
    if sessions:
        print(f"sessions  {len(sessions):,} from {sessions[0].day} to {sessions[-1].day}; the newest from {sessions[-1].source}")
    states = Counter(action.state for action in actions.fetch(engine))
    print(f"actions   {states['detected']:,} detected, {states['confirmed']:,} confirmed, {states['dismissed']:,} dismissed")
    return 0


def _list(given: argparse.Namespace) -> int:
    engine = open_engine(settings_module.load().database)
    known = sorted(actions.fetch(engine), key=lambda each: (each.state != "detected", each.ex_day))
    if given.csv:
        symbols, rows = _symbols(engine), csv.writer(sys.stdout, lineterminator="\n")
        rows.writerow(("symbol", "ex_date", "ratio", "evidence"))
        waiting = (each for each in known if each.state == "detected")
        rows.writerows((symbols.get(each.key, each.key), each.ex_day, each.ratio, each.evidence) for each in waiting)
        return 0
    _print_actions(engine, known)
    if not known:
        print("No split or bonus is known.")
    return 0


def _confirm(given: argparse.Namespace) -> int:
    engine, key, day = _meant(given)
    detected = next((each for each in actions.fetch(engine, key) if each.ex_day == day), None)
    if given.ratio is not None:
        numerator, denominator = corporate_action.parse_ratio(given.ratio, "RATIO")
    elif detected is not None:
        numerator, denominator = detected.numerator, detected.denominator
    else:
        raise InputError(
            "RATIO", "", f"nothing was detected for {given.symbol.upper()} on {day}; {corporate_action.RATIO_ACCEPTED}"
        )
    action = Action(key, day, numerator, denominator, "confirmed", detected.evidence if detected else "", "command line")
    actions.confirm(engine, [action])
    print(f"Candles of {given.symbol.upper()} before {day} are adjusted by {action.ratio} from the next evaluation on.")
    return 0


def _dismiss(given: argparse.Namespace) -> int:
    engine, key, day = _meant(given)
    action = actions.dismiss(engine, key, day, "command line")
    print(f"The {action.ratio} of {given.symbol.upper()} on {day} is dismissed; its candles count as they were traded.")
    return 0


def _import_actions(given: argparse.Namespace) -> int:
    content = read(given.file)
    announced = corporate_action.parse_file(content, given.file.name)
    engine = _engine(settings_module.load())
    lookup = _lookup(engine)
    unknown: Counter[str] = Counter()
    found = []
    for each in announced:
        instrument = lookup.find(each.symbol)
        if instrument is None:
            unknown[each.symbol] += 1
            continue
        found.append(
            Action(instrument.key, each.ex_day, each.numerator, each.denominator, "confirmed", "announced", given.file.name)
        )
    actions.confirm(engine, found)
    if unknown:
        print(f"Symbols that the instrument master does not know: {_most(unknown)}")
    print(f"{counted(len(found), 'split or bonus', 'splits and bonuses')} confirmed.")
    return 0


def _print_actions(engine: Engine, known: Sequence[Action]) -> None:
    symbols = _symbols(engine)
    for each in known:
        told = each.evidence if each.state == "detected" else f"{each.source}: {each.evidence}".rstrip(": ")
        print(f"{symbols.get(each.key, each.key):12} {each.ex_day} {each.ratio:>6} {each.state:9} {told}")


def _meant(given: argparse.Namespace) -> tuple[Engine, str, date]:
    day = parse_day(given.date)
    if day is None:
        raise InputError("DATE", given.date, "a date such as 2025-06-16")
    engine = _engine(settings_module.load())
    instrument = _lookup(engine).meant(given.symbol)
    if instrument is None:
        raise NotFoundError("instrument", given.symbol)
    return engine, instrument.key, day


def _symbols(engine: Engine) -> dict[str, str]:
    return {each.key: each.symbol for each in instruments.fetch(engine, "NSE_EQ")}


def _lookup(engine: Engine) -> Lookup:
    return Lookup(instruments.fetch(engine, "NSE_EQ"), instruments.fetch_names(engine))


def _engine(settings: Settings) -> Engine:
    engine = open_engine(settings.database)
    shipped.ensure(engine)  # symbols have to be known even where no worker has run yet
    return engine


def _most(symbols: Counter[str]) -> str:
    named = ", ".join(symbol for symbol, _ in symbols.most_common(_NAMED))
    return f"{len(symbols):,} ({named}{' and others' if len(symbols) > _NAMED else ''})"
