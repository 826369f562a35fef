"""Counts of the stored bars and candles: by session, by instrument, by list."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from sqlalchemy import Engine, select, update

from ltp.batch.minutes.daily_summary import summarize_days
from ltp.batch.minutes.summary import Summary, sessions_over, summarize_minutes
from ltp.core.bars.bar import BROKER, FILE, LIVE, Bar
from ltp.core.bars.comparison import Comparison
from ltp.core.history.candle import Candle, day_number
from ltp.core.market.session import Calendar
from ltp.core.trading_day import IST, day_start
from ltp.db import candles, minute_bars, universes
from ltp.db.bars import bar_audits
from ltp.db.engine import open_engine, reading, writing
from ltp.db.history import summary
from ltp.db.history.summary import DAYS, EVERYTHING, MINUTES, Member, OfList, Stored
from ltp.db.schema import candle_source
from ltp.db.schema import minute_bars as table

HDFC, TCS, NEW = "NSE_EQ:1333", "NSE_EQ:11536", "NSE_EQ:5"
FRIDAY, MONDAY, TUESDAY = date(2026, 11, 20), date(2026, 11, 23), date(2026, 11, 25)
WEDNESDAY_NOON = datetime(2026, 11, 26, 12, tzinfo=IST)
CALENDAR = Calendar.load()
EMPTIED = (
    "minute_bars",
    "bar_audits",
    "daily_candles",
    "history_sessions",
    "history_instruments",
    "universes",
)


def bars(day: date, count: int, sources: int = BROKER) -> list[Bar]:
    start = day_start(day) + 555 * 60
    return [Bar(start + 60 * minute, 9, 9, 9, 9, 1, None, 0, sources) for minute in range(count)]


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(request: pytest.FixtureRequest) -> Engine:
    if request.param == "sqlite":
        return open_engine(request.getfixturevalue("database_url"))
    server = open_engine(request.getfixturevalue("postgresql").url())
    with writing(server) as connection:
        for name in EMPTIED:
            connection.exec_driver_sql(f"TRUNCATE {name} CASCADE")
        connection.execute(update(candle_source).values(simulated=True))
    return server


def stored(engine: Engine, key: str, timeframe: str = MINUTES) -> Stored | None:
    _, members = summary.members(
        engine, EVERYTHING, timeframe, sort="symbol", descending=False, first=0, most=99
    )
    return next((each.stored for each in members if each.key == key), None)


def summarized(engine: Engine, **values: object) -> Summary:
    given: dict[str, object] = {"now": WEDNESDAY_NOON, **values}
    return summarize_minutes(engine, CALENDAR, **given)  # type: ignore[arg-type]


def test_a_holiday_and_the_session_that_is_on_are_not_over() -> None:
    # 24 November is a holiday: Guru Nanak's birthday.
    over = sessions_over(CALENDAR, "NSE_EQ", FRIDAY, WEDNESDAY_NOON)
    assert over == {day_number(day): 360 for day in (FRIDAY, MONDAY, TUESDAY)}
    evening = sessions_over(CALENDAR, "NSE_EQ", FRIDAY, WEDNESDAY_NOON.replace(hour=17))
    assert list(evening)[3:] == [day_number(WEDNESDAY_NOON.date())]


def test_years_before_the_tables_have_no_known_sessions() -> None:
    found = sessions_over(CALENDAR, "NSE_EQ", date(2023, 12, 1), datetime(2024, 1, 3, tzinfo=IST))
    assert list(found) == [day_number(date(2024, 1, day)) for day in (1, 2)]


def test_the_simulated_exchange_has_weekdays_of_the_usual_hours() -> None:
    found = sessions_over(Calendar.always_open(), "NSE_EQ", FRIDAY, datetime(2026, 11, 24, 1, tzinfo=IST))
    assert found == {day_number(day): 375 for day in (FRIDAY, MONDAY)}


def test_an_instrument_has_its_bars_by_source_and_its_gaps(engine: Engine) -> None:
    minute_bars.upsert_session(engine, day_start(FRIDAY), {HDFC: bars(FRIDAY, 360)})
    minute_bars.upsert(engine, {HDFC: bars(TUESDAY, 20, LIVE) + bars(TUESDAY, 30, FILE)[20:]})
    assert summarized(engine) == Summary(1, 2)
    found = stored(engine, HDFC)
    assert found is not None
    assert found._replace(bytes=0) == Stored(
        HDFC,
        MINUTES,
        FRIDAY,
        TUESDAY,
        3,
        1,
        1,
        "2026-11-23 to 2026-11-25",
        390,
        20,
        360,
        10,
        0,
        0,
        WEDNESDAY_NOON.astimezone(UTC),
    )
    with reading(engine) as connection:
        assert found.bytes == sum(len(each) for each in connection.execute(select(table.c.packed)).scalars())


def test_only_changed_sessions_are_counted_again(engine: Engine) -> None:
    minute_bars.upsert_session(engine, day_start(FRIDAY), {HDFC: bars(FRIDAY, 360), TCS: bars(FRIDAY, 360)})
    assert summarized(engine) == Summary(2, 2)
    assert summarized(engine) == Summary(2, 0)
    # The same bars of another source: as many bytes, perhaps, and yet another block.
    minute_bars.upsert_session(engine, day_start(FRIDAY), {HDFC: bars(FRIDAY, 360, FILE)})
    assert summarized(engine, keys=[TCS]) == Summary(1, 0)
    assert summarized(engine, keys=[HDFC]) == Summary(1, 1)
    found = stored(engine, HDFC)
    assert found is not None
    assert (found.broker, found.file) == (0, 360)


def test_a_minute_in_two_blocks_counts_once(engine: Engine) -> None:
    minute_bars.upsert_session(engine, day_start(FRIDAY), {HDFC: bars(FRIDAY, 360)})
    # Its quarter of an hour begins within the block of the session.
    minute_bars.upsert(engine, {HDFC: bars(FRIDAY, 40, LIVE)[30:]})
    summarized(engine)
    found = stored(engine, HDFC)
    assert found is not None
    assert (found.bars, found.live, found.broker) == (360, 10, 350)


def test_a_session_fetched_after_its_end_may_have_few_bars(engine: Engine) -> None:
    minute_bars.upsert_session(engine, day_start(TUESDAY), {HDFC: bars(TUESDAY, 3)})
    summarized(engine)
    before = stored(engine, HDFC)
    bar_audits.add(engine, HDFC, [(TUESDAY, Comparison(), True)])
    summarized(engine)
    after = stored(engine, HDFC)
    assert before is not None
    assert after is not None
    assert (before.thin, after.thin) == (1, 0)


def test_what_was_deleted_is_forgotten(engine: Engine) -> None:
    minute_bars.upsert_session(engine, day_start(FRIDAY), {HDFC: bars(FRIDAY, 360)})
    minute_bars.upsert_session(engine, day_start(MONDAY), {HDFC: bars(MONDAY, 360)})
    summarized(engine)
    minute_bars.prune(engine, day_start(MONDAY))
    assert summarized(engine) == Summary(1, 0)
    left = stored(engine, HDFC)
    assert left is not None
    assert (left.first_day, left.bars) == (MONDAY, 360)
    minute_bars.prune(engine, day_start(TUESDAY))
    assert summarized(engine) == Summary(0, 0)
    assert stored(engine, HDFC) is None


def test_sessions_older_than_is_kept_are_no_gaps(engine: Engine) -> None:
    """Their one-minute bars became five-minute bars, or were imported as history and have holes."""
    minute_bars.upsert_session(engine, day_start(FRIDAY), {HDFC: bars(FRIDAY, 20)})
    for kept_from, expected, gap_days in (
        (FRIDAY, 3, "2026-11-20 to 2026-11-25"),
        (MONDAY, 2, "2026-11-23 to 2026-11-25"),
        (TUESDAY, 1, "2026-11-25"),
    ):
        summarized(engine, kept_from=kept_from)
        found = stored(engine, HDFC)
        assert found is not None
        assert (found.expected, found.gap_days) == (expected, gap_days)


def test_real_bars_remove_the_counts_of_simulated_ones(engine: Engine) -> None:
    minute_bars.upsert(engine, {HDFC: bars(FRIDAY, 9)}, simulated=True)
    summarized(engine)
    minute_bars.upsert(engine, {TCS: bars(FRIDAY, 9)})
    assert stored(engine, HDFC) is None


def test_daily_candles_count_a_day_once(engine: Engine) -> None:
    each = [Candle(day, 9, 9, 9, 9, 1) for day in (FRIDAY, MONDAY, TUESDAY)]
    candles.upsert(engine, "raw", {HDFC: each[:1]})
    candles.upsert(engine, "adjusted", {HDFC: [each[0], each[2]]})
    assert summarize_days(engine, CALENDAR, now=WEDNESDAY_NOON) == 1
    assert stored(engine, HDFC, DAYS) == Stored(
        HDFC,
        DAYS,
        FRIDAY,
        TUESDAY,
        3,
        1,
        0,
        "2026-11-23",
        3,
        0,
        2,
        0,
        1,
        3 * 44,
        WEDNESDAY_NOON.astimezone(UTC),
    )


def test_lists_have_the_sums_of_their_members(engine: Engine) -> None:
    universes.replace(engine, "list-two", "Two", "test", [HDFC, NEW])
    assert summary.of_lists(engine, MINUTES) == {}
    assert summary.of_everything(engine, MINUTES) is None
    minute_bars.upsert_session(engine, day_start(FRIDAY), {HDFC: bars(FRIDAY, 360), TCS: bars(FRIDAY, 360)})
    minute_bars.upsert_session(engine, day_start(MONDAY), {TCS: bars(MONDAY, 360, FILE)})
    summarized(engine)
    made_at = WEDNESDAY_NOON.astimezone(UTC)
    two = summary.of_lists(engine, MINUTES)["list-two"]
    assert two._replace(bytes=0) == OfList(1, FRIDAY, FRIDAY, 3, 2, 0, 360, 0, 360, 0, 0, 0, made_at)
    every = summary.of_everything(engine, MINUTES)
    assert every is not None
    assert every._replace(bytes=0) == OfList(2, FRIDAY, MONDAY, 6, 3, 0, 1080, 0, 720, 360, 0, 0, made_at)


def test_members_are_sorted_and_paged(engine: Engine) -> None:
    universes.replace(engine, "list-two", "Two", "test", [HDFC, TCS, NEW])
    minute_bars.upsert_session(engine, day_start(FRIDAY), {HDFC: bars(FRIDAY, 360), TCS: bars(FRIDAY, 360)})
    minute_bars.upsert_session(engine, day_start(MONDAY), {TCS: bars(MONDAY, 360)})
    summarized(engine)

    def keys(sort: str, descending: bool, first: int = 0, most: int = 9) -> list[str]:
        count, found = summary.members(
            engine, "list-two", MINUTES, sort=sort, descending=descending, first=first, most=most
        )
        assert count == 3
        return [each.key for each in found]

    assert keys("missing", True) == [NEW, HDFC, TCS]
    assert keys("missing", False) == [TCS, HDFC, NEW]
    assert keys("bars", True) == [TCS, HDFC, NEW]
    assert keys("covered", False) == [HDFC, TCS, NEW]
    assert keys("to", True, 1, 1) == [HDFC]
    _, found = summary.members(engine, "list-two", MINUTES, sort="missing", descending=True, first=0, most=1)
    assert found == [Member(NEW, "", None)]
