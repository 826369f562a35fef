"""Shares whose listing has ended and which trade under another id: the exchange moved them to another series,
mostly.

The ISIN tells which they are. A compact master has none, so there the symbol does, but only where nothing
contradicts: a symbol may pass to another company later.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import date, timedelta
from typing import Final

from ltp.core.instrument import SHARE_SERIES, Instrument
from ltp.core.symbol_lookup import SEGMENT, preference
from ltp.db import candles, instruments, reassignments
from ltp.db.engine import Engine, writing
from ltp.db.rekey import move

_ISSUE: Final = (
    9  # letters of an ISIN that tell company and class of share; the rest changes with the face value
)
_LATELY: Final = timedelta(days=60)  # a suspended share may miss some masters before it is listed again


def follow(
    engine: Engine, before: Iterable[Instrument], listed: Collection[int], reassigned: Collection[str] = ()
) -> tuple[int, tuple[str, ...]]:
    """Let what is kept of each share follow it to the id that it has now.

    Args:
        before: the instruments of NSE_EQ as they were before a master was stored.
        listed: the ids that the master has.
        reassigned: keys that mean another instrument now, so the one of before has ended there; they are
            cleared.
    Returns:
        How many shares moved, and the symbols of those that ended now with a history that nothing continues.
    """
    gone = [each for each in before if each.security_id not in listed or each.key in reassigned]
    now = [
        each
        for each in instruments.fetch(engine, SEGMENT)
        if each.security_id in listed and each.series in SHARE_SERIES
    ]
    dated = _last_days(engine) if gone else {}
    newest = max(dated.values(), default=None)
    # One that ended in an earlier master counts while its history is recent, or its symbol may be another
    # company's.
    recent = {key for key, day in dated.items() if newest is not None and newest - day <= _LATELY}
    ended = [each for each in gone if each.series in SHARE_SERIES]
    retired = [each for each in gone if not each.series and each.key in recent]
    moves = _in_order(successors([*ended, *retired], now))
    moving = {old.key for old, _ in moves}
    with writing(engine) as connection:
        reassignments.clear(connection, [key for key in reassigned if key not in moving])
        for old, new in moves:
            move(connection, old.key, new.key)
            if old.key in reassigned:
                reassignments.clear(connection, [old.key])
            instruments.upsert(
                connection, [new._replace(isin=new.isin or old.isin, sector=new.sector or old.sector)]
            )
    return len(moves), tuple(
        sorted(each.symbol for each in ended if each.key in dated and each.key not in moving)
    )


def successors(
    ended: Iterable[Instrument], listed: Iterable[Instrument]
) -> list[tuple[Instrument, Instrument]]:
    """Return each listing that has ended with the one that continues it, where there is one."""
    by_isin: dict[str, Instrument] = {}
    by_symbol: dict[str, Instrument] = {}
    for each in sorted(listed, key=preference):
        by_symbol.setdefault(each.symbol.upper(), each)
        if each.isin:
            by_isin.setdefault(each.isin, each)
    found = []
    for old in ended:
        same = by_symbol.get(old.symbol.upper())
        new = by_isin.get(old.isin) or (same if same is not None and _may_be(old, same) else None)
        if new is not None:
            found.append((old, new))
    return found


def _in_order(moves: list[tuple[Instrument, Instrument]]) -> list[tuple[Instrument, Instrument]]:
    """Return the moves so that each finds its place vacated. Of shares that swapped their ids neither history
    is kept.
    """
    ordered: list[tuple[Instrument, Instrument]] = []
    waiting = {old.key: (old, new) for old, new in moves}
    while free := [key for key, (_, new) in waiting.items() if new.key not in waiting]:
        ordered += [waiting.pop(key) for key in free]
    return ordered


def _may_be(old: Instrument, new: Instrument) -> bool:
    return not old.isin or not new.isin or old.isin[:_ISSUE] == new.isin[:_ISSUE]


def _last_days(engine: Engine) -> dict[str, date]:
    return {**candles.last_days(engine, "adjusted"), **candles.last_days(engine, "raw")}
