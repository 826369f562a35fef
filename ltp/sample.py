"""Sample screener results for the simulated exchange, so that a fresh start has something to watch.

Loaded only by `python app.py` beside its own simulator, stored as sample runs around the simulator's invented prices, and headed
"sample" on the page. Never touches results that somebody imported.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Mapping, Sequence
from typing import Final

import requests
from sqlalchemy import Engine

from ltp.core.money import Price, price_from_rupees, snap
from ltp.core.screener import Row
from ltp.db import instruments, screeners
from ltp.db.engine import open_engine
from ltp.errors import DatabaseError, FeedError
from ltp.feed.simulator.universe import Listing, listings, universe

logger = logging.getLogger(__name__)
_INDEX: Final = {"swing": "NIFTY 50", "longterm": "NIFTY Next 50"}
_SETUPS: Final = ("READY", "WAIT_PULLBACK", "WAIT_BREAKOUT", "NOT_READY")


def load(database_url: str, rest_url: str) -> None:
    """Store a sample run of each built-in screener unless it has results of a user's.

    Prices come from the simulator at `rest_url`. A failure is logged: the product runs without a sample.
    """
    try:
        engine = open_engine(database_url)
        # Before any result: a run adds what the master lacks, but without tick sizes, and the worker seeds an empty master only.
        instruments.seed(engine, universe())
        kinds = [kind for kind in _INDEX if _wants_sample(engine, kind)]
        prices = _prices(rest_url) if kinds else {}
        for kind in kinds:
            members = [listing for listing in listings() if listing.member_of == _INDEX[kind]]
            screeners.insert_run(engine, kind, rows(members, prices), sample=True, source="sample")
    except (DatabaseError, FeedError) as error:
        logger.warning("No sample screeners: %s", error)


def rows(members: Sequence[Listing], prices: Mapping[str, Price]) -> list[Row]:
    """Return one row for each member with a price, best score first: entries within 2% of the price, the
    stop 4% below the entry, the target 9% above."""
    random_ = random.Random(20)  # the same sample each time
    scored = sorted(
        ((round(random_.uniform(38, 96), 1), listing) for listing in members if listing.key in prices), key=lambda pair: -pair[0]
    )
    return [_row(rank, score, listing, prices[listing.key], random_) for rank, (score, listing) in enumerate(scored, start=1)]


def _row(rank: int, score: float, listing: Listing, price: Price, random_: random.Random) -> Row:
    instrument = listing.instrument
    setup = _SETUPS[0 if score > 80 else 1 if score > 65 else 2 if score > 50 else 3]
    entry, tick = round(price * random_.uniform(0.98, 1.02)), instrument.tick_size
    return Row(
        key=instrument.key,
        rank=rank,
        symbol=instrument.symbol,
        name=instrument.name,
        sector=listing.sector,
        score=score,
        setup=setup,
        entry=snap(entry, tick),
        stop=snap(round(entry * 0.96), tick),
        target=snap(round(entry * 1.09), tick),
        why="Invented for the simulated exchange",
    )


def _wants_sample(engine: Engine, kind: str) -> bool:
    run_id = screeners.latest_run_id(engine, kind)
    run = screeners.fetch_run(engine, run_id) if run_id is not None else None
    return run is None or run.sample


def _prices(rest_url: str) -> dict[str, Price]:
    """Return the simulator's prices of the whole universe.

    Raises:
        FeedError: it did not answer in its own format.
    """
    wanted: dict[str, list[int]] = {}
    for listing in listings():
        wanted.setdefault(listing.instrument.segment, []).append(listing.instrument.security_id)
    try:
        answer = requests.post(
            f"{rest_url}/marketfeed/ltp", json=wanted, headers={"access-token": "sample", "client-id": "sample"}, timeout=5
        )
        answer.raise_for_status()
        segments = answer.json()["data"]
        read = {
            f"{segment}:{id_}": price_from_rupees(row["last_price"])
            for segment, ids in segments.items()
            for id_, row in ids.items()
        }
    except (requests.RequestException, ValueError, KeyError, TypeError, AttributeError) as error:
        raise FeedError(f"the simulator's prices cannot be read ({type(error).__name__})") from None
    return {key: price for key, price in read.items() if price is not None}
