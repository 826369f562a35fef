"""One-minute bars of a captured file into SQL, where no better ones are stored."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from ltp.core.bars.bar import LIVE, MINUTE_S, PARTIAL, Bar
from ltp.core.bars.block import merged, packed, unpacked
from ltp.core.bars.builder import ClosedBar
from ltp.db import candle_source, minute_bars
from ltp.db.engine import Engine
from ltp.db.minute_bars import BLOCK_S
from ltp.errors import DatabaseError

_AT_ONCE: Final = 50_000  # bars of one transaction, some 15 MB


class Rebuilt(NamedTuple):
    """`bars`: of the file. `kept`: stored bars of the broker or of a file, which stayed. `digest`: of all bars
    of the file, equal for equal bars.
    """

    instruments: int
    bars: int
    kept: int
    digest: str


def rebuild(
    closed: Iterable[Sequence[ClosedBar]], engine: Engine | None, *, simulated: bool = False
) -> Rebuilt:
    """Store bars as they close, those of a start that came before again.

    Args:
        engine: None stores nothing.
        simulated: the bars are of the simulated exchange.
    Raises:
        DatabaseError: some bars may be stored; the same file again stores the rest.
    """
    blocks: dict[tuple[str, int], bytes] = {}
    kept, waiting = 0, dict[str, dict[int, Bar]]()
    size = 0
    for some in closed:
        for key, bar in some:
            waiting.setdefault(key, {})[bar.start] = bar
        size += len(some)
        if size >= _AT_ONCE:
            kept += _take(waiting, blocks, engine, simulated=simulated)
            waiting, size = {}, 0
    kept += _take(waiting, blocks, engine, simulated=simulated)
    digest = hashlib.sha256()
    bars = 0
    for (key, start), block in sorted(blocks.items()):
        digest.update(f"{key} {start} {len(block)}\n".encode() + block)
        bars += len(unpacked(block, start))
    return Rebuilt(len({key for key, _ in blocks}), bars, kept, digest.hexdigest())


def refuse_mixing(engine: Engine, *, simulated: bool) -> None:
    """Raise DatabaseError where simulated bars would join real candles, or real bars simulated ones."""
    origin = candle_source.origin(engine)
    if simulated:
        candle_source.refuse_simulated(origin)
    elif origin == "simulated":
        raise DatabaseError(
            "The file is of the real market, and the candles in the database are simulated: import or fetch "
            "real ones first, which takes the simulated ones away",
            permanent=True,
        )


def _take(
    waiting: dict[str, dict[int, Bar]],
    blocks: dict[tuple[str, int], bytes],
    engine: Engine | None,
    *,
    simulated: bool,
) -> int:
    """Add bars by key and start to the blocks of the digest, and store them.

    Returns:
        How many were not stored, because better ones are.
    """
    kept, stored = 0, dict[str, list[Bar]]()
    for key, by_start in waiting.items():
        bars = [by_start[start] for start in sorted(by_start)]
        for begin in {bar.start - bar.start % BLOCK_S for bar in bars}:
            new = [bar for bar in bars if begin <= bar.start < begin + BLOCK_S]
            old = unpacked(blocks[key, begin], begin) if (key, begin) in blocks else []
            blocks[key, begin] = packed(merged(old, new), begin)
        if engine is not None:
            better = _better(engine, key, by_start)
            stored[key] = [bar for bar in bars if bar.start not in better]
            kept += len(bars) - len(stored[key])
    if engine is not None:
        minute_bars.upsert(engine, stored, simulated=simulated)
    return kept


def _better(engine: Engine, key: str, new: Mapping[int, Bar]) -> set[int]:
    """Return the starts of stored bars that stay: the broker's, imported ones, and a whole one where the new one
    is partial, because the capture began or ended in its minute.
    """
    there = minute_bars.fetch(engine, key, min(new), max(new) + MINUTE_S)
    return {
        bar.start
        for bar in there
        if bar.sources & ~LIVE
        or (bar.start in new and new[bar.start].marks & PARTIAL and not bar.marks & PARTIAL)
    }
