"""`python -m ltp candles renames`, and the output of an import about unknown symbols."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine

from ltp.cli.main import main
from ltp.core.instrument import Instrument
from ltp.db import candles, instruments
from ltp.db.engine import open_engine

HEAD = "date,symbol,open,high,low,close,volume\n"
KEY = "NSE_EQ:5097"
FIRST = date(2025, 4, 1)


@pytest.fixture(autouse=True)
def engine(database_url: str) -> Engine:
    engine = open_engine(database_url)
    instruments.seed(engine, [Instrument("NSE_EQ", 5097, "ETERNAL", "Eternal", "", 1, 500, "EQ")])
    return engine


@pytest.fixture
def renamed(tmp_path: Path) -> Path:
    """ZOMATO trades for five days, ETERNAL for five more; HDFCBANK and SOLD all the time."""
    lines = []
    for number in range(10):
        day, symbol = FIRST + timedelta(days=number), "ZOMATO" if number < 5 else "ETERNAL"
        lines += [f"{day},{each},215,217,213,216,1000\n" for each in (symbol, "HDFCBANK", "SOLD")]
    file = tmp_path / "days.csv"
    file.write_text(HEAD + "".join(lines))
    return file


def test_a_suspected_rename_is_confirmed_and_never_joined_by_itself(
    renamed: Path, engine: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["candles", "import", str(renamed)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[:4] == [
        "2 symbols are not in the instrument master, and 50.0% of the share-days left out with them: 15 "
        "rows of SOLD, ZOMATO.",
        "NSE's list tells renames: `python -m ltp candles renames symbolchange.csv`, then import the same "
        "once more.",
        "1 rename is suspected; confirm with `python -m ltp candles renames OLD NEW`, then import the same "
        "once more:",
        "ZOMATO       ETERNAL      2025-04-06 ZOMATO closed at 216.00 and ETERNAL opened at 215.00 in the "
        "next session; "
        "1.0 times the volume",
    ]
    assert len(candles.fetch(engine, "raw", KEY)) == 5
    assert main(["candles", "import", str(renamed)]) == 0
    assert len(candles.fetch(engine, "raw", KEY)) == 5, "it is not confirmed"
    assert main(["candles", "renames", "zomato", "eternal"]) == 0
    capsys.readouterr()
    assert main(["candles", "import", str(renamed)]) == 0
    assert "1 symbol is not in the instrument master, and 33.3% of" in capsys.readouterr().out
    assert len(candles.fetch(engine, "raw", KEY)) == 10


def test_many_are_written_to_files_which_confirm_them(
    renamed: Path, engine: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    instruments.seed(engine, [Instrument("NSE_EQ", 3456, "TMPV", "", "", 1, 500, "EQ")])
    more = []
    for number in range(10):
        day, symbol = FIRST + timedelta(days=number), "TATAMOTORS" if number < 7 else "TMPV"
        more += [
            f"{day},{each},400,401,399,400,50000\n" for each in (symbol, *(f"GONE{n}" for n in range(12)))
        ]
    damaged = "2025-04-01,BAD,1,2,3,1,9\n2025-04-02,BAD,1,2,3,1,9\n"
    renamed.write_text(renamed.read_text() + "".join(more) + damaged)
    assert main(["candles", "import", str(renamed)]) == 0
    out = capsys.readouterr().out
    assert (
        "15 symbols are not in the instrument master, and 88.8% of the share-days left out with them: 142 "
        "rows of GONE0," in out
    )
    assert "GONE9 and 3 more.\n" in out
    assert "2 renames are suspected" in out
    assert "All that was left out is in state/candles-left-out.csv." in out
    lines = Path("state/candles-left-out.csv").read_text().splitlines()
    assert lines[0] == "symbol,rows,first,last,reason"
    assert lines[1] == "GONE0,10,2025-04-01,2025-04-10,not in the instrument master"
    assert (
        "TATAMOTORS,7,2025-04-01,2025-04-07,not in the instrument master; suspected to be TMPV since "
        "2025-04-08" in lines
    )
    assert lines[-1].startswith(',1,,,"days.csv, line ')
    assert len(lines) == 18
    assert main(["candles", "renames", "state/candles-renames-suspected.csv"]) == 0
    assert main(["candles", "import", str(renamed)]) == 0
    assert {key: len(candles.fetch(engine, "raw", key)) for key in (KEY, "NSE_EQ:3456")} == {
        KEY: 10,
        "NSE_EQ:3456": 10,
    }


def test_a_folder_that_cannot_be_written_costs_the_file_alone(
    renamed: Path, engine: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("state").write_text("a file where the folder should be")
    renamed.write_text(renamed.read_text() + "".join(f"2025-04-01,GONE{n},1,1,1,1,9\n" for n in range(12)))
    assert main(["candles", "import", str(renamed)]) == 0
    assert "state/candles-left-out.csv cannot be written (File exists)" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["ZOMATO", "NOBODY"], "There is no listed share called 'NOBODY'"),
        (
            ["HDFCBANK", "ETERNAL"],
            "OLD: 'HDFCBANK' is not accepted; another listed share has that symbol now",
        ),
        (
            ["A", "B", "C"],
            "renames: 'A B C' is not accepted; a file, or an old symbol and the one that its share has now",
        ),
    ],
)
def test_a_wrong_argument_is_one_sentence(
    arguments: list[str], sentence: str, engine: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["candles", "renames", *arguments]) == 2
    assert capsys.readouterr().err == sentence + "\n"
    assert instruments.fetch_names(engine) == {}


def test_a_rename_that_was_given_wrongly_is_given_anew(
    engine: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    instruments.seed(engine, [Instrument("NSE_EQ", 11536, "TCS", "TCS", "", 1, 500, "EQ")])
    assert main(["candles", "renames", "ZOMATO", "TCS"]) == 0
    assert main(["candles", "renames", "ZOMATO", "ETERNAL"]) == 0
    assert instruments.fetch_names(engine) == {("NSE_EQ", "ZOMATO"): KEY}
