from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from ltp.batch import histories
from ltp.core.history.candle import Candle, day_number
from ltp.core.history.corporate_action import Action
from ltp.db import candles, corporate_actions
from ltp.db.engine import open_engine, writing
from tests.batch.trading import LAST, NIFTY, note, sessions, walk

KEY = "NSE_EQ:1"


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    engine = open_engine(f"sqlite:///{tmp_path / 'ltp.sqlite3'}")
    note(engine, LAST)
    return engine


def flat(days: list[date], rupees: int, volume: int = 1_000) -> list[Candle]:
    return [Candle(day, *[rupees * 10_000] * 4, volume) for day in days]


def one(engine: Engine, as_of: date | None = None) -> histories.LoadedHistory:
    [loaded] = histories.load(engine, [KEY], as_of)
    return loaded


def test_histories_come_in_the_order_of_keys_and_a_share_without_candles_is_empty(engine: Engine) -> None:
    candles.upsert(engine, "raw", {key: walk(30, 1) for key in ("NSE_EQ:1", "NSE_EQ:3")})
    loaded = list(histories.load(engine, ["NSE_EQ:3", "NSE_EQ:2", "NSE_EQ:1"]))
    assert [(each.key, len(each.history.days), each.flags) for each in loaded] == [
        ("NSE_EQ:3", 30, ()), ("NSE_EQ:2", 0, ()), ("NSE_EQ:1", 30, ()),
    ]  # fmt: skip


def test_more_keys_than_one_query_names(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(histories, "_CHUNK", 2)
    keys = [f"NSE_EQ:{number}" for number in range(1, 6)]
    candles.upsert(engine, "raw", {key: flat([LAST], place + 1) for place, key in enumerate(keys)})
    assert [(each.key, each.history.close.tolist()) for each in histories.load(engine, keys)] == [
        (key, [place + 1.0]) for place, key in enumerate(keys)
    ]


def test_no_candle_after_the_day_that_is_looked_back_to(engine: Engine) -> None:
    candles.upsert(engine, "raw", {KEY: walk(30, 1)})
    back = sessions(30)[-11]
    loaded = one(engine, back)
    assert (len(loaded.history.days), loaded.history.days[-1]) == (20, day_number(back))
    assert len(one(engine, back + timedelta(days=1)).history.days) == 21 - (back.weekday() == 4)


def test_a_day_to_come_takes_nothing_off_the_beginning(engine: Engine) -> None:
    candles.upsert(engine, "raw", {KEY: walk(700, 1)})
    assert len(one(engine, LAST + timedelta(days=900)).history.days) == 700


def test_damaged_candles_are_named(engine: Engine) -> None:
    candles.upsert(engine, "raw", {KEY: walk(30, 1)})
    with writing(engine) as connection:
        connection.execute(text("UPDATE daily_candles SET packed = substr(packed, 1, length(packed) - 7)"))
    loaded = one(engine)
    assert loaded.fault.startswith("damaged candles: ")
    assert loaded.history.days.size == 0


def test_usual_end_is_the_day_on_which_most_shares_end(engine: Engine) -> None:
    keys = [f"NSE_EQ:{number}" for number in range(1, 6)]
    assert histories.usual_end(engine, keys) == date.min
    ends = (LAST, LAST, LAST - timedelta(days=60), LAST + timedelta(days=3))
    candles.upsert(engine, "raw", {key: walk(10, 1, last=end) for key, end in zip(keys, ends, strict=False)})
    candles.upsert(
        engine,
        "adjusted",
        {f"NSE_EQ:{number}": walk(10, 1, last=date(2026, 3, 6)) for number in range(6, 10)},
    )
    assert histories.usual_end(engine, keys) == LAST
    assert histories.usual_end(engine, keys, date(2026, 10, 30)) == date(2026, 10, 30)


def test_three_years_are_read(engine: Engine) -> None:
    candles.upsert(engine, "raw", {KEY: walk(900, 1)})
    days = one(engine).history.days
    assert days[-1] - days[0] <= histories.DAYS
    assert len(days) > 700


def test_a_confirmed_split_is_taken_out_and_a_suspected_one_cuts(engine: Engine) -> None:
    days = sessions(10)
    candles.upsert(engine, "raw", {KEY: [*flat(days[:6], 1_000), *flat(days[6:], 200, 5_000)]})
    suspected = Action(KEY, days[6], 5, 1, "detected")
    corporate_actions.replace_detected(engine, [KEY], [suspected])
    cut = one(engine)
    assert cut.history.close.tolist() == [200.0] * 4
    assert len(cut.flags) == 1
    assert str(days[6]) in cut.flags[0]
    corporate_actions.confirm(engine, [suspected])
    whole = one(engine)
    assert whole.history.close.tolist() == [200.0] * 10
    assert whole.history.volume.tolist() == [5_000.0] * 10
    assert whole.flags == ()
    before = one(engine, days[4])
    assert before.history.close.tolist() == [1_000.0] * 5  # the split was still ahead then
    corporate_actions.dismiss(engine, KEY, days[6], "test")
    assert one(engine).history.close.tolist() == [1_000.0] * 6 + [200.0] * 4


def test_an_action_that_lies_ahead_changes_nothing_yet(engine: Engine) -> None:
    candles.upsert(engine, "raw", {KEY: flat(sessions(5), 1_000)})
    corporate_actions.confirm(engine, [Action(KEY, LAST + timedelta(days=7), 5, 1, "confirmed")])
    assert one(engine).history.close.tolist() == [1_000.0] * 5


@pytest.mark.parametrize(
    ("raw", "restated", "taken"),
    [
        ((5, 0), None, 100.0),
        (None, (5, 0), 50.0),
        ((5, 0), (5, 0), 100.0),  # equally good: as traded, with confirmed actions
        ((5, 0), (200, 1), 50.0),  # one file was imported beside a fetched history
        ((200, 0), (300, 20), 100.0),  # fetched once, long ago
        ((300, 20), (200, 0), 50.0),
    ],
)
def test_of_two_bases_the_longer_is_taken_unless_it_ended_long_ago(
    engine: Engine, raw: tuple[int, int] | None, restated: tuple[int, int] | None, taken: float
) -> None:
    for basis, given, price in (("raw", raw, 100), ("adjusted", restated, 50)):
        if given:
            count, days_ago = given
            candles.upsert(
                engine, basis, {KEY: flat(sessions(count, LAST - timedelta(days=days_ago)), price)}
            )  # type: ignore[arg-type]
    assert set(one(engine).history.close.tolist()) == {taken}


def test_the_broker_s_history_is_not_adjusted_again(engine: Engine) -> None:
    candles.upsert(engine, "adjusted", {KEY: flat(sessions(5), 200)})
    corporate_actions.confirm(engine, [Action(KEY, sessions(5)[3], 5, 1, "confirmed")])
    assert one(engine).history.close.tolist() == [200.0] * 5


def test_the_index(engine: Engine) -> None:
    assert histories.load_index(engine).history.days.size == 0
    candles.upsert(engine, "adjusted", {NIFTY: walk(30, 1, volume=2)})
    index = histories.load_index(engine)
    assert len(index.history.days) == 30
