from __future__ import annotations

import gzip
import zipfile
from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine

from ltp.batch import candle_files, candle_import, unknown_rows
from ltp.batch.action_search import search_actions
from ltp.batch.candle_import import CandleImport, import_files
from ltp.batch.unknown_rows import UnknownSymbol
from ltp.core.history.candle import Candle
from ltp.core.history.corporate_action import Action
from ltp.core.instrument import Instrument
from ltp.db import candle_source, candles, corporate_actions, former_names, instruments
from ltp.db.engine import open_engine
from ltp.errors import InputError

HDFC = Instrument("NSE_EQ", 1333, "HDFCBANK", "HDFC Bank", "INE040A01034", 1, 500, "EQ")
LTM = Instrument("NSE_EQ", 17818, "LTM", "LTM", "INE214T01019", 1, 500, "EQ")
NIFTY = Instrument("IDX_I", 13, "NIFTY", "Nifty 50", "", 1, 0)
UDIFF = (
    "TradDt,Sgmt,Src,FinInstrmId,ISIN,TckrSymb,SctySrs,OpnPric,HghPric,LwPric,ClsPric,PrvsClsgPric,"
    "TtlTradgVol\n"
)
FULL = "SYMBOL, SERIES, DATE1, PREV_CLOSE, OPEN_PRICE, HIGH_PRICE, LOW_PRICE, CLOSE_PRICE, TTL_TRD_QNTY\n"
HISTORY = "date,symbol,open,high,low,close,volume\n"
TODAY = date(2025, 12, 31)
MONDAY, TUESDAY = date(2025, 6, 23), date(2025, 6, 24)


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    engine = open_engine(f"sqlite:///{tmp_path / 'db' / 'ltp.sqlite3'}")
    instruments.seed(engine, [HDFC, LTM, NIFTY])
    return engine


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "files"
    folder.mkdir()
    return folder


def udiff(day: date, *rows: str) -> bytes:
    return (UDIFF + "".join(f"{day},CM,NSE,{row}\n" for row in rows)).encode()


def hdfc(close: str = "2000", isin: str = "INE040A01034") -> str:
    return f"1333,{isin},HDFCBANK,EQ,1990,2010,1980,{close},1985,1000"


def candle(day: date, close: int = 2000) -> Candle:
    return Candle(day, 1990_0000, 2010_0000, 1980_0000, close * 10_000, 1000)


def run(engine: Engine, *paths: Path, **options: object) -> CandleImport:
    return import_files(engine, paths, today=TODAY, **options)  # type: ignore[arg-type]


def test_a_folder_of_every_format_and_packing(engine: Engine, folder: Path) -> None:
    (folder / "a.csv").write_bytes(udiff(MONDAY, hdfc()))
    (folder / "b.csv.gz").write_bytes(
        gzip.compress(f"{FULL}HDFCBANK, EQ, 24-Jun-2025, 1985, 1990, 2010, 1980, 2000, 1000\n".encode())
    )
    (folder / "deeper").mkdir()
    with zipfile.ZipFile(folder / "deeper" / "c.ZIP", "w") as archive:
        archive.writestr("one.csv", udiff(MONDAY + timedelta(days=2), hdfc()))
        archive.writestr("two.csv", udiff(MONDAY + timedelta(days=3), hdfc()))
    (folder / ".hidden.csv").write_bytes(b"x")
    (folder / "readme.txt").write_bytes(b"x")
    done = run(engine, folder)
    assert candles.fetch(engine, "raw", HDFC.key) == [
        candle(MONDAY + timedelta(days=offset)) for offset in range(4)
    ]
    assert (done.files, done.days, done.candles, done.changed, done.refused) == (4, 4, 4, 4, ())
    assert [(session.day, session.source, session.instruments) for session in candles.days(engine)][2:] == [
        (date(2025, 6, 25), "c.ZIP/one.csv", 1),
        (date(2025, 6, 26), "c.ZIP/two.csv", 1),
    ]


def test_the_same_file_twice_changes_nothing(engine: Engine, folder: Path) -> None:
    (folder / "a.csv").write_bytes(udiff(MONDAY, hdfc()))
    run(engine, folder)
    before = candles.days(engine)
    done = run(engine, folder, folder / "a.csv")
    assert (done.files, done.candles, done.changed) == (2, 2, 0)
    assert candles.days(engine) == before
    assert candles.fetch(engine, "raw", HDFC.key) == [candle(MONDAY)]


