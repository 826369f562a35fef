"""A screener as its table sees it: which columns each tab shows, and what they are called there."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

from ltp.core.screener import Row, Run
from ltp.web.table.columns import BY_NAME, RECOMMENDATIONS, Column, stored_value
from ltp.web.table.run_cache import RunCache


class Screener(NamedTuple):
    """Something whose runs have a page. `kind`: of its runs. `title` and `about`: for people.

    `candidates`, `recommendations`: the columns of each tab unless the reader chooses others, always with
    `ltp`. `labels`: what a column is called here where that is not its own label. `slug`: its address below
    /screeners, empty where that is the kind; rows lead to /screeners/<kind>/<SEGMENT>/<ID>.
    """

    kind: str
    title: str
    about: str
    candidates: tuple[str, ...]
    recommendations: tuple[str, ...]
    labels: Mapping[str, str] = MappingProxyType({})
    slug: str = ""

    @property
    def path(self) -> str:
        return f"/screeners/{self.slug or self.kind}"

    def columns(self, tab: str) -> tuple[str, ...]:
        return self.recommendations if tab == RECOMMENDATIONS else self.candidates

    def column(self, name: str) -> Column:
        column = BY_NAME[name]
        return column._replace(label=self.labels[name]) if name in self.labels else column


def in_order(names: Collection[str]) -> tuple[str, ...]:
    """Return the names in the order of the table of columns."""
    wanted = frozenset(names)
    return tuple(name for name in BY_NAME if name in wanted)


def columns_of(shown: Screener, run: Run | None, tab: str) -> tuple[str, ...]:
    """Return a tab's columns unless the reader chooses others: of the screener's own those in which the run
    says something.

    An imported list has no facts and perhaps no targets; columns of nothing but dashes would hide what it
    has.
    """
    names = in_order(shown.columns(tab))
    return names if run is None else _TELLING.of(run, names, lambda: _telling(run, names))


def _telling(run: Run, names: tuple[str, ...]) -> tuple[str, ...]:
    rows = run.rows
    return tuple(name for name in names if not rows or _says(rows, name))


def live_of(row: Row) -> tuple[str, ...]:
    """Return the live columns of the row's plan that have a level to be counted from."""
    return tuple(
        name
        for name, source in _SOURCE.items()
        if row.entry is not None and stored_value(row, source) is not None
    )


def _says(rows: tuple[Row, ...], name: str) -> bool:
    if BY_NAME[name].live and name not in _SOURCE:
        return True
    return any(stored_value(row, _SOURCE.get(name, name)) not in _NOTHING for row in rows)


# Live columns of a plan say something where the row has the level they are counted from.
_SOURCE: Final = {
    "state": "entry",
    "to_entry": "entry",
    "to_stop": "stop",
    "to_target": "target",
    "r_now": "stop",
}
_NOTHING: Final = (None, "", ())
_TELLING: Final = RunCache[tuple[str, ...]](256)
