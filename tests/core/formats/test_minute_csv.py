from __future__ import annotations

import csv
import io
from collections.abc import Iterator

import pytest

from ltp.core.bars.bar import BROKER, FILE, LIVE, PARTIAL, REVISED, Bar
from ltp.core.formats.minute_csv import COLUMNS, MinuteCsv, MinuteRow, parse_minute, written
from ltp.errors import InputError

OPEN = 1_796_010_300  # 2026-11-30T09:15:00+05:30
HEADER = "ts,symbol,open,high,low,close,volume\n"
ROW = "2026-11-30T09:15:00+05:30,ACC,1658.55,1660,1653.6,1659.75,1820\n"
BAR = Bar(OPEN, 1658_5500, 1660_0000, 1653_6000, 1659_7500, 1820, None, 0, FILE)


def read(text: str) -> list[MinuteRow]:
    return list(MinuteCsv(io.StringIO(text), "x.csv").rows())


def refused(text: str) -> str:
    with pytest.raises(InputError) as caught:
        read(text)
    return str(caught.value)


def test_a_row_is_a_bar() -> None:
    assert read(HEADER + ROW) == [MinuteRow(2, "ACC", BAR)]


@pytest.mark.parametrize(
    ("text", "name", "oi"),
    [
        (
            "DateTime,Open,High,Low,Close,Volume\n2026-11-30 09:15:00,1658.55,1660,1653.6,1659.75,1820\n",
            "",
            None,
        ),
        (
            "Close,Low,High,Open,Vol,Time,Date,Ticker,Open Interest\n"
            "1659.75,1653.6,1660,1658.55,1820.0,09:15,20261130,ACC.NS,77\n",
            "ACC.NS",
            77,
        ),
        (
            "key,date,open,high,low,close,volume,oi\n"
            "NSE_EQ:22,2026-11-30 09:15:00+05:30,1658.55,1660.0,1653.60,1659.75,1820,\n",
            "NSE_EQ:22",
            None,
        ),
        ("TIMESTAMP,o,h,l,c,v\r\n1796010300, 1658.55, 1660, 1653.6, 1659.75, 1820\r\n", "", None),
    ],
)
def test_columns_are_found_by_name(text: str, name: str, oi: int | None) -> None:
    assert read(text) == [MinuteRow(2, name, BAR._replace(oi=oi))]
    assert MinuteCsv(io.StringIO(text), "x.csv").named is bool(name)


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-30T09:15:00+05:30",
        "2026-11-30T03:45:00Z",
        "2026-11-30T09:15",
        "2026-11-30 09:15:00",
        " 2026-11-30 09:15:00.000000 ",
        "20261130 09:15",
        "30-11-2026 9:15",
        "30/11/2026 09:15:00",
        "30-NOV-2026 09:15:00",
        "1796010300",
    ],
)
def test_a_time_is_read(text: str) -> None:
    assert parse_minute(text) == OPEN


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            "2026-11-30",
            "09:15",
            "2026-11-30 09:15:59",
            "2026-11-30 25:15",
            "31-11-2026 09:15",
            "1796010301",
        ),
        *(
            "1796010300000",
            "0001-01-01T00:00+23:59",
            "2026-11-30T09:15:00.5",
            "30-11-2026 09:15 PM",
            "soon 09:15",
        ),
    ],
)
def test_another_text_is_no_time(text: str) -> None:
    with pytest.raises(InputError, match="the start of a minute such as"):
        parse_minute(text)