def test_a_bad_file_changes_nothing_and_holds_up_no_other(engine: Engine, folder: Path) -> None:
    (folder / "a.csv").write_bytes(b"hello")
    (folder / "b.csv").write_bytes(udiff(MONDAY, hdfc()))
    (folder / "c.csv").write_bytes(udiff(TUESDAY, *[hdfc(close="2011")] * 7))
    (folder / "d.zip").write_bytes(b"PK\x03\x04 and no more")
    (folder / "e.csv").write_bytes(udiff(TODAY + timedelta(days=1), hdfc()))
    (folder / "f.csv").write_bytes(
        udiff(TUESDAY, hdfc().replace("HDFCBANK", "NOBODY").replace("INE040A01034", ""))
    )
    done = run(engine, folder)
    assert [sentence.partition(":")[0] for sentence in done.refused] == [
        "a.csv, line 1",
        "c.csv",
        "d.zip",
        "e.csv",
        "f.csv",
    ]
    assert "after 2025-12-31, which is today" in done.refused[3]
    assert "instruments import" in done.refused[4]
    assert (done.files, done.changed) == (1, 1)
    assert candles.newest_day(engine) == MONDAY


def test_of_two_files_of_a_day_the_later_counts(engine: Engine, folder: Path) -> None:
    (folder / "a.csv").write_bytes(udiff(MONDAY, hdfc()))
    (folder / "b.csv").write_bytes(udiff(MONDAY, hdfc(close="1999")))
    assert run(engine, folder).changed == 1
    assert candles.fetch(engine, "raw", HDFC.key) == [candle(MONDAY, 1999)]


def test_damaged_rows_and_unknown_symbols_are_counted_and_named(engine: Engine, folder: Path) -> None:
    (folder / "a.csv").write_bytes(
        udiff(MONDAY, hdfc(), "5,,NOBODY,EQ,1,1,1,1,1,9", "6,,BROKEN,EQ,1,0,1,1,1,9").replace(
            b"EQ,1,0", b"EQ,1,0.5"
        )
    )
    done = run(engine, folder)
    assert (done.changed, done.damaged, done.unknown) == (1, 1, (UnknownSymbol("NOBODY", 1, MONDAY, MONDAY),))
    assert "a.csv, line 4" in done.sentences[0]


def test_a_rename_joins_the_old_history_also_where_a_format_has_no_isin(engine: Engine, folder: Path) -> None:
    (folder / "a.csv").write_bytes(udiff(MONDAY, "17818,INE214T01019,LTIM,EQ,1990,2010,1980,2000,1985,1000"))
    (folder / "b.csv").write_text(f"{FULL}LTIM, EQ, 24-Jun-2025, 1985, 1990, 2010, 1980, 2000, 1000\n")
    (folder / "c.csv").write_bytes(
        udiff(date(2025, 6, 25), "17818,INE214T01019,LTM,EQ,1990,2010,1980,2000,1985,1000")
    )
    done = run(engine, folder)
    assert (done.unknown, done.recognised) == ((), {"LTIM": "LTM"})
    assert candles.fetch(engine, "raw", LTM.key) == [
        candle(MONDAY),
        candle(TUESDAY),
        candle(date(2025, 6, 25)),
    ]
    assert instruments.fetch_names(engine) == {("NSE_EQ", "LTIM"): LTM.key}
    (folder / "b.csv").rename(folder / "again.csv")
    assert run(engine, folder / "again.csv").unknown == ()


def test_an_isin_of_a_later_file_joins_the_rows_that_were_read_before(engine: Engine, folder: Path) -> None:
    """Files without ISINs come first, as in a folder that is read by name; their rows are not lost."""
    (folder / "a.csv").write_text(f"{FULL}LTIM, EQ, 23-Jun-2025, 1985, 1990, 2010, 1980, 2000, 1000\n")
    rows = (
        "LTIM, EQ, 24-Jun-2025, 1985, 1990, 2010, 1980, 2000, 1000\nHDFCBANK, EQ, 24-Jun-2025, 1, 1990, "
        "2010, 1980, 2000, 7\n"
    )
    (folder / "b.csv").write_text(FULL + rows)
    (folder / "c.csv").write_bytes(
        udiff(date(2025, 6, 25), "17818,INE214T01019,LTIM,EQ,1990,2010,1980,2000,1985,1000")
    )
    (folder / "d.csv").write_text(f"{FULL}GONE, EQ, 23-Jun-2025, 1985, 1990, 2010, 1980, 2000, 1000\n")
    done = run(engine, folder)
    assert candles.fetch(engine, "raw", LTM.key) == [
        candle(MONDAY),
        candle(TUESDAY),
        candle(date(2025, 6, 25)),
    ]
    assert (done.files, done.days, done.candles, done.changed, done.recognised) == (
        3,
        3,
        4,
        4,
        {"LTIM": "LTM"},
    )
    assert [each.symbol for each in done.unknown] == ["GONE"]
    assert [sentence.partition(":")[0] for sentence in done.refused] == ["d.csv"]
    assert [session.day for session in candles.days(engine)] == [MONDAY, TUESDAY, date(2025, 6, 25)]


