from __future__ import annotations

import errno
import gzip
import io
import tempfile
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from ltp.batch import seed
from ltp.batch.minutes import file_bars
from ltp.batch.minutes.minute_import import MinuteImport, import_files
from ltp.core.bars.bar import BROKER, FILE, Bar
from ltp.core.history.candle import Candle
from ltp.core.market.session import Calendar
from ltp.core.trading_day import IST
from ltp.db import candle_source, candles, minute_bars
from ltp.db.engine import open_engine
from ltp.errors import DatabaseError

HDFC, TCS, NIFTY = "NSE_EQ:1333", "NSE_EQ:11536", "IDX_I:13"
OPEN = 1_796_010_300  # Monday 2026-11-30T09:15:00+05:30
DAY_S = 86_400
NOW = datetime(2026, 12, 2, 12, 0, tzinfo=IST)
HEADER = "timestamp,symbol,open,high,low,close,volume\n"
Write = Callable[..., Path]


@pytest.fixture
def engine(empty_database: str) -> Engine:
    engine = open_engine(empty_database)
    seed.ensure(engine)
    return engine


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def to(name: str, *rows: str, header: str = HEADER) -> Path:
        file = tmp_path / name
        content = (header + "".join(f"{row}\n" for row in rows)).encode()
        file.write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
        return file

    return to


class FullDisk(io.BytesIO):
    def flush(self) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")


def row(minute: int, symbol: str = "HDFCBANK", price: int = 1000, day: int = 0) -> str:
    return f"{OPEN + day * DAY_S + minute * 60},{symbol},{price},{price + 2},{price - 2},{price + 1},7"


def bar(minute: int, price: int = 1000, day: int = 0) -> Bar:
    at, price = OPEN + day * DAY_S + minute * 60, price * 10_000
    return Bar(at, price, price + 20_000, price - 20_000, price + 10_000, 7, None, 0, FILE)


def run(engine: Engine, *files: Path, **options: Any) -> MinuteImport:
    return import_files(engine, files, Calendar.load(), now=NOW, **options)


def stored(engine: Engine, key: str) -> list[Bar]:
    return minute_bars.fetch(engine, key, 0, OPEN + 100 * DAY_S)


@pytest.mark.parametrize("name", ["a.csv", "a.csv.gz"])
def test_bars_are_stored_by_instrument_and_session(engine: Engine, write: Write, name: str) -> None:
    rows = [row(1), row(0), row(20), row(0, "NIFTY"), row(0, day=1), row(0, "TCS", 3000)]
    done = run(engine, write(name, *rows))
    assert done[:6] == (1, 2, 3, 6, 6, ())
    assert stored(engine, HDFC) == [bar(0), bar(1), bar(20), bar(0, day=1)]
    assert (stored(engine, NIFTY), stored(engine, TCS)) == ([bar(0)], [bar(0, 3000)])
    assert minute_bars.fetch_starts(engine, HDFC) == [OPEN, OPEN + DAY_S]
    assert candle_source.origin(engine) == "real"


def test_the_same_file_twice_changes_nothing_and_other_bars_stay(engine: Engine, write: Write) -> None:
    here = bar(5)._replace(sources=BROKER)
    minute_bars.upsert(engine, {HDFC: [here, bar(1, 500)._replace(sources=BROKER)]})
    file = write("a.csv", row(0), row(1))
    assert run(engine, file).changed == 2
    assert stored(engine, HDFC) == [bar(0), bar(1), here]
    again = run(engine, file)
    assert (again.bars, again.changed) == (2, 0)


def test_of_two_rows_of_a_minute_the_later_counts(engine: Engine, write: Write) -> None:
    done = run(engine, write("a.csv", row(0), row(1), row(0, price=1001)))
    assert (done.bars, stored(engine, HDFC)) == (2, [bar(0, 1001), bar(1)])