def test_a_missing_volume_is_none_of_an_index() -> None:
    row = ROW.replace("1820", "")
    assert read(HEADER + row)[0].bar == BAR._replace(volume=0)


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("1660", "x", "line 2, column high: 'x' is not accepted; a price in rupees"),
        ("1660", "nan", "line 2, column high: 'nan' is not accepted; a price in rupees"),
        ("1660", "0", "column high: '0' is not accepted; a price above 0"),
        (
            "1660",
            "1658",
            "line 2, open, high, low, close: '1658.55 1658 1653.6 1659.75' is not accepted; the open",
        ),
        ("1820", "18.5", "column volume: '18.5' is not accepted; a whole number"),
        ("1820", "-1", "volume or open interest is no number of units"),
        ("1820", "9e99", "volume or open interest is no number of units"),
        ("1820", "inf", "column volume: 'inf' is not accepted"),
        (
            "09:15:00",
            "09:15:59",
            "line 2, time: '2026-11-30T09:15:59+05:30' is not accepted; the start of a minute",
        ),
        (
            ",1820",
            "",
            "line 2: '2026-11-30T09:15:00+05:30,ACC,1658.55,1660,1653.6,1659.75' is not accepted; 7 columns",
        ),
    ],
)
def test_a_damaged_row_is_named(old: str, new: str, reason: str) -> None:
    assert reason in refused(HEADER + ROW.replace(old, new))
    source = MinuteCsv(io.StringIO(HEADER + ROW.replace(old, new) + ROW), "x.csv")
    assert [row.line for row in source.rows()] == [3]
    assert source.damaged.count == 1
    assert reason in source.damaged.sentences[0]


def test_many_damaged_rows_are_another_format() -> None:
    bad = ROW.replace("1660", "1")
    assert len(read(HEADER + bad * 5 + ROW)) == 1
    assert "'6 of 7 rows' is not accepted; too many are damaged; the first is line 2," in refused(
        HEADER + bad * 6 + ROW
    )


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "x.csv: '' is not accepted; the file is empty"),
        (HEADER, "x.csv: '' is not accepted; the file holds no bar"),
        ("symbol,open,high,low,close,volume\n" + ROW, "x.csv, line 1: "),
        (
            "ts,open,high,low,volume\n" + ROW,
            "its first line names the columns open, high, low, close, volume",
        ),
        (HEADER + ROW + ROW[:50], "the file ends in the midst of this row; fetch it again"),
    ],
)
def test_a_file_of_another_form_is_refused(text: str, reason: str) -> None:
    assert reason in refused(text)


def test_a_last_line_without_an_end_is_whole() -> None:
    assert len(read(HEADER + ROW + ROW.rstrip())) == 2


def test_rows_are_read_one_by_one() -> None:
    lines_read = []

    def lines() -> Iterator[str]:
        for line in (HEADER, ROW, ROW, ROW):
            lines_read.append(line)
            yield line

    rows = MinuteCsv(lines(), "x.csv").rows()
    assert next(rows).line == 2
    assert len(lines_read) == 2


@pytest.mark.parametrize("oi", [None, 0, 9])
def test_a_written_bar_is_read_as_it_was(oi: int | None) -> None:
    bar = Bar(OPEN, 83_2475, 83_2500, 83_2400, 83_2425, 12, oi, PARTIAL | REVISED, LIVE)
    row = [str(cell) for cell in written("NSE_CURRENCY:1", bar, "continuous")]
    assert row == [
        "NSE_CURRENCY:1",
        "2026-11-30T09:15:00+05:30",
        *("83.2475", "83.25", "83.24", "83.2425", "12"),
        "" if oi is None else str(oi),
        "live",
        "partial revised",
        "continuous",
    ]
    text = io.StringIO()
    csv.writer(text).writerows([COLUMNS, row])
    assert read(text.getvalue()) == [MinuteRow(2, "NSE_CURRENCY:1", bar._replace(sources=FILE))]


def test_a_bar_of_several_sources_and_an_unknown_mark() -> None:
    assert written("NSE_EQ:1", BAR._replace(sources=LIVE | BROKER), "pre_open")[-3:] == (
        "mixed",
        "",
        "pre_open",
    )
    header = HEADER.replace("volume", "volume,marks")
    assert "column marks: 'odd' is not accepted; names of partial, " in refused(
        header + ROW.replace("1820", "1820,odd")
    )


@pytest.mark.parametrize("text", ["0001-01-01 00:00", "1989-12-31 09:15", "2100-01-01 09:15"])
def test_a_minute_of_another_time_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="is not accepted"):
        parse_minute(text)
