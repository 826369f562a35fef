"""Options that several commands have: a day with candles, a known universe."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Final

from sqlalchemy import Engine

from ltp.core.counted import listed
from ltp.core.formats.exchange_csv import parse_day
from ltp.db import candles, universes
from ltp.errors import InputError

UNIVERSE_HELP: Final = "such as nifty100 or all; `universes list` prints them"
_NAMED: Final = 20


def day_with_candles(engine: Engine, text: str, option: str) -> date | None:
    """Return the day that an option names, None where `text` is empty.

    Raises:
        InputError: it is no date from the first to the newest day with candles.
    """
    if not text:
        return None
    day = parse_day(text)
    first, newest = candles.first_day(engine), candles.newest_day(engine)
    if day is None or first is None or newest is None or not first <= day <= newest:
        accepted = (
            f"from {first} to {newest}"
            if first
            else "with daily candles, of which there are none yet; import or fetch them"
        )
        raise InputError(option, text, f"a date such as 2026-11-20, {accepted}")
    return day


def known_universe(engine: Engine, name: str) -> str:
    """Return the name of a universe, "" where none is given.

    Raises:
        InputError: there is no such universe.
    """
    known = list(universes.fetch(engine))
    if name and name not in known:
        raise InputError("--universe", name, one_of("a universe", known))
    return name


def one_of(noun: str, names: Sequence[str]) -> str:
    """Return the names that are accepted, for an error sentence: "a universe: nifty50, all"."""
    return f"{noun}: {listed(names, _NAMED)}" if names else f"{noun}, of which there is none yet"
