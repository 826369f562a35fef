"""`python -m ltp candles minutes`, as an operator types it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, update

from ltp.cli import minute_upkeep
from ltp.cli.main import main
from ltp.core.bars.bar import BROKER, FILE, LIVE, PARTIAL, Bar
from ltp.core.bars.block import packed
from ltp.db import minute_bars
from ltp.db.bars import coverage, kept_sessions
from ltp.db.bars.coverage import Connected, Subscription
from ltp.db.engine import open_engine, writing
from ltp.db.schema import minute_bars as table

HDFC, NIFTY = "NSE_EQ:1333", "IDX_I:13"
OPEN = 1_748_835_900  # Monday 2025-06-02T09:15:00+05:30
DAY_S = 86_400
LINES = """ts,symbol,open,high,low,close,volume
2025-06-02T09:15:00+05:30,HDFCBANK,1000,1002,998.5,1001,70
2025-06-02T09:16:00+05:30,HDFCBANK,1001,1003,1000,1000.05,30
2025-06-02T09:20:00+05:30,HDFCBANK,1000,1000,1000,1000,5
2025-06-03T09:15:00+05:30,HDFCBANK,1010,1010,1010,1010,1
2025-06-02T09:15:00+05:30,NIFTY,24800.5,24801,24799,24800,0
"""
Captured = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def engine(database_url: str) -> Engine:
    return open_engine(database_url)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "bars.csv"
    file.write_text(LINES)
    return file


@pytest.fixture
def imported(file: Path, capsys: Captured) -> Path:
    assert main(["candles", "minutes", "import", str(file)]) == 0
    capsys.readouterr()
    return file


def stored(engine: Engine, key: str) -> list[Bar]:
    return minute_bars.fetch(engine, key, 0, 2**40)


def lines_of(*arguments: str, capsys: Captured) -> list[str]:
    assert main(["candles", "minutes", "export", *arguments]) == 0
    return capsys.readouterr().out.splitlines()


def test_an_import_prints_its_result(file: Path, engine: Engine, capsys: Captured) -> None:
    file.write_text(
        LINES
        + "2025-06-02T09:15:00+05:30,NOBODY,1,1,1,1,1\n"
        + "2025-06-02T08:59:00+05:30,HDFCBANK,1,1,1,1,1\n"
        + "2025-06-02T09:17:00+05:30,HDFCBANK,1,1,x,1,1\n"
    )
    assert main(["candles", "minutes", "import", str(file)]) == 0
    assert capsys.readouterr().out == (
        "1 row was left out; the first: bars.csv, line 9, column low: 'x' is not accepted; a price in rupees\n"
        "1 bar outside of the trading hours left out: 2025-06-02 1.\n"
        "1 symbol is not in the instrument master, 1 row left out with them: NOBODY.\n"
        "5 bars older than 60 days kept as imported history; `candles minutes prune --imported` deletes it.\n"
        "1 file with 5 bars of 2 instruments in 2 sessions imported, 5 of them new or changed; 0 files refused.\n"
    )
    assert stored(engine, NIFTY) == [
        Bar(OPEN, 24_800_5000, 24_801_0000, 24_799_0000, 24_800_0000, 0, None, 0, FILE)
    ]


def test_a_refused_file_is_printed_and_the_status_is_1(file: Path, tmp_path: Path, capsys: Captured) -> None:
    (tmp_path / "bad.csv").write_text("hello\n")
    assert main(["candles", "minutes", "import", str(tmp_path / "bad.csv"), str(file)]) == 1
    captured = capsys.readouterr()
    assert "Not imported: bad.csv, line 1: 'hello' is not accepted; its first line names" in captured.err
    assert captured.out.endswith("imported, 5 of them new or changed; 1 file refused.\n")


def test_a_file_without_names_needs_a_known_key(tmp_path: Path, engine: Engine, capsys: Captured) -> None:
    file = tmp_path / "one.csv"
    file.write_text("datetime,open,high,low,close,volume\n2025-06-02 09:15,1000,1002,998.5,1001,70\n")
    assert main(["candles", "minutes", "import", "--key", "NOBODY", str(file)]) == 2
    assert (
        "--key: 'NOBODY' is not accepted; a symbol or key of the instrument master" in capsys.readouterr().err
    )
    assert main(["candles", "minutes", "import", "--symbol", "HDFCBANK", str(file)]) == 0
    assert [bar.volume for bar in stored(engine, HDFC)] == [70]


def test_imported_bars_are_exported_as_they_were(imported: Path, engine: Engine, capsys: Captured) -> None:
    before = stored(engine, HDFC)
    exported = imported.with_name("out.csv")
    assert main(["candles", "minutes", "export", "HDFCBANK", "--csv", str(exported)]) == 0
    assert capsys.readouterr().err == f"4 bars of 1m of NSE_EQ:1333 written to {exported}.\n"
    assert exported.read_text().splitlines()[:2] == [
        "key,start,open,high,low,close,volume,oi,source,marks,session",
        "NSE_EQ:1333,2025-06-02T09:15:00+05:30,1000.0,1002.0,998.5,1001.0,70,,file,,continuous",
    ]
    kept_sessions.forget(engine)
    assert minute_bars.prune(engine, 2**40) == 3
    assert main(["candles", "minutes", "import", str(exported)]) == 0
    assert stored(engine, HDFC) == before
    assert len(before) == 4


def test_an_export_keeps_marks_and_open_interest(engine: Engine, tmp_path: Path, capsys: Captured) -> None:
    bar = Bar(OPEN, 10_000, 20_000, 10_000, 20_000, 7, 9, PARTIAL, LIVE)
    minute_bars.upsert(engine, {HDFC: [bar]})
    file = tmp_path / "out.csv"
    file.write_text("\n".join(lines_of(HDFC, capsys=capsys)) + "\n")
    assert main(["candles", "minutes", "import", str(file)]) == 0
    assert stored(engine, HDFC) == [bar._replace(sources=FILE)]


@pytest.mark.parametrize(
    ("options", "rows"),
    [
        (
            ["--timeframe", "5m", "--to", "2025-06-02"],
            ["09:15:00+05:30,1000.0,1003.0,998.5,1000.05,100", "09:20"],
        ),
        (["--from", "2025-06-02T09:16", "--to", "2025-06-02T03:50Z"], ["09:16"]),
        (["--from", "2025-06-03"], ["09:15:00+05:30,1010.0"]),
        (["--from", "2025-06-04"], []),
    ],
)
def test_an_export_of_a_time_and_timeframe(
    imported: Path, options: list[str], rows: list[str], capsys: Captured
) -> None:
    lines = lines_of("HDFCBANK", *options, capsys=capsys)
    assert len(lines) == len(rows) + 1
    assert [row in line for row, line in zip(rows, lines[1:], strict=True)] == [True] * len(rows)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["NOBODY"], "KEY: 'NOBODY' is not accepted; a symbol or key of the instrument master"),
        ([HDFC, "--timeframe", "7m"], "timeframe: '7m' is not accepted; it is one of 1m, 3m, 5m"),
        ([HDFC, "--from", "June"], "--from: 'June' is not accepted; a day such as 2026-11-30, or an instant"),
        (
            [HDFC, "--from", "2025-06-03", "--to", "2025-06-01"],
            "--from: '2025-06-03' is not accepted; it is not",
        ),
        ([HDFC, "--csv", "/"], "--csv: '/' is not accepted; it cannot be written (Is a directory)"),
    ],
)
def test_a_wrong_option_is_one_sentence(options: list[str], sentence: str, capsys: Captured) -> None:
    assert main(["candles", "minutes", "export", *options]) == 2
    assert capsys.readouterr().err.startswith(sentence)


def test_status_prints_the_stored_bars_by_segment(imported: Path, engine: Engine, capsys: Captured) -> None:
    joined = Bar(OPEN + 60, 1, 1, 1, 1, 1, None, 0, LIVE | BROKER)
    minute_bars.upsert(engine, {NIFTY: [joined], HDFC: [joined._replace(start=OPEN + 900)]})
    assert main(["candles", "minutes", "status"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "IDX_I        1 instrument, 1 session from 2025-06-02 to 2025-06-02, 1 block of 0.0 MB, "
        "2 bars (file 1, mixed 1)",
        "NSE_EQ       1 instrument, 2 sessions from 2025-06-02 to 2025-06-03, 3 blocks of 0.0 MB, "
        "5 bars (file 4, mixed 1)",
    ]


def test_status_says_what_the_feed_covered(imported: Path, engine: Engine, capsys: Captured) -> None:
    midnight = OPEN - 33_300
    spans = [Connected(1, OPEN - 900, OPEN + 600), Connected(1, OPEN + 630, midnight + 86_400)]
    coverage.store(engine, spans, [Subscription(HDFC, midnight, midnight + 86_400, 1)])
    assert main(["candles", "minutes", "status"]) == 0
    assert capsys.readouterr().out.splitlines()[-2:] == [
        "Coverage of 2025-06-02 by the feed:",
        "NSE_EQ       connected in 409 of 410 minutes, not 09:25 to 09:26; 1 instrument subscribed, "
        "0 of them in all minutes",
    ]


def test_an_empty_database_is_no_error(capsys: Captured) -> None:
    assert main(["candles", "minutes", "status"]) == 0
    assert main(["candles", "minutes", "verify"]) == 0
    assert main(["candles", "minutes", "prune"]) == 0
    assert main(["candles", "minutes", "pack"]) == 0
    assert capsys.readouterr().out.startswith(
        "There are no one-minute bars.\n0 blocks with 0 bars verified; 0 are damaged.\n0 blocks from before "
    )


def test_status_names_simulated_bars(engine: Engine, capsys: Captured) -> None:
    minute_bars.upsert(engine, {HDFC: [Bar(OPEN, 1, 1, 1, 1, 1)]}, simulated=True)
    assert main(["candles", "minutes", "status"]) == 0
    assert capsys.readouterr().out.startswith("The bars are simulated; real ones that are imported")


def test_sound_blocks_are_verified(imported: Path, capsys: Captured) -> None:
    assert main(["candles", "minutes", "verify"]) == 0
    assert capsys.readouterr().out == "3 blocks with 5 bars verified; 0 are damaged.\n"


def test_damaged_blocks_are_named_and_the_status_is_1(
    imported: Path, engine: Engine, capsys: Captured
) -> None:
    bad = Bar(OPEN, 10_000, 20_000, 10_000, 30_000, 7)
    minute_bars.upsert(
        engine, {"NSE_EQ:22": [bad, bad._replace(start=OPEN + 60), bad._replace(start=OPEN + 120)]}
    )
    minute_bars.upsert(engine, {"NSE_EQ:25": [bad._replace(start=OPEN - DAY_S, close=10_000)]})
    with writing(engine) as connection:
        these = (table.c.segment == "IDX_I") & (table.c.security_id == 13)
        connection.execute(update(table).where(these).values(packed=packed([bad], OPEN)[:-1]))
    assert main(["candles", "minutes", "verify"]) == 1
    captured = capsys.readouterr()
    assert captured.out == "5 blocks with 8 bars verified; 3 are damaged.\n"
    assert captured.err.splitlines()[-3:] == [
        "IDX_I:13: 2025-06-02 09:15 the block is damaged",
        "NSE_EQ:22: 2025-06-02 09:15 the close is not between low and high, "
        "2025-06-02 09:16 the close is not between low and high and 1 more",
        "NSE_EQ:25: 2025-06-01 09:15 it lies outside of the trading hours of its day",
    ]


def test_many_damaged_blocks_are_counted(engine: Engine, capsys: Captured) -> None:
    bad = Bar(OPEN, 10_000, 20_000, 10_000, 30_000, 7)
    minute_bars.upsert(engine, {f"NSE_EQ:{number}": [bad] for number in range(1, 16)})
    assert main(["candles", "minutes", "verify"]) == 1
    captured = capsys.readouterr()
    assert captured.err.splitlines()[-1] == "and 3 other blocks"
    assert captured.out == "15 blocks with 15 bars verified; 15 are damaged.\n"


def test_old_blocks_are_pruned_in_small_transactions(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    today = minute_upkeep.midnight_of(int(datetime.now(UTC).timestamp())) + 36_000
    kept = Bar(today - 60 * DAY_S, 1, 1, 1, 1, 1)
    old = [kept._replace(start=kept.start - number * DAY_S) for number in range(1, 6)]
    minute_bars.upsert(engine, {HDFC: [kept, *old]})
    deleted = []

    def prune(*arguments: Any, **options: Any) -> int:
        deleted.append(real(*arguments, **options))
        return deleted[-1]

    real = minute_bars.prune
    monkeypatch.setattr(minute_bars, "prune", prune)
    monkeypatch.setenv("LONGER_BARS_DAYS", "1")  # as many as of one minute: no five-minute bars
    monkeypatch.setattr("ltp.batch.minutes.upkeep._AT_ONCE", 2)
    assert main(["candles", "minutes", "prune"]) == 0
    assert deleted == [2, 2, 1]
    day = (datetime.fromtimestamp(kept.start, UTC) + timedelta(hours=5, minutes=30)).date()
    assert (
        capsys.readouterr().out == f"5 blocks from before {day} deleted, and 0 blocks of five-minute bars.\n"
    )
    assert stored(engine, HDFC) == [kept]
    assert main(["candles", "minutes", "prune", "--days", "1"]) == 0
    assert stored(engine, HDFC) == []


def test_imported_history_stays_until_it_is_asked_for(
    imported: Path, engine: Engine, capsys: Captured
) -> None:
    """June of 2025: older than 60 days, so it would go the next night, though somebody imported it to see it."""
    before = stored(engine, HDFC)
    assert main(["candles", "minutes", "upkeep"]) == 0
    assert main(["candles", "minutes", "prune"]) == 0
    assert "2 sessions imported as history kept; --imported deletes them too." in capsys.readouterr().out
    assert stored(engine, HDFC) == before
    assert main(["candles", "minutes", "prune", "--imported"]) == 0
    assert "history kept" not in capsys.readouterr().out
    assert stored(engine, HDFC) == []
    fives = lines_of("HDFCBANK", "--timeframe", "15m", capsys=capsys)[1:]
    assert [line.split(",")[1] for line in fives] == [
        "2025-06-02T09:15:00+05:30",
        "2025-06-03T09:15:00+05:30",
    ]
    assert main(["candles", "minutes", "status"]) == 0
    assert "NSE_EQ       five minutes: 1 instrument, 2 sessions from" in capsys.readouterr().out
    assert main(["candles", "minutes", "verify"]) == 0
    assert "; 0 are damaged." in capsys.readouterr().out


def test_a_recent_session_that_is_imported_is_no_history(
    engine: Engine, tmp_path: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MINUTE_BARS_DAYS", "3650")
    file = tmp_path / "bars.csv"
    file.write_text(LINES)
    assert main(["candles", "minutes", "import", str(file)]) == 0
    assert "history" not in capsys.readouterr().out
    monkeypatch.setenv("MINUTE_BARS_DAYS", "60")
    assert main(["candles", "minutes", "prune"]) == 0
    assert stored(engine, HDFC) == []


def test_sessions_that_are_over_are_packed(engine: Engine, capsys: Captured) -> None:
    now = int(datetime.now(UTC).timestamp())
    today = [Bar(minute_upkeep.midnight_of(now) + quarter * 900, 1, 1, 1, 1, 1) for quarter in range(2)]
    before = [Bar(OPEN + number * 60, 1, 1, 1, 1, 1) for number in range(60)]
    minute_bars.upsert(engine, {HDFC: [*before, *today], NIFTY: before[:3]})
    assert main(["candles", "minutes", "pack"]) == 0
    assert capsys.readouterr().out == "1 session of instruments packed.\n"
    assert minute_bars.fetch_starts(engine, HDFC) == [OPEN, *(bar.start for bar in today)]
    assert stored(engine, HDFC) == [*before, *today]


def test_the_upkeep_of_every_night_deletes_and_packs(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    monkeypatch.setenv("MINUTE_BARS_DAYS", "2")
    today = minute_upkeep.midnight_of(int(datetime.now(UTC).timestamp())) + 36_000
    bars = [Bar(today - days * DAY_S + late, 1, 1, 1, 1, 1) for days in (3, 2, 1, 0) for late in (0, 1_200)]
    minute_bars.upsert(engine, {HDFC: bars})
    assert main(["candles", "minutes", "upkeep"]) == 0
    assert capsys.readouterr().out == "2 sessions of instruments packed, 2 old blocks deleted.\n"
    assert stored(engine, HDFC) == bars[2:]


@pytest.mark.parametrize("days", ["0", "x", "20001", "²"])
def test_days_are_a_number(days: str) -> None:
    with pytest.raises(SystemExit):
        main(["candles", "minutes", "prune", "--days", days])
