"""Common parts of the exchange's CSV files: archives, headers, dates, candles and damaged rows.

`bhavcopy` and `history_csv` know the meaning of the columns.
"""

from __future__ import annotations

import csv
import gzip
import io
import re
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date
from functools import lru_cache
from typing import Final, NamedTuple

from ltp.core.history.candle import Candle, fault
from ltp.core.money import MAX_PRICE, SCALE
from ltp.errors import InputError

MAX_CSV_BYTES: Final = 256 << 20  # 500 days of every share in one file have some 80 MB
_MOST_MEMBERS: Final = 5_000
_TAIL_BYTES: Final = 1 << 16  # more than two lines
_MONTHS: Final = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_DATE: Final = (
    re.compile(r"(?P<year>\d{4})-?(?P<month>\d\d)-?(?P<day>\d\d)(?:[T ].*)?", re.ASCII),
    re.compile(
        r"(?P<day>\d{1,2})[-/ ](?P<month>[A-Z]{3}|\d{1,2})[-/ ](?P<year>\d{4}|\d\d)(?: .*)?", re.ASCII
    ),
)
_MAX_RUPEES: Final = MAX_PRICE / SCALE
_MISSING: Final = frozenset({"", "-", "NA", "N/A", "NULL", "NONE"})
_DAMAGED_SHARE: Final = 0.02
_DAMAGED_ALWAYS: Final = 5
_DAMAGED_LISTED: Final = 20

PRICES: Final = ("open", "high", "low", "close")


class CsvTable(NamedTuple):
    """`columns`: index by name, of which only letters and digits are kept, in lower case. `rows`: line number
    and cells. `truncated`: the last line if the file ends in the middle of it, else empty.
    """

    name: str
    columns: Mapping[str, int]
    rows: Iterator[tuple[int, list[str]]]
    truncated: str = ""

    def refuse_truncated(self) -> None:
        """Raise InputError for a truncated file: half of a day's shares would pass for the whole day."""
        if self.truncated:
            raise InputError(
                f"{self.name}, last line",
                self.truncated,
                "the file ends in the midst of this row; fetch it again",
            )


class DamagedRows:
    """The rejected rows of a file. A few are left out and listed, many mean another file format."""

    def __init__(self, name: str) -> None:
        self._name = name
        self.count = 0
        self.sentences: list[str] = []

    def add(self, error: InputError) -> None:
        self.count += 1
        if len(self.sentences) < _DAMAGED_LISTED:
            self.sentences.append(str(error))

    def refuse_many(self, rows: int) -> None:
        """Raise InputError if more than five rows and more than 2% are damaged, or all."""
        if self.count and (self.count == rows or self.count > max(_DAMAGED_ALWAYS, rows * _DAMAGED_SHARE)):
            first = self.sentences[0].removeprefix(f"{self._name}, ")
            raise InputError(
                self._name, f"{self.count} of {rows} rows", f"too many are damaged; the first is {first}"
            )


def members(content: bytes, name: str) -> Iterator[tuple[str, bytes]]:
    """Yield name and content of each CSV file: of `content` itself, of a .gz, or of a zip and archives in it.

    Raises:
        InputError: there is no CSV, an archive is damaged, or a file is larger than any bhavcopy.
    """
    try:
        if content.startswith(b"PK"):
            yield from _zipped(content, name)
        elif content.startswith(b"\x1f\x8b"):
            with gzip.open(io.BytesIO(content)) as packed:
                yield from members(_bounded(packed.read(MAX_CSV_BYTES + 1), name), name.removesuffix(".gz"))
        else:
            yield name, _bounded(content, name)
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError) as error:
        # RuntimeError: an archive with a password. NotImplementedError: a rare method of compression.
        raise InputError(name, "", f"the archive cannot be read ({error})") from None


def _zipped(content: bytes, name: str) -> Iterator[tuple[str, bytes]]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        inside = [
            each
            for each in archive.infolist()
            if not each.is_dir() and not each.filename.startswith("__MACOSX")
        ]
        inside = [each for each in inside if each.filename.lower().endswith((".csv", ".csv.gz", ".zip"))]
        if not inside or len(inside) > _MOST_MEMBERS:
            raise InputError(name, f"{len(inside)} CSV files", f"a zip holds 1 to {_MOST_MEMBERS:,} of them")
        for each in inside:
            with archive.open(each) as packed:
                text = _bounded(packed.read(MAX_CSV_BYTES + 1), name)
            within = f"{name}/{each.filename.rpartition('/')[2]}"
            if text.startswith((b"PK", b"\x1f\x8b")):
                yield from members(text, within)
            else:
                alone = len(inside) == 1 and _stem(each.filename.rpartition("/")[2]) == _stem(name)
                yield (name if alone else within), text


def _stem(name: str) -> str:
    return name.lower().removesuffix(".zip").removesuffix(".csv")


def _bounded(content: bytes, name: str) -> bytes:
    if len(content) > MAX_CSV_BYTES:
        raise InputError(name, "", f"a CSV file has at most {MAX_CSV_BYTES >> 20} MiB")
    return content


