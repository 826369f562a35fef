"""`python -m ltp actions`: splits, bonuses, consolidations and demergers, for an operator to decide about."""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Sequence
from datetime import date
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Engine

from ltp import settings as settings_module
from ltp.cli.database import open_seeded
from ltp.cli.files import read
from ltp.core.counted import counted
from ltp.core.formats.exchange_csv import parse_day
from ltp.core.history import corporate_action
from ltp.core.history.corporate_action import CANDLES, Action
from ltp.core.instrument import Instrument
from ltp.core.symbol_lookup import SymbolLookup
from ltp.db import corporate_actions, instruments
from ltp.errors import InputError, NotFoundError

NOT_SEEN: Final = (
    "Bonuses below 1:5, and demergers that move a price by less than its band, do not show in candles: "
    "import the exchange's list with `actions import`"
)
_STATES: Final = {"unexplained": "unexplained: demerger?"}


def add(commands: Any) -> None:
    """Register the commands on the program's sub-parsers."""
    of_actions = commands.add_parser("actions", help="splits, bonuses, consolidations").add_subparsers(
        required=True, metavar="ACTION"
    )
    list_ = of_actions.add_parser("list", help="print those that wait for a word, and the others")
    list_.add_argument(
        "symbol",
        nargs="?",
        default="",
        metavar="SYMBOL",
        help="of this share, and what its candles cannot tell",
    )
    list_.add_argument(
        "--csv", action="store_true", help="those that wait alone, as a file to fill in for `actions import`"
    )
    list_.set_defaults(command=_list)
    confirm = of_actions.add_parser("confirm", help="adjust the candles before DATE by RATIO")
    confirm.add_argument("symbol", metavar="SYMBOL")
    confirm.add_argument("date", metavar="DATE", help="the ex-day, such as 2025-06-16")
    confirm.add_argument(
        "ratio", nargs="?", metavar="RATIO", help=f"{corporate_action.RATIO_ACCEPTED}; left out: as detected"
    )
    confirm.set_defaults(command=_confirm)
    dismiss = of_actions.add_parser("dismiss", help="say that there was no such action")
    dismiss.add_argument("symbol", metavar="SYMBOL")
    dismiss.add_argument("date", metavar="DATE")
    dismiss.set_defaults(command=_dismiss)
    of_file = of_actions.add_parser(
        "import", help="confirm what a file announces: symbol, ex_date, ratio; or NSE's own list"
    )
    of_file.add_argument("file", type=Path, metavar="FILE.csv")
    of_file.set_defaults(command=_import)


def print_actions(engine: Engine, known: Sequence[Action]) -> None:
    """Print a line for each action."""
    symbols = _symbols(engine)
    for each in known:
        evidence = (
            each.evidence
            if each.source == CANDLES and each.waits
            else f"{each.source}: {each.evidence}".rstrip(": ")
        )
        state = _STATES.get(each.state, each.state)
        print(f"{symbols.get(each.key, each.key):12} {each.ex_day} {each.ratio:>6} {state:9} {evidence}")


def _list(given: argparse.Namespace) -> int:
    engine = open_seeded(settings_module.load())
    key = _instrument(engine, given.symbol).key if given.symbol else None
    known = sorted(corporate_actions.fetch(engine, key), key=lambda each: (not each.waits, each.ex_day))
    if given.csv:
        symbols, rows = _symbols(engine), csv.writer(sys.stdout, lineterminator="\n")
        rows.writerow(("symbol", "ex_date", "ratio", "suggested", "evidence"))
        rows.writerows((symbols.get(each.key, each.key), *_suggestion(each)) for each in known if each.waits)
        return 0
    print_actions(engine, known)
    if not known:
        print("No split or bonus is known.")
    if key is None:
        print(f"{NOT_SEEN}; `actions list SYMBOL` names the days of a share to look at.")
    else:
        _print_unseen(engine, key)
    return 0


def _print_unseen(engine: Engine, key: str) -> None:
    from ltp.batch.action_search import unseen_falls

    found = unseen_falls(engine, key)
    if not found:
        print(f"No other fall at the open stands out. {NOT_SEEN}.")
        return
    print(
        "Candles cannot tell these falls at the open from a small bonus or a demerger; "
        "the exchange's list can:"
    )
    for fall in found:
        lower, prices = 100 * (1 - fall.opened / fall.before), f"{fall.before:.2f}:{fall.opened:.2f}"
        print(f"{'':12} {fall.day} {prices} lower by {lower:.1f}%, {fall.times:.0f} times the usual gap")