def test_rows_that_could_not_be_kept_ask_for_another_import(
    engine: Engine, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unknown_rows, "_MAX_BYTES", 1)
    rows = "{0},LTIM,1990,2010,1980,2000,1000\n{0},HDFCBANK,1990,2010,1980,2000,1000\n"
    (folder / "a.csv").write_text(HISTORY + rows.format("2025-06-23"))
    (folder / "b.csv").write_text(HISTORY + rows.format("2025-06-24"))
    (folder / "c.csv").write_bytes(
        udiff(date(2025, 6, 25), "17818,INE214T01019,LTIM,EQ,1990,2010,1980,2000,1985,1000")
    )
    done = run(engine, folder)
    assert (done.again, len(candles.fetch(engine, "raw", LTM.key))) == (("LTIM",), 2)
    done = run(engine, folder)
    assert (done.again, done.unknown, len(candles.fetch(engine, "raw", LTM.key))) == ((), (), 3)


def test_an_isin_that_changed_is_noted_with_its_last_day(engine: Engine, folder: Path) -> None:
    (folder / "a.csv").write_bytes(udiff(MONDAY, hdfc(isin="INE040A01026")))
    (folder / "b.csv").write_bytes(udiff(TUESDAY, hdfc()))
    run(engine, folder)
    assert former_names.isin_last_days(engine) == {HDFC.key: [MONDAY]}
    assert len(candles.fetch(engine, "raw", HDFC.key)) == 2


def test_a_share_that_got_a_new_id_keeps_its_history(engine: Engine, folder: Path) -> None:
    (folder / "a.csv").write_bytes(udiff(MONDAY, hdfc()))
    run(engine, folder)
    confirmed = Action(HDFC.key, MONDAY, 2, 1, "confirmed", "", "somebody")
    corporate_actions.confirm(engine, [confirmed])
    moved = HDFC._replace(security_id=4444, series="BE")
    instruments.seed(engine, [moved])
    with instruments.writing(engine) as connection:
        instruments.retire(connection, "NSE_EQ", {4444, 17818})
    (folder / "b.csv").write_bytes(udiff(TUESDAY, hdfc().replace("1333", "4444").replace(",EQ,", ",BE,")))
    run(engine, folder)
    assert candles.fetch(engine, "raw", HDFC.key) == []
    assert candles.fetch(engine, "raw", moved.key) == [candle(MONDAY), candle(TUESDAY)]
    assert corporate_actions.fetch(engine) == [confirmed._replace(key=moved.key)]


def test_a_history_of_many_days_and_an_index(engine: Engine, folder: Path) -> None:
    rows = "2025-06-23,HDFCBANK,1990,2010,1980,2000,1000\n2025-06-24,HDFCBANK,1990,2010,1980,2000,0\n"
    rows += "2025-06-24,NIFTY,25000,25100,24900,25050,0\n"
    (folder / "h.csv").write_text(HISTORY + rows)
    assert run(engine, folder).changed == 2
    assert candles.fetch(engine, "raw", HDFC.key) == [candle(MONDAY)]
    assert [each.close for each in candles.fetch(engine, "raw", NIFTY.key)] == [25050_0000]


def test_adjusted_histories_lie_apart_and_a_bhavcopy_is_none(engine: Engine, folder: Path) -> None:
    (folder / "h.csv").write_text(f"{HISTORY}2025-06-23,HDFCBANK,1990,2010,1980,2000,1000\n")
    (folder / "i.csv").write_bytes(udiff(TUESDAY, hdfc()))
    done = run(engine, folder, basis="adjusted")
    assert candles.fetch(engine, "adjusted", HDFC.key) == [candle(MONDAY)]
    assert candles.fetch(engine, "raw", HDFC.key) == []
    assert "only histories can be adjusted" in done.refused[0]


