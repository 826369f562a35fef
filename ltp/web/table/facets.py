"""Filters of a run's rows: its setups with their numbers of rows, and its sectors."""

from __future__ import annotations

from collections import Counter
from typing import Final, NamedTuple

from ltp.core.screener import Row, Run
from ltp.web.table.run_cache import RunCache
from ltp.web.table.screen_query import WAITING

_MAX_LINKS: Final = 6  # more setups than these are offered as a select field
_ORDER: Final = {"READY": 0, WAITING: 1, "NOT_READY": 9}
_LABELS: Final = {"READY": "Ready", WAITING: "Waiting", "NOT_READY": "Not ready"}


class SetupChoice(NamedTuple):
    """One setup to filter by. `value`: as in the address, "" for all rows. `found`: its number of rows. The
    page sets `url` and `current`.
    """

    value: str
    label: str
    found: int
    url: str = ""
    current: bool = False


class Facets(NamedTuple):
    """`setups` begins with the choice of all rows. `many`: more setups than fit into a line of links."""

    setups: tuple[SetupChoice, ...] = ()
    sectors: tuple[str, ...] = ()
    many: bool = False


def facets(run: Run | None) -> Facets:
    return Facets() if run is None else _FACETS.get_or_compute(run, None, lambda: _count(run))


def setup_label(setup: str) -> str:
    """Return the label of a setup, or of a group of setups, by its name in an address."""
    return _LABELS.get(setup.upper(), _LABELS.get(setup.lower(), setup.replace("_", " ")))


def is_waiting(row: Row) -> bool:
    return row.setup.startswith("WAIT_")


def _count(run: Run) -> Facets:
    rows = run.rows
    counts = Counter(WAITING if is_waiting(row) else row.setup for row in rows if row.setup)
    names = set(counts)
    if names & _ORDER.keys():  # a count of 0 ready rows is shown too
        names = {*counts, "READY", WAITING}
    ordered = sorted(names, key=lambda name: (_ORDER.get(name, 5), name.casefold()))
    choices = tuple(SetupChoice(name, _LABELS.get(name, name), counts[name]) for name in ordered)
    everything = (SetupChoice("", "All", len(rows)),) if choices else ()
    return Facets(
        (*everything, *choices),
        tuple(sorted({row.sector for row in rows if row.sector})),
        len(choices) > _MAX_LINKS,
    )


_FACETS: Final = RunCache[Facets](128)
