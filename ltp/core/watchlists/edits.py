"""Changes of a watchlist: each takes the list as it is now and returns it changed, with a sentence about it. Pure.

An edit names lines by their keys and not by their places, so it keeps its meaning when somebody else has changed the
list since. Where the line is gone it raises ConflictError; where there is nothing to do it returns the same list.
The sentences name instruments by their keys, which pages replace by symbols.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Final, NamedTuple

from ltp.core.counted import counted, listed
from ltp.core.watchlists.watchlist import (
    MAX_ROWS,
    MAX_SECTIONS,
    SECTION,
    Line,
    Watchlist,
    parse_flag,
    parse_note,
    parse_title,
)
from ltp.errors import ConflictError, InputError

UP, DOWN, TOP, BOTTOM = "up", "down", "top", "bottom"
MOVES: Final = (UP, DOWN, TOP, BOTTOM)
_NAMED: Final = 3  # instruments in a sentence


class Edited(NamedTuple):
    """`words`: such as "NSE_EQ:1333 added"; "" if the list is the same as before."""

    watchlist: Watchlist
    words: str = ""


Edit = Callable[[Watchlist], Edited]


def together(parts: Iterable[Edit]) -> Edit:
    """Return the edit that makes several edits one after the other; if one is refused, none is made."""
    each = tuple(parts)

    def edit(now: Watchlist) -> Edited:
        words = []
        for part in each:
            now, done = part(now)
            words.append(done)
        return Edited(now, "; ".join(filter(None, words)))

    return edit


def add(keys: Sequence[str], section: str = "") -> Edit:
    """Return the edit that adds instruments at the end of a section; those that the list has stay at their places.

    Args:
        section: its key; "": the end of the list.
    """

    def edit(now: Watchlist) -> Edited:
        known = {line.key for line in now.lines}
        new = [Line(key) for key in dict.fromkeys(keys) if key not in known]
        if not new:
            return Edited(now)
        _refuse_too_many(len(now.rows) + len(new), now.title)
        at = _end_of(now, section) if section else len(now.lines)
        words = f"{_named([line.key for line in new])} added"
        return Edited(now._replace(lines=(*now.lines[:at], *new, *now.lines[at:])), words)

    return edit


def append(lines: Sequence[Line]) -> Edit:
    """Return the edit that adds lines: instruments at the end of the section of the same title, which is made if there
    is none. Instruments that the list has stay at their places, and get a note or flag if they have neither.
    """

    def edit(now: Watchlist) -> Edited:
        new, section = now, ""
        for line in lines:
            if line.is_section:
                titled = (each.key for each in new.sections if each.title == line.title)
                section = next(titled, "") or new_section_key(new.lines)
                if new.line(section) is None:
                    new = new._replace(lines=(*new.lines, line._replace(key=section)))
            elif (known := new.line(line.key)) is None:
                at = _end_of(new, section) if section else len(new.lines)
                new = new._replace(lines=(*new.lines[:at], line, *new.lines[at:]))
            elif (line.note or line.flag) and not (known.note or known.flag):
                new = _with(new, line)
        if new == now:
            return Edited(now)
        _refuse_too_many(len(new.rows), now.title)
        if len(new.sections) > MAX_SECTIONS:
            raise InputError("section", str(len(new.sections)), f"a list has at most {MAX_SECTIONS} sections")
        before = {line.key for line in now.lines}
        added = [line.key for line in new.rows if line.key not in before]
        return Edited(new, f"{_named(added)} added" if added else "sections, notes or flags added")

    return edit


def remove(keys: Iterable[str]) -> Edit:
    """Return the edit that removes lines; the instruments of a removed section stay, below the section before it."""
    gone = frozenset(keys)

    def edit(now: Watchlist) -> Edited:
        removed = [line for line in now.lines if line.key in gone]
        if not removed:
            return Edited(now)
        named = [f"section {line.title}" if line.is_section else line.key for line in removed]
        kept = tuple(line for line in now.lines if line.key not in gone)
        return Edited(now._replace(lines=kept), f"{_named(named)} removed")

    return edit


def move(key: str, how: str) -> Edit:
    """Return the edit that moves an instrument by a line, or a section with its instruments past another section.

    Args:
        how: one of MOVES.
    """
    if how not in MOVES:
        raise InputError("move", how, f"it is one of {', '.join(MOVES)}")

    def edit(now: Watchlist) -> Edited:
        line = _existing(now, key)
        parts: list[tuple[Line, ...]] = [(each,) for each in now.lines]
        if line.is_section:
            parts = _blocks(now.lines)
        place = next(place for place, part in enumerate(parts) if part and part[0].key == key)
        # Instruments before the first section stay before it.
        first = 1 if line.is_section and not (parts[0] and parts[0][0].is_section) else 0
        to = {UP: place - 1, DOWN: place + 1, TOP: first, BOTTOM: len(parts) - 1}[how]
        to = min(max(to, first), len(parts) - 1)
        parts.insert(to, parts.pop(place))
        lines = tuple(each for part in parts for each in part)
        if lines == now.lines:
            return Edited(now)
        return Edited(now._replace(lines=lines), f"{_name(line)} moved {_way(how)}")

    return edit


def mark(key: str, note: str, flag: str, was: tuple[str, str] | None = None) -> Edit:
    """Return the edit that sets note and flag of an instrument.

    Args:
        was: both as the editor has seen them. If they are others now, ConflictError is raised, because the newer text
            would be lost; unless the editor has left both as they were. None: they are replaced in any case.
    """
    note, flag = parse_note(note), parse_flag(flag)

    def edit(now: Watchlist) -> Edited:
        line = _existing(now, key)
        if (line.note, line.flag) == (note, flag) or was == (note, flag):
            return Edited(now)
        if was is not None and (line.note, line.flag) != was:
            raise ConflictError(f"The note or flag of {key} was changed meanwhile")
        changed = _with(now, line._replace(note=note, flag=flag))
        return Edited(changed, f"note or flag of {key} changed")

    return edit


def add_section(title: str) -> Edit:
    """Return the edit that adds a section at the end of the list."""
    title = parse_title(title, "section")

    def edit(now: Watchlist) -> Edited:
        if len(now.sections) >= MAX_SECTIONS:
            raise InputError("section", title, f"a list has at most {MAX_SECTIONS} sections")
        line = Line(new_section_key(now.lines), title)
        return Edited(now._replace(lines=(*now.lines, line)), f"section {title} added")

    return edit


def rename_section(key: str, title: str, was: str | None = None) -> Edit:
    """Return the edit that renames a section; `was` as of `mark`."""
    title = parse_title(title, "section")

    def edit(now: Watchlist) -> Edited:
        line = _existing(now, key)
        if title in (line.title, was):
            return Edited(now)
        if was is not None and line.title != was:
            raise ConflictError(f"The section is called {line.title} meanwhile")
        return Edited(_with(now, line._replace(title=title)), f"section {line.title} renamed to {title}")

    return edit


def rename(title: str, was: str | None = None) -> Edit:
    """Return the edit that renames the list, whose address stays; `was` as of `mark`."""
    title = parse_title(title)

    def edit(now: Watchlist) -> Edited:
        if title in (now.title, was):
            return Edited(now)
        if was is not None and now.title != was:
            raise ConflictError(f"The list is called {now.title} meanwhile")
        return Edited(now._replace(title=title), f"list renamed to {title}")

    return edit


def replace(
    lines: Sequence[Line], title: str | None = None, version: int | None = None, *, keep_marks: bool = False
) -> Edit:
    """Return the edit that replaces all lines.

    Args:
        keep_marks: instruments without note and flag keep those that they have.
        title: a new title of the list, None: it stays.
        version: that the editor has seen. If the list has another, ConflictError is raised. None: any.
    """
    rows = [line for line in lines if not line.is_section]
    if len(lines) - len(rows) > MAX_SECTIONS:
        raise InputError(
            "section", str(len(lines) - len(rows)), f"a list has at most {MAX_SECTIONS} sections"
        )
    titled = None if title is None else parse_title(title)

    def edit(now: Watchlist) -> Edited:
        if version is not None and version != now.version:
            raise ConflictError(f"The list has version {now.version} and not {version}")
        _refuse_too_many(len(rows), now.title)
        marked = {line.key: line for line in now.rows} if keep_marks else {}
        new_lines = tuple(line if line.note or line.flag else marked.get(line.key, line) for line in lines)
        new = now._replace(lines=new_lines, title=titled or now.title)
        return (
            Edited(new, f"list replaced by {counted(len(rows), 'instrument')}") if new != now else Edited(now)
        )

    return edit


def new_section_key(lines: Iterable[Line]) -> str:
    numbers = [int(line.key.partition(":")[2]) for line in lines if line.is_section]
    return f"{SECTION}:{max(numbers, default=0) + 1}"


def _existing(now: Watchlist, key: str) -> Line:
    line = now.line(key)
    if line is None:
        named = "The section" if key.startswith(SECTION) else key
        raise ConflictError(f"{named} is no longer in the list")
    return line


def _with(now: Watchlist, new: Line) -> Watchlist:
    return now._replace(lines=tuple(new if line.key == new.key else line for line in now.lines))


def _end_of(now: Watchlist, section: str) -> int:
    """Return the place behind the last line of a section."""
    _existing(now, section)
    at = 0
    for block in _blocks(now.lines):
        at += len(block)
        if block and block[0].key == section:
            break
    return at


def _blocks(lines: Iterable[Line]) -> list[tuple[Line, ...]]:
    """Return the lines before the first section, if any, and those of each section with its heading."""
    blocks: list[list[Line]] = []
    for line in lines:
        if line.is_section or not blocks:
            blocks.append([])
        blocks[-1].append(line)
    return [tuple(block) for block in blocks]


def _refuse_too_many(rows: int, title: str) -> None:
    if rows > MAX_ROWS:
        raise InputError(title, counted(rows, "instrument"), f"a list has at most {MAX_ROWS:,} instruments")


def _name(line: Line) -> str:
    return f"section {line.title}" if line.is_section else line.key


def _named(names: Sequence[str]) -> str:
    return listed(names, _NAMED)


def _way(how: str) -> str:
    return how if how in {UP, DOWN} else f"to the {how}"
