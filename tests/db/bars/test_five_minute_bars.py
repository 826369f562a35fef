from __future__ import annotations

import pytest
from sqlalchemy import Engine, update

from ltp.core.bars.bar import BROKER, PARTIAL, Bar
from ltp.core.bars.timeframe import rolled_up
from ltp.db import candle_source, minute_bars, reassignments, rekey
from ltp.db.bars import bar_days, five_minute_bars, kept_sessions
from ltp.db.bars.bar_days import BarDay
from ltp.db.bars.five_minute_bars import Made
from ltp.db.engine import writing
from ltp.db.schema import minute_bars as table

HDFC, NIFTY = "NSE_EQ:1333", "IDX_I:13"
OPEN = 1_796_010_300  # 2026-11-30T09:15:00+05:30
CLOSE = OPEN + 375 * 60
MIDNIGHT = OPEN - 555 * 60
DAY_S = 86_400
END = 2**40


def minute(number: int, price: int = 100_0000, **fields: int) -> Bar:
    return Bar(OPEN + number * 60, price, price + 500, price - 500, price + 100, 7)._replace(**fields)


def rolled(_key: str, midnight: int, ones: list[Bar]) -> list[Bar]:
    return list(rolled_up(ones, 5, [(midnight + 555 * 60, midnight + 930 * 60)]))


def make(engine: Engine, *sessions: tuple[str, int]) -> Made:
    return five_minute_bars.make(engine, sessions, rolled)


def test_a_session_becomes_one_block_of_five_minute_bars(engine: Engine) -> None:
    ones = [minute(number, 100_0000 + number, marks=PARTIAL * (number == 7)) for number in range(375)]
    minute_bars.upsert(engine, {HDFC: ones, NIFTY: ones[:3]})
    assert make(engine, (HDFC, MIDNIGHT), (NIFTY, MIDNIGHT), (NIFTY, MIDNIGHT - DAY_S)) == Made(2, 26)
    fives = five_minute_bars.fetch_columns(engine, HDFC, 0, END).bars()
    assert fives == list(rolled_up(ones, 5, [(OPEN, CLOSE)]))
    assert (len(fives), fives[1].marks, fives[1].volume) == (75, PARTIAL, 35)
    assert five_minute_bars.fetch_columns(engine, HDFC, OPEN + 300, OPEN + 600).bars() == [fives[1]]
    assert five_minute_bars.last_start(engine, HDFC) == OPEN + 370 * 60
    assert five_minute_bars.last_start(engine, "NSE_EQ:9") is None
    assert five_minute_bars.count_blocks(engine) == 2
    assert minute_bars.count_blocks(engine) == 0


def test_made_again_they_are_the_same_and_later_minutes_join(engine: Engine) -> None:
    minute_bars.upsert(engine, {HDFC: [minute(number) for number in range(10)]})
    make(engine, (HDFC, MIDNIGHT))
    before = five_minute_bars.fetch_columns(engine, HDFC, 0, END).bars()
    assert make(engine, (HDFC, MIDNIGHT)) == Made(0, 0)
    assert five_minute_bars.fetch_columns(engine, HDFC, 0, END).bars() == before
    late = [minute(0, 99_0000), minute(5, 98_0000), minute(-3, 97_0000), minute(30, 96_0000)]
    minute_bars.upsert(engine, {HDFC: late})
    make(engine, (HDFC, MIDNIGHT))
    found = five_minute_bars.fetch_columns(engine, HDFC, 0, END).bars()
    assert [(bar.start - OPEN, bar.open) for bar in found] == [(0, 99_0000), (300, 98_0000), (1_800, 96_0000)]
    assert five_minute_bars.count_blocks(engine) == 1


def test_days_name_the_form_of_their_bars(engine: Engine) -> None:
    minute_bars.upsert(engine, {HDFC: [minute(0), minute(400), minute(20 - 1_440), minute(-3 * 1_440)]})
    make(engine, (HDFC, MIDNIGHT - DAY_S))
    make(engine, (HDFC, MIDNIGHT - 3 * DAY_S))
    minute_bars.upsert(engine, {HDFC: [minute(300 - 1_440)]})
    each = [
        BarDay(MIDNIGHT - 3 * DAY_S, ones=False, fives=True),
        BarDay(MIDNIGHT - DAY_S, ones=True, fives=True),
        BarDay(MIDNIGHT, ones=True, fives=False),
    ]
    assert bar_days.fetch(engine, HDFC, 0, END, fives=True) == each
    assert bar_days.fetch(engine, HDFC, MIDNIGHT, END, fives=True) == each[2:]
    assert bar_days.fetch(engine, HDFC, 0, MIDNIGHT, fives=False) == [each[1]._replace(fives=False)]
    assert bar_days.fetch(engine, NIFTY, 0, END, fives=True) == []


