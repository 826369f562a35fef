"""The content of a database before the first import: the shipped instruments, and universes of them."""

from __future__ import annotations

from ltp.core.instrument import Instrument
from ltp.db import instruments, universes
from ltp.db.engine import Engine
from ltp.feed.simulator.universe import listings

_MEMBERS = {"nifty50": ("NIFTY 50",), "nifty100": ("NIFTY 50", "NIFTY Next 50")}


def ensure(engine: Engine) -> None:
    """Add the shipped instruments that are missing, missing values of known ones, and missing universes.

    It never undoes an import.

    Raises:
        DatabaseError: the database cannot be used.
    """
    known = {each.key: each for segment in ("IDX_I", "NSE_EQ") for each in instruments.fetch(engine, segment)}
    instruments.seed(
        engine, [_completed(known.get(listing.key), listing.instrument) for listing in listings()]
    )
    there = universes.fetch(engine)
    for name, indices in _MEMBERS.items():
        if name not in there:
            members = [listing.key for listing in listings() if listing.member_of in indices]
            universes.replace(engine, name, universes.TITLES[name], universes.SHIPPED, members)
    if universes.ALL not in there:
        shares = [listing.key for listing in listings() if listing.instrument.series == "EQ"]
        universes.replace(engine, universes.ALL, universes.TITLES[universes.ALL], universes.SHIPPED, shares)


def _completed(known: Instrument | None, shipped: Instrument) -> Instrument:
    if known is None:
        return shipped
    # A share without a series but with a sector is one that an import has retired.
    series = known.series or ("" if known.sector else shipped.series)
    return known._replace(
        isin=known.isin or shipped.isin,
        tick_size=known.tick_size or shipped.tick_size,
        series=series,
        sector=known.sector or shipped.sector,
    )
