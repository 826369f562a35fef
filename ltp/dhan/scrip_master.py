"""DhanHQ's instrument master: lines of its CSV, compact or detailed, to instruments.

Columns are found by name, never by place. Reads one row at a time and keeps none, because the file has more
than 200,000. Knows neither files nor SQL. The expiry column is not read: its form differs between layouts,
and the exchange's symbol contains the expiry too.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from operator import itemgetter
from typing import Final

from ltp.dhan.scrip_row import ScripRow, UnknownSegment, parse_row
from ltp.errors import InputError

__all__ = ["ScripMaster", "ScripRow"]

# Field: its name in the detailed layout, then in the compact one. The first four must be there.
_COLUMNS: Final[dict[str, tuple[str, ...]]] = {
    "exchange": ("EXCH_ID", "SEM_EXM_EXCH_ID"),
    "letter": ("SEGMENT", "SEM_SEGMENT"),
    "id": ("SECURITY_ID", "SEM_SMST_SECURITY_ID"),
    "kind": ("INSTRUMENT", "SEM_INSTRUMENT_NAME"),
    "trading": ("SEM_TRADING_SYMBOL",),
    "underlying": ("UNDERLYING_SYMBOL",),
    "underlying_id": ("UNDERLYING_SECURITY_ID",),
    "long_name": ("SYMBOL_NAME", "SM_SYMBOL_NAME"),
    "label": ("DISPLAY_NAME", "SEM_CUSTOM_SYMBOL"),
    "isin": ("ISIN",),
    "type": ("INSTRUMENT_TYPE", "SEM_EXCH_INSTRUMENT_TYPE"),
    "series": ("SERIES", "SEM_SERIES"),
    "lot": ("LOT_SIZE", "SEM_LOT_UNITS"),
    "tick": ("TICK_SIZE", "SEM_TICK_SIZE"),
}
_REQUIRED: Final = ("exchange", "letter", "id", "kind")
_ACCEPTED: Final = (
    "the first line names the columns: EXCH_ID, SEGMENT, SECURITY_ID, INSTRUMENT, UNDERLYING_SYMBOL (detailed) or "
    "SEM_EXM_EXCH_ID, SEM_SEGMENT, SEM_SMST_SECURITY_ID, SEM_INSTRUMENT_NAME, SEM_TRADING_SYMBOL (compact)"
)
# One row in so many may be unreadable, and _BAD_ANYWAY rows of any file; past that it is no instrument
# master.
_BAD_SHARE: Final = 100
_BAD_ANYWAY: Final = 10
_Pick = Callable[[list[str]], tuple[str, ...]]


class ScripMaster:
    """The rows of one file, to be iterated once; the counts below are complete after that.

    `elsewhere` counts rows of exchanges and segments that have no prices ("NSE M"). An unreadable row is left
    out and counted in `unreadable`, because one odd row must not cost the day's master; `first_unreadable`
    describes the first.

    Raises:
        InputError: at once when the first line names other columns, such as that of an HTML page; at the end
            when more than one row in a hundred is unreadable, when there is no row, or when the text ends in
            the middle of a row.
    """

    def __init__(self, lines: Iterable[str]) -> None:
        self._last_line = ""
        self._reader = csv.reader(self._watched(lines))
        self.rows = self.unreadable = 0
        self.first_unreadable = ""
        self.elsewhere: Counter[str] = Counter()
        self._named, self._pick = self._header()

    def __iter__(self) -> Iterator[ScripRow]:
        cut = False
        try:
            for cells in self._reader:
                if not any(cells):
                    continue
                self.rows += 1
                cut = len(cells) < self._named
                cells.append("")  # read for every column that this layout does not have
                try:
                    row = parse_row(*self._pick(cells))
                except (ValueError, IndexError) as error:
                    self._leave_out(cells, error)
                    continue
                except UnknownSegment as elsewhere:
                    self.elsewhere[str(elsewhere)] += 1
                    continue
                yield row
        except csv.Error as error:
            raise InputError(f"line {self._reader.line_num}", "", f"the line must be CSV ({error})") from None
        self._judge(cut and not self._last_line.endswith(("\n", "\r")))

    def _watched(self, lines: Iterable[str]) -> Iterator[str]:
        for line in lines:
            self._last_line = line
            yield line

    def _header(self) -> tuple[int, _Pick]:
        """Return the number of named columns, and the getter of our fields' cells in a row."""
        try:
            names = [cell.strip().upper() for cell in next(self._reader, [])]
        except csv.Error:
            names = []
        places = {field: _place(names, aliases) for field, aliases in _COLUMNS.items()}
        named = any(places[field] >= 0 for field in ("trading", "underlying", "long_name"))
        if not named or any(places[field] < 0 for field in _REQUIRED):
            raise InputError("line 1", " ".join(self._last_line.split()), _ACCEPTED)
        while names and not names[-1]:
            names.pop()  # a header may end in a comma where the rows do not
        return len(names), itemgetter(*places.values())

    def _leave_out(self, cells: list[str], error: Exception) -> None:
        self.unreadable += 1
        if not self.first_unreadable:
            reason = "it has too few cells" if isinstance(error, IndexError) else str(error)
            self.first_unreadable = f"line {self._reader.line_num} ({','.join(cells)[:60]!r}): {reason}"

    def _judge(self, cut: bool) -> None:
        line = f"line {self._reader.line_num}"
        if cut:
            raise InputError(line, self._last_line, "the file ends in the middle of this row")
        if self.rows == 0:
            raise InputError(line, "", "a file holds at least one row below the line that names the columns")
        if self.unreadable == self.rows or self.unreadable > max(_BAD_ANYWAY, self.rows // _BAD_SHARE):
            accepted = (
                f"at most one row in {_BAD_SHARE} may be unreadable; the first is {self.first_unreadable}"
            )
            raise InputError("rows", f"{self.unreadable} of {self.rows} unreadable", accepted)


def _place(names: list[str], aliases: tuple[str, ...]) -> int:
    return next((names.index(alias) for alias in aliases if alias in names), -1)
