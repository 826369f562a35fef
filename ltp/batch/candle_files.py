"""The files of an import of candles: found in folders, and read within a bound."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from ltp.errors import InputError

SUFFIXES: Final = (".csv", ".zip", ".gz")
_MAX_BYTES: Final = 256 << 20


def found(paths: Sequence[Path]) -> Iterator[Path]:
    """Yield the files that `paths` name, those below a folder by name.

    Raises:
        InputError: a path does not exist, or a folder has no such file.
    """
    for path in paths:
        if not path.is_dir():
            if not path.exists():
                raise InputError("PATH", str(path), "it does not exist")
            yield path
            continue
        inside = sorted(
            file for file in path.rglob("*") if file.name.lower().endswith(SUFFIXES) and file.is_file()
        )
        inside = [file for file in inside if not file.name.startswith(".")]
        if not inside:
            raise InputError("PATH", str(path), "a folder holds .csv, .zip or .gz files")
        yield from inside


def content(path: Path) -> bytes:
    """Return the content of a file.

    Raises:
        InputError: it cannot be read, or is larger than any archive of bhavcopies.
    """
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise InputError(path.name, "", f"a file has at most {_MAX_BYTES >> 20} MiB")
        return path.read_bytes()
    except OSError as error:
        raise InputError("PATH", str(path), f"it cannot be read ({error.strerror})") from None
