from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine

from ltp.batch.broker_candles import fetch_history, last_settled
from ltp.core.history.candle import Candle
from ltp.core.market.session import Calendar
from ltp.db import candle_source, candles
from ltp.db.engine import open_engine
from ltp.errors import DatabaseError, FeedAuthError, FeedError

HDFC, TCS, NIFTY = "NSE_EQ:1333", "NSE_EQ:11536", "IDX_I:13"
FIRST, LAST = date(2025, 6, 2), date(2025, 6, 30)


def history(first: date, last: date, close: int = 100_0000) -> list[Candle]:
    days = [first + timedelta(days=offset) for offset in range((last - first).days + 1)]
    return [Candle(day, close, close, close, close, 7) for day in days if day.weekday() < 5]


class Broker:
    """Returns a flat price, or raises the error set for a key."""

    def __init__(self) -> None:
        self.close = 100_0000
        self.calls: list[tuple[str, str, date, date]] = []
        self.errors: dict[str, FeedError] = {}
        self.nothing: set[str] = set()

    def daily(self, key: str, instrument_type: str, first: date, last: date) -> list[Candle]:
        self.calls.append((key, instrument_type, first, last))
        if key in self.errors:
            raise self.errors[key]
        return [] if key in self.nothing else history(first, last, self.close)


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    return open_engine(f"sqlite:///{tmp_path / 'ltp.sqlite3'}")


@pytest.fixture
def broker() -> Broker:
    return Broker()


def test_missing_candles_are_fetched_and_their_days_noted(engine: Engine, broker: Broker) -> None:
    reports: list[tuple[str, int, int]] = []
    done = fetch_history(
        engine, broker, [NIFTY, HDFC], first=FIRST, last=LAST, progress=lambda *report: reports.append(report)
    )
    assert broker.calls == [(NIFTY, "INDEX", FIRST, LAST), (HDFC, "EQUITY", FIRST, LAST)]
    assert candles.fetch(engine, "adjusted", HDFC) == history(FIRST, LAST)
    assert candles.fetch(engine, "raw", HDFC) == []
    assert (done.behind, done.changed, done.restated, done.empty, done.failed) == (2, 42, 0, 0, ())
    assert (candles.newest_day(engine), candles.days(engine)[-1].instruments) == (LAST, 2)
    assert reports == [("fetching candles", 0, 2), ("fetching candles", 1, 2), ("fetching candles", 2, 2)]


def test_stored_candles_are_not_fetched_again(engine: Engine, broker: Broker) -> None:
    fetch_history(engine, broker, [HDFC], first=FIRST, last=LAST)
    broker.calls.clear()
    assert fetch_history(engine, broker, [HDFC, TCS], first=FIRST, last=LAST).behind == 1
    assert [key for key, *_ in broker.calls] == [TCS]


def test_the_next_day_is_fetched_with_the_days_before_it(engine: Engine, broker: Broker) -> None:
    fetch_history(engine, broker, [HDFC], first=FIRST, last=LAST)
    broker.calls.clear()
    done = fetch_history(engine, broker, [HDFC], first=FIRST, last=date(2025, 7, 1))
    assert broker.calls == [(HDFC, "EQUITY", date(2025, 6, 23), date(2025, 7, 1))]
    assert (done.changed, done.restated) == (1, 0)


def test_a_history_that_the_broker_restated_is_fetched_anew(engine: Engine, broker: Broker) -> None:
    fetch_history(engine, broker, [HDFC, TCS], first=FIRST, last=LAST)
    broker.close = 50_0000
    done = fetch_history(engine, broker, [HDFC], first=FIRST, last=date(2025, 7, 1))
    assert done.restated == 1
    assert candles.fetch(engine, "adjusted", HDFC) == history(FIRST, date(2025, 7, 1), 50_0000)
    assert candles.fetch(engine, "adjusted", TCS) == history(FIRST, LAST)


def test_the_newest_day_may_have_been_forming(engine: Engine, broker: Broker) -> None:
    fetch_history(engine, broker, [HDFC], first=FIRST, last=LAST)
    candles.upsert(engine, "adjusted", {HDFC: history(LAST, LAST, 120_0000)})
    assert fetch_history(engine, broker, [HDFC], first=FIRST, last=date(2025, 7, 1)).restated == 0
    assert candles.fetch(engine, "adjusted", HDFC) == history(FIRST, date(2025, 7, 1))


def test_an_instrument_that_fails_is_reported_and_the_others_go_on(engine: Engine, broker: Broker) -> None:
    broker.errors[TCS] = FeedError("The broker had an internal error (DH-908)", 908)
    broker.nothing.add(NIFTY)
    done = fetch_history(engine, broker, [TCS, NIFTY, HDFC], first=FIRST, last=LAST)
    assert done.failed == ("NSE_EQ:11536: The broker had an internal error (DH-908)",)
    assert done.empty == 1
    assert candles.last_days(engine, "adjusted") == {HDFC: LAST}
    broker.errors.clear()
    fetch_history(engine, broker, [TCS, HDFC], first=FIRST, last=LAST)
    assert candles.last_days(engine, "adjusted") == {HDFC: LAST, TCS: LAST}


