"""The import as a whole: a good file changes instruments and universes, a bad one nothing."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Iterator
from datetime import date
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from sqlalchemy import Engine

from ltp.batch import master_file
from ltp.batch.master_import import import_from, last_import
from ltp.batch.seed import ensure
from ltp.core.history.candle import Candle
from ltp.core.instrument import Instrument
from ltp.db import candles, instruments, universes
from ltp.db.engine import open_engine
from ltp.errors import FeedError, InputError

HEADER = (
    "EXCH_ID,SEGMENT,SECURITY_ID,ISIN,INSTRUMENT,UNDERLYING_SECURITY_ID,UNDERLYING_SYMBOL,SYMBOL_NAME,"
    "DISPLAY_NAME,"
    "INSTRUMENT_TYPE,SERIES,LOT_SIZE,SM_EXPIRY_DATE,STRIKE_PRICE,OPTION_TYPE,TICK_SIZE,EXPIRY_FLAG,"
)
HDFC = "NSE,E,1333,INE040A01034,EQUITY,,HDFCBANK,HDFC BANK LTD,HDFC Bank,ES,EQ,1,,,,5,NA,"
TMPV = (
    "NSE,E,3456,INE155A01022,EQUITY,,TMPV,TATA MOTORS PASS VEH LTD,Tata Motors Passenger Vehicles,ES,EQ,1,,,"
    ",5,NA,"
)
BOND = "NSE,E,25510,INE775A08105,EQUITY,,HDFCBANK,BOND,HDFC 6.5%,DEB,D1,1,,,,5,NA,"
GOLD = "NSE,E,14428,INF204KB17I5,EQUITY,,GOLDBEES,GOLDBEES,Gold BeES,ETF,EQ,1,,,,1,NA,"
JBMA = "NSE,E,501,INE927D01044,EQUITY,,JBMA,JBM AUTO,JBM Auto,ES,EQ,1,,,,5,NA,"
JBMA_BE = "NSE,E,502,INE927D01044,EQUITY,,JBMA,JBM AUTO,JBM Auto,ES,BE,1,,,,5,NA,"
NIFTY = "NSE,I,13,NA,INDEX,13,NIFTY,NIFTY,Nifty 50,INDEX,NA,1,0001-01-01,,XX,0.05,N,"
CANDLE = Candle(date(2026, 11, 20), 100, 120, 90, 110, 5_000)
SHARES = [HDFC, TMPV, BOND, GOLD, JBMA, NIFTY]


def future(id_: int, symbol: str, number: int) -> str:
    return (
        f"NSE,D,{id_},NA,FUTSTK,{number},{symbol},{symbol}-Sep2026-FUT,{symbol} SEP FUT,FUT,NA,550,29/09/26,"
        "-0.01,XX,5,M,"
    )


FUTURES = [
    future(1, "HDFCBANK", 1333),
    future(2, "TATAMOTORS", 3456),
    future(3, "011NSETEST", 14747),
    future(4, "GOLDBEES", 0),
]


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    return open_engine(f"sqlite:///{tmp_path / 'ltp.sqlite3'}")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "master.csv"
    write(file, *SHARES, *FUTURES)
    return file


def write(file: Path, *lines: str, end: str = "\n") -> None:
    file.write_text("\n".join((HEADER, *lines)) + end)


def known(engine: Engine) -> list[Instrument]:
    return instruments.fetch_all(engine)


def test_an_import_stores_instruments_and_universes(engine: Engine, file: Path) -> None:
    done = import_from(engine, str(file))
    assert done.rows == {"NSE_EQ": 5, "IDX_I": 1, "NSE_FNO": 4}
    assert (done.shares, done.futures, done.retired, done.left_out) == (3, 2, 0, 0)
    assert done.unknown == ("011NSETEST", "GOLDBEES")
    assert instruments.fetch_one(engine, "NSE_EQ", 1333) == Instrument(
        "NSE_EQ", 1333, "HDFCBANK", "HDFC Bank", "INE040A01034", 1, 500, "EQ"
    )
    assert universes.keys(engine, "all") == ["NSE_EQ:501", "NSE_EQ:1333", "NSE_EQ:3456"]
    assert universes.keys(engine, "fno") == ["NSE_EQ:1333", "NSE_EQ:3456"]
    assert universes.fetch(engine)["all"].source == "master.csv"


def test_gzip_is_read_like_plain_text(engine: Engine, file: Path, tmp_path: Path) -> None:
    packed = tmp_path / "master.csv.gz"
    packed.write_bytes(gzip.compress(file.read_bytes()))
    import_from(engine, str(packed))
    there = known(engine)
    import_from(engine, str(file))
    assert known(engine) == there


def test_the_next_day_renames_moves_and_ends(engine: Engine, file: Path) -> None:
    write(file, HDFC, TMPV.replace("TMPV", "TATAMOTORS"), JBMA, NIFTY, *FUTURES)
    import_from(engine, str(file))
    candles.upsert(engine, "raw", {"NSE_EQ:501": [CANDLE]})
    write(file, HDFC.replace("INE040A01034", "INE040A01042"), TMPV, JBMA_BE, NIFTY, *FUTURES[1:])
    done = import_from(engine, str(file))
    assert (done.retired, done.moved) == (2, 1)
    assert candles.fetch(engine, "raw", "NSE_EQ:502") == [CANDLE]
    names = instruments.fetch_names(engine)
    assert names == {("NSE_EQ", "TATAMOTORS"): "NSE_EQ:3456", ("NSE_EQ", "INE040A01034"): "NSE_EQ:1333"}
    assert [
        (each.security_id, each.series)
        for each in instruments.fetch(engine, "NSE_EQ")
        if each.symbol == "JBMA"
    ] == [
        (501, ""),
        (502, "BE"),
    ]
    assert "NSE_FNO:1" not in {each.key for each in known(engine)}
    assert universes.keys(engine, "fno") == ["NSE_EQ:3456"], "the future is still called after the old name"
    assert universes.keys(engine, "all") == ["NSE_EQ:1333", "NSE_EQ:3456"]


def test_a_part_leaves_the_other_segments_as_they_are(engine: Engine, file: Path) -> None:
    import_from(engine, str(file))
    write(file, *FUTURES[:1])
    done = import_from(engine, str(file))
    assert (done.shares, done.futures, done.retired) == (0, 1, 3)
    assert len(instruments.fetch(engine, "NSE_EQ")) == 5
    assert universes.fetch(engine)["all"].size == 3


def test_of_a_repeated_key_the_first_row_counts(engine: Engine, file: Path) -> None:
    write(file, HDFC, HDFC.replace("HDFCBANK", "OTHER"))
    assert import_from(engine, str(file)).rows == {"NSE_EQ": 1}
    assert [each.symbol for each in known(engine)] == ["HDFCBANK"]
    assert instruments.fetch_names(engine) == {}


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (
            b"<!DOCTYPE html>\n<title>503</title>\n",
            "master.csv, line 1: '<!DOCTYPE html>' is not accepted; the first line names",
        ),
        (b"", "master.csv, line 1: '' is not accepted; the first line names"),
        (
            f"{HEADER}\n{HDFC}\nNSE,E,77,INE0".encode(),
            "master.csv, line 3: 'NSE,E,77,INE0' is not accepted; the file ends",
        ),
        (
            f"{HEADER}\n{HDFC.replace('1333', 'x')}\n".encode(),
            "master.csv, rows: '1 of 1 unreadable' is not accepted; at most",
        ),
        (
            gzip.compress(f"{HEADER}\n{HDFC}\n".encode() * 99)[:-9],
            "file: 'master.csv' is not accepted; the compressed file is",
        ),
        (b"\x1f\x8b\x00\x00 no gzip", "file: 'master.csv' is not accepted; it is damaged"),
        (b"x" * 200_000, "master.csv, line 1: '" + "x" * 77 + "...' is not accepted"),
    ],
)
def test_a_bad_file_changes_nothing(engine: Engine, file: Path, content: bytes, sentence: str) -> None:
    import_from(engine, str(file))
    before = known(engine), universes.fetch(engine)
    file.write_bytes(content)
    with pytest.raises(InputError) as caught:
        import_from(engine, str(file))
    assert str(caught.value).startswith(sentence)
    assert (known(engine), universes.fetch(engine)) == before


def test_a_file_that_is_not_there(engine: Engine) -> None:
    with pytest.raises(
        InputError, match=r"file: 'nothing.csv' is not accepted; it cannot be read \(No such file"
    ):
        import_from(engine, "nothing.csv")


def test_a_suspiciously_short_file_changes_nothing_unless_forced(engine: Engine, file: Path) -> None:
    many = [HDFC.replace("1333", str(id_)) for id_ in range(1, 121)]
    write(file, *many)
    import_from(engine, str(file))
    write(file, *many[:50])
    with pytest.raises(InputError, match="segment NSE_EQ: '50 instruments' is not accepted; 120 are known"):
        import_from(engine, str(file))
    assert universes.fetch(engine)["all"].size == 120
    assert import_from(engine, str(file), force=True).retired == 70
    assert universes.fetch(engine)["all"].size == 50


def test_more_text_than_any_master_has_is_refused(
    engine: Engine, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(master_file, "MAX_TEXT_BYTES", 300)
    with pytest.raises(InputError, match="a file holds at most"):
        import_from(engine, str(file))
    assert known(engine) == []


def test_progress_is_reported_in_stages(engine: Engine, file: Path) -> None:
    seen: list[tuple[str, int, int]] = []
    import_from(engine, str(file), progress=lambda *now: seen.append(now))
    assert {stage for stage, _, _ in seen} == {"checking", "storing"}
    assert seen[-1] == ("storing", 10, 10)


def test_the_shipped_instruments_are_no_import(engine: Engine, file: Path) -> None:
    assert last_import(engine) is None
    ensure(engine)
    assert last_import(engine) is None
    import_from(engine, str(file))
    assert last_import(engine) == universes.fetch(engine)["all"].changed_at


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    class Quiet(SimpleHTTPRequestHandler):
        def __init__(self, *arguments: object) -> None:
            super().__init__(*arguments, directory=str(tmp_path))  # type: ignore[arg-type]

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Quiet) as http:
        thread = threading.Thread(target=http.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{http.server_port}"
        http.shutdown()
        thread.join()


def test_an_address(engine: Engine, file: Path, server: str) -> None:
    seen: list[str] = []
    import_from(engine, f"{server}/master.csv?token=SECRET", progress=lambda stage, *_: seen.append(stage))
    assert list(dict.fromkeys(seen)) == ["fetching", "checking", "storing"]
    assert universes.fetch(engine)["all"].source == "master.csv"
    with pytest.raises(FeedError, match="HTTP 404"):
        import_from(engine, f"{server}/other.csv")
    file.write_text("<html>all is well</html>\n")
    with pytest.raises(InputError, match=r"master.csv, line 1: '<html>"):
        import_from(engine, f"{server}/master.csv")
    assert universes.fetch(engine)["all"].size == 3
