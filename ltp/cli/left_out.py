"""The rows that an import of candles left out: counted and the first ones named on screen, all in a file."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ltp.core.counted import counted, listed

if TYPE_CHECKING:  # numpy comes with it, which takes a while to load
    from ltp.batch.candle_import import CandleImport

LEFT_OUT: Final = "candles-left-out.csv"
RENAMES: Final = "candles-renames-suspected.csv"
_NAMED: Final = 12
_SHOWN: Final = 5
_AGAIN: Final = "then import the same once more"


def report(done: CandleImport, folder: Path) -> None:
    """Print the rows left out and the remedies; more than a few are written to files in `folder`."""
    if done.damaged:
        rows = counted(done.damaged, "row was left out", "rows were left out")
        print(f"{rows}; the first: {done.sentences[0]}")
    if done.series:
        named = listed([f"{series or 'none'} {rows:,}" for series, rows in done.series.most_common()], _NAMED)
        print(f"{counted(done.series.total(), 'row')} of series other than EQ, BE and BZ not read: {named}.")
    if done.recognised:
        known = [f"{old} is {new}" for old, new in sorted(done.recognised.items())]
        symbols = counted(len(known), "former symbol was", "former symbols were")
        print(f"{symbols} recognised by the ISIN: {listed(known, _NAMED)}.")
    if done.again:
        print(f"Too many rows were kept to join these at once, {_AGAIN}: {listed(done.again, _NAMED)}.")
    _unknown(done)
    _renames(done, folder)
    if done.damaged > 1 or len(done.unknown) > _NAMED:
        _write_all(done, folder / LEFT_OUT)


def _unknown(done: CandleImport) -> None:
    if done.unknown:
        rows = sum(each.rows for each in done.unknown)
        share = rows / (rows + done.candles)
        symbols = counted(len(done.unknown), "symbol is", "symbols are")
        named = listed([each.symbol for each in done.unknown], _NAMED)
        print(
            f"{symbols} not in the instrument master, and {share:.1%} of the share-days left out with them: "
            f"{counted(rows, 'row')} of {named}."
        )


def _renames(done: CandleImport, folder: Path) -> None:
    if len(done.unknown) > len(done.renames):
        print(f"NSE's list tells renames: `python -m ltp candles renames symbolchange.csv`, {_AGAIN}.")
    if not done.renames:
        return
    count = counted(len(done.renames), "rename is", "renames are")
    print(f"{count} suspected; confirm with `python -m ltp candles renames OLD NEW`, {_AGAIN}:")
    for each in done.renames[:_SHOWN]:
        print(f"{each.old:12} {each.new:12} {each.day} {each.evidence}")
    if len(done.renames) > 1 and _write(folder / RENAMES, ("old", "new", "date", "evidence"), done.renames):
        file = folder / RENAMES
        print(
            f"All of them are in {file}: strike out what was none, "
            f"and `python -m ltp candles renames {file}`."
        )


def _write_all(done: CandleImport, file: Path) -> None:
    suspected = {each.old: f"; suspected to be {each.new} since {each.day}" for each in done.renames}
    rows: list[Sequence[Any]] = [
        (*each, f"not in the instrument master{suspected.get(each.symbol, '')}") for each in done.unknown
    ]
    rows += [("", 1, "", "", sentence) for sentence in done.sentences]
    if _write(file, ("symbol", "rows", "first", "last", "reason"), rows):
        print(f"All that was left out is in {file}.")


def _write(file: Path, head: Sequence[str], rows: Iterable[Sequence[Any]]) -> bool:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("w", newline="", encoding="utf-8") as target:
            lines = csv.writer(target, lineterminator="\n")
            lines.writerow(head)
            lines.writerows(rows)
    except OSError as error:
        print(f"{file} cannot be written ({error.strerror})", file=sys.stderr)
        return False
    return True
