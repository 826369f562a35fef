"""Terms of rules are computed for the instruments of their alerts alone, with the numbers of the screens."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from ltp.batch.alerts.values import Computed, compute
from ltp.core.screener import Row
from ltp.db import candles, runs
from ltp.db.alerts import values
from ltp.db.alerts.tables import alerts
from ltp.db.alerts.values import TermValue
from ltp.db.engine import open_engine, reading, writing
from ltp.screen.history import from_packed
from tests.batch.trading import LAST, open_market
from tests.db.alerts.conftest import row

NOW = datetime(2026, 11, 23, 4, tzinfo=UTC)
KEY = "NSE_EQ:1"


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    engine = open_engine(f"sqlite:///{tmp_path / 'ltp.sqlite3'}")
    open_market(engine)
    return engine


def add(engine: Engine, rule: str, **changes: Any) -> None:
    with writing(engine) as connection:
        connection.execute(alerts.insert().values(row(rule=rule, **{"name": KEY} | changes)))


def stored(engine: Engine) -> dict[str, dict[str, TermValue]]:
    with reading(engine) as connection:
        return values.all_in(connection)


def test_the_terms_of_one_share(engine: Engine) -> None:
    add(engine, "day_volume > 3 * sma(volume, 20) and rsi > 0 and not rsi < 100")
    add(engine, "ltp > ema50", state="muted")
    assert compute(engine, NOW) == Computed(4, 1, 0)
    found = stored(engine)[KEY]
    packed = candles.fetch_packed(engine, "raw", [KEY], LAST.replace(year=2020), LAST)[KEY]
    volume = from_packed(packed).volume[-20:].mean()
    assert found["3 * sma(volume, 20)"].value == pytest.approx(3 * volume)
    assert {each.as_of for each in found.values()} == {LAST}
    assert (found["rsi14 > 0"].value, found["not rsi14 < 100"].value) == (1.0, 0.0)
    assert 100 < (found["ema50"].value or 0) < 2_000


def test_each_of_a_list_and_each_of_a_screens_results(engine: Engine) -> None:
    runs.insert_run(
        engine, "swing", [Row("NSE_EQ:7", 1, "SHARE7"), Row("NSE_EQ:9", 2, "SHARE9")], sample=False
    )
    add(engine, "ltp > high52", target="universe", name="nifty50")
    add(engine, "ltp > ema20", target="screen", name="swing")
    add(engine, "ltp > ema20", target="screen", name="gone")
    assert compute(engine, NOW) == Computed(7, 7, 0)
    assert {key: list(found) for key, found in stored(engine).items()} == {
        **{f"NSE_EQ:{n}": ["high52"] for n in range(1, 6)}, "NSE_EQ:7": ["ema20"], "NSE_EQ:9": ["ema20"],
    }  # fmt: skip


def test_unknown_values_are_stored_as_such_and_alerts_without_terms_need_none(engine: Engine) -> None:
    add(engine, "ltp > sma(close, 400)")
    add(engine, "ltp > ema20", name="NSE_EQ:99")
    for rule in ("ltp > 1650", "ltp < plan(swing, stop)", "enters(swing)", "no rule"):
        add(engine, rule, name="NSE_EQ:2")
    add(engine, "ltp > ema20", name="NSE_EQ:3", state="ended")
    assert compute(engine, NOW) == Computed(2, 2, 2)
    assert stored(engine) == {
        KEY: {"sma400": TermValue(None, LAST)}, "NSE_EQ:99": {"ema20": TermValue(None, NOW.date())},
    }  # fmt: skip


def test_values_that_are_needed_no_more_go(engine: Engine) -> None:
    add(engine, "ltp > ema20")
    compute(engine, NOW)
    with writing(engine) as connection:
        connection.execute(alerts.delete())
    assert compute(engine, NOW.replace(hour=5)) == Computed(0, 0, 0)
    assert stored(engine) == {}