@pytest.mark.parametrize("read", [1, 2, 500])
def test_sessions_between_two_midnights_are_named_once(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, read: int
) -> None:
    monkeypatch.setattr(minute_bars, "_READ", read)
    minute_bars.upsert(engine, {HDFC: [minute(0), minute(20), minute(-1_440)], NIFTY: [minute(1)]})
    each = [session for part in minute_bars.sessions_between(engine, 0, MIDNIGHT + DAY_S) for session in part]
    assert each == [(NIFTY, MIDNIGHT), (HDFC, MIDNIGHT - DAY_S), (HDFC, MIDNIGHT)]
    assert next(iter(minute_bars.sessions_between(engine, 0, MIDNIGHT))) == [(HDFC, MIDNIGHT - DAY_S)]
    assert [*minute_bars.sessions_between(engine, MIDNIGHT - DAY_S + 86_399, MIDNIGHT)] == [[]]


def test_a_kept_session_is_never_pruned_until_it_is_forgotten(engine: Engine) -> None:
    minute_bars.upsert_session(engine, MIDNIGHT, {HDFC: [minute(0)]}, kept=True)
    minute_bars.upsert_session(engine, MIDNIGHT, {NIFTY: [minute(0)]}, kept=True)
    minute_bars.upsert_session(engine, MIDNIGHT - DAY_S, {HDFC: [minute(-1_440)]})
    assert [*minute_bars.sessions_between(engine, 0, END)] == [[(HDFC, MIDNIGHT - DAY_S)]]
    assert make(engine, (HDFC, MIDNIGHT)) == Made(0, 0)
    assert minute_bars.prune(engine, END) == 1
    assert minute_bars.fetch(engine, HDFC, 0, END) == [minute(0)]
    assert len(kept_sessions.fetch(engine)) == 1
    assert kept_sessions.forget(engine) == 1
    assert make(engine, (HDFC, MIDNIGHT)) == Made(1, 1)
    assert minute_bars.prune(engine, END) == 1
    assert minute_bars.count_blocks(engine) == 0


def test_a_damaged_block_is_no_bar(engine: Engine) -> None:
    minute_bars.upsert(engine, {HDFC: [minute(0), minute(20)]})
    with writing(engine) as connection:
        connection.execute(update(table).where(table.c.start == OPEN).values(packed=b"\x00torn"))
    make(engine, (HDFC, MIDNIGHT))
    assert [bar.start for bar in five_minute_bars.fetch_columns(engine, HDFC, 0, END).bars()] == [
        OPEN + 1_200
    ]


def test_simulated_ones_make_room_for_real_ones(engine: Engine) -> None:
    minute_bars.upsert(engine, {HDFC: [minute(0)]}, simulated=True)
    make(engine, (HDFC, MIDNIGHT))
    assert candle_source.origin(engine) == "simulated"
    minute_bars.upsert(engine, {NIFTY: [minute(0)]})
    assert five_minute_bars.count_blocks(engine) == 0


def test_they_are_real_where_nothing_else_is_left(engine: Engine) -> None:
    minute_bars.upsert(engine, {HDFC: [minute(0, sources=BROKER)]})
    make(engine, (HDFC, MIDNIGHT))
    assert candle_source.origin(engine) == "real"


def test_they_follow_a_share_to_its_new_id_and_end_with_another_instrument(engine: Engine) -> None:
    minute_bars.upsert(engine, {HDFC: [minute(0)]})
    make(engine, (HDFC, MIDNIGHT))
    with writing(engine) as connection:
        rekey.move(connection, HDFC, "NSE_EQ:9")
    assert len(five_minute_bars.fetch_columns(engine, "NSE_EQ:9", 0, END).bars()) == 1
    with writing(engine) as connection:
        reassignments.clear(connection, ["NSE_EQ:9"])
    assert five_minute_bars.count_blocks(engine) == 0
