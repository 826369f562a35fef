"""The listings of the simulated exchange: NIFTY 50, NIFTY Next 50 and the main indices, from `universe.csv`.

Ids, names, ISINs, ticks and sectors are facts; base prices and trading rates are plausible inventions.
Instruments that are listed later get their trading rate here too. Knows no price of today: `path` and
`exchange` make those.
"""

from __future__ import annotations

import csv
import hashlib
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple

from ltp.core.instrument import Instrument
from ltp.core.money import SCALE, Price, parse_decimal

_CSV: Final = Path(__file__).with_name("universe.csv")
# Far above every id in use, so that a bench never subscribes a real contract by accident.
FIRST_SYNTHETIC_ID: Final = 900_000_001
_TRADES_PER_S: Final = 0.2
_LEAST_RUPEES: Final = 50
_MOST_RUPEES: Final = 2_500


class Listing(NamedTuple):
    """An instrument and how it trades here.

    `member_of`: "NIFTY 50" or "NIFTY Next 50", empty for others. `base_price`: the mean of the price over the
    years. `trades_per_s`: on average. `charted`: minute bars are kept.
    """

    instrument: Instrument
    member_of: str
    sector: str
    base_price: Price
    trades_per_s: float
    charted: bool = True

    @property
    def key(self) -> str:
        return self.instrument.key


def universe() -> list[Instrument]:
    """Return every instrument of the shipped universe, indices first."""
    return [listing.instrument for listing in listings()]


@cache
def listings() -> tuple[Listing, ...]:
    with _CSV.open(encoding="utf-8", newline="") as lines:
        return tuple(_listing(row) for row in csv.DictReader(lines))


def synthetic_futures(count: int, trades_per_s: float = 1.0) -> list[Listing]:
    """Return `count` invented NSE_FNO contracts for load runs.

    Without minute bars, because those of thousands would fill the memory.
    """
    return [_synthetic(FIRST_SYNTHETIC_ID + number, trades_per_s) for number in range(count)]


def listing_of(instrument: Instrument, price: Price = 0) -> Listing:
    """Return how an instrument of the master trades here, around a price.

    Price 0: an invented one, the same for one ISIN. Without minute bars: there may be thousands of listings.
    """
    if not price:
        number = int.from_bytes(
            hashlib.blake2b((instrument.isin or instrument.key).encode(), digest_size=4).digest(), "little"
        )
        price = (_LEAST_RUPEES + number % _MOST_RUPEES) * SCALE
    return Listing(instrument, "", instrument.sector, price, _TRADES_PER_S, charted=False)


def _listing(row: dict[str, str]) -> Listing:
    return Listing(
        Instrument(
            row["segment"],
            int(row["security_id"]),
            row["symbol"],
            row["name"],
            row["isin"],
            int(row["lot_size"]),
            parse_decimal(row["tick_size"]) or 0,
            "EQ" if row["segment"] == "NSE_EQ" else "",
            row["sector"],
        ),
        row["index"],
        row["sector"],
        int(row["base_price"]) * SCALE,
        float(row["trades_per_minute"]) / 60,
    )


def _synthetic(security_id: int, trades_per_s: float) -> Listing:
    number = security_id - FIRST_SYNTHETIC_ID + 1
    instrument = Instrument(
        "NSE_FNO", security_id, f"SIMFUT{number:05d}", f"Simulated future {number}", "", 50, 500
    )
    return Listing(instrument, "", "", (100 + number * 37 % 2400) * SCALE, trades_per_s, charted=False)