def test_ten_failures_in_a_row_end_the_fetch_and_stored_candles_stay(engine: Engine, broker: Broker) -> None:
    keys = [HDFC, *(f"NSE_EQ:{number}" for number in range(1, 20))]
    broker.errors = {key: FeedError("unreachable") for key in keys[1:]}
    with pytest.raises(FeedError, match="unreachable"):
        fetch_history(engine, broker, keys, first=FIRST, last=LAST)
    assert len(broker.calls) == 11
    assert candles.last_days(engine, "adjusted") == {HDFC: LAST}
    assert candles.newest_day(engine) == LAST


def test_stored_days_that_were_not_noted_are_noted_the_next_time(engine: Engine, broker: Broker) -> None:
    candles.upsert(engine, "adjusted", {HDFC: history(FIRST, LAST)})
    fetch_history(engine, broker, [HDFC], first=FIRST, last=LAST)
    assert broker.calls == []
    assert candles.newest_day(engine) == LAST


def test_refused_credentials_end_the_fetch_at_once(engine: Engine, broker: Broker) -> None:
    broker.errors[HDFC] = FeedAuthError("The access token is invalid (DH-901)", 901, permanent=True)
    with pytest.raises(FeedAuthError):
        fetch_history(engine, broker, [HDFC, TCS], first=FIRST, last=LAST)
    assert len(broker.calls) == 1


def test_simulated_candles_are_marked(engine: Engine, broker: Broker) -> None:
    assert fetch_history(engine, broker, [HDFC], first=FIRST, last=LAST, simulated=True).removed == 0
    assert candle_source.origin(engine) == "simulated"
    assert {each.source for each in candles.days(engine)} == {"simulated exchange's charts"}
    broker.calls.clear()
    assert fetch_history(engine, broker, [HDFC], first=FIRST, last=LAST, simulated=True).behind == 0


def test_real_candles_take_the_place_of_simulated_ones(engine: Engine, broker: Broker) -> None:
    fetch_history(engine, broker, [NIFTY, HDFC, TCS], first=FIRST, last=LAST, simulated=True)
    broker.calls.clear()
    broker.close = 70_0000
    done = fetch_history(engine, broker, [HDFC], first=date(2025, 6, 16), last=LAST)
    assert broker.calls == [(HDFC, "EQUITY", date(2025, 6, 16), LAST)]
    assert (done.removed, done.restated, candle_source.origin(engine)) == (3, 0, "real")
    assert candles.last_days(engine, "adjusted") == {HDFC: LAST}
    assert candles.fetch(engine, "adjusted", HDFC) == history(date(2025, 6, 16), LAST, 70_0000)
    assert {each.source for each in candles.days(engine)} == {"broker's charts"}
    assert candles.days(engine)[0].day == date(2025, 6, 16)


def test_a_broker_that_refuses_the_account_leaves_the_simulated_candles(
    engine: Engine, broker: Broker
) -> None:
    fetch_history(engine, broker, [HDFC], first=FIRST, last=LAST, simulated=True)
    broker.errors[HDFC] = FeedAuthError("The access token is invalid (DH-901)", 901, permanent=True)
    with pytest.raises(FeedAuthError):
        fetch_history(engine, broker, [HDFC], first=FIRST, last=LAST)
    broker.errors.clear()
    broker.nothing.add(HDFC)
    assert fetch_history(engine, broker, [HDFC], first=FIRST, last=LAST).removed == 0
    assert candles.fetch(engine, "adjusted", HDFC) == history(FIRST, LAST)
    assert (candle_source.origin(engine), candles.newest_day(engine)) == ("simulated", LAST)


def test_simulated_candles_are_not_fetched_beside_real_ones(engine: Engine, broker: Broker) -> None:
    candles.upsert(engine, "raw", {TCS: history(FIRST, LAST)})
    with pytest.raises(DatabaseError, match="the database holds real ones") as caught:
        fetch_history(engine, broker, [HDFC], first=FIRST, last=LAST, simulated=True)
    assert (caught.value.permanent, broker.calls, candles.last_days(engine, "adjusted")) == (True, [], {})


def test_real_candles_that_are_imported_meanwhile_end_a_simulated_fetch(
    engine: Engine, broker: Broker
) -> None:
    def imported(_stage: str, number: int, _total: int) -> None:
        if number == 1:
            candles.upsert(engine, "raw", {TCS: history(FIRST, LAST)})

    with pytest.raises(DatabaseError, match="the database holds real ones"):
        fetch_history(
            engine, broker, [NIFTY, HDFC], first=FIRST, last=LAST, simulated=True, progress=imported
        )
    assert (candles.last_days(engine, "adjusted"), candles.days(engine)) == ({}, [])
    assert candles.last_days(engine, "raw") == {TCS: LAST}


@pytest.mark.parametrize(
    ("now", "day"),
    [
        ("2025-06-30T10:40", date(2025, 6, 27)),  # Monday 16:10 in India: not settled
        ("2025-06-30T10:50", date(2025, 6, 30)),  # 16:20
        ("2025-07-01T02:00", date(2025, 6, 30)),
        ("2025-06-29T10:00", date(2025, 6, 27)),  # Sunday
        ("2025-08-15T12:00", date(2025, 8, 14)),  # a holiday
    ],
)
def test_a_session_counts_when_its_candles_are_settled(now: str, day: date) -> None:
    assert last_settled(Calendar.load(), datetime.fromisoformat(now).replace(tzinfo=UTC)) == day
