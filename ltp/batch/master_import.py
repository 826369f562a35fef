"""The import of an instrument master from a file or an address: checked whole, then stored.

The file is read twice: only one that is good to its last line may replace the known instruments, and its
200,000 rows are not kept in memory until then. `python -m ltp instruments import` calls this, which the
worker starts once a day.
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
from ltp.batch.progress import Progress
from ltp.batch.reassignments import Reassignments
from ltp.core.instrument import Instrument
from ltp.core.symbol_lookup import SymbolLookup
from ltp.db import instruments, reassignments, universes
from ltp.db.engine import Engine, writing
from ltp.dhan.scrip_master import ScripMaster, ScripRow
from ltp.errors import InputError
from ltp.feed.download import download

SHARES: Final = "NSE_EQ"
FUTURES: Final = "NSE_FNO"
_SMALL: Final = 50  # instruments; a segment as small as this may shrink by any number
_PAUSE_S: Final = 0.005  # between two batches, else SQLite would let no other process write for seconds


class MasterImport(NamedTuple):
    """The result of an import.

    `rows`: stored, by segment. `shares`: of series EQ; `futures`: shares that have futures. `reassigned`:
    keys that mean another instrument now. `retired`: instruments that are no longer listed. `moved`: shares
    that got another id. `ended`: symbols of listings that ended, with a history that no listing continues.
    `unknown`: underlyings that are no share. `left_out`: rows that could not be read, the first of them
    described in `first_left_out`. `elsewhere`: rows of segments without prices.
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


class _Checked(NamedTuple):
    """A file that was read to its end. `listed`: ids by segment; `shares`: keys of series EQ; `underlyings`:
    symbol to the share's number.
    """

    master: ScripMaster
    listed: dict[str, set[int]]
    shares: list[str]
    underlyings: dict[str, int]


def import_from(
    engine: Engine, place: str, *, force: bool = False, progress: Progress = lambda *_: None
) -> MasterImport:
    """Import the master at `place`.

    Args:
        place: the path of a file or an http(s) address; plain text or gzip.
        force: take a file that is suspiciously short too.
    Raises:
        InputError: the file is not accepted; nothing is changed.
        FeedError: it cannot be fetched; nothing is changed.
        DatabaseError: it cannot be stored; all that was stored by then is right, and the next import stores
            the rest.
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
    """Import a local file, under `name` in sentences and as the source of the universes. Raises as
    `import_from` does.
    """
    try:
        with opened(path, name, lambda done, total: progress("checking", done, total)) as lines:
            reassignments_found = Reassignments(engine)
            checked = _check(ScripMaster(lines), reassignments_found.add)
        reassigned = reassignments_found.found()
        # The shipped instruments are no measure of how long a file should be.
        if not force and last_import(engine) is not None:
            _refuse_short(
                {segment: len(ids) for segment, ids in checked.listed.items()}, instruments.counts(engine)
            )
        with opened(path, name) as lines:
            before = instruments.fetch(engine, SHARES)
            with writing(engine) as connection:
                reassignments.note(connection, [each.key for each in reassigned])
            _store(engine, ScripMaster(lines), checked, {each.key for each in reassigned}, progress)
    except InputError as error:
        where = error.where if error.where == "file" else f"{name}, {error.where}"
        raise InputError(where, error.value, error.accepted) from None
    ended: tuple[str, ...] = ()
    moved, pending = 0, reassignments.pending(engine)
    if SHARES in checked.listed:
        moved, ended = relistings.follow(engine, before, checked.listed[SHARES], pending)
    else:
        with writing(engine) as connection:
            reassignments.clear(connection, pending)
    retired = _retire(engine, checked.listed)
    unknown = _replace_universes(engine, checked, name)
    return MasterImport(
        Counter({segment: len(ids) for segment, ids in checked.listed.items()}),
        len(checked.shares),
        len(checked.underlyings) - len(unknown),
        tuple(pending),
        retired,
        moved,
        ended,
        unknown,
        checked.master.unreadable,
        checked.master.first_unreadable,
        checked.master.elsewhere,
    )


def last_import(engine: Engine) -> datetime | None:
    """Return the instant of the last good import, None while only the shipped instruments are known."""
    universe = universes.fetch(engine).get(universes.ALL)
    return None if universe is None or universe.source == universes.SHIPPED else universe.changed_at


def _check(master: ScripMaster, compare: Callable[[Instrument], None]) -> _Checked:
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
    return _Checked(master, listed, shares, underlyings)


def _refuse_short(here: dict[str, int], known: dict[str, int]) -> None:
    """Refuse a file that lacks more than half of a segment. A segment without any row stays as it is.

    Args:
        here: instruments of the file, by segment.
    Raises:
        InputError: names the segment.
    """
    for segment, count in sorted(here.items()):
        before = known.get(segment, 0)
        if before > _SMALL and count * 2 < before:
            accepted = f"{before:,} are known, so fewer than half looks like a damaged file; --force takes it"
            raise InputError(f"segment {segment}", f"{count:,} instruments", accepted)


def _store(
    engine: Engine, master: ScripMaster, checked: _Checked, reassigned: set[str], progress: Progress
) -> None:
    """Store all rows, a batch in a transaction: another process that writes waits for one batch and not for
    all.
    """
    total, done = sum(map(len, checked.listed.values())), 0
    for batch in instruments.batches(row.instrument for row in _first_of_each(master, checked.listed)):
        with writing(engine) as connection:
            instruments.forget(connection, reassigned.intersection(each.key for each in batch))
            instruments.upsert(connection, batch)
        done += len(batch)
        progress("storing", done, total)
        time.sleep(_PAUSE_S)


def _first_of_each(master: ScripMaster, listed: dict[str, set[int]]) -> Iterator[ScripRow]:
    """Yield the first row of each key; a repeated one would change the instrument at each import."""
    waiting = {segment: set(ids) for segment, ids in listed.items()}
    for row in master:
        ids = waiting[row.instrument.segment]
        if row.instrument.security_id in ids:
            ids.discard(row.instrument.security_id)
            yield row


def _retire(engine: Engine, listed: dict[str, set[int]]) -> int:
    with writing(engine) as connection:
        return sum(instruments.retire(connection, segment, ids) for segment, ids in listed.items())


def _replace_universes(engine: Engine, checked: _Checked, source: str) -> tuple[str, ...]:
    """Replace the universes of all shares and of shares with futures; return the underlyings that are no
    share, mostly test symbols.
    """
    unknown: list[str] = []
    if checked.underlyings:
        lookup = SymbolLookup(instruments.fetch(engine, SHARES), instruments.fetch_names(engine))
        members = []
        for symbol, number in sorted(checked.underlyings.items()):
            # The exchange's number of a share is its id, which a contract from before a rename still has.
            share = lookup.find(symbol) or lookup.resolve(f"{SHARES}:{number}")
            if share is None or not share.series or not share.isin.startswith("INE"):
                unknown.append(symbol)
            else:
                members.append(share.key)
        universes.replace(engine, universes.FNO, universes.TITLES[universes.FNO], source, members)
    if checked.shares:  # last, because `last_import` reads it as the mark of a complete import
        universes.replace(engine, universes.ALL, universes.TITLES[universes.ALL], source, checked.shares)
    return tuple(unknown)
