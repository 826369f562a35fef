"""A database never has both real and simulated candles."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import Engine, event

from ltp.core.bars.bar import Bar
from ltp.core.bars.comparison import Comparison
from ltp.core.history.candle import Candle
from ltp.core.history.corporate_action import Action
from ltp.core.screener import Row
from ltp.db import candle_source, candles, corporate_actions, minute_bars, runs
from ltp.db.bars import bar_audits
from ltp.db.candle_source import claim, origin, simulated_instruments
from ltp.db.engine import open_engine, reading, writing
from ltp.errors import DatabaseError

HDFC, TCS, NIFTY = "NSE_EQ:1333", "NSE_EQ:11536", "IDX_I:13"
DAY = date(2025, 6, 24)
BAR = Bar(1_796_010_300, 100_0000, 110_0000, 90_0000, 100_0000, 7)
CANDLE = Candle(DAY, 100_0000, 110_0000, 90_0000, 100_0000, 7)


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    return open_engine(f"sqlite:///{tmp_path / 'ltp.sqlite3'}")


@pytest.fixture
def simulated(engine: Engine) -> Engine:
    candles.upsert(
        engine,
        "adjusted",
        {HDFC: [CANDLE, CANDLE._replace(day=date(2024, 6, 24))], NIFTY: [CANDLE]},
        simulated=True,
    )
    with writing(engine) as connection:
        candles.note_day(connection, DAY, "simulated exchange's charts", 2)
    return engine


def test_the_source_of_the_stored_candles_is_known(engine: Engine) -> None:
    assert (origin(engine), simulated_instruments(engine)) == ("nothing", 0)
    candles.upsert(engine, "adjusted", {HDFC: [CANDLE]}, simulated=True)
    assert (origin(engine), simulated_instruments(engine)) == ("simulated", 1)
    candles.upsert(engine, "raw", {HDFC: [CANDLE]})
    assert (origin(engine), simulated_instruments(engine)) == ("real", 0)


def test_real_candles_remove_simulated_ones_their_days_and_their_runs_and_nothing_else(
    simulated: Engine,
) -> None:
    corporate_actions.confirm(simulated, [Action(HDFC, DAY, 2, 1, "confirmed", "", "ca.csv")])
    kept = runs.insert_run(simulated, "swing", [Row(HDFC, 1, "HDFCBANK")], sample=True, source="mine.csv")
    runs.insert_run(
        simulated,
        "swing",
        [Row(TCS, 1, "TCS")],
        sample=True,
        source=candle_source.SIMULATED_RUN,
        as_of=date(2099, 1, 1),
    )
    with writing(simulated) as connection:
        assert claim(connection, simulated=False) == 2
        assert claim(connection, simulated=False) == 0
    assert (candles.last_days(simulated, "adjusted"), candles.days(simulated), origin(simulated)) == (
        {},
        [],
        "nothing",
    )
    with reading(simulated) as connection:
        assert [head.id for head in runs.heads_in(connection)["swing"]] == [kept]
    assert len(corporate_actions.fetch(simulated)) == 1


def test_a_claim_that_is_rolled_back_removes_nothing(simulated: Engine) -> None:
    def half() -> None:
        with writing(simulated) as connection:
            claim(connection, simulated=False)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        half()
    assert (origin(simulated), simulated_instruments(simulated), len(candles.days(simulated))) == (
        "simulated",
        2,
        1,
    )


@pytest.mark.parametrize("basis", candles.BASES)
def test_simulated_candles_never_join_real_ones(engine: Engine, basis: candles.Basis) -> None:
    candles.upsert(engine, basis, {HDFC: [CANDLE]})
    with pytest.raises(DatabaseError, match="the database holds real ones"):
        candles.upsert(engine, "adjusted", {TCS: [CANDLE]}, simulated=True)
    with pytest.raises(DatabaseError, match="the database holds real ones"):
        candles.replace(engine, "adjusted", HDFC, [], simulated=True)
    assert candles.last_days(engine, basis) == {HDFC: DAY}


def test_nothing_to_store_claims_nothing(simulated: Engine) -> None:
    assert candles.upsert(simulated, "raw", {HDFC: []}) == 0
    assert origin(simulated) == "simulated"


def test_real_minute_bars_and_simulated_candles_exclude_each_other(engine: Engine) -> None:
    minute_bars.upsert(engine, {HDFC: [BAR]})
    assert origin(engine) == "real"
    with pytest.raises(DatabaseError, match="the database holds real ones"):
        candles.upsert(engine, "adjusted", {TCS: [CANDLE]}, simulated=True)
    with pytest.raises(DatabaseError, match="the database holds real ones"):
        minute_bars.upsert(engine, {TCS: [BAR]}, simulated=True)
    assert minute_bars.count_blocks(engine) == 1


def test_real_minute_bars_remove_simulated_candles_and_bars(simulated: Engine) -> None:
    minute_bars.upsert(simulated, {HDFC: [BAR], TCS: [BAR]}, simulated=True)
    bar_audits.add(simulated, HDFC, [(DAY, Comparison(5), True)])
    assert (origin(simulated), simulated_instruments(simulated)) == ("simulated", 3)
    minute_bars.upsert_session(simulated, BAR.start - 555 * 60, {NIFTY: [BAR]})
    assert (origin(simulated), candles.last_days(simulated, "adjusted")) == ("real", {})
    assert [block.key for block in minute_bars.fetch_blocks(simulated)] == [NIFTY]
    assert bar_audits.of_day(simulated, DAY) == Comparison()


def test_a_page_waits_only_a_moment_for_the_source(engine: Engine) -> None:
    waits: list[str] = []

    @event.listens_for(engine, "before_cursor_execute")
    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        waits.extend([statement] if "busy_timeout" in statement else [])

    assert origin(engine) == origin(engine, busy_timeout_ms=50) == "nothing"
    assert waits == ["PRAGMA busy_timeout = 5000", "PRAGMA busy_timeout = 50"]
