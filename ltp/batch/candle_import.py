"""Candles from the exchange's files into SQL, then a search of the stored histories for splits and bonuses.

The step between `core.formats.bhavcopy` and `db.candles`. A file is taken whole or refused; many are written
in one transaction. An operator decides about the actions that are suspected.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Final, NamedTuple

from ltp.batch import candle_files
from ltp.batch.action_search import search_actions
from ltp.batch.candle_keys import INDICES, SHARES, CandleKeys
from ltp.batch.candle_reader import CandleFile, CandleReader
from ltp.batch.progress import Progress
from ltp.batch.stored_days import StoredDays
from ltp.batch.thin_days import thin_days
from ltp.batch.unknown_rows import UnknownRows, UnknownSymbol
from ltp.core.formats.exchange_csv import members
from ltp.core.history import candle, renames
from ltp.core.history.candle import RECORD
from ltp.core.history.corporate_action import Action
from ltp.core.history.renames import Rename
from ltp.core.trading_day import IST
from ltp.db import candle_source, candles, corporate_actions, former_names, instruments
from ltp.db.candles import Basis
from ltp.db.engine import Engine, writing
from ltp.db.former_names import is_isin
from ltp.errors import InputError

# Some 300 days of every share. A process that is killed loses the rows that are not yet written, and no
# others.
_BATCH_BYTES: Final = 32 << 20
_MAX_SENTENCES: Final = 10_000
_WRITTEN_AT_ONCE: Final = 400  # shares


class CandleImport(NamedTuple):
    """The result of an import.

    `files`, `days`, `candles`: imported; `changed`: candles that are new or differ. `refused`: a sentence for
    each file that was refused. `damaged`: rows left out of files that were taken; `sentences`: about the
    first of them. `series`: rows of series that are not read, by series. `unknown`: symbols of no known
    instrument, the one with the most rows first; `renames`: the renames that may explain them. `recognised`:
    former symbols that an ISIN identified, with the present symbol; `again`: those of them of which some rows
    were not kept, so that the files have to be imported again. `suspects`: actions that were not known
    before. `removed`: instruments that lost simulated candles for real ones. `thin`: a sentence for
    each day with far fewer shares than the days around it.
    """

    files: int
    days: int
    candles: int
    changed: int
    refused: tuple[str, ...]
    damaged: int
    sentences: tuple[str, ...]
    series: Counter[str]
    unknown: tuple[UnknownSymbol, ...]
    renames: tuple[Rename, ...]
    recognised: dict[str, str]
    again: tuple[str, ...]
    suspects: tuple[Action, ...]
    removed: int
    thin: tuple[str, ...]


def import_files(
    engine: Engine,
    paths: Sequence[Path],
    *,
    basis: Basis = "raw",
    today: date | None = None,
    force: bool = False,
    progress: Progress = lambda *_: None,
) -> CandleImport:
    """Import bhavcopies and histories, also those in folders and below; the same file twice changes nothing.

    A file that is not accepted changes nothing and is reported; the others are imported. Of two files of a
    day the later counts.

    Args:
        basis: of the histories. Bhavcopies are as traded, and refused for any other basis than "raw".
        today: the last day a candle may have; None: today in India.
        force: also replace most closes of a day as traded by very different ones.
    Raises:
        InputError: a path does not exist or has no such file.
        DatabaseError: all that was written by then is right; import the same again.
    """
    importer = _Importer(engine, basis, today or datetime.now(IST).date(), force=force)
    files = list(candle_files.found(paths))
    for done, path in enumerate(files):
        progress("importing", done, len(files))
        importer.read(path)
    importer.recover()
    importer.write()
    progress("importing", len(files), len(files))
    suspects = search_actions(engine, progress) if basis == "raw" and importer.changes_search else []
    return importer.result(suspects)


class _Importer:
    """One import: rows are kept in memory until there are enough of them to write.

    `changes_search`: whether a search for actions may find more than the last one, because candles changed or
    a share's former name was learned, such as an ISIN from before a split.
    """

    def __init__(self, engine: Engine, basis: Basis, today: date, *, force: bool) -> None:
        self._engine, self._basis = engine, basis
        known = [each for segment in (SHARES, INDICES) for each in instruments.fetch(engine, segment)]
        self._names = instruments.fetch_names(engine)
        self._keys = CandleKeys(known, self._names)
        self._reader = CandleReader(self._keys, basis, today)
        _join_successors(engine, self._keys.successors())
        self._batch: dict[str, bytearray] = {}
        # Only of prices as traded: restated ones differ from those before, which is their purpose.
        self._stored_days = StoredDays(engine, self._batch) if basis == "raw" and not force else None
        self._sources: dict[date, tuple[str, int]] = {}  # day -> file and number of its shares
        self._bytes = 0
        self._files = self._candles = self._changed = self._damaged = self._removed = 0
        self._days: set[date] = set()
        self._market_days: set[date] = set()
        self._refused: list[str] = []
        self._sentences: list[str] = []
        self._series: Counter[str] = Counter()
        self._unknown = UnknownRows()
        self._waiting: list[tuple[str, frozenset[str]]] = []
        self._recognised: dict[str, str] = {}
        self._again: list[str] = []
        self.changes_search = False

    def read(self, path: Path) -> None:
        """Read one file and keep its rows; write when there are enough."""
        try:
            for name, content in members(candle_files.content(path), path.name):
                learned = dict(self._keys.learned)
                try:
                    self._add(self._reader.read(name, content))
                except InputError as error:
                    self._keys.learned = learned  # no names are learned from a refused file
                    self._refused.append(str(error))
        except InputError as error:
            self._refused.append(str(error))
        if self._bytes >= _BATCH_BYTES:
            self.write()

    def recover(self) -> None:
        """Take the rows of symbols that were unknown when read, and that a later file has identified."""
        for symbol in sorted(self._unknown.rows):
            key = self._keys.by_name(symbol)
            if key is None:
                continue
            records = self._unknown.take(symbol)
            if symbol in self._unknown.rows:
                self._again.append(symbol)
            # Of two rows of a day the later in the batch counts: the one under the present symbol.
            self._batch[key] = bytearray(records) + self._batch.get(key, b"")
            self._candles += len(records) // RECORD.size
            for each in candle.unpack(records):
                self._days.add(each.day)
                self._sources.setdefault(each.day, (f"rows of {symbol}", 1))
        for name, symbols in self._waiting:
            if self._unknown.rows.keys() >= symbols:
                self._refused.append(str(_no_known_share(name)))
            else:
                self._files += 1

    def write(self) -> None:
        """Write the kept rows, in one transaction."""
        changed: dict[str, int] = {}
        with writing(self._engine) as connection:
            if any(self._batch.values()):
                self._removed += candle_source.claim(connection, simulated=False)
            while self._batch:  # in parts, else the batch would be in memory four times
                keys = list(self._batch)[:_WRITTEN_AT_ONCE]
                packed = {key: candle.merge(b"", bytes(self._batch.pop(key))) for key in keys}
                changed |= candles.upsert_packed(connection, self._basis, packed)
            for day, (source, count) in sorted(self._sources.items()):
                candles.note_day(connection, day, source, count)
            former_names.remember(connection, self._keys.learned)
        new = {name: key for key, name in self._keys.learned if (SHARES, name) not in self._names}
        symbols = self._keys.symbols()
        self._recognised |= {
            name: symbols[key] for name, key in new.items() if key in symbols and not is_isin(name)
        }
        self._changed += sum(changed.values())
        self.changes_search = self.changes_search or bool(changed or new)
        self._sources, self._bytes = {}, 0
        self._keys.learned.clear()
        if self._stored_days is not None:
            self._stored_days.written()

    def result(self, suspects: Iterable[Action]) -> CandleImport:
        return CandleImport(
            self._files,
            len(self._days),
            self._candles,
            self._changed,
            tuple(self._refused),
            self._damaged,
            tuple(self._sentences),
            self._series,
            self._unknown.named(),
            tuple(self._renames()),
            self._recognised,
            tuple(self._again),
            tuple(suspects),
            self._removed,
            tuple(thin_days(candles.days(self._engine), self._market_days)),
        )

    def _renames(self) -> list[Rename]:
        """Return the renames that may explain unknown symbols, by prices: their own and the stored ones."""
        unknown = [renames.span(symbol, packed) for symbol, packed in self._unknown.packed()]
        if not unknown:
            return []
        symbols, first = self._keys.symbols(), candles.beginnings(self._engine, self._basis, renames.SESSIONS)
        known = [
            renames.span(symbols[key], packed) for key, packed in first.items() if packed and key in symbols
        ]
        return renames.suspected(unknown, known, [session.day for session in candles.days(self._engine)])

    def _add(self, file: CandleFile) -> None:
        if not any(file.records.values()):
            self._wait_for_name(file)
            return
        if self._stored_days is not None:
            self._stored_days.refuse_other_prices(file.name, file.records, file.days)
            self._stored_days.keep(file.days)
        self._unknown.add(file.unknown)
        self._files += 1
        self._damaged += file.damaged
        self._series.update(file.series)
        self._sentences += file.sentences[: _MAX_SENTENCES - len(self._sentences)]
        for key, records in file.records.items():
            self._batch.setdefault(key, bytearray()).extend(records)
            self._bytes += len(records)
            self._candles += len(records) // RECORD.size
        for day, count in file.days.items():
            if count > self._sources.get(day, ("", 0))[1]:
                self._sources[day] = (file.name, count)
        self._days |= file.days.keys()
        if file.of_market:
            self._market_days |= file.days.keys()

    def _wait_for_name(self, file: CandleFile) -> None:
        """Keep the rows of a file without a known share until all files are read: another file may identify
        its symbols.
        """
        if not any(file.unknown.values()):
            raise _no_known_share(file.name)
        self._unknown.add(file.unknown)
        self._waiting.append((file.name, frozenset(file.unknown)))


def _no_known_share(name: str) -> InputError:
    accepted = "the instrument master names none of its symbols: run `python -m ltp instruments import`"
    return InputError(name, "no known share", accepted)


def _join_successors(engine: Engine, successors: Mapping[str, str]) -> None:
    """Move the history of each listing that has ended to the id that its share has now."""
    with writing(engine) as connection:
        for old_key, key in successors.items():
            if candles.move(connection, old_key, key):
                corporate_actions.move(connection, old_key, key)
