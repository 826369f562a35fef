"""What a run can be filtered by: its setups, with how many rows each has, and its sectors. Counted once a
run.
"""

from __future__ import annotations

from collections import Counter
from typing import Final, NamedTuple

from ltp.core.screener import Row, Run
from ltp.web.table.run_cache import RunCache
from ltp.web.table.screen_query import WAITING

_MOST_LINKS: Final = 6  # more setups than these are chosen from a list
_ORDER: Final = {"READY": 0, WAITING: 1, "NOT_READY": 9}
_LABELS: Final = {"READY": "Ready", WAITING: "Waiting", "NOT_READY": "Not ready"}


class SetupChoice(NamedTuple):
    """One setup to filter by: `value` as in the address, empty for every row; `found` rows have it. The rest
    is the page's.
    """

    value: str
    label: str
    found: int
    url: str = ""
    current: bool = False


class Facets(NamedTuple):
    """`setups` begins with all rows. `many`: too many setups for a line of links."""

    setups: tuple[SetupChoice, ...] = ()
    sectors: tuple[str, ...] = ()
    many: bool = False


def facets(run: Run | None) -> Facets:
    return Facets() if run is None else _COUNTED.of(run, None, lambda: _counted(run))


def label(setup: str) -> str:
    """Return what people call a setup, or a group of them, by its name in an address."""
    return _LABELS.get(setup.upper(), _LABELS.get(setup.lower(), setup.replace("_", " ")))


def waits(row: Row) -> bool:
    """Tell whether the row's setup is one that waits for something."""
    return row.setup.startswith("WAIT_")


def _counted(run: Run) -> Facets:
    rows = run.rows
    counts = Counter(WAITING if waits(row) else row.setup for row in rows if row.setup)
    names = set(counts)
    if names & _ORDER.keys():  # that nothing is ready is worth to know
        names = {*counts, "READY", WAITING}
    ordered = sorted(names, key=lambda name: (_ORDER.get(name, 5), name.casefold()))
    choices = tuple(SetupChoice(name, _LABELS.get(name, name), counts[name]) for name in ordered)
    everything = (SetupChoice("", "All", len(rows)),) if choices else ()
    return Facets(
        (*everything, *choices),
        tuple(sorted({row.sector for row in rows if row.sector})),
        len(choices) > _MOST_LINKS,
    )


_COUNTED: Final = RunCache[Facets](128)
