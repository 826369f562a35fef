"""A file named on the command line: read within a bound, and named in errors about its content."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeVar

from ltp.errors import InputError

MAX_BYTES: Final = 8 << 20  # far more than any list or 5,000 results
_Found = TypeVar("_Found")


def read(file: Path) -> bytes:
    """Read a whole file.

    Raises:
        InputError: it cannot be read, or is larger than MAX_BYTES.
    """
    try:
        with file.open("rb") as source:
            content = source.read(MAX_BYTES + 1)
    except OSError as error:
        raise InputError("file", str(file), f"it cannot be read ({error.strerror})") from None
    if len(content) > MAX_BYTES:
        raise InputError("file", str(file), f"a file has at most {MAX_BYTES >> 20} MiB")
    return content


def parsed(file: Path, content: bytes, parse: Callable[[bytes], _Found]) -> _Found:
    """Return the parsed content of a file.

    Raises:
        InputError: from `parse`, with the file's name before the place.
    """
    try:
        return parse(content)
    except InputError as error:
        raise InputError(f"{file}, {error.where}", error.value, error.accepted) from None
