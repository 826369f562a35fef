"""The rows of the table that a query selects, and the counts beside its filters. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Final, NamedTuple

from ltp.core.subscriptions.table import REASONS, STATES, Reason, Subscription, SubscriptionTable
from ltp.web.subscriptions.query import Query

NameOf = Callable[[str], tuple[str, str]]
_LAST: Final = 1 << 62
_STATES: Final = {name: place for place, name in enumerate(STATES)}
_MODES: Final = {"": 0, "ticker": 1, "quote": 2, "full": 3}


class Selection(NamedTuple):
    """`rows`: of the page. `matching`: of all pages. `page`: the page shown, the last one at most."""

    rows: list[Subscription]
    matching: int
    page: int
    pages: int


class Counts(NamedTuple):
    """Rows of the whole table. `states`, `reasons`: by name, in the order of people. `named`: of screens and
    watchlists, by "kind:name". `placed`: those with a place on the connection.
    """

    placed: int
    states: dict[str, int]
    reasons: dict[str, int]
    named: dict[str, tuple[Reason, int]]


def select(table: SubscriptionTable, query: Query, name_of: NameOf) -> Selection:
    """Return the rows that a query selects, in its order."""
    rows = _filtered(table, query, name_of)
    if query.sort != "place":  # the order of the table
        rows = sorted(rows, key=_key(table, query.column, name_of), reverse=query.descending)
    size = query.size or max(1, len(rows))
    pages = max(1, -(-len(rows) // size))
    page = min(query.page, pages)
    return Selection(rows[(page - 1) * size : page * size], len(rows), page, pages)


def counts(table: SubscriptionTable) -> Counts:
    """Return how many rows have each state and each reason."""
    states = Counter(row.state for row in table.rows)
    numbers = Counter(number for row in table.rows for number in row.reasons)
    kinds = Counter(
        kind for row in table.rows for kind in {table.reasons[number].kind for number in row.reasons}
    )
    named = {
        f"{reason.kind}:{reason.name}": (reason, numbers[number])
        for number, reason in enumerate(table.reasons)
        if reason.name and numbers[number]
    }
    return Counts(
        sum(row.place > 0 for row in table.rows),
        {name: states[name] for name in STATES if states[name]},
        {name: kinds[name] for name in REASONS if kinds[name]},
        named,
    )


def _filtered(table: SubscriptionTable, query: Query, name_of: NameOf) -> list[Subscription]:
    rows = table.rows
    if query.state:
        rows = [row for row in rows if row.state == query.state]
    if query.reason:
        kind, _, name = query.reason.partition(":")
        wanted = {
            number
            for number, reason in enumerate(table.reasons)
            if reason.kind == kind and name in ("", reason.name)
        }
        rows = [row for row in rows if not wanted.isdisjoint(row.reasons)]
    if query.segment:
        rows = [row for row in rows if row.key.startswith(f"{query.segment}:")]
    words = query.words.casefold().split()
    if words:
        rows = [row for row in rows if _has(row.key, name_of, words)]
    return rows


def _has(key: str, name_of: NameOf, words: list[str]) -> bool:
    text = " ".join((*name_of(key), key)).casefold()
    return all(word in text for word in words)


def _key(
    table: SubscriptionTable, column: str, name_of: NameOf
) -> Callable[[Subscription], tuple[int, int | str]]:
    """Return the sort key of a column; a packet that never came is older than any."""
    keys: dict[str, Callable[[Subscription], tuple[int, int | str]]] = {
        "place": lambda row: (0, row.place or _LAST),
        "symbol": lambda row: (0, name_of(row.key)[0].casefold()),
        "state": lambda row: (0, _STATES[row.state]),
        "mode": lambda row: (0, _MODES.get(row.mode, 0)),
        "age": lambda row: (0, table.at_us - row.last_us) if row.last_us else (1, 0),
        "rate": lambda row: (0, -1 if row.per_min is None else row.per_min),
        "viewers": lambda row: (0, row.viewers),
        "clients": lambda row: (0, row.clients),
        "reasons": lambda row: (0, row.reasons[0] if row.reasons else _LAST),
    }
    return keys[column]
