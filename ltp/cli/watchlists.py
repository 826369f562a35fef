"""`python -m ltp watchlists`: lists, their lines, and lists made of symbols or files."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Engine

from ltp import settings as settings_module
from ltp.cli.database import open_seeded
from ltp.cli.files import parsed, read
from ltp.core.counted import counted, listed
from ltp.core.watchlists import edits, pasted
from ltp.core.watchlists.pasted import Named
from ltp.core.watchlists.watchlist import Line, parse_slug, universe_of
from ltp.db import instruments
from ltp.db.watchlists import lists, store
from ltp.db.watchlists.named import finder
from ltp.errors import InputError, NotFoundError

_NAMED: Final = 12  # names in a sentence; the rest is counted
_SOURCE: Final = "command line"


def add(commands: Any) -> None:
    """Register the commands on the program's sub-parsers."""
    actions = commands.add_parser("watchlists", help="lists of your own").add_subparsers(
        required=True, metavar="ACTION"
    )
    actions.add_parser("list", help="print every list").set_defaults(command=_list)
    show = actions.add_parser("show", help="print the lines of a list, as `set --file` reads them")
    show.add_argument("slug", metavar="SLUG")
    show.set_defaults(command=_show)
    set_ = actions.add_parser("set", help="make a list of symbols, or replace its lines")
    set_.add_argument("slug", metavar="SLUG")
    set_.add_argument(
        "symbols",
        nargs="*",
        metavar="SYMBOL",
        help="HDFCBANK, an ISIN, a name, or a key such as BSE_EQ:500180",
    )
    set_.add_argument(
        "--file", type=Path, help="one symbol a line or a CSV, with [SECTION] lines; as pages take it pasted"
    )
    set_.add_argument("--title", default="", help="what pages call it")
    set_.set_defaults(command=_set)
    delete = actions.add_parser("delete", help="delete a list; the page /watchlists restores it for two days")
    delete.add_argument("slug", metavar="SLUG")
    delete.set_defaults(command=_delete)


def _list(_: argparse.Namespace) -> int:
    for head in lists.fetch(_engine()):
        changed = head.changed_at.isoformat(timespec="seconds")
        print(f"{head.slug:<20} {head.size:>5,}  {head.title}  (version {head.version}, {changed})")
    return 0


def _show(given: argparse.Namespace) -> int:
    engine = _engine()
    found = store.fetch(engine, given.slug)
    known = {
        each.key: each.symbol for each in instruments.fetch_named(engine, [row.key for row in found.rows])
    }
    print("key,symbol,note,flag")
    for line in found.lines:
        if line.is_section:
            print(f"[{line.title}]")
        else:
            note = '"' + line.note.replace('"', '""') + '"' if line.note else ""
            print(f"{line.key},{known.get(line.key, '')},{note},{line.flag}")
    return 0


def _set(given: argparse.Namespace) -> int:
    slug = parse_slug(given.slug, "SLUG")
    named = [Named(number, (symbol,)) for number, symbol in enumerate(given.symbols, start=1)]
    named += parsed(given.file, read(given.file), _parse) if given.file else []
    if not named:
        raise InputError("SYMBOL", "", "name at least one symbol, or a file of them with --file")
    engine = _engine()
    lines = _lines(engine, named)
    title = given.title or None
    source = given.file.name if given.file else _SOURCE
    try:
        found = store.change(engine, slug, edits.replace(lines, title, keep_marks=True), source).watchlist
    except NotFoundError:
        title = title or slug.replace("-", " ").capitalize()
        found = lists.create(engine, title, lines, slug=slug, source=source)
    print(f"{universe_of(slug)} ({found.title}) has {counted(len(found.rows), 'member')}.")
    return 0


def _delete(given: argparse.Namespace) -> int:
    lists.remove(_engine(), given.slug)
    print(f"{universe_of(given.slug)} is deleted; the page /watchlists restores it for two days.")
    return 0


def _parse(content: bytes) -> list[Named]:
    try:
        return pasted.parse(content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise InputError(
            f"line {line}", content[error.start : error.end].hex(), "the file must be UTF-8 text"
        ) from None


def _lines(engine: Engine, named: Sequence[Named]) -> Sequence[Line]:
    """Return the lines of a list. Raises InputError with all that name no instrument; one that comes twice counts once."""
    find = finder(engine, [text for each in named for text in each.texts])
    found = pasted.lines_of(named, find)
    bad = [each.text for each in found.bad if each.reason != pasted.TWICE]
    if bad:
        accepted = "the instrument master knows none of that name; nothing was changed"
        reasons = {each.reason for each in found.bad if each.reason not in {pasted.TWICE, pasted.UNKNOWN}}
        raise InputError("SYMBOL", listed(bad, _NAMED), "; ".join([*sorted(reasons)]) or accepted)
    return found.lines


def _engine() -> Engine:
    return open_seeded(settings_module.load())
