"""A screener's result: one run and its rows, as they are imported, stored and shown."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from types import MappingProxyType
from typing import Final, NamedTuple

from ltp.core.instrument import split_key
from ltp.core.money import Price

KINDS: Final = ("swing", "longterm")  # the built-in screeners; each exists even before it has results
MAX_ROWS: Final = 5_000  # what one feed connection can subscribe


class Outcome(NamedTuple):
    """What one criterion of a screen said of an instrument.

    `value`: what was compared, None where there was too little history. `bound`: what it was compared with,
    as text. `margin`: by how much it passed (positive) or missed (negative), in the unit of `value`; None
    where that has no meaning. `unit`: what `value` is counted in, empty for a plain number.
    """

    name: str
    passed: bool
    value: float | None = None
    bound: str = ""
    margin: float | None = None
    unit: str = ""


class Row(NamedTuple):
    """One result. `rank` counts from 1, best first. Prices in 1/10,000 rupee; None where the screener did not
    say.

    Facts are what was measured, the plan is what to do: `score` (0 to 100), of which `base_score` is the
    daily and `mtf_score` the weekly part, `facts` (see FACTS), `criteria` and `spark` (the newest closes,
    rupees, oldest first, adjusted) belong to the first; `setup` to `horizon` to the second. `risk` and
    `allocation` are rupees in price units, `allocation_pct` per cent of the capital. `invalid`: what would
    make the plan void. `flags`: doubts about the history, as sentences. Texts are as they came, unescaped,
    and empty where there was none.
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
    entry_low: Price | None = None
    entry_high: Price | None = None
    quantity: int | None = None
    risk: Price | None = None
    invalid: str = ""
    allocation_pct: float | None = None
    allocation: Price | None = None
    horizon: str = ""
    base_score: float | None = None
    mtf_score: float | None = None
    facts: Mapping[str, float | str | None] = MappingProxyType({})
    criteria: tuple[Outcome, ...] = ()
    spark: tuple[float, ...] = ()
    flags: tuple[str, ...] = ()

    @property
    def segment(self) -> str:
        return split_key(self.key)[0]

    @property
    def security_id(self) -> int:
        return split_key(self.key)[1]


class Run(NamedTuple):
    """All results of one evaluation; never changed once stored, so it may be cached by `id` for ever.

    `created_at` is aware UTC. `sample`: invented, to be headed so. `source`: where it came from, a file's
    name for an import. `as_of`: the session whose candles were the newest, None for an import. `universe`:
    what was searched; `evaluated`: how many instruments that were. `spec`: the screen itself as canonical
    text, empty for the built-in ones. `notes`: what was left out and why, empty where nothing was.
    """

    id: int
    kind: str
    created_at: datetime
    sample: bool
    source: str
    rows: tuple[Row, ...]
    as_of: date | None = None
    universe: str = ""
    evaluated: int = 0
    spec: str = ""
    took_s: float = 0.0
    notes: str = ""