def read_table(content: bytes, name: str) -> CsvTable:
    """Parse the header of a CSV file; the rows are parsed while they are iterated, without blank lines.

    Raises:
        InputError: there is no header; during iteration: a line is no CSV.
    """
    # Only names of companies come in other encodings, and a replaced letter in them costs no price.
    text = io.StringIO(content.decode("utf-8-sig", errors="replace"), newline=None)
    return table_of_lines(text, name)._replace(truncated=_truncated_line(content))


def table_of_lines(lines: Iterable[str], name: str) -> CsvTable:
    """As `read_table` for lines that are read while the rows are iterated. It does not look for a truncated
    last line.
    """
    reader = csv.reader(lines, skipinitialspace=True)
    rows = _rows(reader, lambda: reader.line_num, name)
    header = next(rows, None)
    if header is None:
        raise InputError(name, "", "the file is empty; its first line names the columns")
    columns: dict[str, int] = {}
    for place, cell in enumerate(header[1]):
        columns.setdefault(re.sub(r"[^a-z0-9]", "", cell.lower()), place)
    return CsvTable(name, columns, rows)


def _truncated_line(content: bytes) -> str:
    """Return the last line if it has no line end and fewer cells than the line before, else ""."""
    lines = content[-_TAIL_BYTES:].splitlines()
    if content.endswith((b"\n", b"\r")) or len(lines) < 2:
        return ""
    before, last = (line.decode("utf-8", errors="replace") for line in lines[-2:])
    counts = [len(next(csv.reader([text]), [])) for text in (before, last)]
    return last if last.strip() and counts[1] < counts[0] else ""


def _rows(reader: Iterator[list[str]], read: Callable[[], int], name: str) -> Iterator[tuple[int, list[str]]]:
    """Yield each row with the number of its first line. `read` returns how many lines the reader has read."""
    line = 0
    try:
        for cells in reader:
            begins, line = line + 1, read()
            first = cells[0] if cells else ""
            if (first and not first.isspace()) or "".join(cells).strip():
                yield begins, cells
    except csv.Error as error:
        raise InputError(f"{name}, line {line + 1}", "", f"the line must be CSV ({error})") from None


@lru_cache(maxsize=4096)
def parse_day(text: str) -> date | None:
    """Parse 2025-07-01, 20250701, 01-Jul-2025, 01-JUL-2025, 01/07/2025 or 01-07-25, with or without a time.

    The day comes before the month, as everywhere in India. None for any other text.
    """
    for form in _DATE:
        match = form.fullmatch(text.strip().upper())
        if match:
            month = _MONTHS.index(match["month"]) + 1 if match["month"] in _MONTHS else match["month"]
            year = int(match["year"]) + (2000 if len(match["year"]) == 2 else 0)
            try:
                return date(year, int(month), int(match["day"]))
            except ValueError:
                return None
    return None


def read_candle(day: date, texts: Sequence[str], where: str) -> Candle | None:
    """Return the candle of five cells: open, high, low, close in rupees, volume in shares.

    None if nothing was traded: no open, high and low, or all of them 0. A missing volume is 0.

    Raises:
        InputError: names `where` and the column.
    """
    plain = plain_candle(day, texts)
    return plain or _tolerant_candle(day, [text.strip().replace(",", "") for text in texts], where)


def plain_candle(day: date, texts: Sequence[str]) -> Candle | None:
    """As `read_candle` for five plain and valid numbers, else None: the fast path for millions of rows."""
    try:
        opened, high, low, close = float(texts[0]), float(texts[1]), float(texts[2]), float(texts[3])
        volume = int(texts[4])
        if 0 < low <= opened <= high <= _MAX_RUPEES and low <= close <= high and volume >= 0:
            return Candle(
                day,
                round(opened * SCALE),
                round(high * SCALE),
                round(low * SCALE),
                round(close * SCALE),
                volume,
            )
    except (ValueError, OverflowError):
        pass
    return None


def _tolerant_candle(day: date, texts: Sequence[str], where: str) -> Candle | None:
    priced = [text.upper() not in _MISSING and text.strip("0.") != "" for text in texts[:4]]
    if not any(priced[:3]):
        return None  # also for a close alone: the file of indices has some that are computed once a day
    texts = [*texts[:4], "0" if texts[4].upper() in _MISSING else texts[4]]
    numbers = []
    for column, text in zip((*PRICES, "volume"), texts, strict=True):
        try:
            numbers.append(round(float(text) * SCALE) if column in PRICES else int(float(text)))
        except (ValueError, OverflowError):
            raise InputError(f"{where}, column {column}", text, "a number") from None
        if column in PRICES and not 0 < numbers[-1] <= MAX_PRICE:
            raise InputError(f"{where}, column {column}", text, "a price above 0, at most 1,00,00,000 rupees")
    if numbers[4] < 0:
        raise InputError(f"{where}, column volume", texts[4], "a number of shares from 0")
    found = Candle(day, *numbers)
    reason = fault(found)
    if reason:
        raise InputError(where, " ".join(texts[:4]), f"{reason} (open, high, low, close)")
    return found
