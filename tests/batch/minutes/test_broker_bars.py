from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import Engine

from ltp.batch.minutes.broker_bars import Fetched, days_with_bars, fetch_sessions, newest_session
from ltp.core.bars.bar import BROKER, FILE, Bar
from ltp.core.bars.comparison import Comparison
from ltp.core.instrument import Instrument
from ltp.core.market.session import Calendar
from ltp.core.trading_day import IST
from ltp.db import candle_source, instruments, minute_bars
from ltp.db.bars import bar_audits, worst_minutes
from ltp.db.bars.worst_minutes import WorstMinute
from ltp.db.engine import open_engine
from ltp.errors import DatabaseError, FeedAuthError, FeedError, NotFoundError

HDFC, TCS, NIFTY = "NSE_EQ:1333", "NSE_EQ:11536", "IDX_I:13"
FRIDAY, MONDAY = date(2026, 11, 20), date(2026, 11, 23)
OPEN = int(datetime(2026, 11, 23, 9, 15, tzinfo=IST).timestamp())
FRIDAY_OPEN = OPEN - 3 * 86_400
EVENING = datetime(2026, 11, 23, 16, 10, tzinfo=IST)
NOON = datetime(2026, 11, 23, 12, 0, tzinfo=IST)
CALENDAR = Calendar.load()


def bars(start: int, count: int = 3, **values: int) -> list[Bar]:
    """Return bars as they are built here."""
    each = Bar(start, 100_0000, 101_0000, 99_0000, 100_5000, 7)._replace(**values)
    return [each._replace(start=start + 60 * minute) for minute in range(count)]


def brokers(start: int, count: int = 3, **values: int) -> list[Bar]:
    return bars(start, count, sources=BROKER, **values)


class Broker:
    """Returns the bars or raises the error that the test sets for a key."""

    def __init__(self) -> None:
        self.bars: dict[str, list[Bar]] = {}
        self.errors: dict[str, FeedError] = {}
        self.calls: list[tuple[str, date, date]] = []

    def intraday(self, instrument: Instrument, first: date, last: date) -> list[Bar]:
        self.calls.append((instrument.key, first, last))
        if instrument.key in self.errors:
            raise self.errors[instrument.key]
        return self.bars.get(instrument.key, [])


@pytest.fixture
def engine(database_url: str) -> Engine:
    engine = open_engine(database_url)
    shares = [Instrument("NSE_EQ", number, f"S{number}", "", "", 1, 5) for number in range(1, 15)]
    instruments.seed(
        engine,
        [
            *shares,
            Instrument("NSE_EQ", 1333, "HDFCBANK", "HDFC Bank", "", 1, 5),
            Instrument("NSE_EQ", 11536, "TCS", "TCS", "", 1, 5),
        ],
    )
    return engine


@pytest.fixture
def broker() -> Broker:
    return Broker()


def fetch(engine: Engine, broker: Broker, days: dict[str, list[date]], *, now: datetime = EVENING) -> Fetched:
    return fetch_sessions(engine, broker, days, CALENDAR, now=now)


def stored(engine: Engine, key: str = HDFC) -> list[Bar]:
    return minute_bars.fetch(engine, key, 0, 2**40)


def test_the_broker_s_bars_replace_those_built_here_and_are_compared(engine: Engine, broker: Broker) -> None:
    own = bars(OPEN, 4)
    minute_bars.upsert(engine, {HDFC: own})
    broker.bars[HDFC] = [*brokers(OPEN, 2), *brokers(OPEN + 120, 1, volume=8), *brokers(OPEN + 600, 1)]
    done = fetch(engine, broker, {HDFC: [MONDAY]})
    assert stored(engine) == [*broker.bars[HDFC][:3], own[3], broker.bars[HDFC][3]]
    assert done == Fetched(1, 0, 4, 4, 0, 0, Comparison(3, 3, 3, 3, 3, 2), ())
    assert bar_audits.of_day(engine, MONDAY) == done.compared


def test_auctions_are_replaced_and_not_compared(engine: Engine, broker: Broker) -> None:
    """Of 2026-11-23: pre-open 09:07, the first minute, closing auction 15:31, post-close 15:50."""
    starts = [OPEN - 480, OPEN, OPEN + 376 * 60, OPEN + 395 * 60]
    minute_bars.upsert(engine, {HDFC: [bar for start in starts for bar in bars(start, 1)]})
    broker.bars[HDFC] = [bar for start in starts for bar in brokers(start, 1, volume=8)]
    assert fetch(engine, broker, {HDFC: [MONDAY]}).compared == Comparison(1, 1, 1, 1, 1, 0)
    assert stored(engine) == broker.bars[HDFC]


