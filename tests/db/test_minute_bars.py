from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, delete, event, select, update

from ltp.core.bars.bar import BROKER, PARTIAL, Bar
from ltp.core.bars.block import unpacked
from ltp.db import candle_source, minute_bars, reassignments, rekey
from ltp.db.engine import open_engine, reading, writing
from ltp.db.schema import candle_source as mark
from ltp.db.schema import minute_bars as table
from ltp.errors import DatabaseError

HDFC, NIFTY = "NSE_EQ:1333", "IDX_I:13"
OPEN = 1_796_010_300  # 2026-11-30T09:15:00+05:30
CLOSE = OPEN + 375 * 60
MIDNIGHT = OPEN - 555 * 60


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(request: Any, tmp_path: Path) -> Engine:
    if request.param == "sqlite":
        return open_engine(f"sqlite:///{tmp_path / 'ltp.sqlite3'}")
    server = open_engine(request.getfixturevalue("postgresql").url())
    with writing(server) as connection:
        connection.execute(delete(table))  # tests share the server
        connection.execute(update(mark).values(simulated=False))
    return server


def minute(number: int, price: int = 100_0000, **fields: Any) -> Bar:
    return Bar(OPEN + number * 60, price, price + 500, price - 500, price + 100, 7, **fields)


def starts(engine: Engine) -> list[int]:
    with reading(engine) as connection:
        return list(connection.execute(select(table.c.start).order_by(table.c.start)).scalars())


def test_bars_come_back_in_order(engine: Engine) -> None:
    bars = [minute(0), minute(14, marks=PARTIAL), minute(15, oi=9), minute(374, sources=BROKER)]
    minute_bars.upsert(engine, {HDFC: [bars[2], bars[0], bars[3], bars[1]], NIFTY: [minute(3, 5_0000)]})
    assert minute_bars.fetch(engine, HDFC, OPEN, CLOSE) == bars
    assert minute_bars.fetch(engine, NIFTY, OPEN, CLOSE) == [minute(3, 5_0000)]
    assert minute_bars.fetch(engine, "NSE_EQ:9", OPEN, CLOSE) == []
    assert starts(engine) == [OPEN, OPEN, OPEN + 900, OPEN + 24 * 900]


def test_the_end_of_the_time_is_excluded(engine: Engine) -> None:
    minute_bars.upsert(engine, {HDFC: [minute(number) for number in range(30)]})
    assert minute_bars.fetch(engine, HDFC, OPEN + 60, OPEN + 180) == [minute(1), minute(2)]
    assert minute_bars.last_start(engine, HDFC) == OPEN + 29 * 60
    assert minute_bars.last_start(engine, NIFTY) is None


def test_a_bar_that_is_there_is_replaced_and_others_stay(engine: Engine) -> None:
    minute_bars.upsert(engine, {HDFC: [minute(0), minute(1)]})
    minute_bars.upsert(engine, {HDFC: [minute(1, 99_0000), minute(2)]})
    minute_bars.upsert(engine, {})
    minute_bars.upsert(engine, {HDFC: []})
    assert minute_bars.fetch(engine, HDFC, OPEN, CLOSE) == [minute(0), minute(1, 99_0000), minute(2)]
    assert starts(engine) == [OPEN]


def test_more_instruments_than_one_query_names(engine: Engine) -> None:
    keys = [f"NSE_EQ:{number}" for number in range(1, 1_001)]
    minute_bars.upsert(engine, {key: [minute(0)] for key in keys})
    minute_bars.upsert(engine, {key: [minute(1)] for key in keys})
    assert minute_bars.count_blocks(engine) == 1_000
    assert minute_bars.fetch(engine, keys[-1], OPEN, CLOSE) == [minute(0), minute(1)]


def test_a_session_is_packed_into_one_block_that_reads_the_same(engine: Engine) -> None:
    bars = [minute(number, 100_0000 + number) for number in range(375)]
    minute_bars.upsert(engine, {HDFC: bars, NIFTY: bars[:40]})
    minute_bars.pack(engine, HDFC, OPEN, CLOSE)
    assert minute_bars.fetch(engine, HDFC, OPEN, CLOSE) == bars
    assert minute_bars.fetch(engine, HDFC, OPEN + 3_600, OPEN + 3_660) == [bars[60]]
    assert starts(engine) == [OPEN, OPEN, OPEN + 900, OPEN + 1_800]


