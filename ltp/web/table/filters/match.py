"""Which rows pass the filters of a table. Pure: rows, quotes and plans in, rows out.

A row without a value in a column passes no filter of it, neither `rsi>60` nor `rsi!=60`: unknown is no opposite.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from ltp.core.criteria.nodes import COMPARE
from ltp.core.history.plan import Plan
from ltp.core.money import SCALE
from ltp.core.screener import Row
from ltp.core.ticks.quote import Quote
from ltp.web.table.filters.grammar import COLUMNS, Filter
from ltp.web.table.values import Years, count_met, sort_key

_ORDERS: Final = frozenset({">", ">=", "<", "<="})


def passing(
    rows: Iterable[Row],
    filters: Sequence[Filter],
    quotes: Mapping[str, Quote],
    plans: Mapping[str, Plan],
    years: Years = lambda _key: None,
) -> list[Row]:
    """Return the rows that pass all `filters`, in their order. `quotes` and `plans`: by key."""
    kept = list(rows)
    for each in filters:
        value_of, passes = _value(each.column, quotes, plans, years), _test(each)
        kept = [row for row in kept if (value := value_of(row)) is not None and passes(value)]
    return kept


def _value(
    name: str, quotes: Mapping[str, Quote], plans: Mapping[str, Plan], years: Years
) -> Callable[[Row], Any]:
    """Return the function that gives a row's value in the unit of its column, texts in small letters."""
    if name == "criteria":
        return lambda row: count_met(row.criteria) if row.criteria else None
    value_of = sort_key(name, quotes, plans, years)
    if name == "spark":
        return lambda row: None if (ratio := value_of(row)) is None else 100 * (ratio - 1)
    return value_of


def _test(each: Filter) -> Callable[[Any], bool]:
    if COLUMNS[each.column].text:
        return _test_of_text(each.sign, _plain(each.value))
    return _test_of_number(each)


def _test_of_text(sign: str, wanted: str) -> Callable[[str], bool]:
    if sign == "~":
        return lambda text: wanted in _plain(text)
    return lambda text: (_plain(text) == wanted) is (sign == "=")


def _plain(text: str) -> str:
    """Return a text as it is compared: a setup is shown as WAIT PULLBACK and stored as WAIT_PULLBACK."""
    return text.casefold().replace("_", " ")


def _test_of_number(each: Filter) -> Callable[[float], bool]:
    scale = SCALE if COLUMNS[each.column].kind == "price" else 1
    bound = float(each.value) * scale
    if each.sign in _ORDERS:
        compare = COMPARE[each.sign]
        return lambda value: compare(value, bound)
    # Equal to the decimals that were typed: pages show 61.4 for 61.3972, which nobody types.
    half = 0.5 * scale / 10 ** len(each.value.partition(".")[2])
    return lambda value: (bound - half <= value < bound + half) is (each.sign == "=")
