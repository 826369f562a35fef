"""Candles from the exchange's files into SQL: each file read whole or refused, many written at once, then
looked through for splits. The step between `core.formats.bhavcopy` and `db.candles`; what is done about a
split found is for an operator.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Final, NamedTuple

from ltp.batch import candle_files, stored_histories
from ltp.batch.candle_keys import INDICES, SHARES, CandleKeys
from ltp.batch.candle_reader import CandleFile, CandleReader
from ltp.batch.stored_days import StoredDays
from ltp.batch.thin_days import thin_days
from ltp.batch.unknown_rows import UnknownRows, UnknownSymbol
from ltp.core.formats.exchange_csv import members
from ltp.core.history import candle, renames
from ltp.core.history.candle import RECORD
from ltp.core.history.corporate_action import CANDLES, Action, ActionState
from ltp.core.history.renames import Rename
from ltp.core.trading_day import IST
from ltp.db import candle_source, candles, corporate_actions, former_names, instruments
from ltp.db.candles import Basis
from ltp.db.engine import Engine, writing
from ltp.db.former_names import is_isin
from ltp.errors import InputError
from ltp.screen.actions import Suspect, detect

Progress = Callable[[str, int, int], None]  # what is being done, how much of it is done, how much there is

_BATCH_BYTES: Final = (
    32 << 20
)  # some 300 days of every share; what is not yet written is lost with the process, and only that
_MOST_SENTENCES: Final = 10_000
_WRITTEN_AT_ONCE: Final = 400
_LOOKED_AT_ONCE: Final = 400


class CandleImport(NamedTuple):
    """What an import did. `changed`: candles that are new or differ. `refused`: a sentence for each file that
    was not taken.

    `damaged`: rows left out of files that were taken, the first told in `sentences`. `series`: rows by a
    series that is not read. `unknown`: symbols that no instrument has, the one with the most rows first;
    `renames`: what they seem to be called now; `recognised`: former symbols that an ISIN told, with the
    symbol of now; `again`: those of them of whose rows some were not kept. `suspects`: actions not known
    before. `removed`: how many instruments had simulated candles, which made room for real ones. `thin`: a
    sentence for each day that has far fewer shares than the days around it.
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
    """Import files and folders (with what is below them) of bhavcopies and histories; the same file twice
    changes nothing.

    A file that is not accepted changes nothing and is told; the others are imported. Of two files of a day
    the later counts.

    Args:
        basis: of histories; bhavcopies are as traded, and refused where that is not what is being imported.
        today: no candle is younger; None: the day it is in India.
        force: also replace most closes of a day as traded by very different ones.
    Raises:
        InputError: a path does not exist or has no such file.
        DatabaseError: what was written by then is right; import the same again.
    """
    importer = _Importer(engine, basis, today or datetime.now(IST).date(), force=force)
    files = list(candle_files.found(paths))
    for done, path in enumerate(files):
        progress("importing", done, len(files))
        importer.read(path)
    importer.recover()
    importer.write()
    progress("importing", len(files), len(files))
    found = look_for_actions(engine, progress) if basis == "raw" and importer.tells_more else []
    return importer.result(found)


def look_for_actions(engine: Engine, progress: Progress = lambda *_: None) -> list[Action]:
    """Look through the histories as traded for splits and bonuses; store what is suspected and return what is
    new of it.

    All of them, for a step is judged beside the market's, which any import may have changed: or the order of
    two imports would decide whether a demerger on a bad day looks like a split.
    """
    keys, found = stored_histories.shares(engine), []
    isins, moves = former_names.isin_last_days(engine), stored_histories.market_moves(engine, keys)
    for start in range(0, len(keys), _LOOKED_AT_ONCE):
        progress("looking for splits", start, len(keys))
        for key, history in stored_histories.histories(engine, keys[start : start + _LOOKED_AT_ONCE]):
            found += [_suspected(key, suspect) for suspect in detect(history, isins.get(key, ()), moves)]
    return corporate_actions.replace_detected(engine, keys, found)


def _suspected(key: str, suspect: Suspect) -> Action:
    ratio = suspect.prices if suspect.ratio is None else (suspect.ratio.numerator, suspect.ratio.denominator)
    state: ActionState = "unexplained" if suspect.ratio is None else "detected"
    return Action(key, suspect.ex_day, *ratio, state, suspect.evidence, CANDLES)