def test_a_step_without_a_simple_ratio_is_stored_with_its_prices(engine: Engine, folder: Path) -> None:
    lines = []
    for number in range(60):
        price = 2000 if number < 30 else 1405.35
        lines.append(
            f"{MONDAY + timedelta(days=number)},HDFCBANK,{price},{price},{price},{price},"
            f"{1000 + number % 7}\n"
        )
    (folder / "h.csv").write_text(HISTORY + "".join(lines))
    [suspect] = run(engine, folder).suspects
    assert (suspect.ex_day, suspect.ratio, suspect.state) == (
        date(2025, 7, 23),
        "2000:1405.35",
        "unexplained",
    )
    assert corporate_actions.fetch(engine) == [suspect]


def test_a_split_is_suspected_once_until_it_is_confirmed_or_dismissed(engine: Engine, folder: Path) -> None:
    lines = []
    for number in range(60):
        price, volume = (2000, 1000 + number % 7) if number < 30 else (400, 5000 + number % 7)
        lines.append(
            f"{MONDAY + timedelta(days=number)},HDFCBANK,{price},{price * 1.01},{price * 0.99},{price},"
            f"{volume}\n"
        )
    (folder / "h.csv").write_text(HISTORY + "".join(lines))
    [suspect] = run(engine, folder).suspects
    assert (suspect.key, suspect.ex_day, suspect.ratio, suspect.state) == (
        HDFC.key,
        date(2025, 7, 23),
        "5:1",
        "detected",
    )
    assert corporate_actions.fetch(engine) == [suspect]
    (folder / "h.csv").write_text(HISTORY + "".join(lines).replace(",1000\n", ",1001\n"))
    assert run(engine, folder).suspects == ()
    corporate_actions.dismiss(engine, HDFC.key, suspect.ex_day, "test")
    search_actions(engine)
    assert [each.state for each in corporate_actions.fetch(engine)] == ["dismissed"]


def _fall(symbol: str, opened: float) -> list[str]:
    lines = [
        f"{MONDAY + timedelta(days=at)},{symbol},2000,2020,1980,2000,{1000 + at % 7}\n" for at in range(30)
    ]
    after = f"{opened},{opened * 1.01},{opened * 0.99},{opened}"
    return lines + [
        f"{MONDAY + timedelta(days=at)},{symbol},{after},{1000 + at % 7}\n" for at in range(30, 60)
    ]


def test_a_step_is_judged_beside_the_same_market_in_any_order_of_imports(
    engine: Engine, folder: Path
) -> None:
    """On a day on which all fall by 8%, half of the price is no ratio of a split. Imported alone first, or
    corrected later, the share is judged the same.
    """
    others = [Instrument("NSE_EQ", 5000 + each, f"SHARE{each}", "", "", 1, 500, "EQ") for each in range(40)]
    instruments.seed(engine, others)
    (folder / "one.csv").write_text(HISTORY + "".join(_fall("HDFCBANK", 1000)))
    (folder / "others.csv").write_text(
        HISTORY + "".join(line for each in others for line in _fall(each.symbol, 1840))
    )
    run(engine, folder / "one.csv")
    assert [(each.ratio, each.state) for each in corporate_actions.fetch(engine)] == [("2:1", "detected")]
    run(engine, folder / "others.csv")
    together = corporate_actions.fetch(engine)
    assert [(each.ratio, each.state) for each in together] == [("2000:1000", "unexplained")]
    (folder / "one.csv").write_text(f"{HISTORY}{MONDAY},HDFCBANK,2000,2020,1980,2001,1000\n")
    assert run(engine, folder / "one.csv").changed == 1
    assert corporate_actions.fetch(engine) == together


