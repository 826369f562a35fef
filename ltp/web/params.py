"""Parsers of address parameters and of JSON objects. A value that is not accepted is refused with its parameter's name. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any, Final

from ltp.core.money import group_indian
from ltp.errors import InputError

MAX_TEXT: Final = 200  # the longest setup that an import accepts


def single(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return the parameters with a value, stripped.

    Raises:
        InputError: a parameter comes twice, and either of its values could be the intended one.
    """
    given: dict[str, str] = {}
    for name, value in pairs:
        if name in given:
            raise InputError(name, value, "it may be given once")
        given[name] = value.strip()
    return {name: value for name, value in given.items() if value}


def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object of JSON, of which `json.loads` would keep the last of two equal names.

    Raises:
        InputError: a name comes twice, and either of its values could be the intended one.
    """
    found = dict(pairs)
    if len(found) < len(pairs):
        twice = next(name for name, _ in pairs if sum(name == other for other, _ in pairs) > 1)
        raise InputError("body", twice, "a name may be given once in an object")
    return found


def choice(given: dict[str, str], name: str, accepted: Sequence[str], default: str) -> str:
    value = given.get(name, default)
    if value not in accepted:
        raise InputError(name, value, "it is one of " + ", ".join(filter(None, accepted)))
    return value


def several(
    given: dict[str, str], name: str, accepted: Sequence[str], default: Sequence[str]
) -> tuple[str, ...]:
    """Parse one or more of `accepted` with commas between; return them in the order of `accepted`."""
    if name not in given:
        return tuple(default)
    names = given[name].split(",")
    if len(set(names)) < len(names) or not set(names) <= set(accepted):
        raise InputError(
            name, given[name], f"it is one or more of {', '.join(accepted)}, with commas between"
        )
    return tuple(each for each in accepted if each in names)


def is_live(given: dict[str, str]) -> bool:
    """Parse `live`: "0" on a page that the reader has paused."""
    return choice(given, "live", ("1", "0"), "1") == "1"


def text(given: dict[str, str], name: str) -> str:
    value = given.get(name, "")
    if len(value) > MAX_TEXT or not value.isprintable():
        raise InputError(name, value, f"it is up to {MAX_TEXT} printable characters")
    return value


def whole(given: dict[str, str], name: str, most: int, default: int, *, least: int = 1) -> int:
    value = given.get(name)
    if value is None:
        return default
    if not (
        value.isascii() and value.isdigit() and len(value) <= len(str(most)) and least <= int(value) <= most
    ):
        raise InputError(name, value, f"it is a whole number from {least} to {most}")
    return int(value)


def day(value: str, name: str) -> date:
    """Parse a day as 2026-11-30, of 1971 to 9998, so that its neighbours are days too.

    Args:
        name: of the parameter or field.
    Raises:
        InputError: also for 20261130 and 2026-W49-1, other ISO forms of a day.
    """
    try:
        found = date.fromisoformat(value)
    except ValueError:
        found = None
    if found is None or found.isoformat() != value or not 1970 < found.year < 9999:
        raise InputError(name, value, "it is a day such as 2026-11-30")
    return found


def rupees(given: dict[str, str], name: str, least: int, most: int) -> int:
    """Parse whole rupees, with or without commas and the sign; 0 for none."""
    value = given.get(name, "").replace(",", "").removeprefix("₹").strip()
    if not value:
        return 0
    if not (
        value.isascii() and value.isdigit() and len(value) <= len(str(most)) and least <= int(value) <= most
    ):
        accepted = f"it is whole rupees from {group_indian(str(least))} to {group_indian(str(most))}"
        raise InputError(name, given[name], accepted)
    return int(value)
