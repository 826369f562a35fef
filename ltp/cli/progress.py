"""The progress of a command: a bar with rate and time left on a terminal, elsewhere a line a second."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, Final, TextIO

from tqdm import tqdm

_EVERY_S: Final = 1.0
_BYTES: Final = frozenset({"fetching", "checking", "reading"})  # stages that count bytes
# The units of other stages; the rest counts instruments.
_UNITS: Final = {
    "importing": " files",
    "storing sessions": " sessions",
    "verifying": " blocks",
    "packing": " sessions",
    "pruning": " blocks",
}


class Stages:
    """A context manager, and a `ltp.batch.progress.Progress`: called with the name of the stage, how much of
    it is done, and how much there is (0: unknown).
    """

    def __init__(self, stream: TextIO | None = None, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._stream, self._monotonic = stream or sys.stderr, monotonic
        self._stage, self._bar, self._due = "", None, float("-inf")

    _bar: Any

    def __call__(self, stage: str, done: int, total: int) -> None:
        if stage != self._stage:
            self._begin(stage, total)
        if self._bar is not None:
            self._bar.update(done - self._bar.n)
        elif self._monotonic() >= self._due:
            self._due = self._monotonic() + _EVERY_S
            share = f"{done * 100 // total}%" if total else f"{done:,}"
            print(f"{stage} {share}", file=self._stream, flush=True)

    def __enter__(self) -> Stages:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self._end()

    def _begin(self, stage: str, total: int) -> None:
        self._end()
        self._stage = stage
        if self._stream.isatty():
            of_bytes = stage in _BYTES
            self._bar = tqdm(
                desc=stage,
                total=total or None,
                unit="B" if of_bytes else _UNITS.get(stage, " instruments"),
                unit_scale=of_bytes,
                file=self._stream,
            )

    def _end(self) -> None:
        if self._bar is not None:
            self._bar.close()
        self._bar = None