def test_a_bar_that_comes_after_the_packing_counts(engine: Engine) -> None:
    minute_bars.upsert(engine, {HDFC: [minute(number) for number in range(60)]})
    minute_bars.pack(engine, HDFC, OPEN, CLOSE)
    late = [minute(3, 90_0000), minute(33, 90_0000)]
    minute_bars.upsert(engine, {HDFC: late})
    read = minute_bars.fetch(engine, HDFC, OPEN, CLOSE)
    assert (read[3], read[33], len(read)) == (*late, 60)
    minute_bars.pack(engine, HDFC, OPEN, CLOSE)
    assert minute_bars.fetch(engine, HDFC, OPEN, CLOSE) == read
    assert starts(engine) == [OPEN]


def test_a_damaged_block_is_no_bars_and_is_written_anew(engine: Engine) -> None:
    minute_bars.upsert(engine, {HDFC: [minute(0), minute(20)]})
    with writing(engine) as connection:
        connection.execute(update(table).where(table.c.start == OPEN).values(packed=b"\x00torn"))
    assert minute_bars.fetch(engine, HDFC, OPEN, CLOSE) == [minute(20)]
    minute_bars.upsert(engine, {HDFC: [minute(1)]})
    assert minute_bars.fetch(engine, HDFC, OPEN, CLOSE) == [minute(1), minute(20)]


def test_old_blocks_are_pruned_a_few_at_a_time(engine: Engine) -> None:
    minute_bars.upsert(engine, {HDFC: [minute(0), minute(15), minute(30), minute(45)]})
    assert minute_bars.prune(engine, OPEN + 2_700, most=2) == 2
    assert minute_bars.prune(engine, OPEN + 2_700, most=2) == 1
    assert minute_bars.prune(engine, OPEN + 2_700, most=2) == 0
    assert minute_bars.fetch(engine, HDFC, OPEN, CLOSE) == [minute(45)]


def test_sessions_of_several_blocks_are_named_by_their_day(engine: Engine) -> None:
    midnight = OPEN - 9 * 3600 - 15 * 60
    minute_bars.upsert(engine, {HDFC: [minute(0), minute(20)], NIFTY: [minute(3)]})
    minute_bars.upsert(engine, {NIFTY: [minute(24 * 60), minute(24 * 60 + 20)]})
    assert minute_bars.loose_sessions(engine, midnight + 86_400) == [(HDFC, midnight)]
    assert sorted(minute_bars.loose_sessions(engine, midnight + 2 * 86_400)) == [
        (NIFTY, midnight + 86_400),
        (HDFC, midnight),
    ]


def test_the_days_that_have_bars_are_found_by_key(engine: Engine) -> None:
    minute_bars.upsert(engine, {HDFC: [minute(0), minute(20), minute(24 * 60)], NIFTY: [minute(3)]})
    days = [MIDNIGHT, MIDNIGHT + 86_400]
    assert minute_bars.stored_days(engine, MIDNIGHT, MIDNIGHT + 2 * 86_400) == {HDFC: days, NIFTY: days[:1]}
    assert minute_bars.stored_days(engine, days[1], days[1] + 86_400) == {HDFC: days[1:]}
    assert minute_bars.stored_days(engine, MIDNIGHT - 86_400, MIDNIGHT) == {}


def test_simulated_bars_make_room_for_real_ones_and_never_join_them(engine: Engine) -> None:
    minute_bars.upsert(engine, {HDFC: [minute(0)], NIFTY: [minute(0)]}, simulated=True)
    assert candle_source.origin(engine) == "simulated"
    minute_bars.upsert(engine, {HDFC: [minute(1)]})
    assert candle_source.origin(engine) == "real"
    assert minute_bars.fetch(engine, HDFC, OPEN, CLOSE) == [minute(1)]
    assert minute_bars.fetch(engine, NIFTY, OPEN, CLOSE) == []
    with pytest.raises(DatabaseError, match="the database holds real ones") as refusal:
        minute_bars.upsert(engine, {HDFC: [minute(2)]}, simulated=True)
    assert refusal.value.permanent
    assert minute_bars.fetch(engine, HDFC, OPEN, CLOSE) == [minute(1)]


