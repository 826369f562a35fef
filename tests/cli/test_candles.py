"""`python -m ltp candles`, as an operator types it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine

from ltp.cli import files
from ltp.cli.main import main
from ltp.core.trading_day import IST
from ltp.db import candles, corporate_actions, universes
from ltp.db.engine import open_engine, writing
from ltp.feed.simulator import Simulator

HEADER = "SYMBOL,SERIES,OPEN,HIGH,LOW,CLOSE,LAST,PREVCLOSE,TOTTRDQTY,TOTTRDVAL,TIMESTAMP,TOTALTRADES,ISIN,\n"
ROW = "HDFCBANK,EQ,1990,2010,1980,2000,2000,1985,1000,2000000,24-JUN-2025,90,INE040A01034,\n"
SPLIT_DAY = date(2025, 7, 23)


@pytest.fixture(autouse=True)
def engine(database_url: str) -> Engine:
    return open_engine(database_url)


@pytest.fixture
def bhavcopy(tmp_path: Path) -> Path:
    file = tmp_path / "cm24JUN2025bhav.csv"
    file.write_text(HEADER + ROW)
    return file


@pytest.fixture
def split(tmp_path: Path) -> Path:
    """HDFCBANK costs 2,000 for thirty days and 400 from SPLIT_DAY on."""
    lines = ["date,symbol,open,high,low,close,volume"]
    for number in range(60):
        price, volume = (2000, 1000 + number % 7) if number < 30 else (400, 5000 + number % 7)
        lines.append(
            f"{date(2025, 6, 23) + timedelta(days=number)},HDFCBANK,{price},{price + 4},{price - 4},{price},"
            f"{volume}"
        )
    file = tmp_path / "h.csv"
    file.write_text("\n".join(lines))
    assert main(["candles", "import", str(file)]) == 0
    return file


def test_an_import_prints_its_result(
    bhavcopy: Path, engine: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    bhavcopy.write_text(HEADER + ROW + ROW.replace("HDFCBANK", "NOBODY").replace("INE040A01034", ""))
    assert main(["candles", "import", str(bhavcopy)]) == 0
    assert capsys.readouterr().out == (
        "1 symbol is not in the instrument master, and 50.0% of the share-days left out with them: 1 row of "
        "NOBODY.\n"
        "NSE's list tells renames: `python -m ltp candles renames symbolchange.csv`, then import the same "
        "once more.\n"
        "Bonuses below 1:5, and demergers that move a price by less than its band, do not show in candles: "
        "import the "
        "exchange's list with `actions import`.\n"
        "1 file of 1 day with 1 candle imported, 1 of them new or changed; 0 files refused.\n"
    )
    assert candles.last_days(engine, "raw") == {"NSE_EQ:1333": date(2025, 6, 24)}


def test_a_refused_file_is_printed_and_the_status_is_1(
    bhavcopy: Path, engine: Engine, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "bad.csv").write_text("hello\n")
    assert main(["candles", "import", str(tmp_path / "bad.csv"), str(bhavcopy)]) == 1
    captured = capsys.readouterr()
    assert "Not imported: bad.csv, line 1: 'hello' is not accepted" in captured.err
    assert captured.out.endswith(
        "1 file of 1 day with 1 candle imported, 1 of them new or changed; 1 file refused.\n"
    )
    assert candles.newest_day(engine) == date(2025, 6, 24)


def test_a_missing_path_is_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["candles", "import", "missing"]) == 2
    assert capsys.readouterr().err == "PATH: 'missing' is not accepted; it does not exist\n"


def test_adjusted_histories_are_kept_apart(split: Path, engine: Engine) -> None:
    assert main(["candles", "import", "--adjusted", str(split)]) == 0
    assert candles.last_days(engine, "adjusted") == candles.last_days(engine, "raw")


def test_rows_that_a_later_file_identifies_join_at_once(
    tmp_path: Path, engine: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "days"
    folder.mkdir()
    (folder / "1.csv").write_text(
        HEADER + ROW.replace("HDFCBANK", "HDFC1").replace("INE040A01034", "INE040A01026")
    )
    later = ROW.replace("HDFCBANK", "HDFC1").replace("24-JUN", "25-JUN")
    (folder / "2.csv").write_text(HEADER + later)
    assert main(["candles", "import", str(folder)]) == 0
    assert capsys.readouterr().out == (
        "1 former symbol was recognised by the ISIN: HDFC1 is HDFCBANK.\n"
        "Bonuses below 1:5, and demergers that move a price by less than its band, do not show in candles: "
        "import the "
        "exchange's list with `actions import`.\n"
        "2 files of 2 days with 2 candles imported, 2 of them new or changed; 0 files refused.\n"
    )
    assert [each.day for each in candles.fetch(engine, "raw", "NSE_EQ:1333")] == [
        date(2025, 6, 24),
        date(2025, 6, 25),
    ]
    assert [each.day for each in candles.days(engine)] == [date(2025, 6, 24), date(2025, 6, 25)]
    assert main(["candles", "import", str(folder)]) == 0
    assert "recognised" not in capsys.readouterr().out, "it is known by now"


def test_an_old_symbol_is_learned_for_files_without_isins(
    tmp_path: Path, engine: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    changes, full = tmp_path / "symbolchange.csv", tmp_path / "full.csv"
    changes.write_text("old,new,date\nHDFC1,HDFCBANK,2001-01-02\nTCS,INFY,2002-01-02\nA,NOBODY,2002-01-02\n")
    full.write_text("date,symbol,open,high,low,close,volume\n2000-12-29,HDFC1,200,201,199,200,9\n")
    assert main(["candles", "import", str(full)]) == 1
    capsys.readouterr()
    assert main(["candles", "renames", str(changes)]) == 0
    assert capsys.readouterr().out.startswith("1 old symbol learned; 2 are of shares that are not listed")
    assert main(["candles", "import", str(full)]) == 0
    assert candles.last_days(engine, "raw") == {"NSE_EQ:1333": date(2000, 12, 29)}


@pytest.mark.parametrize("command", [["candles", "renames"], ["actions", "import"]])
def test_a_file_of_no_sane_size_is_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], command: list[str]
) -> None:
    file = tmp_path / "large.csv"
    file.write_text("symbol,ex_date,ratio\n" * 9)
    monkeypatch.setattr(files, "MAX_BYTES", 20)
    assert main([*command, str(file)]) == 2
    assert "a file has at most" in capsys.readouterr().err
    assert main([*command, str(tmp_path / "missing.csv")]) == 2
    assert "it cannot be read" in capsys.readouterr().err


def test_status_prints_the_stored_candles(split: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert main(["candles", "status"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "raw       1 instrument, up to 2025-08-21, 0 of them ending earlier",
        "adjusted  0 instruments, no candle",
        "sessions  60 from 2025-06-23 to 2025-08-21; the newest from h.csv",
        "actions   1 detected, 0 unexplained, 0 confirmed, 0 dismissed",
    ]


def test_an_import_prints_suspected_actions(
    split: Path, engine: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    corporate_actions.replace_detected(engine, ["NSE_EQ:1333"], [])
    split.write_text(
        split.read_text().replace(
            "2025-08-21,HDFCBANK,400,404,396,400,", "2025-08-21,HDFCBANK,400,404,396,401,"
        )
    )
    assert main(["candles", "import", str(split)]) == 0
    first, second, _, _ = capsys.readouterr().out.splitlines()
    assert first.startswith("1 split, bonus or demerger is suspected, and the history is cut until")
    assert second.startswith("HDFCBANK     2025-07-23    5:1 detected  opened at 1/5.00")


def test_an_empty_database_is_no_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["candles", "status"]) == 0
    assert main(["actions", "list"]) == 0
    assert "no candle" in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments", [["candles"], ["candles", "import"], ["candles", "fetch", "--days", "0"], ["actions"]]
)
def test_an_unknown_command_or_option_is_refused(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    simulator = Simulator(rate=0.0).start()
    yield simulator
    simulator.stop()


def test_candles_are_fetched_from_the_broker(
    simulator: Simulator, engine: Engine, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in (("REST_URL", simulator.rest_url), ("CLIENT_ID", "1000"), ("ACCESS_TOKEN", "CANARY")):
        monkeypatch.setenv(f"DHANHQ_{name}", value)
    universes.replace(engine, "list-two", "Two", "test", ["NSE_EQ:1333", "NSE_EQ:11536"])
    counted: list[list[str]] = []
    monkeypatch.setattr("ltp.cli.candles._COUNTED_AT_ONCE", 2)
    monkeypatch.setattr(
        "ltp.cli.history_summary.summarize_candles", lambda *given: counted.append(list(given[-1]))
    )
    assert main(["candles", "fetch", "--universe", "list-two", "--days", "30"]) == 0
    assert counted == [["IDX_I:13", "NSE_EQ:1333"], ["NSE_EQ:11536"]]  # some meanwhile, the rest at the end
    newest = candles.last_days(engine, "adjusted")
    assert newest.keys() == {"IDX_I:13", "NSE_EQ:1333", "NSE_EQ:11536"}
    assert candles.last_days(engine, "raw") == {}
    assert all(day >= datetime.now(UTC).astimezone(IST).date() - timedelta(days=7) for day in newest.values())
    capsys.readouterr()
    assert main(["candles", "fetch", "--universe", "list-two", "--days", "30"]) == 0
    assert "0 candles of 0 instruments fetched" in capsys.readouterr().out


def test_simulated_candles_do_not_join_imported_ones_and_imported_ones_take_their_place(
    simulator: Simulator,
    engine: Engine,
    bhavcopy: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name, value in (("REST_URL", simulator.rest_url), ("CLIENT_ID", "1000"), ("ACCESS_TOKEN", "CANARY")):
        monkeypatch.setenv(f"DHANHQ_{name}", value)
    universes.replace(engine, "list-one", "One", "test", ["NSE_EQ:11536"])
    fetch = ["candles", "fetch", "--universe", "list-one", "--days", "30"]
    assert main(fetch) == 0
    assert main(["candles", "status"]) == 0
    assert (
        "The candles are simulated; real ones that are imported or fetched take their place.\n"
        in capsys.readouterr().out
    )
    assert main(["candles", "import", str(bhavcopy)]) == 0
    assert capsys.readouterr().out.endswith(
        "0 files refused; simulated candles of 2 instruments were removed first.\n"
    )
    assert candles.last_days(engine, "adjusted") == {}
    assert main(fetch) == 2
    assert (
        capsys.readouterr().err
        == "Simulated candles are not fetched: the database holds real ones, imported or the broker's\n"
    )
    assert (candles.last_days(engine, "adjusted"), [each.day for each in candles.days(engine)]) == (
        {},
        [date(2025, 6, 24)],
    )


def test_rows_of_other_series_are_counted(bhavcopy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    others = ROW.replace(",EQ,", ",SM,") * 2 + ROW.replace(",EQ,", ",GB,")
    bhavcopy.write_text(HEADER + ROW + others)
    assert main(["candles", "import", str(bhavcopy)]) == 0
    assert capsys.readouterr().out.startswith(
        "3 rows of series other than EQ, BE and BZ not read: SM 2, GB 1.\n"
    )


def test_a_damaged_row_is_counted_as_one(bhavcopy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bhavcopy.write_text(HEADER + ROW + ROW.replace("HDFCBANK", "TCS").replace("2010", "1"))
    assert main(["candles", "import", str(bhavcopy)]) == 0
    assert capsys.readouterr().out.startswith("1 row was left out; the first: ")


def test_very_different_prices_of_a_day_have_to_be_forced(
    bhavcopy: Path, engine: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["candles", "import", str(bhavcopy)]) == 0
    bhavcopy.write_text(HEADER + ROW.replace("2000", "1985"))
    assert main(["candles", "import", str(bhavcopy)]) == 1
    assert "--force replaces them" in capsys.readouterr().err
    assert [each.close for each in candles.fetch(engine, "raw", "NSE_EQ:1333")] == [2000_0000]
    assert main(["candles", "import", "--force", str(bhavcopy)]) == 0
    assert [each.close for each in candles.fetch(engine, "raw", "NSE_EQ:1333")] == [1985_0000]


def test_a_day_of_far_fewer_shares_is_printed(
    bhavcopy: Path, engine: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    with writing(engine) as connection:
        candles.note_day(connection, date(2025, 6, 23), "cm23JUN2025bhav.csv", 2000)
    assert main(["candles", "import", str(bhavcopy)]) == 0
    assert capsys.readouterr().out.splitlines()[0] == (
        "2025-06-24 has 1 share, and the days around it 2,000: cm24JUN2025bhav.csv may have been cut; "
        "import that day again from a whole file."
    )


def test_a_history_of_one_share_is_no_thin_day(
    split: Path, engine: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    with writing(engine) as connection:
        candles.note_day(connection, date(2025, 6, 22), "cm22JUN2025bhav.csv", 2000)
    assert main(["candles", "import", str(split)]) == 0
    assert "may have been cut" not in capsys.readouterr().out


def test_without_credentials_nothing_is_fetched(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["candles", "fetch"]) == 2
    assert "DHANHQ_ACCESS_TOKEN" in capsys.readouterr().err
