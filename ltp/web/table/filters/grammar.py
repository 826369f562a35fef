"""One filter as it is typed and as it is in an address: a column, a sign and a value. Pure.

rsi>60   change_pct<=-2   turnover>10cr   sector=IT   setup!=READY   name~bank
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Final, NamedTuple

from ltp.errors import InputError
from ltp.web import params
from ltp.web.table.column_names import suggestion
from ltp.web.table.columns import BY_NAME, SYMBOL, Column

MAX_FILTERS: Final = 10
NAME: Final = Column("name", "Name", "Name of the company", kind="text")
_COLUMNS: Final = {SYMBOL.name: SYMBOL, NAME.name: NAME, **BY_NAME}
# A pair of prices has no order of its own, and each of its ends is near the entry.
COLUMNS: Final = {name: column for name, column in _COLUMNS.items() if column.kind != "zone"}
OF_NUMBERS: Final = (">", ">=", "<", "<=", "=", "!=")
OF_TEXTS: Final = ("=", "!=", "~")
_SHAPE: Final = re.compile(r"\s*([^<>=!~]*?)\s*(>=|<=|!=|==|=|>|<|~)\s*(.*?)\s*", re.DOTALL)
_NUMBER: Final = re.compile(
    r"([+-]?)₹?(\d{1,15}(?:\.\d{1,6})?|\.\d{1,6})\s*(cr|crore|l|lakh|%|×|x|r)?", re.ASCII
)
_TIMES: Final = {"cr": 10_000_000, "crore": 10_000_000, "l": 100_000, "lakh": 100_000}
_EXAMPLE: Final = "a filter is a column, a sign and a value, such as rsi>60, sector=IT or name~bank"


class Filter(NamedTuple):
    """`column`: a name of COLUMNS. `sign`: of OF_NUMBERS or OF_TEXTS. `value`: a text, or a plain number such as
    -2.5 with the decimals that were typed.
    """

    column: str
    sign: str
    value: str

    def __str__(self) -> str:
        """Return the filter as it is in an address."""
        return f"{self.column}{self.sign}{self.value}"

    @property
    def is_live(self) -> bool:
        """Does it depend on prices?"""
        return COLUMNS[self.column].live

    @property
    def label(self) -> str:
        """Return the filter for readers: "RSI > 60", "Name has bank"."""
        sign = {"!=": "is not" if COLUMNS[self.column].text else "≠", ">=": "≥", "<=": "≤", "~": "has"}
        word = "is" if self.sign == "=" and COLUMNS[self.column].text else sign.get(self.sign, self.sign)
        return f"{COLUMNS[self.column].label} {word} {self.value}"


def parse(text: str) -> Filter:
    """Parse one filter.

    Raises:
        InputError: there is no such column, or the sign or value is none of this column.
    """
    shape = _SHAPE.fullmatch(text)
    if shape is None or not shape[1] or len(text) > params.MAX_TEXT or not text.isprintable():
        raise InputError("f", text, _EXAMPLE)
    typed, sign, value = shape[1], {"==": "="}.get(shape[2], shape[2]), shape[3]
    column = COLUMNS.get(typed.lower())
    if column is None:
        raise InputError("f", text, _no_column(typed))
    if column.text:
        return Filter(column.name, sign, _text(text, column, sign, value))
    return Filter(column.name, sign, _number(text, column, sign, value))


def parse_all(texts: list[str]) -> tuple[Filter, ...]:
    """Parse the filters of an address; an empty text counts as absent, and a repeated filter once.

    Raises:
        InputError: as `parse`, or there are too many.
    """
    filters = tuple(dict.fromkeys(parse(text) for text in texts if text.strip()))
    if len(filters) > MAX_FILTERS:
        raise InputError("f", str(filters[MAX_FILTERS]), f"a table has up to {MAX_FILTERS} filters")
    return filters


def _no_column(typed: str) -> str:
    if typed.lower() == "zone":
        return "zone is a pair of prices; filter by entry, or by state=in entry zone"
    return suggestion(typed, list(COLUMNS)) or f"there is no column {typed[:40]!r}; {_EXAMPLE}"


def _text(text: str, column: Column, sign: str, value: str) -> str:
    if sign not in OF_TEXTS or not value:
        example = f"{column.name}=…, {column.name}!=… or {column.name}~… (contains)"
        raise InputError("f", text, f"{column.name} is a text: write {example}")
    return value


def _number(text: str, column: Column, sign: str, value: str) -> str:
    """Return the number without its unit, and with the decimals that were typed."""
    shape = _NUMBER.fullmatch(value.lower().replace(",", "").replace("−", "-"))
    if sign not in OF_NUMBERS or shape is None:
        example = f"{column.name}>60" if not value else f"{column.name}>60 or {column.name}<=2.5"
        raise InputError("f", text, f"{column.name} is compared with a number, such as {example}")
    number = Decimal(shape[2])
    if shape[3] in _TIMES:
        number = (number * _TIMES[shape[3]]).quantize(Decimal(1))
    minus = "-" if shape[1] == "-" and number else ""
    return f"{minus}{number:f}"