class _Importer:
    """`tells_more`: whether candles changed or a share's former name was learned, a former ISIN for example."""

    def __init__(self, engine: Engine, basis: Basis, today: date, *, force: bool) -> None:
        self._engine, self._basis = engine, basis
        known = [each for segment in (SHARES, INDICES) for each in instruments.fetch(engine, segment)]
        self._names = instruments.fetch_names(engine)
        self._keys = CandleKeys(known, self._names)
        self._reader = CandleReader(self._keys, basis, today)
        _join(engine, self._keys.successors())
        self._batch: dict[str, bytearray] = {}
        # What the broker or another source restates differs from what it restated before: that is its
        # purpose.
        self._there = StoredDays(engine, self._batch) if basis == "raw" and not force else None
        self._notes: dict[date, tuple[str, int]] = {}
        self._bytes = 0
        self._files = self._candles = self._changed = self._damaged = self._removed = 0
        self._days: set[date] = set()
        self._market_days: set[date] = set()
        self._refused: list[str] = []
        self._sentences: list[str] = []
        self._series: Counter[str] = Counter()
        self._unknown = UnknownRows()
        self._nameless: list[tuple[str, frozenset[str]]] = []
        self._recognised: dict[str, str] = {}
        self._again: list[str] = []
        self.tells_more = False

    def read(self, path: Path) -> None:
        """Read one file and keep what is in it until enough is there to be written."""
        try:
            for name, content in members(candle_files.content(path), path.name):
                learned = dict(self._keys.learned)
                try:
                    self._add(self._reader.read(name, content))
                except InputError as error:
                    self._keys.learned = learned  # a file that is refused teaches nothing
                    self._refused.append(str(error))
        except InputError as error:
            self._refused.append(str(error))
        if self._bytes >= _BATCH_BYTES:
            self.write()

    def recover(self) -> None:
        """Take the rows that were of nobody when they were read, and of which a later file told whose they
        are.
        """
        for symbol in sorted(self._unknown.rows):
            key = self._keys.by_name(symbol)
            if key is None:
                continue
            records = self._unknown.take(symbol)
            if symbol in self._unknown.rows:
                self._again.append(symbol)
            self._batch[key] = bytearray(records) + self._batch.get(
                key, b""
            )  # a row under the name of now counts first
            self._candles += len(records) // RECORD.size
            for each in candle.unpack(records):
                self._days.add(each.day)
                self._notes.setdefault(each.day, (f"rows of {symbol}", 1))
        for name, symbols in self._nameless:
            if self._unknown.rows.keys() >= symbols:
                self._refused.append(str(_nobody(name)))
            else:
                self._files += 1

    def write(self) -> None:
        """Write what was kept, in one transaction."""
        changed: dict[str, int] = {}
        with writing(self._engine) as connection:
            if any(self._batch.values()):
                self._removed += candle_source.claim(connection, simulated=False)
            while self._batch:  # by part, or all of it would be in memory four times
                keys = list(self._batch)[:_WRITTEN_AT_ONCE]
                packed = {key: candle.merge(b"", bytes(self._batch.pop(key))) for key in keys}
                changed |= candles.upsert_packed(connection, self._basis, packed)
            for day, (source, count) in sorted(self._notes.items()):
                candles.note_day(connection, day, source, count)
            former_names.remember(connection, self._keys.learned)
        new = {name: key for key, name in self._keys.learned if (SHARES, name) not in self._names}
        symbols = self._keys.symbols()
        self._recognised |= {
            name: symbols[key] for name, key in new.items() if key in symbols and not is_isin(name)
        }
        self._changed += sum(changed.values())
        self.tells_more = self.tells_more or bool(changed or new)
        self._notes, self._bytes = {}, 0
        self._keys.learned.clear()
        if self._there is not None:
            self._there.written()

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
        """Return the renames that explain unknown symbols, by the prices of what is stored by now."""
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
        if self._there is not None:
            self._there.refuse_other_prices(file.name, file.records, file.days)
            self._there.keep(file.days)
        self._unknown.add(file.unknown)
        self._files += 1
        self._damaged += file.damaged
        self._series.update(file.series)
        self._sentences += file.sentences[: _MOST_SENTENCES - len(self._sentences)]
        for key, records in file.records.items():
            self._batch.setdefault(key, bytearray()).extend(records)
            self._bytes += len(records)
            self._candles += len(records) // RECORD.size
        for day, count in file.days.items():
            if count > self._notes.get(day, ("", 0))[1]:
                self._notes[day] = (file.name, count)
        self._days |= file.days.keys()
        if file.of_market:
            self._market_days |= file.days.keys()

    def _wait_for_name(self, file: CandleFile) -> None:
        """Keep a file that names no known share until every file is read: one of them may tell whose it is."""
        if not any(file.unknown.values()):
            raise _nobody(file.name)
        self._unknown.add(file.unknown)
        self._nameless.append((file.name, frozenset(file.unknown)))


def _nobody(name: str) -> InputError:
    accepted = "the instrument master names none of its symbols: run `python -m ltp instruments import`"
    return InputError(name, "no known share", accepted)


def _join(engine: Engine, successors: Mapping[str, str]) -> None:
    """Let the history of a listing that has ended go on under the id its share has now."""
    with writing(engine) as connection:
        for old_key, key in successors.items():
            if candles.move(connection, old_key, key):
                corporate_actions.move(connection, old_key, key)
