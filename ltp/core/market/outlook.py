"""Notices of provisional trading hours in the next 30 days, with the TOML lines that make them certain."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Final, NamedTuple

from ltp.core.instrument import SEGMENTS
from ltp.core.market.holidays import PHASES, Hours, Tables, Window

AHEAD_DAYS: Final = 30


class Notice(NamedTuple):
    """`first`: the first provisional day from today on. `lines`: TOML for the override file, once checked."""

    first: date
    sentence: str
    lines: str


class _Entry(NamedTuple):
    """The entry of the tables that makes days provisional. `first`, `last`: of a rule, else None."""

    name: str
    hours: Hours
    first: date | None = None
    last: date | None = None


def outlook(tables: Tables, today: date) -> list[Notice]:
    """Return the notices for `today` and the 30 days after it, the earliest first."""
    days = [today + timedelta(days=ahead) for ahead in range(AHEAD_DAYS + 1)]
    found: dict[_Entry, dict[date, list[str]]] = {}
    for day in days:
        for segment in SEGMENTS:
            hours, reason = tables.lookup(segment, day)
            if reason:
                entry = _entry(tables, segment, day, hours, reason)
                found.setdefault(entry, {}).setdefault(day, []).append(segment)
    notices = [_notice(entry, by_day) for entry, by_day in found.items()]
    for year in sorted({day.year for day in days} - tables.years):
        notices.append(_year(year, next(day for day in days if day.year == year)))
    return sorted(notices)


def toml_text(notices: Iterable[Notice]) -> str:
    """Return the lines of all notices as one file. `years` comes first, as TOML requires before any table."""
    lines = [notice.lines for notice in notices]
    years = [text for text in lines if text.startswith("years")]
    return "\n\n".join((*years[:1], *(text for text in lines if not text.startswith("years"))))


def short_notice(notices: Iterable[Notice], refused: Iterable[str]) -> str:
    """Return the few words of a page's header about the trading hours, "" if they are certain.

    Args:
        refused: ISO dates of trades on days without a session.
    """
    dates = sorted(map(date.fromisoformat, refused))
    if dates:
        return f"trades dated {dates[-1].day} {dates[-1]:%b} refused"
    first = min((notice.first for notice in notices), default=None)
    return f"trading hours provisional from {first.day} {first:%b}" if first else ""


def _entry(tables: Tables, segment: str, day: date, hours: Hours, name: str) -> _Entry:
    if (segment, day) in tables.days:
        return _Entry(name, hours)
    rule = next(rule for rule in tables.rules if segment in rule.segments and rule.first <= day <= rule.last)
    return _Entry(name, hours, rule.first, rule.last)


def _notice(entry: _Entry, by_day: dict[date, list[str]]) -> Notice:
    first = min(by_day)
    segments = [segment for segment in SEGMENTS if any(segment in each for each in by_day.values())]
    when = f"on {', '.join(map(str, sorted(by_day)))}" if entry.first is None else f"from {first}"
    sentence = f"The trading hours of {', '.join(segments)} {when} are provisional ({entry.name})."
    return Notice(
        first, sentence, _rule(entry, segments) if entry.first else _days(entry, sorted(by_day), segments)
    )


def _rule(entry: _Entry, segments: list[str]) -> str:
    until = [] if entry.last is None or entry.last == date.max else [f"effective_to = {entry.last}"]
    head = [
        "[[rules]]",
        f"name = {_text(entry.name)}",
        _segments(segments),
        f"effective_from = {entry.first}",
        *until,
    ]
    return "\n".join((*head, *_hours(entry.hours)))


def _days(entry: _Entry, days: list[date], segments: list[str]) -> str:
    listed = ", ".join(f"{{ date = {day}, name = {_text(entry.name)} }}" for day in days)
    kind = "[[sessions]]" if entry.hours.windows else "[[holidays]]"
    return "\n".join((kind, _segments(segments), *_hours(entry.hours), f"days = [{listed}]"))


def _year(year: int, first: date) -> Notice:
    sentence = f"There is no holiday table for {year}: every weekday is taken for a trading day."
    example = (
        f'days = [{{ date = {year}-01-26, name = "Republic Day" }}] '
        "# and every other holiday of the exchanges' list"
    )
    segments = _segments([segment for segment in SEGMENTS if segment != "MCX_COMM"])
    return Notice(first, sentence, "\n".join((f"years = [{year}]", "", "[[holidays]]", segments, example)))


def _hours(hours: Hours) -> list[str]:
    listed = {phase: [window for window in hours.windows if window.phase == phase] for phase in PHASES} | {
        "quiet": [*hours.quiet]
    }
    return [f"{name} = [{', '.join(map(_window, windows))}]" for name, windows in listed.items() if windows]


def _window(window: Window) -> str:
    return f'"{window.start // 60:02d}:{window.start % 60:02d}-{window.end // 60:02d}:{window.end % 60:02d}"'


def _segments(segments: Iterable[str]) -> str:
    return "segments = [" + ", ".join(f'"{segment}"' for segment in segments) + "]"


def _text(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