def test_bars_follow_a_share_to_its_new_id_and_end_with_another_instrument(engine: Engine) -> None:
    minute_bars.upsert(engine, {HDFC: [minute(0), minute(20)], "NSE_EQ:9": [minute(0, 50_0000)]})
    with writing(engine) as connection:
        rekey.move(connection, HDFC, "NSE_EQ:9")
    assert minute_bars.fetch(engine, "NSE_EQ:9", OPEN, CLOSE) == [minute(0, 50_0000), minute(20)]
    assert minute_bars.fetch(engine, HDFC, OPEN, CLOSE) == []
    with writing(engine) as connection:
        reassignments.clear(connection, ["NSE_EQ:9"])
    assert minute_bars.count_blocks(engine) == 0


def test_a_session_that_is_over_is_stored_packed(engine: Engine) -> None:
    bars = [minute(number, 100_0000 + number) for number in range(375)]
    assert minute_bars.upsert_session(engine, MIDNIGHT, {HDFC: bars, NIFTY: bars[20:40]}) == 395
    assert starts(engine) == [OPEN, OPEN + 900]
    assert minute_bars.fetch(engine, HDFC, OPEN, CLOSE) == bars
    assert minute_bars.fetch(engine, NIFTY, OPEN, CLOSE) == bars[20:40]
    assert minute_bars.upsert_session(engine, MIDNIGHT, {HDFC: bars, NIFTY: bars[20:40]}) == 0


def test_a_packed_session_takes_the_bars_that_are_there(engine: Engine) -> None:
    live = [minute(number) for number in range(60)]
    minute_bars.upsert(engine, {HDFC: live, NIFTY: live})
    yesterday = minute(0)._replace(start=OPEN - 86_400)
    minute_bars.upsert(engine, {HDFC: [yesterday]})
    new = [minute(3, 90_0000), minute(59), minute(60)]
    assert minute_bars.upsert_session(engine, MIDNIGHT, {HDFC: new}) == 2
    read = minute_bars.fetch(engine, HDFC, OPEN, CLOSE)
    assert (read[:4], read[59:]) == ([*live[:3], new[0]], [live[59], new[2]])
    assert minute_bars.fetch(engine, NIFTY, OPEN, CLOSE) == live
    assert minute_bars.fetch_starts(engine, HDFC) == [OPEN - 86_400, OPEN]
    assert minute_bars.fetch_starts(engine, NIFTY) == [OPEN, OPEN + 900, OPEN + 1_800, OPEN + 2_700]


@pytest.mark.parametrize("read", [1, 2, 5])
def test_every_block_is_read_once_by_key_and_start(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, read: int
) -> None:
    monkeypatch.setattr(minute_bars, "_READ", read)
    minute_bars.upsert(engine, {HDFC: [minute(0), minute(15)], "NSE_EQ:9": [minute(1)], NIFTY: [minute(30)]})
    places = [(NIFTY, OPEN + 1_800), ("NSE_EQ:9", OPEN), (HDFC, OPEN), (HDFC, OPEN + 900)]
    assert [(block.key, block.start) for block in minute_bars.fetch_blocks(engine)] == places
    packed = {(block.key, block.start): block.packed for block in minute_bars.fetch_blocks(engine)}
    assert unpacked(packed[HDFC, OPEN + 900], OPEN + 900) == [minute(15)]


def test_the_closes_of_a_day_are_read_in_one_query_for_many_keys(engine: Engine) -> None:
    minute_bars.upsert(engine, {HDFC: [minute(0), minute(20)], NIFTY: [minute(3, 5_0000)]})
    minute_bars.upsert(engine, {"NSE_EQ:9": [minute(0)._replace(start=OPEN - 86_400)]})  # of the day before
    seen: list[str] = []
    event.listen(engine, "before_cursor_execute", lambda *args: seen.append(args[2]))
    found = minute_bars.fetch_closes(engine, [HDFC, NIFTY, "NSE_EQ:9"], MIDNIGHT)
    assert found == {HDFC: {OPEN: 100_0100, OPEN + 1_200: 100_0100}, NIFTY: {OPEN + 180: 5_0100}}
    assert len([statement for statement in seen if statement.startswith("SELECT")]) == 1
    minute_bars.pack(engine, HDFC, MIDNIGHT, CLOSE)
    assert minute_bars.fetch_closes(engine, [HDFC], MIDNIGHT) == {HDFC: found[HDFC]}
