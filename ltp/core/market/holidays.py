"""The tables of the market calendar: the parser of their TOML files, and overrides of one file by another.

Dates and minutes are those of India. docs/calendar.md describes the format for operators; the shipped tables
are in ltp/core/market/calendar/. `session` answers questions with them.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from datetime import date
from importlib.resources import files
from itertools import pairwise
from typing import Any, Final, NamedTuple

from ltp.core.instrument import SEGMENTS
from ltp.errors import InputError

PHASES: Final = ("pre_open", "continuous", "closing_auction", "post_close")
CLOSED: Final = "closed"

_WINDOW = re.compile(
    r"([01][0-9]|2[0-3]):([0-5][0-9])-(?:([01][0-9]|2[0-3]):([0-5][0-9])|(24):(00))", re.ASCII
)
_HOURS_KEYS: Final = (*PHASES, "quiet")
_COMMON_KEYS: Final = ("segments", "provisional")
_KEYS: Final[Mapping[str, tuple[str, ...]]] = {
    "rules": (*_COMMON_KEYS, "name", "effective_from", "effective_to", *_HOURS_KEYS),
    "holidays": (*_COMMON_KEYS, "days"),
    "trading_days": (*_COMMON_KEYS, "days"),
    "sessions": (*_COMMON_KEYS, "days", *_HOURS_KEYS),
}


class Window(NamedTuple):
    """Minutes since midnight in India, `end` excluded."""

    start: int
    end: int
    phase: str


class Hours(NamedTuple):
    """One day of one segment. `windows`: in order, without overlap. `quiet`: when silence is normal."""

    windows: tuple[Window, ...] = ()
    quiet: tuple[Window, ...] = ()


class HoursRule(NamedTuple):
    name: str
    segments: tuple[str, ...]
    first: date
    last: date
    hours: Hours
    provisional: bool


class CalendarDay(NamedTuple):
    """An exception to the weekday's rule. `hours` None: a trading day with the ordinary hours."""

    name: str
    hours: Hours | None
    provisional: bool


class Tables(NamedTuple):
    """`years`: the years with complete lists of days. Of two rules for a day the first in `rules` counts."""

    rules: tuple[HoursRule, ...] = ()
    days: Mapping[tuple[str, date], CalendarDay] = {}
    years: frozenset[int] = frozenset()

    def under(self, other: Tables) -> Tables:
        """Return these tables overridden by `other`."""
        return Tables(other.rules + self.rules, {**self.days, **other.days}, self.years | other.years)

    def lookup(self, segment: str, day: date) -> tuple[Hours, str]:
        """Return the hours, and the name of their entry if that is provisional, else ""."""
        special = self.days.get((segment, day))
        if special is not None and special.hours is not None:
            return special.hours, special.name if special.provisional else ""
        if special is None and day.weekday() >= 5:
            return Hours(), ""
        rule = next(
            (rule for rule in self.rules if segment in rule.segments and rule.first <= day <= rule.last), None
        )
        if special is not None and special.provisional:
            return rule.hours if rule else Hours(), special.name
        return (rule.hours, rule.name if rule.provisional else "") if rule else (Hours(), "")


def packaged_tables() -> Tables:
    """Return the shipped tables."""
    tables = Tables()
    folder = files("ltp.core.market").joinpath("calendar")
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if entry.name.endswith(".toml"):
            tables = tables.under(parse_tables(entry.read_text(encoding="utf-8")))
    return tables


def parse_tables(text: str) -> Tables:
    """Parse one file.

    Raises:
        InputError: names the line of the table's header and the field.
        tomllib.TOMLDecodeError: the text is no TOML; the message names the line.
    """
    raw = tomllib.loads(text)
    for key in raw.keys() - {"years", *_KEYS}:
        raise InputError("the file", key, f"its parts are years, {', '.join(_KEYS)}")
    rules: list[HoursRule] = []
    days: dict[tuple[str, date], CalendarDay] = {}
    for kind in _KEYS:
        for entry in _entries(text, raw, kind):
            if kind == "rules":
                rules.append(_rule(entry, rules))
            else:
                _add_days(entry, days)
    return Tables(tuple(rules), days, _years(raw))


