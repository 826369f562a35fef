"""The `.env` file of the folder that a process is started in: the names it sets, and a refusal of bad lines.

A line that cannot be read would be skipped otherwise, and the process would start with another value.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from dotenv.parser import parse_stream

from ltp.errors import ConfigError

NAME: Final = ".env"


def names() -> list[str]:
    """Return the names that the file sets, none where there is no file.

    Raises:
        ConfigError: it is a folder, it cannot be read, or a line sets nothing.
    """
    path = Path(NAME)
    if path.is_dir():
        raise ConfigError(
            NAME, NAME, "it is a folder; a text file with a line NAME=value for each setting is read"
        )
    if not path.exists():
        return []
    try:
        with path.open(encoding="utf-8-sig") as file:
            bindings = list(parse_stream(file))
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no UTF-8"
        raise ConfigError(NAME, NAME, f"it must be a readable text file ({reason})") from None
    for binding in bindings:
        if binding.error or (binding.key and binding.value is None):
            line = f"line {binding.original.line}"  # only its number: the line may hold a secret
            raise ConfigError(NAME, line, "a line is NAME=value, with a matching pair of quotes or none")
    return [binding.key for binding in bindings if binding.key]
