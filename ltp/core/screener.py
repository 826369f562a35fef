"""A screener's result: one run and its rows, as they are imported, stored and shown."""

from __future__ import annotations

from datetime import datetime
from typing import Final, NamedTuple

from ltp.core.instrument import split_key
from ltp.core.money import Price

KINDS: Final = ("swing", "longterm")  # the built-in screeners; each exists even before it has results
MAX_ROWS: Final = 5_000  # what one feed connection can subscribe


class Row(NamedTuple):
    """One result. `rank` counts from 1, best first. Prices in 1/10,000 rupee; None where the screener did not say.

    Texts are as they came, unescaped, and empty where there was none.
    """

    key: str
    rank: int
    symbol: str
    name: str = ""
    sector: str = ""
    score: float | None = None
    setup: str = ""
    entry: Price | None = None
    stop: Price | None = None
    target: Price | None = None
    why: str = ""

    @property
    def segment(self) -> str:
        return split_key(self.key)[0]

    @property
    def security_id(self) -> int:
        return split_key(self.key)[1]


class Run(NamedTuple):
    """All results of one evaluation; never changed once stored, so it may be cached by `id` for ever.

    `created_at` is aware UTC. `sample`: invented, to be headed so. `source`: where it came from, a file's name for an import.
    """

    id: int
    kind: str
    created_at: datetime
    sample: bool
    source: str
    rows: tuple[Row, ...]
