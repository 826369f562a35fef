"""The CSV file of screener results for import: bytes to rows, or an error that names line and column."""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from ltp.core.instrument import SEGMENTS, Instrument, parse_key
from ltp.core.money import SCALE, Price, price_from_rupees
from ltp.core.screener import MAX_ROWS, Row
from ltp.core.symbol_lookup import preference
from ltp.errors import InputError

COLUMNS: Final = (
    "rank", "segment", "security_id", "symbol", "name", "sector",
    "score", "setup", "entry", "stop", "target", "why",
)  # fmt: skip
DEFAULT_SEGMENT: Final = "NSE_EQ"
_MAX_TEXT: Final = 200
# Control characters, and bidirectional overrides, which can make one name look like another.
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
_NUMBER = re.compile(r"[0-9]+(?:\.[0-9]+)?", re.ASCII)


class InstrumentNames(NamedTuple):
    """The instrument master by key, and by (segment, symbol in capitals)."""

    by_key: Mapping[str, Instrument]
    by_symbol: Mapping[tuple[str, str], Instrument]

    @classmethod
    def of(cls, instruments: list[Instrument]) -> InstrumentNames:
        # Ascending: of a share and its bonds with the same symbol the last one, the share, stays.
        by_preference = sorted(instruments, key=preference, reverse=True)
        return cls({i.key: i for i in instruments}, {(i.segment, i.symbol.upper()): i for i in by_preference})


class _Line(NamedTuple):
    number: int
    cells: Mapping[str, str]

    def refuse(self, column: str, value: str, accepted: str) -> InputError:
        return InputError(f"line {self.number}, column {column}", value, accepted)


def parse(content: bytes, master: InstrumentNames) -> list[Row]:
    """Parse a CSV file of results.

    Args:
        content: UTF-8 with or without a byte order mark, any line ends, comma-separated, column names in the
            first line.
        master: for symbols without a security_id; the segment is NSE_EQ unless the row has one.
    Returns:
        1 to 5,000 rows by rank; without the column rank in the order of the file.
    Raises:
        InputError: names line and column of the first error.
    """
    rows: list[Row] = []
    line_of: dict[str, int] = {}
    line_of_rank: dict[int, int] = {}
    for line in _lines(_decoded(content)):
        row = _row(line, len(rows) + 1, master)
        if row.key in line_of:
            raise line.refuse(
                "security_id", row.key, f"each instrument comes once; line {line_of[row.key]} has it too"
            )
        if row.rank in line_of_rank:
            raise line.refuse(
                "rank", str(row.rank), f"each rank comes once; line {line_of_rank[row.rank]} has it too"
            )
        if len(rows) == MAX_ROWS:
            raise InputError(f"line {line.number}", row.key, f"a file holds at most {MAX_ROWS:,} results")
        rows.append(row)
        line_of[row.key] = line_of_rank[row.rank] = line.number
    if not rows:
        raise InputError(
            "line 2", "", "a file holds at least one result below the line that names the columns"
        )
    return sorted(rows, key=lambda row: row.rank)


