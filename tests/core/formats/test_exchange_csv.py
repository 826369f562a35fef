from __future__ import annotations

import gzip
import io
import zipfile
from datetime import date

import pytest

from ltp.core.formats import exchange_csv
from ltp.core.formats.exchange_csv import DamagedRows, members, parse_day, read_candle, read_table
from ltp.core.history.candle import Candle
from ltp.errors import InputError

DAY = date(2025, 7, 1)


def zipped(files: dict[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return packed.getvalue()


@pytest.mark.parametrize(
    "text",
    [
        "2025-07-01", "20250701", "01-Jul-2025", "01-JUL-2025", "1-jul-2025", "01-Jul-25", "01/07/2025",
        "01-07-2025", " 01-Jul-2025 ", "2025-07-01 00:00:00", "2025-07-01T00:00:00+05:30",
        "01-JUL-2025 15:30",
    ],
)  # fmt: skip
def test_a_day_is_read_in_every_spelling(text: str) -> None:
    assert parse_day(text) == DAY


@pytest.mark.parametrize(
    "text",
    ["", "-", "31-FEB-2025", "2025-13-01", "01-JUX-2025", "1751328000", "July 1", "2025-7", "٢٠٢٥-٠٧-٠١"],
)
def test_other_texts_are_no_date(text: str) -> None:
    assert parse_day(text) is None


def test_a_candle_is_read_in_price_units() -> None:
    expected = Candle(DAY, 33_6000, 37_4000, 33_1000, 35_2000, 242_285)
    assert read_candle(DAY, ("33.6", "37.4", "33.1", "35.2", "242285"), "x") == expected
    assert read_candle(DAY, (" 33.60 ", "37.40", "33.1000", "35.2", "2,42,285"), "x") == expected
    assert read_candle(DAY, ("33.6", "37.4", "33.1", "35.2", "242285.0"), "x") == expected
    assert read_candle(DAY, ("33.6", "37.4", "33.1", "35.2", "-"), "x") == expected._replace(volume=0)


@pytest.mark.parametrize(
    "texts",
    [
        ("-", "-", "-", "-", "-"),
        ("0", "0.00", "0", "0", "0"),
        ("", "", "", "", ""),
        ("-", "-", "-", "101.5", "-"),
    ],
)
def test_a_row_without_trades_is_no_candle(texts: tuple[str, ...]) -> None:
    assert read_candle(DAY, texts, "x") is None


@pytest.mark.parametrize(
    ("texts", "sentence"),
    [
        (
            ("10", "9", "11", "10", "5"),
            "x: '10 9 11 10' is not accepted; the high is below the low (open, high, low, close)",
        ),
        (("10", "12", "9", "12.05", "5"), "the close is not between low and high"),
        (("nan", "12", "9", "10", "5"), "x, column open: 'nan' is not accepted; a number"),
        (("10", "inf", "9", "10", "5"), "x, column high: 'inf' is not accepted; a number"),
        (("10", "12", "-9", "10", "5"), "x, column low: '-9' is not accepted; a price above 0"),
        (("10", "12", "9", "-", "5"), "x, column close: '-' is not accepted; a number"),
        (("10", "12", "9", "10", "-5"), "x, column volume: '-5' is not accepted; a number of shares from 0"),
        (("10", "12", "9", "10", "many"), "x, column volume: 'many' is not accepted; a number"),
        (
            ("10", "1e9", "9", "10", "5"),
            "x, column high: '1e9' is not accepted; a price above 0, at most 1,00,00,000",
        ),
        (("10", "12", "0", "10", "5"), "x, column low: '0' is not accepted; a price above 0"),
    ],
)
def test_a_bad_value_is_refused_by_column(texts: tuple[str, ...], sentence: str) -> None:
    with pytest.raises(InputError) as caught:
        read_candle(DAY, texts, "x")
    assert sentence in str(caught.value)


@pytest.mark.parametrize(
    "content",
    [
        b"SYMBOL, OPEN PRICE,\r\n\r\nA, 1,\r\n , \r\n",
        b"\xef\xbb\xbfSymbol,Open_Price\rA,1\r",
        b'"SYMBOL","OPEN-PRICE"\nA,1\n',
    ],
)
def test_columns_are_found_by_name_in_every_spelling(content: bytes) -> None:
    read = read_table(content, "x.csv")
    rows = [cells for _, cells in read.rows]
    assert (read.columns["symbol"], read.columns["openprice"]) == (0, 1)
    assert [cells[:2] for cells in rows] == [["A", "1"]]


def test_lines_are_counted_with_the_blank_ones() -> None:
    assert [line for line, _ in read_table(b"A,B\n\n1,2\n\n3,4\n", "x").rows] == [3, 5]


@pytest.mark.parametrize("content", [b"", b"\n\n", b"\xef\xbb\xbf"])
def test_an_empty_file_is_a_sentence(content: bytes) -> None:
    with pytest.raises(InputError, match="the file is empty"):
        read_table(content, "x.csv")


def test_a_line_that_is_no_csv_is_a_sentence() -> None:
    with pytest.raises(InputError, match=r"x\.csv, line 2"):
        list(read_table(b"A,B\n" + b"x" * 200_000, "x.csv").rows)


def test_files_come_out_of_their_archives() -> None:
    assert list(members(b"A\n", "a.csv")) == [("a.csv", b"A\n")]
    assert list(members(gzip.compress(b"A\n"), "a.csv.gz")) == [("a.csv", b"A\n")]
    assert list(members(zipped({"a.csv": b"A\n"}), "a.zip")) == [("a.zip", b"A\n")]
    assert list(members(zipped({"in/A.CSV": b"A\n"}), "a.csv.zip")) == [("a.csv.zip", b"A\n")]
    assert list(members(zipped({"b.csv": b"A\n"}), "a.zip")) == [("a.zip/b.csv", b"A\n")]


def test_a_zip_of_several_gives_all_csv_files_and_no_others() -> None:
    inner = zipped({"b.csv": b"B"})
    content = zipped(
        {
            "days/a.CSV": b"A",
            "readme.txt": b"hello",
            "i.zip": inner,
            "__MACOSX/a.csv": b"x",
            "c.csv.gz": gzip.compress(b"C"),
        }
    )
    assert list(members(content, "all.zip")) == [
        ("all.zip/a.CSV", b"A"),
        ("all.zip/i.zip/b.csv", b"B"),
        ("all.zip/c.csv", b"C"),
    ]


@pytest.mark.parametrize(
    "content",
    [
        b"PK\x03\x04broken",
        zipped({"a.csv": b"A" * 5000})[:60],
        gzip.compress(b"A" * 5000)[:30],
        b"\x1f\x8bnothing",
    ],
    ids=["no zip", "zip cut off", "gzip cut off", "no gzip"],
)
def test_a_damaged_archive_is_a_sentence(content: bytes) -> None:
    with pytest.raises(InputError, match=r"a\.zip: .*the archive cannot be read"):
        list(members(content, "a.zip"))


def test_a_zip_without_csv_is_a_sentence() -> None:
    with pytest.raises(InputError, match="0 CSV files"):
        list(members(zipped({"readme.txt": b"hello"}), "a.zip"))


def test_a_file_that_is_too_large_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exchange_csv, "MAX_CSV_BYTES", 1000)
    for content in (b"A" * 1001, gzip.compress(b"A" * 1001), zipped({"a.csv": b"A" * 1001})):
        with pytest.raises(InputError, match="at most"):
            list(members(content, "a.csv"))


def test_few_damaged_rows_are_listed_and_many_refuse_the_file() -> None:
    damaged = DamagedRows("x.csv")
    for line in range(5):
        damaged.add(InputError(f"x.csv, line {line + 2}", "?", "a number"))
    damaged.refuse_many(6)
    assert damaged.sentences[0] == "x.csv, line 2: '?' is not accepted; a number"
    with pytest.raises(InputError, match="5 of 5 rows"):
        damaged.refuse_many(5)
    damaged.add(InputError("x.csv, line 9", "?", "a number"))
    damaged.refuse_many(300)
    with pytest.raises(InputError) as caught:
        damaged.refuse_many(299)
    assert str(caught.value) == (
        "x.csv: '6 of 299 rows' is not accepted; too many are damaged; the first is line 2: '?' is not "
        "accepted; a number"
    )


def test_a_cell_of_several_lines_moves_no_line_number() -> None:
    """NSE's list of corporate actions may have line ends inside the quotes of its header."""
    rows = read_table(b'"SYMBOL \n","PURPOSE \n"\nITC,"a\nb"\n\nTCS,c\n', "x.csv").rows
    assert [(line, cells[0]) for line, cells in rows] == [(4, "ITC"), (7, "TCS")]
