"""The commands about instruments, universes and watchlists."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import Engine

from ltp.cli.main import main
from ltp.core.history.candle import Candle
from ltp.db import candles, instruments, universes
from ltp.db.engine import open_engine

HEADER = (
    "EXCH_ID,SEGMENT,SECURITY_ID,ISIN,INSTRUMENT,UNDERLYING_SECURITY_ID,UNDERLYING_SYMBOL,SYMBOL_NAME,"
    "DISPLAY_NAME,"
    "INSTRUMENT_TYPE,SERIES,LOT_SIZE,TICK_SIZE,\n"
)
HDFC = "NSE,E,1333,INE040A01034,EQUITY,,HDFCBANK,HDFC BANK LTD,HDFC Bank,ES,EQ,1,5,\n"
LIST = "Company Name,Industry,Symbol,Series,ISIN Code\n"


@pytest.fixture(autouse=True)
def engine(database_url: str) -> Engine:
    return open_engine(database_url)


@pytest.fixture
def master(tmp_path: Path) -> Path:
    file = tmp_path / "master.csv"
    file.write_text(HEADER + HDFC)
    return file


def test_an_import_prints_its_result(
    master: Path, engine: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["instruments", "import", str(master)]) == 0
    captured = capsys.readouterr()
    assert captured.out == "1 instrument imported (NSE_EQ 1); 0 no longer listed; 1 EQ share.\n"
    assert captured.err.splitlines()[0].startswith("checking ")
    assert instruments.fetch_one(engine, "NSE_EQ", 1333).name == "HDFC Bank"


def test_an_import_prints_the_rows_left_out(master: Path, capsys: pytest.CaptureFixture[str]) -> None:
    future = "NSE,D,9,NA,FUTSTK,1,0NSETEST,0NSETEST-Sep2026-FUT,,FUT,NA,5,5,\n"
    odd = HDFC.replace("1333", "x") + HDFC.replace("NSE,E", "NSE,M").replace("1333", "5") + future
    master.write_text(HEADER + HDFC + odd)
    assert main(["instruments", "import", str(master)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("1 row could not be read and was left out; the first is line 3 ('NSE,E,x,")
    assert lines[1] == "Left out, because there are no prices of them: 1 of NSE M"
    assert lines[2] == "Underlyings that are no share of the master: 0NSETEST"


def test_a_share_with_a_history_that_no_listing_continues_is_named(
    master: Path, engine: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    master.write_text(
        HEADER + HDFC + HDFC.replace("1333", "7").replace("HDFCBANK", "GONE").replace("INE040A", "INE999Z")
    )
    assert main(["instruments", "import", str(master)]) == 0
    candles.upsert(engine, "raw", {"NSE_EQ:7": [Candle(date(2026, 6, 29), 10, 11, 9, 10, 1000)]})
    master.write_text(HEADER + HDFC)
    capsys.readouterr()
    assert main(["instruments", "import", str(master)]) == 0
    first, last = capsys.readouterr().out.splitlines()
    assert first == "1 share that is no longer listed has candles which no listing continues: GONE"
    assert "; 1 share ended with candles that nothing continues; " in last, (
        "the worker's log has this line alone"
    )


def test_without_a_place_the_address_of_the_settings_is_fetched(
    master: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fetched: list[str] = []
    monkeypatch.setattr("ltp.batch.master_import.download", lambda url, *_, **__: fetched.append(url))
    assert main(["instruments", "import"]) == 2
    monkeypatch.setenv("INSTRUMENT_MASTER_URL", "http://127.0.0.1/m.csv")
    assert main(["instruments", "import"]) == 2
    assert fetched == [
        "https://images.dhan.co/api-data/api-scrip-master-detailed.csv",
        "http://127.0.0.1/m.csv",
    ]
    assert "m.csv, line 1: '' is not accepted" in capsys.readouterr().err


def test_a_bad_file_is_a_sentence_and_status_2(
    master: Path, engine: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    master.write_text("<html>\n")
    assert main(["instruments", "import", str(master)]) == 2
    assert (
        capsys.readouterr()
        .err.splitlines()[-1]
        .startswith("master.csv, line 1: '<html>' is not accepted; the first line")
    )
    assert instruments.fetch_all(engine) == []


def test_a_list_of_the_exchange_is_a_universe_and_names_sectors(
    tmp_path: Path, engine: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "ind_list.csv"
    file.write_text(
        LIST
        + "HDFC Bank,Banks,HDFCBANK,EQ,INE040A01034\nX,Y,RELIANCEOLD,EQ,INE002A01018\nNew,IT,DUMMYNEW,EQ,INE000X01011\n"
    )
    assert main(["universes", "import", "nifty200", str(file)]) == 0
    out = capsys.readouterr().out
    assert (
        out
        == "Left out, because the instrument master does not know them: DUMMYNEW\nnifty200 (NIFTY 200) has 2 members.\n"
    )
    assert universes.keys(engine, "nifty200") == ["NSE_EQ:1333", "NSE_EQ:2885"]
    assert instruments.fetch_one(engine, "NSE_EQ", 1333).sector == "Banks"
    assert main(["universes", "import", "niftyit", str(file), "--title", "NIFTY IT"]) == 0
    main(["universes", "list"])
    lines = capsys.readouterr().out.splitlines()[-5:]
    assert [line.split()[:2] for line in lines] == [
        ["nifty50", "50"],
        ["nifty100", "100"],
        ["nifty200", "2"],
        ["all", "100"],
        ["niftyit", "2"],
    ]


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("NIFTY 50", LIST, "NAME: 'NIFTY 50' is not accepted; a name is small letters"),
        ("all", LIST, "NAME: 'all' is not accepted; all and fno come from"),
        ("list-x", LIST, "NAME: 'list-x' is not accepted"),
        ("nifty50", "<html>\n", "ind_list.csv, line 1: '<html>' is not accepted"),
        (
            "nifty50",
            LIST + "A,B,AAA1,EQ,X\nA,B,BBB1,EQ,X\nA,B,TCS,EQ,X\n",
            "'AAA1, BBB1' is not accepted; the instrument master knows",
        ),
    ],
)
def test_a_universe_that_is_not_accepted_changes_nothing(
    name: str, content: str, sentence: str, tmp_path: Path, engine: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "ind_list.csv"
    file.write_text(content)
    assert main(["universes", "import", name, str(file)]) == 2
    assert sentence in capsys.readouterr().err
    there = universes.fetch(engine)
    assert {universe.source for universe in there.values()} <= {universes.SHIPPED}
