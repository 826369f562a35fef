"""The day's instrument master: a file or an address, checked whole, then stored; a bad one changes nothing.

Read twice, because what is known is replaced only by a file that is good to its last line, and 200,000 rows
are not kept in memory for that. Who calls it when is `jobs.daily`'s and the commands'.
"""

from __future__ import annotations

import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from ltp.batch import relistings
from ltp.batch.master_file import opened
from ltp.batch.reassignments import Reassignments
from ltp.core.instrument import Instrument
from ltp.core.symbol_lookup import SymbolLookup
from ltp.db import instruments, reassignments, universes
from ltp.db.engine import Engine, writing
from ltp.dhan.scrip_master import ScripMaster, ScripRow
from ltp.errors import InputError
from ltp.feed.download import download

Progress = Callable[
    [str, int, int], None
]  # what is being done, how much of it is done, how much there is (0: unknown)
SHARES: Final = "NSE_EQ"
FUTURES: Final = "NSE_FNO"
_SMALL: Final = 50  # a segment this small may shrink as it likes
_BREATH_S: Final = 0.005  # between two batches, or SQLite would let nobody else write for seconds


class MasterImport(NamedTuple):
    """What an import did. `rows`: stored, by segment. `shares`: of series EQ; `futures`: shares that have
    some.

    `reassigned`: keys that mean another instrument now. `retired`: no longer listed. `moved`: shares that got
    another id. `ended`: symbols that ended with a history that nothing continues. `unknown`: underlyings that
    are no share. `left_out`: rows that could not be read, the first of them described in `first_left_out`.
    `elsewhere`: rows of segments without prices.
    """

    rows: Counter[str]
    shares: int
    futures: int
    reassigned: tuple[str, ...]
    retired: int
    moved: int
    ended: tuple[str, ...]
    unknown: tuple[str, ...]
    left_out: int
    first_left_out: str
    elsewhere: Counter[str]


class _Found(NamedTuple):
    """What the first reading found. `listed`: ids by segment; `shares`: keys of series EQ; `underlyings`:
    symbol to the share's number.
    """

    master: ScripMaster
    listed: dict[str, set[int]]
    shares: list[str]
    underlyings: dict[str, int]


def import_from(
    engine: Engine, place: str, *, force: bool = False, progress: Progress = lambda *_: None
) -> MasterImport:
    """Import what is at `place`, the path of a file or an http(s) address; plain text or gzip.

    Args:
        force: take a file that is suspiciously short too.
    Raises:
        InputError: the file is not accepted; nothing is changed. FeedError: it cannot be fetched; nothing is
            changed. DatabaseError: it cannot be stored; what was stored by then is right, and the next import
            stores the rest.
    """
    if urlsplit(place).scheme not in {"http", "https"}:
        return import_file(engine, Path(place), Path(place).name or place, force=force, progress=progress)
    with tempfile.NamedTemporaryFile(prefix="ltp-master-") as file:
        download(place, file, progress=lambda done, total: progress("fetching", done, total))
        name = urlsplit(place).path.rpartition("/")[2] or str(urlsplit(place).hostname)
        return import_file(engine, Path(file.name), name, force=force, progress=progress)


def import_file(
    engine: Engine, path: Path, name: str, *, force: bool = False, progress: Progress = lambda *_: None
) -> MasterImport:
    """Import a file that is here; `name` is what it is called in sentences and as the source of the
    universes.
    """
    try:
        with opened(path, name, lambda done, total: progress("checking", done, total)) as lines:
            changed = Reassignments(engine)
            found = _check(ScripMaster(lines), changed.add)
        reassigned = changed.found()
        if (
            not force and last_import(engine) is not None
        ):  # what is shipped says nothing of how long a file should be
            _refuse_short(
                {segment: len(ids) for segment, ids in found.listed.items()}, instruments.counts(engine)
            )
        with opened(path, name) as lines:
            before = instruments.fetch(engine, SHARES)
            with writing(engine) as connection:
                reassignments.note(connection, [each.key for each in reassigned])
            _store(engine, ScripMaster(lines), found, {each.key for each in reassigned}, progress)
    except InputError as error:
        where = error.where if error.where == "file" else f"{name}, {error.where}"
        raise InputError(where, error.value, error.accepted) from None
    ended: tuple[str, ...] = ()
    moved, others = 0, reassignments.pending(engine)
    if SHARES in found.listed:
        moved, ended = relistings.follow(engine, before, found.listed[SHARES], others)
    else:
        with writing(engine) as connection:
            reassignments.clear(connection, others)
    retired = _retire(engine, found.listed)
    unknown = _replace_universes(engine, found, name)
    return MasterImport(
        Counter({segment: len(ids) for segment, ids in found.listed.items()}),
        len(found.shares),
        len(found.underlyings) - len(unknown),
        tuple(others),
        retired,
        moved,
        ended,
        unknown,
        found.master.unreadable,
        found.master.first_unreadable,
        found.master.elsewhere,
    )


