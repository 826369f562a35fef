"""The searchable text of one segment in one byte string, a line for each instrument."""

from __future__ import annotations

import re
from array import array
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from ltp.core.instrument import Instrument

SEPARATOR: Final = "\x1f"
# A scan of so many lines takes about 0.2 ms; it cannot be interrupted.
_LINES: Final = 4_096


class SegmentText:
    """Lines of symbol, name and former names, casefolded. `first`: the row number of the first line."""

    def __init__(self, first: int) -> None:
        self.first, self.lines, self.starts = first, bytearray(b"\n"), array("L")
        self._leading: set[str] = set()

    def add(self, instrument: Instrument, former: Sequence[str] = ()) -> None:
        self.starts.append(len(self.lines))
        line = SEPARATOR.join((instrument.symbol, instrument.name, *former)).casefold()
        self.lines += f"{line}\n".encode()
        self._leading.add(line.partition(SEPARATOR)[0].partition("-")[0])

    def may_start(self, text: str) -> bool:
        """Return whether a symbol may start with the text: not where nothing before a first "-" does.

        The contracts of a segment are on some 200 underlyings, so most searches need no scan of them.
        """
        head = text.partition("-")[0]
        return any(each.startswith(head) for each in self._leading)

    def line(self, row: int) -> str:
        start = self.starts[row - self.first]
        return self.lines[start : self.lines.index(b"\n", start)].decode()

    def matches(self, literal: str, pause: Callable[[], object] = lambda: None) -> Iterator[int]:
        """Yield the row of each place of the literal, in order. "\\n" before it: at the start of a symbol.

        `pause` is called after each part of the text.
        """
        pattern, last = re.compile(re.escape(literal.encode())), len(self.starts)
        for part in range(0, last, _LINES):
            # A part starts with the line end before its first line, which a literal may start with.
            end = self.starts[part + _LINES] - 1 if part + _LINES < last else len(self.lines)
            for found in pattern.finditer(self.lines, self.starts[part] - 1, end):
                yield self.first + bisect_right(self.starts, found.end() - 1) - 1
            pause()
