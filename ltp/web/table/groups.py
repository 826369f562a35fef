"""Rows in groups of an equal text, such as a sector: their order, and the heading of each group. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from statistics import median
from typing import Final, NamedTuple

from markupsafe import Markup

from ltp.core.counted import counted
from ltp.core.history.plan import Plan
from ltp.core.money import SCALE, group_indian
from ltp.core.screener import Row
from ltp.core.ticks.quote import Quote
from ltp.web.table.columns import BY_NAME, SECTION, Column, stored_value
from ltp.web.table.sizes import Totals
from ltp.web.table.values import sort_key

_HEADING: Final = Markup(
    '<tr class="{}"><th scope="rowgroup" colspan="{}"><span>{} <small>{}</small></span></th></tr>\n'
)


class Group(NamedTuple):
    """A group of a list. `title`: empty for the rows without a value. `rows`: those on all pages."""

    title: str
    rows: tuple[Row, ...]

    @property
    def median_score(self) -> float | None:
        scores = [row.score for row in self.rows if row.score is not None]
        return median(scores) if scores else None


def groups_of(
    rows: Iterable[Row],
    name: str,
    quotes: Mapping[str, Quote],
    plans: Mapping[str, Plan],
    *,
    best_first: bool = False,
) -> list[Group]:
    """Return the rows in groups of the column `name`, in each the order they come in.

    Args:
        best_first: the group with the highest score first, else by name; rows without a value are always last.
    """
    key_of, title_of = sort_key(name, quotes, plans), _title_of(name, quotes, plans)
    found: dict[str | None, list[Row]] = {}
    for row in rows:
        found.setdefault(key_of(row), []).append(row)
    groups = [
        (key is None, -_best(members) if best_first else 0.0, key or "", members)
        for key, members in found.items()
    ]
    groups.sort(key=lambda group: group[:3])
    return [Group(title_of(members[0]), tuple(members)) for *_, members in groups]


def headings(
    groups: Iterable[Group],
    shown: Sequence[Row],
    column: Column,
    cells: int,
    totals_of: Callable[[Sequence[Row]], Totals | None],
) -> dict[str, Markup]:
    """Return the heading of each group on a page, by the key of the row that it precedes.

    Args:
        groups: of the list. `shown`: the rows of the page, in their order.
        cells: the number of cells of a row.
        totals_of: returns the cost and risk of plans, None where the page shows none.
    """
    group_of = {row.key: group for group in groups for row in group.rows}
    here: dict[int, list[Row]] = {}
    for row in shown:
        here.setdefault(id(group_of[row.key]), []).append(row)
    return {
        members[0].key: _heading(group_of[members[0].key], members, column, cells, totals_of(members))
        for members in here.values()
    }


def section_headings(shown: Iterable[Row], cells: int) -> dict[str, Markup]:
    """Return the heading of each section of a list, by the key of the row that it precedes; rows in list order."""
    found: dict[str, Markup] = {}
    present = ""
    for row in shown:
        section = str(row.facts.get(SECTION) or "")
        if section and section != present:
            found[row.key] = _HEADING.format(
                "group section", cells, Markup("<bdi>{}</bdi>").format(section), ""
            )
        present = section
    return found


def _heading(group: Group, here: Sequence[Row], column: Column, cells: int, totals: Totals | None) -> Markup:
    parts = [_counted(len(group.rows), len(here))]
    if group.median_score is not None:
        parts.append(f"median score {group.median_score:.1f}")
    if totals is not None and totals.plans:
        plans = counted(totals.plans, "plan")
        parts.append(f"{plans} shown: cost ₹{_rupees(totals.cost)}, risk ₹{_rupees(totals.risk)}")
    return _HEADING.format("group", cells, group.title or f"No {column.label.lower()}", " · ".join(parts))


def _counted(found: int, here: int) -> str:
    return counted(found, "row") + ("" if here == found else f", {here:,} on this page")


def _rupees(price: int) -> str:
    return group_indian(str(round(price / SCALE)))


def _best(rows: Iterable[Row]) -> float:
    return max((row.score for row in rows if row.score is not None), default=float("-inf"))


def _title_of(name: str, quotes: Mapping[str, Quote], plans: Mapping[str, Plan]) -> Callable[[Row], str]:
    if BY_NAME[name].live:
        value_of = sort_key(name, quotes, plans)
        return lambda row: value_of(row) or ""
    if BY_NAME[name].kind == "chip":
        return lambda row: str(stored_value(row, name) or "").replace("_", " ")
    return lambda row: str(stored_value(row, name) or "")