def _suggestion(each: Action) -> tuple[object, ...]:
    """Return the cells of a row to fill in. The ratio is empty: an operator has to check the suggestion."""
    suggested = f"{_STATES[each.state]} {each.ratio}" if each.state in _STATES else each.ratio
    return each.ex_day, "", suggested, each.evidence


def _confirm(given: argparse.Namespace) -> int:
    engine, key, day = _share_and_day(given)
    symbol = given.symbol.upper()
    known = next((each for each in corporate_actions.fetch(engine, key) if each.ex_day == day), None)
    if given.ratio is not None:
        numerator, denominator = corporate_action.parse_ratio(given.ratio, "RATIO")
    elif known is None:
        raise InputError(
            "RATIO", "", f"nothing was detected for {symbol} on {day}; {corporate_action.RATIO_ACCEPTED}"
        )
    elif known.state == "unexplained":
        raise InputError(
            "RATIO",
            "",
            f"the step of {symbol} on {day} is no split; give the ratio of its prices, by close and open "
            f"{known.ratio}",
        )
    else:
        numerator, denominator = known.numerator, known.denominator
    action = Action(
        key, day, numerator, denominator, "confirmed", known.evidence if known else "", "command line"
    )
    _warn(engine, action)
    for old in corporate_actions.confirm(engine, [action]):
        print(_replaced(symbol, old, action))
    print(f"Candles of {symbol} before {day} are adjusted by {action.ratio} from the next evaluation on.")
    return 0


def _warn(engine: Engine, action: Action) -> None:
    """Print the step in the candles where it contradicts the operator's ratio, which counts all the same."""
    # Numpy takes a while to load, which no other command should pay for.
    from ltp.batch.action_import import contradicted

    shown = contradicted(engine, action.key, action.ex_day, Fraction(action.numerator, action.denominator))
    if shown:
        print(f"Beware: {action.ratio} is given, but {shown}.")


def _replaced(symbol: str, old: Action, new: Action) -> str:
    return f"{symbol}: {old.ratio} of {old.ex_day} ({old.state}) is replaced by {new.ratio} of {new.ex_day}."


def _dismiss(given: argparse.Namespace) -> int:
    engine, key, day = _share_and_day(given)
    action = corporate_actions.dismiss(engine, key, day, "command line")
    print(
        f"The {action.ratio} of {given.symbol.upper()} on {day} is dismissed; "
        "its candles count as they were traded."
    )
    return 0


def _import(given: argparse.Namespace) -> int:
    from ltp.batch.action_import import confirm_list

    content = read(given.file)
    engine = open_seeded(settings_module.load())
    done = confirm_list(engine, _lookup(engine), content, given.file.name)
    symbols = _symbols(engine)
    for sentence in done.unused:
        print(sentence)
    for old, new in done.replaced:
        print(_replaced(symbols.get(old.key, old.key), old, new))
    known = f", {done.known:,} of them known before" if done.known else ""
    unused = f"; {counted(len(done.unused), 'row was', 'rows were')} not used" if done.unused else ""
    print(f"{counted(len(done.confirmed), 'split or bonus', 'splits and bonuses')} confirmed{known}{unused}.")
    return 0


def _share_and_day(given: argparse.Namespace) -> tuple[Engine, str, date]:
    day = parse_day(given.date)
    if day is None:
        raise InputError("DATE", given.date, "a date such as 2025-06-16")
    engine = open_seeded(settings_module.load())
    return engine, _instrument(engine, given.symbol).key, day


def _instrument(engine: Engine, symbol: str) -> Instrument:
    instrument = _lookup(engine).resolve(symbol)
    if instrument is None:
        raise NotFoundError("instrument", symbol)
    return instrument


def _symbols(engine: Engine) -> dict[str, str]:
    return {each.key: each.symbol for each in instruments.fetch(engine, "NSE_EQ")}


def _lookup(engine: Engine) -> SymbolLookup:
    return SymbolLookup(instruments.fetch(engine, "NSE_EQ"), instruments.fetch_names(engine))
