"""One-minute bars from CSV files into SQL, session by session.

The step between `core.formats.minute_csv` and `db.minute_bars`. A file is taken whole or refused, so its bars
wait in `file_bars` until the last row is read.
"""

from __future__ import annotations

import gzip
import io
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple

from ltp.batch.minutes.file_bars import FileBars
from ltp.batch.minutes.hours import Hours
from ltp.batch.minutes.instrument_keys import InstrumentKeys
from ltp.batch.progress import Progress
from ltp.core.bars.bar import Bar
from ltp.core.formats.minute_csv import MinuteCsv
from ltp.core.market.session import Calendar
from ltp.core.trading_day import DAY_S, midnight_of
from ltp.db import candle_source, minute_bars
from ltp.db.engine import Engine
from ltp.errors import InputError

_AT_ONCE: Final = 200  # instruments in one transaction, so that no other writer waits for long
_SENTENCES: Final = 1_000


class MinuteImport(NamedTuple):
    """The result of an import.

    `files`, `sessions`, `instruments`, `bars`: imported; `changed`: bars that are new or differ. `refused`: a
    sentence for each file that was refused. Left out of files that were taken: `damaged` rows, with
    `sentences` about the first of them; bars `outside` of the trading hours, by day; rows of `unknown`
    instruments, by name. `removed`: instruments that lost simulated candles for real ones.
    `kept`: of the bars, those older than is kept, which stay nevertheless.
    """

    files: int
    sessions: int
    instruments: int
    bars: int
    changed: int
    refused: tuple[str, ...]
    damaged: int
    sentences: tuple[str, ...]
    outside: Counter[date]
    unknown: Counter[str]
    removed: int
    kept: int


def import_files(
    engine: Engine,
    files: Sequence[Path],
    calendar: Calendar,
    *,
    key: str | None = None,
    now: datetime | None = None,
    days: int | None = None,
    progress: Progress = lambda *_: None,
) -> MinuteImport:
    """Import files of one-minute bars; the same file twice changes nothing.

    A file that is not accepted changes nothing and is reported; the others are imported. Of two bars of a
    minute the later counts.

    Args:
        key: of the instrument of files whose rows name none; None: the file's name has the symbol.
        now: an aware datetime, None for the present: no bar is later.
        days: for how many days one-minute bars are kept; older sessions of a file are history that somebody wants
            to look at, and are kept whatever their age. None: as all others.
    Raises:
        DatabaseError: all that was written by then is right; import the same again.
    """
    removable = candle_source.simulated_instruments(engine)
    importer = _Importer(engine, calendar, key, int((now or datetime.now(UTC)).timestamp()), days, progress)
    for file in files:
        importer.read(file)
    return importer.result(removable)


class _Importer:
    def __init__(
        self,
        engine: Engine,
        calendar: Calendar,
        key: str | None,
        now: int,
        days: int | None,
        progress: Progress,
    ) -> None:
        self._engine, self._hours, self._key, self._now = engine, Hours(calendar), key, now
        self._kept_before = 0 if days is None else midnight_of(now) - days * DAY_S
        self._progress = progress
        self._keys = InstrumentKeys(engine)
        self._sessions: set[int] = set()
        self._instruments: set[str] = set()
        self._counts: Counter[str] = Counter()
        self._refused: list[str] = []
        self._sentences: list[str] = []
        self._outside: Counter[date] = Counter()
        self._unknown: Counter[str] = Counter()

    def read(self, path: Path) -> None:
        try:
            with FileBars(self._hours, self._now) as bars:
                self._collect(path, bars)
                self._take(bars)
        except InputError as error:
            self._refused.append(str(error))

    def result(self, removable: int) -> MinuteImport:
        counts = self._counts
        return MinuteImport(
            counts["files"],
            len(self._sessions),
            len(self._instruments),
            counts["bars"],
            counts["changed"],
            tuple(self._refused),
            counts["damaged"],
            tuple(self._sentences),
            self._outside,
            self._unknown,
            removable if counts["bars"] else 0,
            counts["kept"],
        )

    def _collect(self, path: Path, bars: FileBars) -> None:
        """Read a whole file into `bars`.

        Raises:
            InputError: the file is refused.
        """
        name = path.name
        with _opened(path) as (raw, size):
            source = MinuteCsv(_lines(raw, name), name)
            if source.named and self._key is not None:
                accepted = "it is for files whose rows name no instrument; these have a column of their own"
                raise InputError(f"{name}, line 1, --key", self._key, accepted)
            of_file = name.partition(".")[0]
            for number, row in enumerate(source.rows()):
                if not number % 10_000:
                    self._progress("reading", raw.tell(), size)
                key = self._key or self._keys.find(row.name if source.named else of_file)
                if key is None:
                    bars.unknown[row.name if source.named else of_file] += 1
                else:
                    bars.add(name, key, row)
            self._progress("reading", size, size)
        bars.damaged, bars.sentences = source.damaged.count, source.damaged.sentences
        bars.refuse(name)

    def _take(self, bars: FileBars) -> None:
        """Store the bars of an accepted file."""
        days = bars.keys_by_day()
        for number, (midnight, keys) in enumerate(days.items()):
            self._progress("storing sessions", number, len(days))
            for begin in range(0, len(keys), _AT_ONCE):
                self._store(midnight, {key: bars.of(midnight, key) for key in keys[begin : begin + _AT_ONCE]})
            self._instruments.update(keys)
        self._progress("storing sessions", len(days), len(days))
        self._sessions.update(days)
        self._counts["files"] += 1
        self._counts["damaged"] += bars.damaged
        self._sentences += bars.sentences[: _SENTENCES - len(self._sentences)]
        self._outside += bars.outside
        self._unknown += bars.unknown

    def _store(self, midnight: int, bars: dict[str, list[Bar]]) -> None:
        count = sum(map(len, bars.values()))
        if midnight < midnight_of(self._now):
            count_changed = minute_bars.upsert_session(
                self._engine, midnight, bars, kept=midnight < self._kept_before
            )
            self._counts["kept"] += count * (midnight < self._kept_before)
        else:  # more bars of a session that is on will follow
            minute_bars.upsert(self._engine, bars)
            count_changed = count
        self._counts["changed"] += count_changed
        self._counts["bars"] += count


@contextmanager
def _opened(path: Path) -> Iterator[tuple[BinaryIO, int]]:
    """Yield a file and its size in bytes; failures to read it become InputError."""
    try:
        with path.open("rb") as raw:
            yield raw, path.stat().st_size
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise InputError(path.name, "", f"the file cannot be unpacked ({error}); fetch it again") from None
    except OSError as error:
        raise InputError("FILE", str(path), f"it cannot be read ({error.strerror})") from None


def _lines(raw: BinaryIO, name: str) -> Iterator[str]:
    head = raw.read(2)
    raw.seek(0)
    if head == b"PK":
        raise InputError(name, "a zip", "a .csv or .csv.gz is imported; unpack it")
    content: BinaryIO = gzip.GzipFile(fileobj=raw) if head == b"\x1f\x8b" else raw  # type: ignore[assignment]
    yield from io.TextIOWrapper(content, encoding="utf-8-sig", errors="replace", newline=None)