@pytest.mark.parametrize("most", [1, 2, 3, 7])
def test_more_bars_than_memory_takes_wait_in_a_file(
    engine: Engine, write: Write, monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    monkeypatch.setattr(file_bars, "MOST_IN_MEMORY", most)
    rows = [row(minute, symbol) for symbol in ("HDFCBANK", "TCS") for minute in (2, 0, 1)]
    done = run(engine, write("a.csv", *rows, row(0, price=1001)))
    assert (done.bars, done.sessions) == (6, 1)
    assert stored(engine, HDFC) == [bar(0, 1001), bar(1), bar(2)]
    assert stored(engine, TCS) == [bar(0), bar(1), bar(2)]


def test_a_full_disk_ends_the_import_with_a_sentence(
    engine: Engine, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(file_bars, "MOST_IN_MEMORY", 1)
    monkeypatch.setattr(tempfile, "TemporaryFile", FullDisk)
    with pytest.raises(DatabaseError, match="temporary file of the import cannot be written: No space left"):
        run(engine, write("a.csv", row(0)))
    assert stored(engine, HDFC) == []


def test_bars_of_the_session_that_is_on_are_not_packed(engine: Engine, write: Write) -> None:
    assert run(engine, write("a.csv", row(0, day=2), row(15, day=2), row(0), row(15))).changed == 4
    starts = [OPEN, OPEN + 2 * DAY_S, OPEN + 2 * DAY_S + 900]
    assert minute_bars.fetch_starts(engine, HDFC) == starts


def test_bars_outside_of_the_trading_hours_are_counted_by_day(engine: Engine, write: Write) -> None:
    rows = [row(-16), row(-15), row(-1), row(380), row(30, day=-1), row(30, day=-1)]  # a Sunday
    done = run(engine, write("a.csv", *rows))
    assert [each.start for each in stored(engine, HDFC)] == [OPEN - 900, OPEN - 60]
    assert done.outside == {date(2026, 11, 29): 2, date(2026, 11, 30): 2}


def test_instruments_that_the_master_does_not_know_are_counted(engine: Engine, write: Write) -> None:
    done = run(engine, write("a.csv", row(0), row(0, "NOBODY"), row(1, "NOBODY"), row(0, "NO")))
    assert (done.bars, done.unknown) == (1, {"NOBODY": 2, "NO": 1})


def test_a_damaged_row_is_counted_and_named(engine: Engine, write: Write) -> None:
    done = run(engine, write("a.csv", row(0), row(1).replace("1002", "1")))
    assert (done.bars, done.damaged) == (1, 1)
    assert done.sentences[0].startswith("a.csv, line 3, open, high, low, close: ")


NO_NAMES = "date,time,open,high,low,close,volume\n"


def test_a_file_without_names_is_of_the_key_given_or_of_its_own_name(engine: Engine, write: Write) -> None:
    bars = [f"2026-11-30,09:{15 + minute},1000,1002,998,1001,7" for minute in range(2)]
    assert run(engine, write("TCS.csv", *bars, header=NO_NAMES)).refused == ()
    assert run(engine, write("x.csv", *bars, header=NO_NAMES), key=HDFC).refused == ()
    assert stored(engine, TCS) == stored(engine, HDFC) == [bar(0), bar(1)]
    done = run(engine, write("x.csv", *bars, header=NO_NAMES))
    assert done.refused[0].startswith("x.csv: 'x' is not accepted; the instrument master knows no instrument")


@pytest.mark.parametrize(
    ("rows", "options", "reason"),
    [
        ([row(0, day=3)], {}, "line 2: '2026-12-03T09:15:00+05:30' is not accepted; a bar of the future"),
        (
            [row(0, "NO"), row(1, "NOBODY")],
            {},
            "'NO, NOBODY' is not accepted; the instrument master knows no",
        ),
        (
            [row(0, day=-1)],
            {},
            "'2026-11-29 to 2026-11-29' is not accepted; none of its bars lies in the trading",
        ),
        (
            [row(5 * number) for number in range(30)],
            {},
            "'5 minutes apart' is not accepted; bars of one minute",
        ),
        (
            [row(0)],
            {"key": TCS},
            "line 1, --key: 'NSE_EQ:11536' is not accepted; it is for files whose rows name",
        ),
        ([row(0), row(1)[:30]], {}, ""),
        (
            [row(0)] + [row(1).replace("1002", "1")] * 6,
            {},
            "'6 of 7 rows' is not accepted; too many are damaged",
        ),
    ],
)
def test_a_refused_file_changes_nothing_and_others_are_imported(
    engine: Engine, write: Write, rows: list[str], options: dict[str, str], reason: str
) -> None:
    good = write("TCS.csv", f"{OPEN},1000,1002,998,1001,7", header="ts,open,high,low,close,volume\n")
    bad = write("bad.csv", *rows)
    if not reason:
        bad.write_bytes(bad.read_bytes().rstrip())
        reason = "last line: '1796010360,HDFCBANK,1000,1002,' is not accepted; the file ends in the midst"
    done = run(engine, bad, good, **options)
    assert (done.files, done.bars, len(done.refused)) == (1, 1, 1)
    assert f"bad.csv, {reason}" in done.refused[0] or f"bad.csv: {reason}" in done.refused[0]
    assert stored(engine, HDFC) == []
    assert stored(engine, TCS) == [bar(0)]


def test_bars_five_minutes_apart_are_noticed_in_any_order_of_rows(engine: Engine, write: Write) -> None:
    rows = [row(5 * number, symbol) for number in range(30) for symbol in ("HDFCBANK", "TCS")]
    assert "'5 minutes apart'" in run(engine, write("a.csv", *rows)).refused[0]


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        (
            "cut.csv.gz",
            gzip.compress(HEADER.encode() * 99)[:-20],
            "cut.csv.gz: '' is not accepted; the file cannot",
        ),
        ("a.zip", b"PK\x03\x04", "a.zip: 'a zip' is not accepted; a .csv or .csv.gz is imported; unpack it"),
        ("none.csv", None, "it cannot be read (No such file or directory)"),
        ("empty.csv", b"", "empty.csv: '' is not accepted; the file is empty"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused(
    engine: Engine, tmp_path: Path, name: str, content: bytes | None, reason: str
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    assert reason in run(engine, tmp_path / name).refused[0]


def test_imported_bars_take_the_place_of_simulated_candles(engine: Engine, write: Write) -> None:
    candle = Candle(date(2026, 11, 30), 100_0000, 110_0000, 90_0000, 100_0000, 7)
    candles.upsert(engine, "adjusted", {HDFC: [candle], TCS: [candle]}, simulated=True)
    assert run(engine, write("bad.csv", row(0, "NOBODY"))).removed == 0
    assert candle_source.origin(engine) == "simulated"
    assert run(engine, write("a.csv", row(0))).removed == 2
    assert (candle_source.origin(engine), candles.last_days(engine, "adjusted")) == ("real", {})


def test_progress_names_bytes_and_sessions(engine: Engine, write: Write) -> None:
    seen: list[tuple[str, int, int]] = []
    file = write("a.csv", row(0), row(0, day=1))
    run(engine, file, progress=lambda *step: seen.append(step))
    size = file.stat().st_size
    assert seen[-4:] == [
        ("reading", size, size),
        *[("storing sessions", number, 2) for number in range(3)],
    ]
