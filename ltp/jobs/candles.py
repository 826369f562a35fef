"""Candles from the exchange's files into SQL: each file read whole or refused, many written at once, then looked through for
splits. The step between `core.bhavcopy` and `db.candles`; what is done about a split found is for an operator.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Final, NamedTuple

from ltp.core import bhavcopy, candle, history_csv
from ltp.core.candle import RECORD
from ltp.core.corporate_action import Action
from ltp.core.day_name import refuse_other_day
from ltp.core.exchange_csv import members, sheet
from ltp.core.tick import IST
from ltp.db import actions, candle_source, candles, former_names, instruments
from ltp.db.candles import Basis
from ltp.db.engine import Engine, writing
from ltp.errors import InputError
from ltp.jobs import candle_files
from ltp.jobs.candle_keys import INDICES, SHARES, CandleKeys
from ltp.jobs.stored_days import StoredDays
from ltp.jobs.thin_days import thin_days
from ltp.screen.actions import detect
from ltp.screen.history import from_packed

Progress = Callable[[str, int, int], None]  # what is being done, how much of it is done, how much there is

_BATCH_BYTES: Final = 32 << 20  # some 300 days of every share; what is not yet written is lost with the process, and only that
_TOLD: Final = 20
_LOOKED_AT_ONCE: Final = 400


class Imported(NamedTuple):
    """What an import did. `changed`: candles that are new or differ. `refused`: a sentence for each file that was not taken.

    `damaged`: rows left out of files that were taken, the first told in `sentences`. `unknown`: symbols that no instrument
    has, with their rows; `known_since`: those of them that a later file has taught. `suspects`: actions not known before.
    `removed`: how many instruments had simulated candles, which made room for real ones. `thin`: a sentence for each day that
    has far fewer shares than the days around it.
    """

    files: int
    days: int
    candles: int
    changed: int
    refused: tuple[str, ...]
    damaged: int
    sentences: tuple[str, ...]
    unknown: Counter[str]
    known_since: tuple[str, ...]
    suspects: tuple[Action, ...]
    removed: int
    thin: tuple[str, ...]


class _File(NamedTuple):
    """One CSV file, read: records by key, how many instruments have each day, and what was left out. `of_market`: it should
    hold every share of its day."""

    name: str
    records: dict[str, bytes]
    days: Counter[date]
    damaged: int
    sentences: tuple[str, ...]
    of_market: bool = False


def import_files(
    engine: Engine,
    paths: Sequence[Path],
    *,
    basis: Basis = "raw",
    today: date | None = None,
    force: bool = False,
    progress: Progress = lambda *_: None,
) -> Imported:
    """Import files and folders (with what is below them) of bhavcopies and histories; the same file twice changes nothing.

    A file that is not accepted changes nothing and is told; the others are imported. Of two files of a day the later counts.

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
    importer.write()
    progress("importing", len(files), len(files))
    found = look_for_actions(engine, importer.touched, progress) if basis == "raw" else []
    return importer.result(found)


def look_for_actions(engine: Engine, keys: Iterable[str], progress: Progress = lambda *_: None) -> list[Action]:
    """Look through the histories as traded for splits and bonuses; store what is suspected and return what is new of it."""
    keys, found = sorted(key for key in keys if key.startswith(SHARES)), []
    isins = former_names.isin_last_days(engine)
    for start in range(0, len(keys), _LOOKED_AT_ONCE):
        progress("looking for splits", start, len(keys))
        packed = candles.fetch_packed(engine, "raw", keys[start : start + _LOOKED_AT_ONCE], date.min, date.max)
        for key, records in packed.items():
            try:
                history = from_packed(records)
            except ValueError:
                continue  # damaged long before; whoever evaluates it says so
            for suspect in detect(history, isins.get(key, ())):
                ratio = suspect.ratio.numerator, suspect.ratio.denominator
                found.append(Action(key, suspect.ex_day, *ratio, "detected", suspect.evidence, "candles"))
    return actions.replace_detected(engine, keys, found)


