from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import date, datetime
from itertools import pairwise

import pytest

from ltp.core.instrument import Instrument
from ltp.core.money import snap
from ltp.core.trading_day import IST
from ltp.errors import NotFoundError
from ltp.feed.simulator import exchange as exchange_module
from ltp.feed.simulator.book import BookSnapshot
from ltp.feed.simulator.exchange import Exchange, InSession
from ltp.feed.simulator.universe import listings

MORNING = datetime(2026, 11, 23, 10, 0, tzinfo=IST).timestamp()
QUIET = "NSE_EQ:2181"  # BOSCHLTD


def exchange(
    *, seed: int = 1, now: float = MORNING, in_session: InSession | None = None, rate: float = 1.0
) -> Exchange:
    return Exchange(listings(), seed=seed, now=now, in_session=in_session, rate=rate)


def run(market: Exchange, begin: float, seconds: int, steps_per_s: int = 10) -> list[BookSnapshot]:
    return [
        trade
        for step in range(seconds * steps_per_s)
        for trade in market.advance(begin + (step + 1) / steps_per_s)
    ]


@pytest.fixture(scope="module")
def ten_minutes() -> dict[str, list[BookSnapshot]]:
    """Every trade of ten minutes by instrument, the opening state first."""
    market = exchange()
    trades = defaultdict(list, {key: [book.snapshot] for key, book in market.books.items()})
    for trade in run(market, MORNING, 600):
        trades[trade.listing.key].append(trade)
    return trades


def test_same_seed_and_instants_give_the_same_trades() -> None:
    assert run(exchange(), MORNING, 20) == run(exchange(), MORNING, 20)


def test_another_seed_gives_other_prices() -> None:
    assert [trade.ltp for trade in run(exchange(seed=2), MORNING, 5)] != [
        trade.ltp for trade in run(exchange(), MORNING, 5)
    ]


def test_every_price_is_on_its_tick_grid(ten_minutes: dict[str, list[BookSnapshot]]) -> None:
    for trades in ten_minutes.values():
        tick = trades[0].listing.instrument.tick_size
        for trade in trades:
            for price in (trade.ltp, trade.open, trade.high, trade.low, trade.prev_close):
                assert price > 0
                assert price == snap(price, tick)


def test_volume_only_rises_and_by_the_traded_quantity(ten_minutes: dict[str, list[BookSnapshot]]) -> None:
    for trades in ten_minutes.values():
        for before, after in pairwise(trades):
            assert after.volume == before.volume + after.ltq
            assert after.ltt >= before.ltt


def test_day_range_encloses_every_price_and_the_open_stands(
    ten_minutes: dict[str, list[BookSnapshot]],
) -> None:
    for trades in ten_minutes.values():
        for trade in trades:
            assert trade.low <= min(trade.open, trade.ltp)
            assert trade.high >= max(trade.open, trade.ltp)
            assert trade.open == trades[0].open
            assert trade.prev_close == trades[0].prev_close


def test_average_price_lies_within_the_day(ten_minutes: dict[str, list[BookSnapshot]]) -> None:
    for trades in ten_minutes.values():
        last = trades[-1]
        if last.volume:
            assert last.low <= last.atp * 10_000 <= last.high


def test_an_index_has_no_volume(ten_minutes: dict[str, list[BookSnapshot]]) -> None:
    assert all(trade.volume == trade.ltq == 0 for trade in ten_minutes["IDX_I:13"])


def test_rates_are_those_of_a_market(ten_minutes: dict[str, list[BookSnapshot]]) -> None:
    per_second = {key: (len(trades) - 1) / 600 for key, trades in ten_minutes.items()}
    members = defaultdict(list)
    for listing in listings():
        members[listing.member_of].append(per_second[listing.key])
    assert all(3.5 < rate < 4.5 for rate in members[""])
    assert all(1.0 < rate < 4.5 for rate in members["NIFTY 50"])
    assert min(members["NIFTY Next 50"]) < 0.02
    assert max(members["NIFTY Next 50"]) < 1.0


def test_some_shares_are_quiet_for_more_than_a_minute(ten_minutes: dict[str, list[BookSnapshot]]) -> None:
    pauses = [after.ltt - before.ltt for before, after in pairwise(ten_minutes[QUIET][1:])]
    assert pauses
    assert min(pauses) > 60


def test_prices_move_and_stay_plausible(ten_minutes: dict[str, list[BookSnapshot]]) -> None:
    nifty = [trade.ltp for trade in ten_minutes["IDX_I:13"]]
    assert len(set(nifty)) > 100
    assert max(nifty) - min(nifty) < nifty[0] * 0.02


def test_a_new_date_starts_a_session_whose_previous_close_is_the_last_price() -> None:
    late = datetime(2026, 11, 23, 23, 59, 50, tzinfo=IST).timestamp()
    market = exchange(now=late)
    run(market, late, 9)
    before = market.snapshot("NSE_EQ:1333")
    run(market, late + 10, 5)
    after = market.snapshot("NSE_EQ:1333")
    assert (before.session, after.session) == (date(2026, 11, 23), date(2026, 11, 24))
    assert after.prev_close == before.ltp
    assert after.volume < 50_000 < before.volume
    assert after.low <= after.open <= after.high


