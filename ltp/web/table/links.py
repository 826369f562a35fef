"""The addresses in a table's controls: heads of columns, tabs, filters and streams. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from ltp.core.screener import Run
from ltp.web.live import poll
from ltp.web.table.columns import Column
from ltp.web.table.facets import SetupChoice, facets, setup_label
from ltp.web.table.screen_query import ScreenQuery

# Parameters that are not the table's, such as `c=` of a custom screen: they stay in each link and form.
Carried = Sequence[tuple[str, str]]
_LABELS: Final = {"candidates": "Candidates", "recommendations": "Plans"}


class Heading(NamedTuple):
    """A column in the table's head. `url`: sorts by it. `aria`: the value of aria-sort. `then`: "ascending" or
    "descending" if it orders rows with equal values in the sorted column, else empty.
    """

    column: Column
    url: str
    aria: str
    then: str = ""


class Tab(NamedTuple):
    name: str
    label: str
    url: str
    current: bool


class ActiveFilter(NamedTuple):
    """One of the conditions that rows have to meet, and the query without it."""

    label: str
    without: ScreenQuery


def active_filters(query: ScreenQuery) -> tuple[ActiveFilter, ...]:
    """Return all conditions of a query; those of `column_filters` are the last."""
    first = query.with_(page=1, rows=())
    fields = (
        (f"“{query.q}”" if query.q else "", first.with_(q="")),
        (f"Setup is {setup_label(query.setup)}" if query.setup else "", first.with_(setup="")),
        (f"Sector is {query.sector}" if query.sector else "", first.with_(sector="")),
    )
    named = tuple(ActiveFilter(label, without) for label, without in fields if label)
    return named + column_filters(query)


def column_filters(query: ScreenQuery) -> tuple[ActiveFilter, ...]:
    first = query.with_(page=1, rows=())
    return tuple(
        ActiveFilter(each.label, first.with_(filters=tuple(one for one in query.filters if one != each)))
        for each in query.filters
    )


class Links:
    """The addresses in a table's controls. `path`, `carried`: of the page."""

    def __init__(self, path: str, carried: Carried) -> None:
        self._path, self._carried = path, carried

    def url(self, query: ScreenQuery) -> str:
        return query.url(self._path, self._carried)

    def live(self, query: ScreenQuery) -> poll.LiveAddresses:
        return poll.LiveAddresses(
            query.url(f"{self._path}/stream", self._carried), query.url(f"{self._path}/poll", self._carried)
        )

    def heading(self, column: Column, query: ScreenQuery) -> Heading:
        """A first click sorts numbers from the highest and words from A, the next one reverses the order."""
        is_sorted = query.sort == column.name
        descending = not query.descending if is_sorted else not (column.text or column.name == "rank")
        shown = {name: "descending" if down else "ascending" for name, down in query.orders}
        aria = shown[column.name] if is_sorted else "none"
        then = shown[column.name] if column.name == query.then else ""
        return Heading(column, self.url(query.sorted_by(column.name, descending=descending)), aria, then)

    def tab(self, tab: str, query: ScreenQuery) -> Tab:
        return Tab(tab, _LABELS[tab], self.url(query.in_tab(tab)), query.tab == tab)

    def setups(self, run: Run | None, query: ScreenQuery) -> tuple[SetupChoice, ...]:
        chosen = query.setup.casefold()
        return tuple(
            each._replace(
                url=self.url(query.with_(setup=each.value, page=1)), current=each.value.casefold() == chosen
            )
            for each in facets(run).setups
        )