def last_import(engine: Engine) -> datetime | None:
    """Return the instant of the last good import, None when what is known was only shipped."""
    universe = universes.fetch(engine).get(universes.ALL)
    return None if universe is None or universe.source == universes.SHIPPED else universe.changed_at


def _check(master: ScripMaster, compare: Callable[[Instrument], None]) -> _Found:
    listed: dict[str, set[int]] = {}
    shares: list[str] = []
    underlyings: dict[str, int] = {}
    for row in master:
        ids = listed.setdefault(row.instrument.segment, set())
        if row.instrument.security_id not in ids:  # the first row of a key is the one that is stored
            ids.add(row.instrument.security_id)
            compare(row.instrument)
        if row.share and row.instrument.segment == SHARES and row.instrument.series == "EQ":
            shares.append(row.instrument.key)
        if row.kind == "FUTSTK" and row.instrument.segment == FUTURES and row.underlying:
            underlyings[row.underlying] = row.underlying_id
    return _Found(master, listed, shares, underlyings)


def _refuse_short(here: dict[str, int], known: dict[str, int]) -> None:
    """Refuse a file that has lost half of a segment; one without a segment leaves that as it is.

    Raises:
        InputError: names the segment.
    """
    for segment, count in sorted(here.items()):
        before = known.get(segment, 0)
        if before > _SMALL and count * 2 < before:
            accepted = f"{before:,} are known, so fewer than half looks like a damaged file; --force takes it"
            raise InputError(f"segment {segment}", f"{count:,} instruments", accepted)


def _store(
    engine: Engine, master: ScripMaster, found: _Found, reassigned: set[str], progress: Progress
) -> None:
    """Store all rows, a batch a transaction: others who write have to wait for one batch and not for the
    whole.
    """
    total, done = sum(map(len, found.listed.values())), 0
    for batch in instruments.batches(row.instrument for row in _first_of_each(master, found.listed)):
        with writing(engine) as connection:
            instruments.forget(connection, reassigned.intersection(each.key for each in batch))
            instruments.upsert(connection, batch)
        done += len(batch)
        progress("storing", done, total)
        time.sleep(_BREATH_S)


def _first_of_each(master: ScripMaster, listed: dict[str, set[int]]) -> Iterator[ScripRow]:
    """Yield the first row of each key: a repeated one must not make an instrument change to and fro."""
    waiting = {segment: set(ids) for segment, ids in listed.items()}
    for row in master:
        ids = waiting[row.instrument.segment]
        if row.instrument.security_id in ids:
            ids.discard(row.instrument.security_id)
            yield row


def _retire(engine: Engine, listed: dict[str, set[int]]) -> int:
    with writing(engine) as connection:
        return sum(instruments.retire(connection, segment, ids) for segment, ids in listed.items())


def _replace_universes(engine: Engine, found: _Found, source: str) -> tuple[str, ...]:
    """Say anew which shares there are and which have futures. Returns the underlyings that are no share, test
    ones mostly.
    """
    unknown: list[str] = []
    if found.underlyings:
        lookup = SymbolLookup(instruments.fetch(engine, SHARES), instruments.fetch_names(engine))
        members = []
        for symbol, number in sorted(found.underlyings.items()):
            # The exchange's number of a share is its id, so a contract of before a rename still finds it.
            share = lookup.find(symbol) or lookup.resolve(f"{SHARES}:{number}")
            if share is None or not share.series or not share.isin.startswith("INE"):
                unknown.append(symbol)
            else:
                members.append(share.key)
        universes.replace(engine, universes.FNO, universes.TITLES[universes.FNO], source, members)
    if found.shares:  # the last step: it is what says that the import is complete
        universes.replace(engine, universes.ALL, universes.TITLES[universes.ALL], source, found.shares)
    return tuple(unknown)