class _Importer:
    """`touched`: the keys whose candles changed."""

    def __init__(self, engine: Engine, basis: Basis, today: date, *, force: bool) -> None:
        self._engine, self._basis, self._today = engine, basis, today
        known = [each for segment in (SHARES, INDICES) for each in instruments.fetch(engine, segment)]
        self._keys = CandleKeys(known, instruments.fetch_names(engine))
        _join(engine, self._keys.successors())
        self._batch: dict[str, bytearray] = {}
        # What the broker or another source restates differs from what it restated before: that is its purpose.
        self._there = StoredDays(engine, self._batch) if basis == "raw" and not force else None
        self._notes: dict[date, tuple[str, int]] = {}
        self._bytes = 0
        self._files = self._candles = self._changed = self._damaged = self._removed = 0
        self._days: set[date] = set()
        self._market_days: set[date] = set()
        self._refused: list[str] = []
        self._sentences: list[str] = []
        self.touched: set[str] = set()

    def read(self, path: Path) -> None:
        """Read one file and keep what is in it until enough is there to be written."""
        try:
            for name, content in members(candle_files.content(path), path.name):
                learned = dict(self._keys.learned)
                try:
                    self._add(self._parsed(name, content))
                except InputError as error:
                    self._keys.learned = learned  # a file that is refused teaches nothing
                    self._refused.append(str(error))
        except InputError as error:
            self._refused.append(str(error))
        if self._bytes >= _BATCH_BYTES:
            self.write()

    def write(self) -> None:
        """Write what was kept, in one transaction."""
        packed = {key: candle.merge(b"", bytes(records)) for key, records in self._batch.items()}
        with writing(self._engine) as connection:
            if any(packed.values()):
                self._removed += candle_source.claim(connection, simulated=False)
            changed = candles.upsert_packed(connection, self._basis, packed)
            for day, (source, count) in sorted(self._notes.items()):
                candles.note_day(connection, day, source, count)
            former_names.remember(connection, self._keys.learned)
        self._changed += sum(changed.values())
        self.touched |= changed.keys()
        self._batch.clear()
        self._notes, self._bytes = {}, 0
        self._keys.learned.clear()
        if self._there is not None:
            self._there.written()

    def result(self, suspects: Iterable[Action]) -> Imported:
        return Imported(
            self._files,
            len(self._days),
            self._candles,
            self._changed,
            tuple(self._refused),
            self._damaged,
            tuple(self._sentences[:_TOLD]),
            self._keys.unknown,
            self._keys.known_since(),
            tuple(suspects),
            self._removed,
            tuple(thin_days(candles.days(self._engine), self._market_days)),
        )

    def _parsed(self, name: str, content: bytes) -> _File:
        source = sheet(content, name)
        if history_csv.is_history(source.columns) and not bhavcopy.is_bhavcopy(source.columns):
            return self._of_history(name, history_csv.parse_sheet(source))
        if self._basis != "raw":
            raise InputError(name, "a bhavcopy", "only histories can be adjusted; the exchange's files are as traded")
        return self._of_bhavcopy(name, bhavcopy.parse_sheet(source))

    def _of_bhavcopy(self, name: str, copy: bhavcopy.Bhavcopy) -> _File:
        refuse_other_day(name, [copy.day])
        self._refuse_future(name, copy.day)
        records = {}
        for row in copy.rows:
            key = self._keys.find(row.symbol, row.series, row.isin, row.security_id, copy.day)
            if key is not None:
                records[key] = candle.record(row.candle)
        return _File(name, records, Counter({copy.day: len(records)}), copy.damaged, copy.sentences, of_market=True)

    def _of_history(self, name: str, history: history_csv.HistoryFile) -> _File:
        records: dict[str, bytes] = {}
        days: Counter[date] = Counter()
        refuse_other_day(name, history.days())
        for share, packed in history.shares.items():
            each = candle.merge(b"", bytes(packed))
            last = candle.day_of(RECORD.unpack_from(each, len(each) - RECORD.size)[0])
            self._refuse_future(name, last)
            key = self._keys.find(share.symbol, share.series, share.isin, share.security_id, last)
            if key is None:
                continue
            # Of a share a day without trade is no candle; an index has no volume.
            unpacked = [one for one in candle.unpack(each) if one.volume or key.startswith(INDICES)]
            days.update(one.day for one in unpacked)
            records[key] = candle.merge(records.get(key, b""), candle.pack(unpacked))
        return _File(name, records, days, history.damaged, history.sentences)

    def _refuse_future(self, name: str, day: date) -> None:
        if day > self._today:
            raise InputError(name, day.isoformat(), f"a candle of a day after {self._today}, which is today, cannot be")

    def _add(self, file: _File) -> None:
        if not any(file.records.values()):
            raise InputError(
                file.name,
                "no known share",
                "the instrument master names none of its symbols: run `python -m ltp instruments import`",
            )
        if self._there is not None:
            self._there.refuse_other_prices(file.name, file.records, file.days)
            self._there.keep(file.days)
        self._files += 1
        self._damaged += file.damaged
        self._sentences += file.sentences[:_TOLD]
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


def _join(engine: Engine, successors: Mapping[str, str]) -> None:
    """Let the history of a listing that has ended go on under the id its share has now."""
    with writing(engine) as connection:
        for old_key, key in successors.items():
            if candles.move(connection, old_key, key):
                actions.move(connection, old_key, key)
