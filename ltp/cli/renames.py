"""`python -m ltp candles renames`: former symbols of shares, for files of candles without ISINs."""

from __future__ import annotations

import argparse
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Engine

from ltp import settings as settings_module
from ltp.cli.database import open_seeded
from ltp.cli.files import read
from ltp.core.counted import counted
from ltp.core.formats import symbol_changes
from ltp.core.trading_day import IST
from ltp.db import former_names, instruments
from ltp.db.engine import writing
from ltp.errors import InputError, NotFoundError

_AGAIN: Final = " Import the same candles again, and they join its history."


def add(of_candles: Any) -> None:
    """Register the command among those of `candles`."""
    renames = of_candles.add_parser("renames", help="learn old symbols, for files without ISINs")
    renames.add_argument(
        "words",
        nargs="+",
        metavar="FILE.csv | OLD NEW",
        help="NSE's symbolchange.csv, or an old symbol and the one of now",
    )
    renames.set_defaults(command=_renames)


def _renames(given: argparse.Namespace) -> int:
    if len(given.words) > 2:
        raise InputError(
            "renames", " ".join(given.words), "a file, or an old symbol and the one that its share has now"
        )
    engine = open_seeded(settings_module.load())
    if len(given.words) == 2:
        return _rename(engine, *map(str.upper, given.words))
    file = Path(given.words[0])
    changes = symbol_changes.parse(read(file), file.name)
    listed = {each.symbol.upper(): each.key for each in instruments.fetch(engine, "NSE_EQ")}
    former = symbol_changes.newest_symbols(changes)
    learned = {
        (listed[now], old): day for old, (now, day) in former.items() if now in listed and old not in listed
    }
    with writing(engine) as connection:
        former_names.remember(connection, learned)
    print(
        f"{counted(len(learned), 'old symbol')} learned; "
        f"{counted(len(former) - len(learned), 'is', 'are')} of shares that are not listed, "
        f"or taken by others.{_AGAIN if learned else ''}"
    )
    return 0


def _rename(engine: Engine, old: str, new: str) -> int:
    listed = {each.symbol.upper(): each.key for each in instruments.fetch(engine, "NSE_EQ") if each.series}
    if new not in listed:
        raise NotFoundError("listed share", new)
    if old in listed:
        raise InputError("OLD", old, "another listed share has that symbol now")
    with writing(engine) as connection:
        former_names.remember(connection, {(listed[new], old): datetime.now(IST).date()})
    print(f"{old} is {new} from now on.{_AGAIN}")
    return 0
