"""What the exchange's CSV files have in common: packed or not, a header that names the columns, dates in
several spellings, and rows that are damaged.

Bytes come in, cells go out; which column means what is `bhavcopy`'s and `history_csv`'s.
"""

from __future__ import annotations

import csv
import gzip
import io
import re
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
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
_DAMAGED_TOLD: Final = 20

PRICES: Final = ("open", "high", "low", "close")


class CsvTable(NamedTuple):
    """`columns`: place by name in lower case without anything but letters and digits. `rows`: line number and
    cells. `torn`: the last line where the file ends in the midst of it, else empty.
    """

    name: str
    columns: Mapping[str, int]
    rows: Iterator[tuple[int, list[str]]]
    torn: str = ""

    def refuse_torn(self) -> None:
        """Raise InputError for a file that was cut off: half a day's shares would pass for the whole day."""
        if self.torn:
            raise InputError(
                f"{self.name}, last line", self.torn, "the file ends in the midst of this row; fetch it again"
            )


class DamagedRows:
    """The rows of a file that are not accepted. Few are left out and told; many mean that the file is not
    what it seems.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self.count = 0
        self.sentences: list[str] = []

    def add(self, error: InputError) -> None:
        self.count += 1
        if len(self.sentences) < _DAMAGED_TOLD:
            self.sentences.append(str(error))

    def refuse_many(self, rows: int) -> None:
        """Raise InputError when more than five rows and more than 2% are damaged, or all."""
        if self.count and (self.count == rows or self.count > max(_DAMAGED_ALWAYS, rows * _DAMAGED_SHARE)):
            first = self.sentences[0].removeprefix(f"{self._name}, ")
            raise InputError(
                self._name, f"{self.count} of {rows} rows", f"too many are damaged; the first is {first}"
            )


def members(content: bytes, name: str) -> Iterator[tuple[str, bytes]]:
    """Give each CSV file in a file: itself, what a .gz holds, or all .csv (and .gz, .zip within) of a zip.

    Raises:
        InputError: it is no CSV, its archive is damaged, or it is larger than any bhavcopy.
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
        # RuntimeError and NotImplementedError: an archive that wants a password, or is compressed in some
        # rare way.
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
    """Read the header of a CSV file: UTF-8 (names of companies may be in anything), any line ends, blank
    lines left out.

    Raises:
        InputError: there is no header; while rows are taken: a line is no CSV.
    """
    # Only names can hold other encodings, and no price is lost with a letter.
    text = io.StringIO(content.decode("utf-8-sig", errors="replace"), newline=None)
    reader = csv.reader(text, skipinitialspace=True)
    rows = _rows(reader, lambda: reader.line_num, name)
    header = next(rows, None)
    if header is None:
        raise InputError(name, "", "the file is empty; its first line names the columns")
    columns: dict[str, int] = {}
    for place, cell in enumerate(header[1]):
        columns.setdefault(re.sub(r"[^a-z0-9]", "", cell.lower()), place)
    return CsvTable(name, columns, rows, _torn(content))


def _torn(content: bytes) -> str:
    """Return the last line where it has no end and fewer cells than the one before; an end alone may be
    missing.
    """
    lines = content[-_TAIL_BYTES:].splitlines()
    if content.endswith((b"\n", b"\r")) or len(lines) < 2:
        return ""
    before, last = (line.decode("utf-8", errors="replace") for line in lines[-2:])
    counts = [len(next(csv.reader([text]), [])) for text in (before, last)]
    return last if last.strip() and counts[1] < counts[0] else ""


def _rows(reader: Iterator[list[str]], read: Callable[[], int], name: str) -> Iterator[tuple[int, list[str]]]:
    """Give each row with the line of the file that it begins on; `read`: how many lines the reader has taken."""
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
    """Read 2025-07-01, 20250701, 01-Jul-2025, 01-JUL-2025, 01/07/2025 or 01-07-25, each with or without a
    time behind.

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

    None where nothing was traded: no open, high and low, or all of them 0. A missing volume is 0.

    Raises:
        InputError: names `where`, and which of the five.
    """
    plain = plain_candle(day, texts)
    return plain or _careful_candle(day, [text.strip().replace(",", "") for text in texts], where)


def plain_candle(day: date, texts: Sequence[str]) -> Candle | None:
    """As `read_candle`, of five plain numbers that may be; None for all else. An import reads millions of
    them.
    """
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


def _careful_candle(day: date, texts: Sequence[str], where: str) -> Candle | None:
    priced = [text.upper() not in _MISSING and text.strip("0.") != "" for text in texts[:4]]
    if not any(priced[:3]):
        return None  # a close alone, as of an index that is only computed, is no candle either
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