def test_imported_bars_are_not_compared(engine: Engine, broker: Broker) -> None:
    minute_bars.upsert(engine, {HDFC: bars(OPEN, sources=FILE)})
    broker.bars[HDFC] = brokers(OPEN)
    assert fetch(engine, broker, {HDFC: [MONDAY]}).compared == Comparison()
    assert stored(engine) == brokers(OPEN)


def test_a_session_that_was_fetched_after_its_end_is_left_out(engine: Engine, broker: Broker) -> None:
    broker.bars = {HDFC: brokers(OPEN), TCS: brokers(OPEN)}
    fetch(engine, broker, {HDFC: [MONDAY]})
    broker.calls.clear()
    done = fetch(engine, broker, {HDFC: [MONDAY], TCS: [MONDAY]})
    assert broker.calls == [(TCS, MONDAY, MONDAY)]
    assert (done.instruments, done.up_to_date) == (1, 1)
    fetch_sessions(engine, broker, {HDFC: [MONDAY]}, CALENDAR, now=EVENING, again=True)
    assert broker.calls[1:] == [(HDFC, MONDAY, MONDAY)]


@pytest.mark.parametrize("now", [NOON, datetime(2026, 11, 23, 16, 4, tzinfo=IST)])
def test_a_session_that_is_on_is_fetched_again(engine: Engine, broker: Broker, now: datetime) -> None:
    minute_bars.upsert(engine, {HDFC: bars(OPEN, 2)})
    broker.bars[HDFC] = brokers(OPEN, 1)
    fetch(engine, broker, {HDFC: [MONDAY]}, now=now)
    broker.bars[HDFC] = brokers(OPEN, 2, close=99_0000)
    done = fetch(engine, broker, {HDFC: [MONDAY]})
    assert done.compared == Comparison(1, 1, 1, 1, 0, 1)  # the other minute was compared before
    assert bar_audits.of_day(engine, MONDAY) == Comparison(2, 2, 2, 2, 1, 2)
    assert (len(broker.calls), stored(engine)) == (2, broker.bars[HDFC])


def test_an_empty_answer_is_counted_and_asked_for_again(engine: Engine, broker: Broker) -> None:
    assert fetch(engine, broker, {HDFC: [MONDAY]}).empty == 1
    broker.bars[HDFC] = brokers(OPEN)
    assert fetch(engine, broker, {HDFC: [MONDAY]}).bars == 3


def test_only_the_missing_sessions_are_stored_from_one_call(engine: Engine, broker: Broker) -> None:
    broker.bars[HDFC] = [*brokers(FRIDAY_OPEN - 86_400), *brokers(FRIDAY_OPEN), *brokers(OPEN)]
    thursday = FRIDAY - timedelta(days=1)
    fetch(engine, broker, {HDFC: [FRIDAY]})
    imported = [bar._replace(sources=FILE) for bar in bars(FRIDAY_OPEN)]
    minute_bars.upsert_session(engine, FRIDAY_OPEN - 555 * 60, {HDFC: imported})
    broker.calls.clear()
    assert fetch(engine, broker, {HDFC: [MONDAY, FRIDAY, thursday]}).bars == 6
    assert broker.calls == [(HDFC, thursday, MONDAY)]
    assert stored(engine) == [*brokers(FRIDAY_OPEN - 86_400), *imported, *brokers(OPEN)]


def test_the_minute_that_runs_and_bars_outside_of_the_trading_hours_are_left_out(
    engine: Engine, broker: Broker
) -> None:
    broker.bars[HDFC] = [*brokers(OPEN - 3_600, 1), *brokers(OPEN, 2), *brokers(OPEN + 120, 1)]
    done = fetch(engine, broker, {HDFC: [MONDAY]}, now=datetime(2026, 11, 23, 9, 17, 59, tzinfo=IST))
    assert stored(engine) == brokers(OPEN, 2)
    assert (done.bars, done.outside) == (2, 1)


