"""A watchlist and its lines, and the texts that it accepts. Pure."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterator
from datetime import datetime
from typing import Final, NamedTuple

from ltp.errors import InputError

MAX_LISTS: Final = 100
MAX_ROWS: Final = 1_000  # instruments of a list
MAX_SECTIONS: Final = 100  # of a list
MAX_TITLE: Final = 80  # of a list or a section
MAX_NOTE: Final = 200
MAX_SLUG: Final = 59  # 64 with the prefix of its universe, the width of that column
FLAGS: Final = ("red", "orange", "green", "blue", "violet")
UNIVERSE_PREFIX: Final = "list-"
KIND_PREFIX: Final = "list-"
SECTION: Final = "SECTION"  # in place of a segment in the key of a section
RESERVED: Final = frozenset({"add"})  # addresses below /watchlists that have another meaning
_SLUG: Final = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*", re.ASCII)
_SECTION_KEY: Final = re.compile(rf"{SECTION}:[1-9][0-9]{{0,8}}", re.ASCII)
_CONTROLS: Final = frozenset({"Cc", "Cs", "Co", "Cn"})  # categories of characters that no font shows


class Line(NamedTuple):
    """A line of a list: an instrument with its `note` and `flag`, or the heading of a section with its `title`.

    `key`: of the instrument, or SECTION:<number>. `flag`: one of FLAGS. Empty where there is none.
    """

    key: str
    title: str = ""
    note: str = ""
    flag: str = ""

    @property
    def is_section(self) -> bool:
        return self.key.startswith(SECTION)


class Watchlist(NamedTuple):
    """A list at one version; every change raises the version by one. `members_at`: when instruments last came or went."""

    slug: str
    title: str
    version: int
    changed_at: datetime
    members_at: datetime
    lines: tuple[Line, ...] = ()

    @property
    def rows(self) -> tuple[Line, ...]:
        """The lines of instruments, in their order."""
        return tuple(line for line in self.lines if not line.is_section)

    @property
    def sections(self) -> tuple[Line, ...]:
        return tuple(line for line in self.lines if line.is_section)

    def line(self, key: str) -> Line | None:
        return next((line for line in self.lines if line.key == key), None)

    def in_sections(self) -> Iterator[tuple[str, Line]]:
        """Yield each instrument's line behind the title of its section, "" before the first section."""
        title = ""
        for line in self.lines:
            if line.is_section:
                title = line.title
            else:
                yield title, line


def universe_of(slug: str) -> str:
    """Return the name of the universe that has the members of a list."""
    return UNIVERSE_PREFIX + slug


def kind_of(slug: str) -> str:
    """Return the kind of the runs in which the members of a list are evaluated; a kind has 32 characters at most."""
    return KIND_PREFIX + hashlib.sha256(slug.encode()).hexdigest()[:16]


def is_kind(kind: str) -> bool:
    """Return whether runs of this kind are of a watchlist."""
    return kind.startswith(KIND_PREFIX)


def slug_of(title: str) -> str:
    """Return the slug for a title: "My banks!" gives my-banks. Without a letter or digit of ASCII it is "list"."""
    plain = unicodedata.normalize("NFKD", title.lower()).encode("ascii", "ignore").decode()
    slug = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:MAX_SLUG].strip("-")
    return slug or "list"


def free_slug(title: str, taken: frozenset[str]) -> str:
    """Return the slug of a title, with a number behind it if it is taken."""
    slug, number = slug_of(title), 1
    found = slug
    while found in taken or found in RESERVED:
        number += 1
        found = f"{slug[: MAX_SLUG - 5]}-{number}"
    return found


def is_slug(text: str) -> bool:
    """Return whether a list can have this slug. Others never reach SQL, which refuses some characters."""
    return len(text) <= MAX_SLUG and _SLUG.fullmatch(text) is not None


def parse_slug(text: str, where: str = "slug") -> str:
    """Return `text` if it can be the slug of a list.

    Raises:
        InputError: it is not small letters, digits and single dashes, or it is reserved.
    """
    if not is_slug(text) or text in RESERVED:
        accepted = f"a slug is small letters, digits and single dashes, at most {MAX_SLUG}, such as my-banks"
        raise InputError(where, text, f"{accepted}; {', '.join(RESERVED)} is taken")
    return text


def is_section_key(text: str) -> bool:
    return _SECTION_KEY.fullmatch(text) is not None


def parse_title(text: str, where: str = "title") -> str:
    """Return the title of a list or a section with single spaces.

    Raises:
        InputError: it is empty, too long, or has control characters.
    """
    title = _one_line(text)
    if not 0 < len(title) <= MAX_TITLE or not _is_shown(title):
        raise InputError(where, title, f"it is 1 to {MAX_TITLE} characters without control characters")
    return title


def parse_note(text: str, where: str = "note") -> str:
    """Return a note with single spaces. Raises InputError."""
    note = _one_line(text)
    if len(note) > MAX_NOTE or not _is_shown(note):
        raise InputError(where, note, f"it is at most {MAX_NOTE} characters without control characters")
    return note


def parse_flag(text: str, where: str = "flag") -> str:
    """Return the name of a flag, "" for none. Raises InputError."""
    flag = text.strip().lower()
    if flag and flag not in FLAGS:
        raise InputError(where, text, f"it is empty or one of {', '.join(FLAGS)}")
    return flag


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _is_shown(text: str) -> bool:
    return all(unicodedata.category(each) not in _CONTROLS for each in text)
