from __future__ import annotations

from collections import Counter

from ltp.core.instrument import parse_key
from ltp.feed.simulator.universe import listings, synthetic_futures, universe


def test_it_holds_the_two_indices_and_their_members() -> None:
    assert Counter(listing.member_of for listing in listings() if listing.instrument.segment == "NSE_EQ") == {
        "NIFTY 50": 50,
        "NIFTY Next 50": 50,
    }
    assert sum(listing.instrument.segment == "IDX_I" for listing in listings()) >= 7


def test_known_ids() -> None:
    by_symbol = {instrument.symbol: instrument.key for instrument in universe()}
    known = {
        "NIFTY": "IDX_I:13",
        "ABB": "NSE_EQ:13",
        "RELIANCE": "NSE_EQ:2885",
        "HDFCBANK": "NSE_EQ:1333",
        "SENSEX": "IDX_I:51",
    }
    assert known.items() <= by_symbol.items()


def test_keys_are_unique_and_well_formed() -> None:
    keys = [parse_key(instrument.key) for instrument in universe()]
    assert len(keys) == len(set(keys))


def test_every_share_has_the_fields_of_a_page() -> None:
    for listing in listings():
        if listing.instrument.segment == "NSE_EQ":
            assert listing.instrument.isin.startswith("IN")
            assert len(listing.instrument.isin) == 12
            assert listing.sector
            assert listing.instrument.name


def test_base_prices_lie_in_the_band_of_their_tick() -> None:
    bands = {
        100: (0, 250),
        500: (250, 1000),
        1000: (1000, 5000),
        5000: (5000, 10_000),
        10_000: (10_000, 20_000),
        50_000: (20_000, 10**6),
    }
    for listing in listings():
        if listing.instrument.segment == "NSE_EQ":
            low, high = bands[listing.instrument.tick_size]
            assert low < listing.base_price / 10_000 <= high, listing.instrument.symbol


def test_synthetic_futures_do_not_collide() -> None:
    futures = {listing.key for listing in synthetic_futures(3000)}
    assert len(futures) == 3000
    assert not futures & {instrument.key for instrument in universe()}
