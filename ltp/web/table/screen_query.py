"""The query of a screener page: rows, order and columns, from parameters and back. Pure.

Everything that a reader can change is in the URL, so that it can be bookmarked, shared and used without
JavaScript. A wrong value is refused with its parameter's name and never replaced by a default: a bookmark
that silently shows other rows is worse than an error.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final
from urllib.parse import urlencode

from ltp.errors import InputError
from ltp.web import params
from ltp.web.table.column_names import SUGGESTED, suggestion
from ltp.web.table.columns import BY_NAME, CANDIDATES, COLUMNS, GROUPS, RECOMMENDATIONS, TABS, of_tab, sorts
from ltp.web.table.filters import grammar
from ltp.web.table.filters.grammar import Filter

PLANS: Final = "plans"  # accepted in place of RECOMMENDATIONS, the older name that addresses keep
BY_SCORE: Final = "score"  # behind the column of groups: the best group first
VIEW: Final = "view"  # names a view; a page's own address has its parameters instead
WAITING: Final = "waiting"  # all setups that begin with WAIT_
SIZES: Final = (25, 50, 100, 200)
CAPITAL: Final = (1_000, 100_000_000_000)  # rupees; the bounds of the settings CAPITAL and RISK_PER_TRADE
RISK: Final = (1, 10_000_000_000)
_MAX_PAGE: Final = 10_000
_RUPEES: Final = frozenset({"capital", "risk"})
_ONE_SPELLING: Final = _RUPEES | {"f"}  # an address has these without commas and blanks
_NAMES: Final = frozenset(
    {
        *("tab", "q", "setup", "sector", "f", "sort", "then", "dir", "group", "columns"),
        *("size", "page", "live", "run", "rows", VIEW, *_RUPEES),
    }
)
SEVERAL: Final = frozenset({"f", "columns"})  # may be given several times, as a form sends them


@dataclass(frozen=True)
class ScreenQuery:
    """The query of a screener page. Default: candidates by rank, all rows, the screener's columns, live.

    `setup`: one setup or WAITING. `columns`: empty for the screener's own. `live`: False on a page that the
    reader has paused. `capital`, `risk` (of a trade): rupees that plans are sized for, 0 for the settings.
    `run`: id of a run, 0 for the newest. `rows`: ranks, with `run`, (0,) for no row; set only for the stream
    and the polls of an open page. After the next run, or where prices choose or order the rows, the rest of the
    query would select other rows than the page shows, and its cells would stand still. `filters`: each row
    passes all of them; a column of either tab. `then`: the column that orders rows with equal values in `sort`,
    empty for the rank. `group`: the column whose equal texts make groups, empty for none; `best_first`: of the
    groups, the one with the highest score is first, else they are in the order of their names.
    """

    sort: str = "rank"
    descending: bool = False
    q: str = ""
    setup: str = ""
    columns: tuple[str, ...] = ()
    size: int = 50
    page: int = 1
    live: bool = True
    run: int = 0
    rows: tuple[int, ...] = ()
    tab: str = CANDIDATES
    sector: str = ""
    capital: int = 0
    risk: int = 0
    filters: tuple[Filter, ...] = ()
    then: str = ""
    then_descending: bool = False
    group: str = ""
    best_first: bool = False

    def with_(self, **changes: Any) -> ScreenQuery:
        return replace(self, **changes)

    def pairs(self) -> list[tuple[str, str]]:
        """Return the parameters without defaults, in a fixed order: equal pages have equal URLs.

        `f` is there once for each filter.
        """
        sort = ",".join(f"-{name}" if descending else name for name, descending in self.orders)
        every = [
            ("tab", "" if self.tab == CANDIDATES else self.tab),
            ("q", self.q),
            ("setup", self.setup),
            ("sector", self.sector),
            *(("f", str(each)) for each in self.filters),
            ("sort", "" if sort == "rank" else sort),
            ("group", f"{self.group},{BY_SCORE}" if self.best_first else self.group),
            ("columns", ",".join(self.columns)),
            ("size", "" if self.size == ScreenQuery.size else str(self.size)),
            ("page", "" if self.page == 1 else str(self.page)),
            ("capital", str(self.capital or "")),
            ("risk", str(self.risk or "")),
            ("live", "" if self.live else "0"),
            ("run", str(self.run) if self.run else ""),
            ("rows", ",".join(map(str, self.rows))),
        ]
        return [pair for pair in every if pair[1]]

    @property
    def orders(self) -> tuple[tuple[str, bool], ...]:
        """The one or two columns of the order, each with whether it is descending."""
        first = (self.sort, self.descending)
        return (first, (self.then, self.then_descending)) if self.then else (first,)

    @property
    def sized(self) -> bool:
        """Are plans sized for the reader's capital or risk, and not for those of the settings?"""
        return bool(self.capital or self.risk)

    def without_rows(self) -> ScreenQuery:
        """Return the query for the page's own address; only streams and polls name rows."""
        return self.with_(rows=())

    def is_shortest(self, pairs: Iterable[tuple[str, str]]) -> bool:
        """Are these the fewest parameters for this page: none empty or a default, no commas in rupees, no
        blanks in filters?
        """
        given = sorted(pair for pair in pairs if pair[0] in _NAMES)
        shortest = sorted(self.without_rows().pairs())
        return [name for name, _ in given] == [name for name, _ in shortest] and all(
            one == other for one, other in zip(given, shortest, strict=True) if one[0] in _ONE_SPELLING
        )

    def url(self, path: str, carried: Sequence[tuple[str, str]] = ()) -> str:
        """Return the address of the page. `carried`: other parameters, put before the query's own."""
        pairs = [*carried, *self.pairs()]
        return f"{path}?{urlencode(pairs, safe=',')}" if pairs else path

    def sorted_by(self, name: str, *, descending: bool) -> ScreenQuery:
        """Return the query in the order of a column. The second column stays only while the first does."""
        then = self.then if name == self.sort else ""
        return self.with_(
            sort=name,
            descending=descending,
            then=then,
            then_descending=self.then_descending and bool(then),
            page=1,
            rows=(),
        )

    def in_tab(self, tab: str) -> ScreenQuery:
        """Return the query of the same rows in a tab: by rank if the tab lacks the column of this order."""
        offered = sorts(tab)
        kept = self if self.then in offered else self.with_(then="", then_descending=False)
        kept = kept if self.sort in offered else kept.sorted_by("rank", descending=False)
        return kept.with_(tab=tab, columns=(), page=1, rows=())