class _Entry:
    """One [[table]] of a file; its errors name line and field."""

    def __init__(self, kind: str, number: int, line: int, raw: Mapping[str, Any]) -> None:
        self.kind, self.raw = kind, raw
        self._where = f"{f'line {line}, ' if line else ''}{kind}[{number}]"

    def refuse(self, field: str, value: object, accepted: str) -> InputError:
        return InputError(f"{self._where}{'.' if field else ''}{field}", str(value), accepted)

    def text(self, field: str) -> str:
        value = self.raw.get(field, "")
        if not isinstance(value, str) or not value.strip():
            raise self.refuse(field, value, "it must be a text that is not empty")
        return value

    def date(self, field: str, value: object) -> date:
        if type(value) is not date:  # not isinstance, because a TOML date with a time is a datetime
            raise self.refuse(
                field, "" if value is None else value, "it must be a date such as 2026-11-24, without quotes"
            )
        return value

    def provisional(self) -> bool:
        value = self.raw.get("provisional", False)
        if not isinstance(value, bool):
            raise self.refuse("provisional", value, "it must be true or false")
        return value

    def segments(self) -> tuple[str, ...]:
        value = self.raw.get("segments")
        if not isinstance(value, list) or not value:
            raise self.refuse(
                "segments", "" if value is None else value, 'it must be a list such as ["NSE_EQ", "IDX_I"]'
            )
        for segment in value:
            if segment not in SEGMENTS:
                raise self.refuse("segments", segment, f"a segment is one of {', '.join(SEGMENTS)}")
        return tuple(value)

    def windows(self, field: str) -> list[Window]:
        value = self.raw.get(field, [])
        if not isinstance(value, list):
            raise self.refuse(field, value, 'it must be a list such as ["09:15-10:00", "11:30-12:30"]')
        return [self._window(field, text) for text in value]

    def hours(self) -> Hours:
        windows = sorted(window for phase in PHASES for window in self.windows(phase))
        if not windows:
            raise self.refuse("", "no hours", f"at least one of {', '.join(PHASES)} must have a window")
        for before, after in pairwise(windows):
            if after.start < before.end:
                raise self.refuse(after.phase, _clock(after), f"it overlaps {before.phase} {_clock(before)}")
        return Hours(tuple(windows), tuple(self.windows("quiet")))

    def _window(self, field: str, text: object) -> Window:
        match = _WINDOW.fullmatch(text) if isinstance(text, str) else None
        numbers = [int(group) for group in match.groups() if group is not None] if match else []
        if not numbers or numbers[0] * 60 + numbers[1] >= numbers[2] * 60 + numbers[3]:
            raise self.refuse(
                field, text, 'a window is HH:MM-HH:MM of one day in India, such as "09:15-15:30"'
            )
        return Window(numbers[0] * 60 + numbers[1], numbers[2] * 60 + numbers[3], field)


def _entries(text: str, raw: Mapping[str, Any], kind: str) -> list[_Entry]:
    headers = [
        n for n, line in enumerate(text.splitlines(), 1) if re.match(rf"\s*\[\[\s*{kind}\s*\]\]", line)
    ]
    found = raw.get(kind, [])
    if not isinstance(found, list) or not all(isinstance(entry, dict) for entry in found):
        raise InputError(kind, str(found), f"each part must begin with [[{kind}]]")
    entries = []
    for index, fields in enumerate(found):
        entry = _Entry(kind, index + 1, headers[index] if index < len(headers) else 0, fields)
        for key in fields:
            if key not in _KEYS[kind]:
                raise entry.refuse(key, fields[key], f"the fields here are {', '.join(_KEYS[kind])}")
        entries.append(entry)
    return entries


def _rule(entry: _Entry, earlier: list[HoursRule]) -> HoursRule:
    first = entry.date("effective_from", entry.raw.get("effective_from"))
    last = entry.date("effective_to", entry.raw.get("effective_to", date.max))
    if last < first:
        raise entry.refuse("effective_to", last, f"it must not lie before effective_from {first}")
    rule = HoursRule(entry.text("name"), entry.segments(), first, last, entry.hours(), entry.provisional())
    for other in earlier:
        shared = set(rule.segments) & set(other.segments)
        if shared and rule.first <= other.last and other.first <= rule.last:
            raise entry.refuse(
                "effective_from",
                first,
                f"{min(shared)} has the rule {other.name!r} then; end that one before",
            )
    return rule


def _add_days(entry: _Entry, days: dict[tuple[str, date], CalendarDay]) -> None:
    segments, provisional, ordinary = entry.segments(), entry.provisional(), None
    hours = entry.hours() if entry.kind == "sessions" else Hours() if entry.kind == "holidays" else ordinary
    listed = entry.raw.get("days")
    if not isinstance(listed, list) or not listed:
        raise entry.refuse(
            "days", "" if listed is None else listed, 'it must be a list of { date = …, name = "…" }'
        )
    for number, raw in enumerate(listed, 1):
        field = f"days[{number}]"
        if not isinstance(raw, dict) or raw.keys() != {"date", "name"} or not isinstance(raw["name"], str):
            raise entry.refuse(field, raw, 'it must be { date = 2026-11-24, name = "Guru Nanak Jayanti" }')
        day = entry.date(f"{field}.date", raw["date"])
        for segment in segments:
            if (segment, day) in days:
                raise entry.refuse(
                    f"{field}.date", day, f"{segment} has an entry for this date in this file already"
                )
            days[segment, day] = CalendarDay(raw["name"], hours, provisional)


def _years(raw: Mapping[str, Any]) -> frozenset[int]:
    years = raw.get("years", [])
    if not isinstance(years, list) or not all(type(year) is int and 2000 <= year <= 2999 for year in years):
        raise InputError("years", str(years), "it must be a list such as [2027]")
    return frozenset(years)


def _clock(window: Window) -> str:
    return f"{window.start // 60:02d}:{window.start % 60:02d}-{window.end // 60:02d}:{window.end % 60:02d}"