def test_much_is_written_in_parts(engine: Engine, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(candle_import, "_BATCH_BYTES", 80)
    for offset in range(5):
        (folder / f"{offset}.csv").write_bytes(udiff(MONDAY + timedelta(days=offset), hdfc()))
    reports: list[tuple[str, int, int]] = []
    done = run(engine, folder, progress=lambda *report: reports.append(report))
    assert done.changed == len(candles.fetch(engine, "raw", HDFC.key)) == len(candles.days(engine)) == 5
    assert reports[:2] == [("importing", 0, 5), ("importing", 1, 5)]
    assert ("importing", 5, 5) in reports


def test_simulated_candles_make_room_for_imported_ones(engine: Engine, folder: Path) -> None:
    candles.upsert(
        engine,
        "adjusted",
        {"NSE_EQ:1333": [candle(TUESDAY)], "NSE_EQ:17818": [candle(TUESDAY)]},
        simulated=True,
    )
    (folder / "bad.csv").write_bytes(b"hello")
    assert run(engine, folder).removed == 0
    assert candle_source.origin(engine) == "simulated"
    (folder / "good.csv").write_bytes(udiff(MONDAY, hdfc()))
    assert run(engine, folder).removed == 2
    assert (candles.last_days(engine, "raw"), candles.last_days(engine, "adjusted")) == (
        {"NSE_EQ:1333": MONDAY},
        {},
    )
    assert run(engine, folder).removed == 0


def test_a_missing_path_or_an_empty_folder_is_a_sentence(engine: Engine, folder: Path) -> None:
    for path, sentence in ((folder / "missing", "it does not exist"), (folder, "a folder holds")):
        with pytest.raises(InputError, match=sentence):
            run(engine, path)


def test_a_file_of_no_sane_size_is_refused(
    engine: Engine, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(candle_files, "_MAX_BYTES", 10)
    (folder / "a.csv").write_bytes(udiff(MONDAY, hdfc()))
    assert "at most" in run(engine, folder).refused[0]


def test_a_file_whose_name_states_another_day_is_refused(engine: Engine, folder: Path) -> None:
    """The 7th of August as a spreadsheet writes it, 8/7/2024, reads as the 8th of July, of which true candles
    are stored.
    """
    july, august = date(2024, 7, 8), date(2024, 8, 7)
    (folder / "BhavCopy_NSE_CM_0_0_0_20240708_F_0000.csv").write_bytes(udiff(july, hdfc()))
    (folder / "BhavCopy_NSE_CM_0_0_0_20240807_F_0000.csv").write_bytes(
        udiff(august, hdfc(close="1990", isin="INE040A01018")).replace(b"2024-08-07", b"8/7/2024")
    )
    (folder / "cm07AUG2024bhav.csv").write_text(f"{HISTORY}2024-07-08,HDFCBANK,1990,2010,1980,1985,1000\n")
    (folder / "sec_bhavdata_full_07082024.csv").write_text(
        f"{FULL}HDFCBANK, EQ, 08-Jul-2024, 1, 1990, 2010, 1980, 1985, 1000\n"
    )
    (folder / "ind_close_all_07082024.csv").write_text(f"{HISTORY}2024-07-08,NIFTY,1990,2010,1980,1985,\n")
    with zipfile.ZipFile(folder / "BhavCopy_NSE_CM_0_0_0_20240807_F_0000.csv.zip", "w") as archive:
        archive.writestr("BhavCopy_NSE_CM_0_0_0_20240708_F_0000.csv", udiff(july, hdfc(close="1990")))
    done = run(engine, folder)
    assert candles.fetch(engine, "raw", HDFC.key) == [candle(july)]
    assert (candles.fetch(engine, "raw", NIFTY.key), candles.newest_day(engine)) == ([], july)
    assert instruments.fetch_names(engine) == {}, "a file that is refused teaches nothing"
    assert [sentence.partition(":")[2] for sentence in done.refused] == [
        " '2024-07-08' is not accepted; the file's name states 2024-08-07; "
        "a program such as a spreadsheet exchanged day and month in the rows: download the file again"
    ] * 5


@pytest.mark.parametrize("stored", [True, False], ids=["stored", "of the same import"])
def test_most_of_a_day_is_replaced_by_very_different_prices_only_when_forced(
    engine: Engine, folder: Path, stored: bool
) -> None:
    ltm = "17818,INE214T01019,LTM,EQ,1990,2010,1980,{},1985,1000"
    (folder / "a.csv").write_bytes(udiff(MONDAY, hdfc(), ltm.format("2000")))
    (folder / "b.csv").write_bytes(udiff(MONDAY, hdfc(close="1989"), ltm.format("1989")))
    if stored:
        run(engine, folder / "a.csv")
    done = run(engine, *[folder / "b.csv"] if stored else [folder])
    assert done.refused == (
        "b.csv: '2025-06-23' is not accepted; the closes of 2 of the 2 shares that it replaces differ "
        "widely: "
        "the file may be of another day, or adjusted; --force replaces them",
    )
    assert candles.fetch(engine, "raw", HDFC.key) == [candle(MONDAY)]
    assert run(engine, folder / "b.csv", force=True).refused == ()
    assert candles.fetch(engine, "raw", HDFC.key) == [candle(MONDAY, 1989)]


def test_a_correction_and_a_restated_history_replace_stored_candles(engine: Engine, folder: Path) -> None:
    ltm = "17818,INE214T01019,LTM,EQ,1990,2010,1980,2000,1985,1000"
    (folder / "a.csv").write_bytes(udiff(MONDAY, hdfc(), ltm))
    (folder / "b.csv").write_bytes(udiff(MONDAY, hdfc(close="1985"), ltm))
    assert run(engine, folder).refused == ()
    assert candles.fetch(engine, "raw", HDFC.key) == [candle(MONDAY, 1985)]
    for price in (2000, 1000):
        (folder / "h.csv").write_text(f"{HISTORY}2025-06-23,HDFCBANK,{price},{price},{price},{price},1000\n")
        assert run(engine, folder / "h.csv", basis="adjusted").refused == ()


def test_a_history_is_compared_with_every_stored_day(engine: Engine, folder: Path) -> None:
    days = [date(2024, 12, 31), date(2025, 1, 1), date(2025, 1, 2)]
    rows = [f"{day},HDFCBANK,1990,2010,1980,{{}},1000\n" for day in days]
    (folder / "a.csv").write_text(HISTORY + "".join(rows[:2]).format(2000, 2000))
    run(engine, folder / "a.csv")
    (folder / "b.csv").write_text(HISTORY + "".join(rows).format(2001, 1999, 1985))
    assert run(engine, folder / "b.csv").refused == ()
    (folder / "c.csv").write_text(HISTORY + "".join(rows).format(1989, 1989, 1985))
    [sentence] = run(engine, folder / "c.csv").refused
    assert (
        "'2024-12-31' is not accepted; the closes of 1 of the 1 shares that it replaces differ widely, and "
        "of 1 other" in sentence
    )
    assert [each.close for each in candles.fetch(engine, "raw", HDFC.key)] == [
        2001_0000,
        1999_0000,
        1985_0000,
    ]


def test_twenty_wrong_closes_are_no_correction(engine: Engine, folder: Path) -> None:
    shares = [Instrument("NSE_EQ", number, f"S{number}", "", "", 1, 500, "EQ") for number in range(1, 61)]
    instruments.seed(engine, shares)

    def day(count: int, close: int) -> bytes:
        return udiff(
            MONDAY,
            *(f"{number},,S{number},EQ,1990,2010,1980,{close},1985,1000" for number in range(1, count + 1)),
        )

    (folder / "a.csv").write_bytes(day(60, 2000))
    run(engine, folder)
    (folder / "b.csv").write_bytes(day(19, 1985))
    assert run(engine, folder / "b.csv").refused == ()
    (folder / "c.csv").write_bytes(day(59, 1999))
    run(engine, folder / "c.csv")
    (folder / "d.csv").write_bytes(day(20, 1985))
    assert "the closes of 20 of the 20 shares" in run(engine, folder / "d.csv").refused[0]


@pytest.mark.parametrize("stored", [True, False], ids=["stored", "of the same import"])
def test_the_candles_of_a_day_under_its_exchanged_date_are_refused_without_a_name(
    engine: Engine, folder: Path, stored: bool
) -> None:
    july, august = date(2024, 7, 8), date(2024, 8, 7)
    ltm = "17818,INE214T01019,LTM,EQ,1990,2010,1980,2000,1985,1000"
    (folder / "a.csv").write_bytes(udiff(august, hdfc(), ltm))
    (folder / "b.csv").write_bytes(udiff(august, hdfc(), ltm).replace(b"2024-08-07", b"8/7/2024"))
    if stored:
        run(engine, folder / "a.csv")
    done = run(engine, *[folder / "b.csv"] if stored else [folder])
    assert done.refused == (
        "b.csv: '2024-07-08' is not accepted; its candles are those that are there of 2024-08-07; "
        "day and month were exchanged: download it again",
    )
    assert candles.fetch(engine, "raw", HDFC.key) == [candle(august)]
    (folder / "c.csv").write_bytes(udiff(july, hdfc(close="2001"), ltm))
    assert run(engine, folder / "c.csv").refused == ()
