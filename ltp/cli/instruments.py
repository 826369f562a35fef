"""`python -m ltp instruments` and `universes`: the master, and the sets that screens search."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Engine

from ltp import settings as settings_module
from ltp.batch.master_import import import_from
from ltp.cli.database import open_seeded
from ltp.cli.files import parsed, read
from ltp.cli.progress import Stages
from ltp.core.counted import counted, listed
from ltp.core.formats import symbol_lists
from ltp.core.formats.symbol_lists import LIST_PREFIX
from ltp.core.symbol_lookup import SymbolLookup
from ltp.db import instruments, universes
from ltp.db.engine import open_engine
from ltp.errors import InputError

_NAMED: Final = 12  # names in a sentence; the rest is counted


def add(commands: Any) -> None:
    """Register the commands on the program's sub-parsers."""
    of_instruments = commands.add_parser("instruments", help="the instrument master").add_subparsers(
        required=True, metavar="ACTION"
    )
    import_ = of_instruments.add_parser(
        "import", help="replace what is known by the broker's master, compact or detailed"
    )
    import_.add_argument(
        "place", nargs="?", metavar="FILE|URL", help="CSV or gzip; left out: the address of the settings"
    )
    import_.add_argument(
        "--force", action="store_true", help="take a file with fewer than half of the known instruments too"
    )
    import_.set_defaults(command=_import_master)

    of_universes = commands.add_parser("universes", help="sets of instruments").add_subparsers(
        required=True, metavar="ACTION"
    )
    import_ = of_universes.add_parser("import", help="make NSE's list of index members a universe")
    import_.add_argument("name", metavar="NAME", help="such as nifty50, nifty100, nifty200, nifty500")
    import_.add_argument("file", type=Path, metavar="FILE.csv")
    import_.add_argument("--title", default="", help="what pages call it")
    import_.set_defaults(command=_import_universe)
    of_universes.add_parser("list", help="print every universe").set_defaults(command=_list)


def _import_master(given: argparse.Namespace) -> int:
    settings = settings_module.load()
    place = given.place or settings.master_url or settings.brokers_master_url
    engine = open_engine(settings.database)
    with Stages() as stages:
        done = import_from(engine, place, force=given.force, progress=stages)
    rows = ", ".join(f"{segment} {count:,}" for segment, count in sorted(done.rows.items()))
    if done.left_out:
        left_out = counted(
            done.left_out,
            "row could not be read and was left out",
            "rows could not be read and were left out",
        )
        print(f"{left_out}; the first is {done.first_left_out}")
    if done.elsewhere:
        segments = ", ".join(f"{count:,} of {name}" for name, count in done.elsewhere.items())
        print(f"Left out, because there are no prices of them: {segments}")
    if done.unknown:
        print(f"Underlyings that are no share of the master: {listed(done.unknown, _NAMED)}")
    if done.ended:
        have = counted(
            len(done.ended), "share that is no longer listed has", "shares that are no longer listed have"
        )
        print(f"{have} candles which no listing continues: {listed(done.ended, _NAMED)}")
    found = [
        f"{counted(sum(done.rows.values()), 'instrument')} imported ({rows})",
        f"{done.retired:,} no longer listed",
    ]
    found += [f"{counted(done.moved, 'share')} with another id"] if done.moved else []
    found += (
        [f"{counted(len(done.reassigned), 'key')} given to another instrument"] if done.reassigned else []
    )
    found += (
        [f"{counted(len(done.ended), 'share')} ended with candles that nothing continues"]
        if done.ended
        else []
    )
    found += [counted(done.shares, "EQ share")] if done.shares else []
    found += [f"{counted(done.futures, 'share')} with futures"] if done.futures else []
    print("; ".join(found) + ".")
    return 0


def _import_universe(given: argparse.Namespace) -> int:
    name = symbol_lists.parse_name(given.name, "NAME")
    if name in (universes.ALL, universes.FNO) or name.startswith(LIST_PREFIX):
        raise InputError(
            "NAME", name, "all and fno come from the instrument master, list-SLUG from `watchlists set`"
        )
    members = parsed(given.file, read(given.file), symbol_lists.parse)
    engine, lookup = _engine_and_lookup()
    found = [
        (member, lookup.find(member.symbol, series=member.series, isin=member.isin)) for member in members
    ]
    known = [(member, instrument) for member, instrument in found if instrument is not None]
    unknown = [member.symbol for member, instrument in found if instrument is None]
    if len(known) * 2 < len(members):
        raise InputError(
            str(given.file),
            listed(unknown, _NAMED),
            "the instrument master knows fewer than half of them; import it first "
            "(python -m ltp instruments import)",
        )
    instruments.set_sectors(
        engine, ((i.segment, i.security_id, member.industry) for member, i in known if member.industry)
    )
    title = given.title or universes.TITLES.get(name) or name.upper()
    count = universes.replace(
        engine, name, title[:200], given.file.name, [instrument.key for _, instrument in known]
    )
    if unknown:
        print(f"Left out, because the instrument master does not know them: {listed(unknown, _NAMED)}")
    print(f"{name} ({title}) has {counted(count, 'member')}.")
    return 0


def _list(_: argparse.Namespace) -> int:
    engine, _lookup = _engine_and_lookup()
    for universe in universes.fetch(engine).values():
        changed = universe.changed_at.isoformat(timespec="seconds")
        print(f"{universe.name:<20} {universe.size:>6,}  {universe.title}  ({universe.source}, {changed})")
    return 0


def _engine_and_lookup() -> tuple[Engine, SymbolLookup]:
    engine = open_seeded(settings_module.load())
    segments: Iterable[str] = ("NSE_EQ", "BSE_EQ", "IDX_I")
    every = [instrument for segment in segments for instrument in instruments.fetch(engine, segment)]
    return engine, SymbolLookup(every, instruments.fetch_names(engine))
