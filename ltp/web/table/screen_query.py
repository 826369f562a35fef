"""The query of a page to values and back: which rows, in which order, with which columns. Pure; knows no rows
and no request.

Everything a reader can change lives in the URL, so that it can be bookmarked, sent to somebody and used
without JavaScript. A value that is not accepted is refused by name instead of being bent into another one: a
bookmark that silently shows something else is worse than one that says what is wrong with it.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final
from urllib.parse import urlencode

from ltp.errors import InputError
from ltp.web import params
from ltp.web.table.columns import BY_NAME, CANDIDATES, COLUMNS, RECOMMENDATIONS, TABS, of_tab, sorts

PLANS: Final = "plans"  # what a page calls the tab whose name in an address is older
WAITING: Final = "waiting"  # every setup that waits for something
SIZES: Final = (25, 50, 100, 200)
CAPITAL: Final = (1_000, 100_000_000_000)  # rupees; the bounds of the settings CAPITAL and RISK_PER_TRADE
RISK: Final = (1, 10_000_000_000)
_MAX_PAGE: Final = 10_000
_NAMES: Final = frozenset(
    {
        "tab",
        "q",
        "setup",
        "sector",
        "sort",
        "dir",
        "columns",
        "size",
        "page",
        "live",
        "run",
        "rows",
        "capital",
        "risk",
    }
)
_RUPEES: Final = frozenset({"capital", "risk"})
_SUGGESTED: Final = 5


@dataclass(frozen=True)
class ScreenQuery:
    """What a screener page shows. Without a query: the facts, by rank, every row, the screener's own columns,
    prices moving.

    `setup` is one setup or WAITING. `columns` is empty for the screener's own. `live` is false on a page the
    reader has paused. `capital` and `risk` (of a trade): rupees that plans are sized for, 0 for what is set.
    `run` names a run instead of the newest. With `rows` (ranks) it also says what an open page shows, for its
    stream and its polls: after the next run, or with an order that moves, the same query would give other
    rows, and those on the page would stand still.
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

    def with_(self, **changes: Any) -> ScreenQuery:
        return replace(self, **changes)

    def params(self) -> dict[str, str]:
        """Return the query's parameters, defaults left out, in one fixed order: equal pages have equal URLs."""
        sort = f"-{self.sort}" if self.descending else self.sort
        every = {
            "tab": "" if self.tab == CANDIDATES else self.tab,
            "q": self.q,
            "setup": self.setup,
            "sector": self.sector,
            "sort": "" if sort == "rank" else sort,
            "columns": ",".join(self.columns),
            "size": "" if self.size == ScreenQuery.size else str(self.size),
            "page": "" if self.page == 1 else str(self.page),
            "capital": str(self.capital or ""),
            "risk": str(self.risk or ""),
            "live": "" if self.live else "0",
            "run": str(self.run) if self.run else "",
            "rows": ",".join(map(str, self.rows)),
        }
        return {name: value for name, value in every.items() if value}

    @property
    def sized(self) -> bool:
        """Tell whether the reader chose what plans are sized for."""
        return bool(self.capital or self.risk)

    def short(self) -> ScreenQuery:
        """Return what a page's address says; which rows those are is only its stream's business."""
        return self.with_(rows=())

    def said_by(self, pairs: Iterable[tuple[str, str]]) -> bool:
        """Tell whether the parameters say no more than is needed: none is empty, none what is meant without
        it, and rupees are digits alone.
        """
        given, short = {name: value for name, value in pairs if name in _NAMES}, self.short().params()
        return given.keys() == short.keys() and all(
            given[name] == short[name] for name in _RUPEES & given.keys()
        )

    def url(self, path: str, carried: Sequence[tuple[str, str]] = ()) -> str:
        """Return the address of the page. `carried`: parameters of others that stand before its own."""
        pairs = [*carried, *self.params().items()]
        return f"{path}?{urlencode(pairs, safe=',')}" if pairs else path

    def of_tab(self, tab: str) -> ScreenQuery:
        """Return the same rows in another tab: by rank where this one has no such column to sort by."""
        kept = self if self.sort in sorts(tab) else self.with_(sort="rank", descending=False)
        return kept.with_(tab=tab, columns=(), page=1, rows=())


