"""Shares that trade under another id than before, mostly after a move to another series.

The ISIN identifies them. A compact master has none, so there the symbol does, where the former ISIN does not
contradict it and the listing ended lately: a symbol may pass to another company.
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

# Characters of a share's ISIN (INE..., IN9...) that a new face value leaves: country, company, class of
# share.
_ISSUE: Final = 9
_LATELY: Final = timedelta(days=60)  # a suspended share may miss some masters before it is listed again


def follow(
    engine: Engine, before: Iterable[Instrument], listed: Collection[int], reassigned: Collection[str] = ()
) -> tuple[int, tuple[str, ...]]:
    """Move candles, actions, memberships and names of each share to the id that it has now.

    Args:
        before: the instruments of NSE_EQ before a master was stored.
        listed: the ids that the master has.
        reassigned: keys that mean another instrument now, so that the former one has ended there; they are
            cleared.
    Returns:
        The number of shares that moved, and the symbols of listings that ended now, with a history that no
            listing continues.
    """
    gone = [each for each in before if each.security_id not in listed or each.key in reassigned]
    now = [
        each
        for each in instruments.fetch(engine, SEGMENT)
        if each.security_id in listed and each.series in SHARE_SERIES
    ]
    dated = _last_days(engine) if gone else {}
    newest = max(dated.values(), default=None)
    # A listing that ended with an earlier master counts while its history is recent; later its symbol may be
    # another company's.
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
    """Return each ended listing that another one continues, with that one."""
    by_isin: dict[str, Instrument] = {}
    by_symbol: dict[str, Instrument] = {}
    for each in sorted(listed, key=preference):
        by_symbol.setdefault(each.symbol.upper(), each)
        if each.isin:
            by_isin.setdefault(each.isin, each)
    found = []
    for old in ended:
        same = by_symbol.get(old.symbol.upper())
        new = by_isin.get(old.isin) or (same if same is not None and _may_continue(old, same) else None)
        if new is not None:
            found.append((old, new))
    return found


def _in_order(moves: list[tuple[Instrument, Instrument]]) -> list[tuple[Instrument, Instrument]]:
    """Return the moves in an order in which each new id is free. Shares that swapped their ids are left out:
    neither history is kept.
    """
    ordered: list[tuple[Instrument, Instrument]] = []
    waiting = {old.key: (old, new) for old, new in moves}
    while free := [key for key, (_, new) in waiting.items() if new.key not in waiting]:
        ordered += [waiting.pop(key) for key in free]
    return ordered


def _may_continue(old: Instrument, new: Instrument) -> bool:
    """Return whether the ISINs allow that a listing continues another of the same symbol.

    Nine characters are compared, of every ISIN; `core.identity.issue` does so of Indian companies' alone.
    There the ISIN has to identify the share under any symbol, and nine characters do not identify a fund
    (INF...): of 322 listed ones 307 share them with another of their house. Here the symbol is the same and
    the ISIN can only contradict it. That is wrong for a fund that went to another house; its history is not
    moved, and the import names it.
    """
    return not old.isin or not new.isin or old.isin[:_ISSUE] == new.isin[:_ISSUE]


def _last_days(engine: Engine) -> dict[str, date]:
    return {**candles.last_days(engine, "adjusted"), **candles.last_days(engine, "raw")}
