"""Logging: one line a record on stdout, JSON when it is not a terminal, and no secret in any of them."""

from __future__ import annotations

import json
import logging
import re
import sys
from datetime import UTC, datetime

# The feed's token travels in its URL, so any library that quotes the URL would leak it.
_SECRET = re.compile(
    r"((?:token|access[-_]token|client[-_]?id|password|pin|totp)[\"']?\s*[=:]\s*[\"']?)[^\s&\"',;)}]+"
    r"|(://[^\s:/@]*:)[^\s@/]+(?=@)"
    r"|\beyJ[\w-]+\.[\w-]+\.[\w-]+",
    re.IGNORECASE,
)


def redact(text: str) -> str:
    """Return `text` with every token, password and client id replaced by ***."""
    return _SECRET.sub(lambda match: f"{match[1] or match[2] or ''}***", text)


class _Formatter(logging.Formatter):
    def __init__(self, process: str, as_json: bool) -> None:
        super().__init__()
        self._process, self._as_json = process, as_json

    def format(self, record: logging.LogRecord) -> str:
        message = record.getMessage()
        if record.exc_info:
            message = f"{message}\n{self.formatException(record.exc_info)}"
        message, at = redact(message), datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        if self._as_json:
            line = {
                "at": at,
                "level": record.levelname.lower(),
                "process": self._process,
                "logger": record.name,
                "message": message,
            }
            return json.dumps(line, ensure_ascii=False)
        return f"{at[11:23]} {self._process:<9} {record.levelname.lower():<7} {message}"


def configure(process: str, level: str = "INFO") -> None:
    """Send all logging to stdout under the name of this process; replaces what was configured before."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(_Formatter(process, as_json=not sys.stdout.isatty()))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    logging.getLogger("alembic").setLevel(logging.WARNING)  # three lines of its inner life; ltp.db.upgrade says what matters
    logging.getLogger("websocket").setLevel(logging.CRITICAL)  # its traces quote the URL with the token
    logging.getLogger("urllib3").setLevel(logging.WARNING)