def test_nothing_trades_outside_the_session() -> None:
    market = exchange(in_session=lambda segment, _now: segment == "IDX_I")
    assert {trade.listing.instrument.segment for trade in run(market, MORNING, 5)} == {"IDX_I"}


def test_a_market_that_is_shut_shows_the_close_of_the_last_session() -> None:
    sunday = datetime(2026, 11, 22, 12, 0, tzinfo=IST).timestamp()
    weekdays = exchange(now=sunday, in_session=lambda _s, at: datetime.fromtimestamp(at, IST).weekday() < 5)
    snapshot = weekdays.snapshot("NSE_EQ:1333")
    assert snapshot.session == date(2026, 11, 20)
    assert datetime.fromtimestamp(snapshot.ltt, IST) == datetime(2026, 11, 20, 15, 30, tzinfo=IST)
    assert snapshot.bar == weekdays.books["NSE_EQ:1333"].path.bar(date(2026, 11, 20))


def test_an_exact_trade_is_published_as_given_and_held() -> None:
    market = exchange()
    trade = market.trade("NSE_EQ:1333", 16_503_500, MORNING, ltq=7, hold_s=10)
    assert (trade.ltp, trade.ltq, trade.high) == (16_503_500, 7, 16_503_500)
    assert "NSE_EQ:1333" not in {trade.listing.key for trade in run(market, MORNING, 9)}
    assert "NSE_EQ:1333" in {trade.listing.key for trade in run(market, MORNING + 9, 5)}


def test_a_trade_of_an_unlisted_instrument_is_an_error() -> None:
    with pytest.raises(NotFoundError, match="NSE_EQ:999"):
        exchange().trade("NSE_EQ:999", 1, MORNING)


def test_a_frozen_process_comes_back_without_a_burst() -> None:
    market = exchange()
    run(market, MORNING, 2)
    assert len(market.advance(MORNING + 3600)) < 2_000


def test_the_walk_comes_back_from_an_exact_trade_far_away() -> None:
    market = exchange()
    market.trade("NSE_EQ:1333", 16_503_500, MORNING)
    prices = [trade.ltp for trade in run(market, MORNING, 60) if trade.listing.key == "NSE_EQ:1333"]
    assert 10_000_000 < prices[-1] < 16_503_500
    assert all(price % 500 == 0 for price in prices)


SHARE = Instrument("NSE_EQ", 99_001, "IMPORTED", "Imported Limited", "INE999A01011", 1, 500, "EQ")


def with_master(*, close: int = 0, rate: float = 1.0, looked_up: list[str] | None = None) -> Exchange:
    def known(keys: Iterable[str]) -> list[tuple[Instrument, int]]:
        keys = list(keys)
        (looked_up if looked_up is not None else []).extend(keys)
        return [(SHARE, close)] if SHARE.key in keys else []

    return Exchange(listings(), seed=1, now=MORNING, rate=rate, known=known)


def test_an_instrument_of_the_master_is_listed_once_it_is_subscribed() -> None:
    market = with_master()
    assert market.snapshot(SHARE.key) is None
    market.admit([SHARE.key, QUIET, "NSE_EQ:99002"], MORNING)
    snapshot = market.snapshot(SHARE.key)
    assert snapshot is not None
    assert 45_0000 < snapshot.ltp < 3_000_0000
    assert market.snapshot("NSE_EQ:99002") is None
    traded = [trade for trade in run(market, MORNING, 120) if trade.listing.key == SHARE.key]
    assert len(traded) > 5
    assert all(trade.ltp == snap(trade.ltp, 500) for trade in traded)


def test_its_day_begins_at_the_last_close_that_is_known() -> None:
    for close in (12_3500, 2_345_6000, 80_000_0000):
        market = with_master(close=close)
        market.admit([SHARE.key], MORNING)
        snapshot = market.snapshot(SHARE.key)
        assert snapshot is not None
        assert snapshot.prev_close == pytest.approx(close, abs=500)
        assert snapshot.ltp == pytest.approx(close, rel=0.1)


def test_only_unlisted_keys_are_looked_up() -> None:
    looked_up: list[str] = []
    market = with_master(looked_up=looked_up)
    market.halt([QUIET], delist=True)
    market.admit(
        [QUIET, "IDX_I:13", "None:None", "NSE_EQ:-1", "NSE_EQ:99999999999999999999", SHARE.key], MORNING
    )
    market.admit([SHARE.key], MORNING)
    assert looked_up == [SHARE.key]
    assert market.snapshot(QUIET) is None, "a replay speaks for it"


def test_the_number_of_listings_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    market = with_master()
    monkeypatch.setattr(exchange_module, "_MOST_LISTED", len(market.books))
    market.admit([SHARE.key], MORNING)
    assert market.snapshot(SHARE.key) is None