def _decoded(content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise InputError(
            f"line {line}", content[error.start : error.end].hex(), "the file must be UTF-8 text"
        ) from None


def _lines(text: str) -> Iterator[_Line]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    columns: list[str] = []
    end_of_previous = 0
    try:
        for cells in reader:
            number, end_of_previous = end_of_previous + 1, reader.line_num
            if not any(cell.strip() for cell in cells):
                continue
            if not columns:
                columns = _header(cells, number)
                continue
            if len(cells) != len(columns):
                raise InputError(
                    f"line {number}",
                    ",".join(cells),
                    f"{len(columns)} columns are named, {len(cells)} are here",
                )
            yield _Line(number, dict(zip(columns, (cell.strip() for cell in cells), strict=True)))
    except csv.Error as error:
        raise InputError(f"line {reader.line_num}", "", f"the line must be CSV ({error})") from None
    if not columns:
        raise InputError(
            "line 1", "", "the first line names the columns, such as symbol,score,setup,entry,stop,target"
        )


def _header(cells: list[str], number: int) -> list[str]:
    columns = [cell.strip().lower().replace(" ", "_") for cell in cells]
    for place, column in enumerate(columns):
        if column not in COLUMNS:
            raise InputError(
                f"line {number}, column {place + 1}", cells[place], "a column is one of " + ", ".join(COLUMNS)
            )
        if column in columns[:place]:
            raise InputError(f"line {number}, column {place + 1}", column, "each column comes once")
    if "symbol" not in columns and "security_id" not in columns:
        raise InputError(f"line {number}", ",".join(cells), "there must be a column symbol or security_id")
    return columns


def _row(line: _Line, place: int, master: InstrumentNames) -> Row:
    instrument = _instrument(line, master)
    return Row(
        key=instrument.key,
        rank=_rank(line, place),
        symbol=instrument.symbol,
        name=_text(line, "name") or instrument.name,
        sector=_text(line, "sector"),
        score=_score(line),
        setup=_text(line, "setup"),
        entry=_price(line, "entry"),
        stop=_price(line, "stop"),
        target=_price(line, "target"),
        why=_text(line, "why"),
    )


def _instrument(line: _Line, master: InstrumentNames) -> Instrument:
    segment = line.cells.get("segment", "").upper() or DEFAULT_SEGMENT
    if segment not in SEGMENTS:
        raise line.refuse("segment", segment, "a segment is one of " + ", ".join(SEGMENTS))
    security_id, symbol = line.cells.get("security_id", ""), _text(line, "symbol")
    if not security_id:
        by_symbol = master.by_symbol.get((segment, symbol.upper()))
        if by_symbol is None:
            raise line.refuse(
                "symbol",
                symbol,
                f"the instrument master has none of that name in {segment}; give its security_id",
            )
        return by_symbol
    key = parse_key(f"{segment}:{security_id}", f"line {line.number}, column security_id")
    known = master.by_key.get(key)
    if known is None:
        if not symbol:
            raise line.refuse(
                "security_id", key, "the instrument master does not know it; give its symbol too"
            )
        return Instrument(segment, int(security_id), symbol, _text(line, "name"), "", 1, 0)
    # A row with the name of one share and the price of another is worse than no import.
    if symbol and symbol.upper() != known.symbol.upper():
        raise line.refuse("symbol", symbol, f"{key} is {known.symbol} in the instrument master")
    return known


def _text(line: _Line, column: str) -> str:
    text = line.cells.get(column, "")
    if len(text) > _MAX_TEXT or _FORBIDDEN.search(text):
        raise line.refuse(
            column, text, f"a text of at most {_MAX_TEXT} characters without control characters"
        )
    return " ".join(text.split())


def _rank(line: _Line, place: int) -> int:
    if "rank" not in line.cells:
        return place
    text = line.cells["rank"]
    if not (text.isascii() and text.isdigit() and 1 <= len(text) <= 6 and int(text) > 0):
        raise line.refuse("rank", text, "a whole number from 1")
    return int(text)


def _score(line: _Line) -> float | None:
    text = line.cells.get("score", "")
    if not text:
        return None
    if _NUMBER.fullmatch(text.removeprefix("-")) is None or not math.isfinite(float(text)):
        raise line.refuse("score", text, "a number such as 87.5")
    return float(text)


def _price(line: _Line, column: str) -> Price | None:
    text = line.cells.get(column, "")
    if not text:
        return None
    digits = text.replace(",", "").removeprefix("₹").strip()  # spreadsheets export ₹1,23,456.50 quoted
    price = price_from_rupees(float(digits)) if _NUMBER.fullmatch(digits) else None
    if price is None or abs(float(digits) * SCALE - price) > 0.01:
        raise line.refuse(
            column,
            text,
            "a price in rupees such as 1650.35, above 0, at most 1,00,00,000, at most 4 decimals",
        )
    return price