def test_an_instrument_that_fails_is_named_and_the_others_go_on(engine: Engine, broker: Broker) -> None:
    broker.errors[HDFC] = FeedError("The broker had an internal error (DH-908)", 908)
    broker.bars[TCS] = brokers(OPEN)
    reports: list[tuple[str, int, int]] = []
    done = fetch_sessions(
        engine,
        broker,
        {HDFC: [MONDAY], "NSE_EQ:99": [MONDAY], TCS: [MONDAY]},
        CALENDAR,
        now=EVENING,
        progress=lambda *report: reports.append(report),
    )
    assert done.failed == (
        "NSE_EQ:1333: The broker had an internal error (DH-908)",
        "NSE_EQ:99: the instrument master does not know it",
    )
    assert (done.instruments, stored(engine, TCS)) == (1, brokers(OPEN))
    assert reports == [("fetching bars", done_, 3) for done_ in range(4)]


def test_ten_failures_in_a_row_end_the_fetch(engine: Engine, broker: Broker) -> None:
    keys = [f"NSE_EQ:{number}" for number in range(1, 15)]
    broker.errors = {key: FeedError("The broker had an internal error (DH-908)", 908) for key in keys}
    del broker.errors[keys[2]]
    with pytest.raises(FeedError, match="DH-908"):
        fetch(engine, broker, {key: [MONDAY] for key in keys})
    assert [key for key, *_ in broker.calls] == keys[:13]


def test_refused_credentials_end_it_at_once(engine: Engine, broker: Broker) -> None:
    broker.errors[HDFC] = FeedAuthError("The broker refused the credentials", 901)
    with pytest.raises(FeedAuthError):
        fetch(engine, broker, {HDFC: [MONDAY], TCS: [MONDAY]})
    assert len(broker.calls) == 1


def test_real_bars_take_the_place_of_simulated_ones_without_a_comparison(
    engine: Engine, broker: Broker
) -> None:
    minute_bars.upsert(engine, {HDFC: bars(OPEN), TCS: bars(OPEN)}, simulated=True)
    assert days_with_bars(engine, MONDAY, MONDAY, simulated=False) == {}
    assert days_with_bars(engine, MONDAY, MONDAY, simulated=True) == {TCS: [MONDAY], HDFC: [MONDAY]}
    broker.bars[HDFC] = brokers(OPEN)
    assert fetch(engine, broker, {HDFC: [MONDAY]}).compared == Comparison()
    assert candle_source.origin(engine) == "real"
    assert (stored(engine), stored(engine, TCS)) == (brokers(OPEN), [])


def test_simulated_bars_never_join_real_ones(engine: Engine, broker: Broker) -> None:
    minute_bars.upsert(engine, {HDFC: bars(OPEN)})
    with pytest.raises(DatabaseError, match="the database holds real ones"):
        fetch_sessions(engine, broker, {HDFC: [MONDAY]}, CALENDAR, now=EVENING, simulated=True)
    assert broker.calls == []


def test_the_days_that_have_bars_are_found_in_a_range(engine: Engine) -> None:
    minute_bars.upsert(engine, {HDFC: [*bars(FRIDAY_OPEN), *bars(OPEN)], TCS: bars(FRIDAY_OPEN)})
    assert days_with_bars(engine, FRIDAY, MONDAY, simulated=False) == {HDFC: [FRIDAY, MONDAY], TCS: [FRIDAY]}
    assert days_with_bars(engine, MONDAY, MONDAY, simulated=False) == {HDFC: [MONDAY]}


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (NOON, MONDAY),
        (datetime(2026, 11, 23, 8, 0, tzinfo=IST), FRIDAY),
        (datetime(2026, 11, 22, 12, 0, tzinfo=IST), FRIDAY),
        # Shares have a holiday, commodities trade in the evening.
        (datetime(2026, 11, 24, 20, 0, tzinfo=IST), date(2026, 11, 24)),
    ],
)
def test_the_newest_session_is_that_of_any_segment(now: datetime, expected: date) -> None:
    assert newest_session(CALENDAR, now) == expected


def test_without_a_session_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    def none(*_: object) -> date:
        raise NotFoundError("session", "before 1990-01-01")

    calendar = Calendar.load()
    monkeypatch.setattr(calendar, "session_date", none)
    with pytest.raises(NotFoundError, match="session"):
        newest_session(calendar, NOON)


def test_the_worst_minutes_are_kept_with_both_bars(engine: Engine, broker: Broker) -> None:
    own = bars(OPEN)
    minute_bars.upsert(engine, {HDFC: own})
    broker.bars[HDFC] = brokers(OPEN)
    broker.bars[HDFC][1] = broker.bars[HDFC][1]._replace(high=102_0000)
    fetch(engine, broker, {HDFC: [MONDAY]})
    assert worst_minutes.fetch(engine, MONDAY) == [WorstMinute(HDFC, own[1], broker.bars[HDFC][1])]
