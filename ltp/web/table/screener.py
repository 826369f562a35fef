"""A screener as its table sees it: the columns of each tab and their labels."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

from ltp.core.screener import Row, Run
from ltp.web.table.columns import BY_NAME, RECOMMENDATIONS, Column, stored_value
from ltp.web.table.run_cache import RunCache


class Screener(NamedTuple):
    """A screener with a page.

    `kind`: of its runs. `title`, `about`: for the reader. `candidates`, `recommendations`: the default
    columns of each tab, `ltp` among them. `labels`: labels that differ from the column's own, by column.
    `slug`: its address below /screeners, "" if that is the kind; addresses of rows always use the kind.
    `is_list`: of a watchlist, whose rows lead to the pages of the instruments.
    """

    kind: str
    title: str
    about: str
    candidates: tuple[str, ...]
    recommendations: tuple[str, ...]
    labels: Mapping[str, str] = MappingProxyType({})
    slug: str = ""
    is_list: bool = False

    @property
    def path(self) -> str:
        return f"/watchlists/{self.slug}" if self.is_list else f"/screeners/{self.slug or self.kind}"

    def columns(self, tab: str) -> tuple[str, ...]:
        return self.recommendations if tab == RECOMMENDATIONS else self.candidates

    def column(self, name: str) -> Column:
        column = BY_NAME[name]
        if self.is_list and name == "rank":
            column = column._replace(title="Place in the list")
        return column._replace(label=self.labels[name]) if name in self.labels else column


def in_table_order(names: Collection[str]) -> tuple[str, ...]:
    """Return column names in the order of `columns.COLUMNS`."""
    wanted = frozenset(names)
    return tuple(name for name in BY_NAME if name in wanted)


def default_columns(screener: Screener, run: Run | None, tab: str) -> tuple[str, ...]:
    """Return the columns of a tab unless the reader chooses others: those with values in the run.

    An imported list has no facts and perhaps no targets; columns full of dashes would hide the rest.
    """
    names = in_table_order(screener.columns(tab))
    return names if run is None else _FILLED.get_or_compute(run, names, lambda: _filled(run.rows, names))


def live_plan_columns(row: Row) -> tuple[str, ...]:
    """Return the live columns of a row's plan whose price level the row has."""
    return tuple(
        name
        for name, level in _LEVEL.items()
        if row.entry is not None and stored_value(row, level) is not None
    )


def _filled(rows: tuple[Row, ...], names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(name for name in names if not rows or _has_values(rows, name))


def _has_values(rows: tuple[Row, ...], name: str) -> bool:
    if BY_NAME[name].live and name not in _LEVEL:
        return True
    return any(stored_value(row, _LEVEL.get(name, name)) not in _EMPTY for row in rows)


# The price level of the plan that each live column of a plan is computed from.
_LEVEL: Final = {
    "state": "entry",
    "to_entry": "entry",
    "to_stop": "stop",
    "to_target": "target",
    "r_now": "stop",
}
_EMPTY: Final = (None, "", ())
_FILLED: Final = RunCache[tuple[str, ...]](256)