def parse(pairs: Iterable[tuple[str, str]]) -> ScreenQuery:
    """Read the query of a screener page. Names it does not know are nobody's business here; empty values are
    absent ones.

    Raises:
        InputError: a value that is not accepted, or one parameter given twice.
    """
    given = params.single(pairs)
    if given.get("tab") == PLANS:
        given["tab"] = RECOMMENDATIONS
    tab = params.choice(given, "tab", (*TABS, PLANS), CANDIDATES)
    sort, descending = _order(given.get("sort", ""), given.get("dir", ""), tab)
    return ScreenQuery(
        sort=sort,
        descending=descending,
        q=params.text(given, "q"),
        setup=params.text(given, "setup"),
        columns=_columns(given.get("columns", ""), tab),
        size=int(params.choice(given, "size", [str(size) for size in SIZES], str(ScreenQuery.size))),
        page=params.whole(given, "page", _MAX_PAGE, 1),
        live=params.choice(given, "live", ("1", "0"), "1") == "1",
        run=params.whole(given, "run", 2**53, 0),
        rows=_ranks(given),
        tab=tab,
        sector=params.text(given, "sector"),
        capital=params.rupees(given, "capital", *CAPITAL),
        risk=params.rupees(given, "risk", *RISK),
    )


def _ranks(given: dict[str, str]) -> tuple[int, ...]:
    ranks = given.get("rows", "").split(",") if "rows" in given else []
    if len(ranks) > SIZES[-1]:
        raise InputError("rows", given["rows"], f"it is a list of up to {SIZES[-1]} ranks")
    return tuple(params.whole({"rows": rank}, "rows", 999_999, 0) for rank in ranks)


def _order(sort: str, direction: str, tab: str) -> tuple[str, bool]:
    """`sort=-chg` and `sort=chg&dir=desc` say the same."""
    name = sort.removeprefix("-") if sort else "rank"
    accepted = sorts(tab)
    if name not in accepted:
        fitting = f"it is one of {', '.join(accepted[:_SUGGESTED])} and so on, with - in front for descending"
        raise InputError("sort", sort, _elsewhere(name, tab) or _nearly(name, accepted) or fitting)
    if direction and (direction not in {"asc", "desc"} or sort.startswith("-")):
        raise InputError("dir", direction, "it is asc or desc, and only with a sort without - in front")
    return name, sort.startswith("-") or direction == "desc"


def _columns(value: str, tab: str) -> tuple[str, ...]:
    if not value:
        return ()
    names, accepted = value.split(","), [column.name for column in of_tab(tab)]
    for index, name in enumerate(names):
        if name not in accepted or name in names[:index]:
            fitting = "columns is a list such as ltp,chg,chgp without repetition, of names of this tab"
            raise InputError("columns", name, _elsewhere(name, tab) or _nearly(name, accepted) or fitting)
    return tuple(column.name for column in COLUMNS if column.name in names or column.name == "ltp")


def _elsewhere(name: str, tab: str) -> str:
    column = BY_NAME.get(name)
    return (
        f"it belongs to the tab {column.tab}, and this is {tab}"
        if column and column.tab not in {"", tab}
        else ""
    )


def _nearly(name: str, accepted: Sequence[str]) -> str:
    """Ask whether another column was meant, by its name or its label: a reader need not search a list of
    ninety.
    """
    if name in accepted:
        return ""
    labels = {BY_NAME[each].label.lower(): each for each in accepted if each in BY_NAME}
    known, asked = [*accepted, *labels], name[:40].lower()
    near = difflib.get_close_matches(
        asked, known, n=_SUGGESTED, cutoff=0.85
    )  # what is so near needs no guesses beside it
    near = near or difflib.get_close_matches(asked, known, n=_SUGGESTED, cutoff=0.6)
    found = list(dict.fromkeys(labels.get(each, each) for each in near))
    return f"there is no such column; did you mean {_or(found)}?" if found else ""


def _or(names: Sequence[str]) -> str:
    return " or ".join(part for part in (", ".join(names[:-1]), names[-1]) if part)
