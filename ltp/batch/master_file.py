"""The lines of an instrument master, plain or gzip, in bounded memory for a file of any content."""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final, cast

from ltp.errors import InputError

MAX_TEXT_BYTES: Final = 1 << 30  # a small compressed file may be unpacked to any size
_LINE: Final = 65_536
_PROGRESS_EVERY: Final = 2_000
_GZIP: Final = b"\x1f\x8b"


@contextmanager
def opened(
    path: Path, name: str, progress: Callable[[int, int], None] = lambda _done, _total: None
) -> Iterator[Iterator[str]]:
    """Yield the lines of a file, plain or gzip.

    Args:
        name: of the file in error sentences.
        progress: takes, now and then, how many bytes of the file are read and how many it has.
    Raises:
        InputError: it cannot be read, also in the middle.
    """
    try:
        size = path.stat().st_size
        with path.open("rb") as raw:
            packed = raw.read(2) == _GZIP
            raw.seek(0)
            content = cast(BinaryIO, gzip.GzipFile(fileobj=raw)) if packed else raw
            # A byte that is no UTF-8 spoils one name, and not the day's import.
            text = io.TextIOWrapper(content, encoding="utf-8-sig", errors="replace", newline="")
            yield _lines(text, lambda: progress(raw.tell(), size))
    except OSError as error:
        reason = (
            "it is damaged"
            if isinstance(error, gzip.BadGzipFile)
            else f"it cannot be read ({error.strerror})"
        )
        raise InputError("file", name, reason) from None
    except (EOFError, zlib.error):
        raise InputError("file", name, "the compressed file is damaged or ends too early") from None


def _lines(text: io.TextIOWrapper, report: Callable[[], None]) -> Iterator[str]:
    """Yield lines in bounded pieces: a file that is no CSV may have no line ends at all."""
    size = number = 0
    while line := text.readline(_LINE):
        size += len(line)
        if size > MAX_TEXT_BYTES:
            raise InputError(f"line {number}", "", f"a file holds at most {MAX_TEXT_BYTES >> 20} MiB of text")
        if number % _PROGRESS_EVERY == 0:
            report()
        number += 1
        yield line