def parse(pairs: Iterable[tuple[str, str]]) -> ScreenQuery:
    """Parse the query of a screener page. Unknown parameters are ignored; an empty value counts as absent.

    Raises:
        InputError: a value is not accepted, or another parameter than `f` or `columns` comes twice.
    """
    pairs = list(pairs)
    given = params.single(pair for pair in pairs if pair[0] not in SEVERAL)
    chosen = [value.strip() for name, value in pairs if name == "columns" and value.strip()]
    if given.get("tab") == PLANS:
        given["tab"] = RECOMMENDATIONS
    tab = params.choice(given, "tab", (*TABS, PLANS), CANDIDATES)
    (sort, descending), (then, then_descending) = _orders(given, tab)
    group, best_first = _group(params.text(given, "group"))
    return ScreenQuery(
        sort=sort,
        descending=descending,
        q=params.text(given, "q"),
        setup=params.text(given, "setup"),
        columns=_columns(",".join(chosen), tab),
        size=int(params.choice(given, "size", [str(size) for size in SIZES], str(ScreenQuery.size))),
        page=params.whole(given, "page", _MAX_PAGE, 1),
        live=params.is_live(given),
        run=params.whole(given, "run", 2**53, 0),
        rows=_ranks(given),
        tab=tab,
        sector=params.text(given, "sector"),
        capital=params.rupees(given, "capital", *CAPITAL),
        risk=params.rupees(given, "risk", *RISK),
        filters=grammar.parse_all([value for name, value in pairs if name == "f"]),
        then=then,
        then_descending=then_descending,
        group=group,
        best_first=best_first,
    )


def _ranks(given: dict[str, str]) -> tuple[int, ...]:
    ranks = given.get("rows", "").split(",") if "rows" in given else []
    if len(ranks) > SIZES[-1]:
        raise InputError("rows", given["rows"], f"it is a list of up to {SIZES[-1]} ranks")
    return tuple(params.whole({"rows": rank}, "rows", 999_999, 0, least=0) for rank in ranks)


def _orders(given: dict[str, str], tab: str) -> tuple[tuple[str, bool], tuple[str, bool]]:
    """Return the first and the second order, of `sort=-score,chgp` or `sort=-score&then=chgp`.

    The name of the second is empty if there is none.
    """
    first, comma, second = given.get("sort", "").partition(",")
    if comma and (not second or "," in second or "then" in given):
        raise InputError("sort", given["sort"], "it is one column, or two such as -score,chgp")
    one = _order(first, given.get("dir", ""), tab)
    if not (second := second or given.get("then", "")):
        return one, ("", False)
    other = _order(second, "", tab, "sort" if comma else "then")
    if other[0] == one[0]:
        raise InputError("sort" if comma else "then", second, f"the rows are already sorted by {one[0]}")
    # Two rows never have one rank, and equal ones are in its order anyway.
    return one, ("", False) if one[0] == "rank" or other == ("rank", False) else other


def _order(sort: str, direction: str, tab: str, where: str = "sort") -> tuple[str, bool]:
    """Return the column and whether the order is descending: as `sort=-chg` or as `sort=chg&dir=desc`."""
    name = sort.removeprefix("-") if sort else "rank"
    accepted = sorts(tab)
    if name not in accepted:
        accepted_form = (
            f"it is one of {', '.join(accepted[:SUGGESTED])} and so on, with - in front for descending"
        )
        raise InputError(where, sort, _other_tab(name, tab) or suggestion(name, accepted) or accepted_form)
    if direction and (direction not in {"asc", "desc"} or sort.startswith("-")):
        raise InputError("dir", direction, "it is asc or desc, and only with a sort without - in front")
    return name, sort.startswith("-") or direction == "desc"


def _group(value: str) -> tuple[str, bool]:
    """Return the column of `group=sector` or `group=sector,score`, and whether the best group is first."""
    name, comma, order = value.partition(",")
    if (value and name not in GROUPS) or (comma and order != BY_SCORE):
        accepted = f"it is one of {', '.join(GROUPS)}, with ,{BY_SCORE} behind it for the best group first"
        raise InputError("group", value, accepted)
    return name, bool(comma)


def _columns(value: str, tab: str) -> tuple[str, ...]:
    if not value:
        return ()
    names, accepted = value.split(","), [column.name for column in of_tab(tab)]
    for index, name in enumerate(names):
        if name not in accepted or name in names[:index]:
            accepted_form = "columns is a list such as ltp,chg,chgp without repetition, of names of this tab"
            raise InputError(
                "columns", name, _other_tab(name, tab) or suggestion(name, accepted) or accepted_form
            )
    return tuple(column.name for column in COLUMNS if column.name in names or column.name == "ltp")


def _other_tab(name: str, tab: str) -> str:
    column = BY_NAME.get(name)
    return (
        f"it belongs to the tab {column.tab}, and this is {tab}"
        if column and column.tab not in {"", tab}
        else ""
    )
