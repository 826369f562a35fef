"""The specification of a screen: its criteria, universe and limits, as URL parameters and as stored text."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable
from typing import Final, NamedTuple

from ltp.core.criteria.nodes import node_text
from ltp.core.criteria.parser import parse
from ltp.core.money import MAX_PRICE, SCALE, Price
from ltp.errors import InputError

__all__ = [
    "BUILT_IN",
    "MAX_CRITERIA",
    "MAX_CRITERIA_LENGTH",
    "PARAMETERS",
    "Spec",
    "canonical",
    "digest",
    "from_params",
    "from_text",
    "kind_of",
    "params",
    "parse",
    "text_of",
]

MAX_CRITERIA: Final = 20
# Characters of all criteria: an address of at most 8,190 has them encoded, and the query of the table.
MAX_CRITERIA_LENGTH: Final = 2_000
MAX_TURNOVER: Final = 10**12  # rupees a day; the whole exchange trades about as much
PARAMETERS: Final = ("c", "universe", "min_price", "min_turnover")
KIND_PREFIX: Final = "custom-"
_UNIVERSE = re.compile(r"[a-z0-9][a-z0-9-]{0,63}", re.ASCII)
_RUPEES = re.compile(r"([0-9]{1,8})(?:\.([0-9]{1,2}))?", re.ASCII)
_WHOLE = re.compile(r"[0-9]{1,13}", re.ASCII)


class Spec(NamedTuple):
    """`criteria`: canonical texts, all of which a share must meet; none for a built-in screener. `universe`:
    empty for the default one. `min_price`: the lowest close (1/10,000 rupee). `min_turnover`: rupees a day,
    compared with the fact `turnover`.
    """

    criteria: tuple[str, ...] = ()
    universe: str = ""
    min_price: Price = 0
    min_turnover: int = 0


# The default limits of the built-in screeners leave out penny shares, and shares that a small order moves.
BUILT_IN: Final = Spec(min_price=20 * SCALE, min_turnover=10_000_000)


def canonical(text: str, where: str = "criterion") -> str:
    """Return the canonical text of a criterion: criteria with the same meaning have the same text.

    Raises:
        CriterionError: it is not accepted.
    """
    return node_text(parse(text, where))


def from_params(pairs: Iterable[tuple[str, str]]) -> Spec:
    """Parse `c` (repeated), `universe`, `min_price` and `min_turnover` (rupees); other names are ignored.

    An empty value is an empty field of a form and ignored. A criterion that comes twice counts once.

    Raises:
        InputError: names the parameter, for a criterion the character (CriterionError).
    """
    spec = _parse(pairs)
    length = sum(map(len, spec.criteria))
    if length > MAX_CRITERIA_LENGTH:
        raise InputError(
            "criteria",
            f"{length:,} characters",
            f"together the criteria have at most {MAX_CRITERIA_LENGTH:,}",
        )
    return spec


def _parse(pairs: Iterable[tuple[str, str]]) -> Spec:
    given = [(name, value) for name, value in pairs if name in PARAMETERS and value.strip()]
    once = {name: value.strip() for name, value in given if name != "c"}
    for name in once:
        values = [value for each, value in given if each == name]
        if len(values) > 1:
            raise InputError(name, values[1], f"{name} comes once, this is its second value")
    return Spec(
        _criteria([value for name, value in given if name == "c"]),
        _universe(once.get("universe", "")),
        _price(once.get("min_price", "")),
        _turnover(once.get("min_turnover", "")),
    )


def params(spec: Spec) -> list[tuple[str, str]]:
    """Return the parameters that `from_params` parses as this screen, without defaults."""
    price = f"{spec.min_price / SCALE:.2f}".removesuffix(".00")
    pairs = [("universe", spec.universe), ("min_price", price), ("min_turnover", str(spec.min_turnover))]
    return [("c", text) for text in spec.criteria] + [
        (name, value) for name, value in pairs if value not in {"", "0"}
    ]


def text_of(spec: Spec) -> str:
    """Return the text for SQL: JSON without defaults, "" if all are defaults."""
    values = spec._asdict() | {"criteria": list(spec.criteria)}
    return (
        json.dumps({name: value for name, value in values.items() if value}, separators=(",", ":"))
        if any(spec)
        else ""
    )


def from_text(text: str) -> Spec:
    """Parse a text of `text_of`, the criteria too, because the grammar may have changed since.

    Raises:
        InputError: it is not such a text.
    """
    try:
        values = json.loads(text) if text else {}
        spec = Spec(**values | {"criteria": tuple(values.get("criteria", ()))})
        pairs = params(spec)
    except (ValueError, TypeError, AttributeError):
        raise InputError("screen", text, "a screen as this program stores it") from None
    return _parse(pairs)  # of any length, because a saved screen has a short address of its own


def digest(spec: Spec) -> str:
    """Return 12 hexadecimal digits, the same for screens with the same criteria in any order."""
    in_order = spec._replace(criteria=tuple(sorted(spec.criteria)))
    return hashlib.sha256(text_of(in_order).encode()).hexdigest()[:12]


def kind_of(spec: Spec) -> str:
    """Return the kind of a custom screen's runs: custom- and its digest."""
    return KIND_PREFIX + digest(spec)


def _criteria(texts: list[str]) -> tuple[str, ...]:
    if len(texts) > MAX_CRITERIA:
        raise InputError(
            "c", texts[MAX_CRITERIA], f"a screen has at most {MAX_CRITERIA} criteria, this has {len(texts):,}"
        )
    names = [f"c number {number}" for number in range(1, len(texts) + 1)] if len(texts) > 1 else ["c"]
    return tuple(dict.fromkeys(canonical(text, name) for name, text in zip(names, texts, strict=False)))


def _universe(text: str) -> str:
    if text and not _UNIVERSE.fullmatch(text):
        raise InputError(
            "universe", text, "a universe's name is small letters, digits and hyphens, such as nifty100"
        )
    return text


def _price(text: str) -> Price:
    match = _RUPEES.fullmatch(text or "0")
    price = (
        int(match[1]) * SCALE + int((match[2] or "").ljust(2, "0")) * (SCALE // 100)
        if match
        else MAX_PRICE + 1
    )
    if price > MAX_PRICE:
        raise InputError("min_price", text, "rupees from 0 to 10000000, such as 50 or 12.50")
    return price


def _turnover(text: str) -> int:
    turnover = int(text or 0) if _WHOLE.fullmatch(text or "0") else MAX_TURNOVER + 1
    if turnover > MAX_TURNOVER:
        raise InputError(
            "min_turnover", text, f"whole rupees a day from 0 to {MAX_TURNOVER}, such as 10000000 for a crore"
        )
    return turnover
