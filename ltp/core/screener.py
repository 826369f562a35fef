"""The result of an evaluation: a run and its rows, as they are imported, stored and shown."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from types import MappingProxyType
from typing import Final, NamedTuple

from ltp.core.instrument import split_key
from ltp.core.money import Price

KINDS: Final = ("swing", "longterm")  # the built-in screeners; each exists even before it has results
MAX_ROWS: Final = 5_000  # instruments of one feed connection
# A run that is not stored has an id from here on: a watchlist at one version, made by a web process for its page.
FIRST_UNSTORED: Final = 2**53


class Outcome(NamedTuple):
    """The result of one criterion for an instrument.

    `value`: the compared value, None if the history is too short. `bound`: the text of the other side of the
    comparison. `margin`: by how much it passed (positive) or missed (negative), in the unit of `value`; None
    where that has no meaning. `unit`: of `value`, empty for a plain number.
    """

    name: str
    passed: bool
    value: float | None = None
    bound: str = ""
    margin: float | None = None
    unit: str = ""


class Row(NamedTuple):
    """One result. `rank` counts from 1, best first. Prices in 1/10,000 rupee, None if the screener has none.

    The facts are `score` (0 to 100), with `base_score` of days and `mtf_score` of weeks, `facts` (see FACTS),
    `criteria` and `spark` (the newest adjusted closes in rupees, oldest first). The plan is `setup` to
    `horizon`: `risk` and `allocation` are amounts in price units, `allocation_pct` is per cent of the
    capital, `invalid` is the condition that ends the plan. `flags`: sentences about doubtful history. Texts
    are unescaped, and empty if there is none.
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

    `created_at` is aware UTC. `sample`: invented data, which pages must label. `source`: the file's name of
    an import. `as_of`: the newest session of the candles, None for an import. `universe`: the name of the
    searched universe; `evaluated`: the number of its instruments. `spec`: the screen as canonical text, empty
    for the built-in ones. `notes`: the left-out shares with reasons, empty if there are none.
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

    @property
    def is_stored(self) -> bool:
        """Can addresses name it? An id that is not stored means something in one process only."""
        return self.id < FIRST_UNSTORED
