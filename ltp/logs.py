"""Logging: one line a record on stdout, JSON when it is not a terminal, and no secret in any of them."""

from __future__ import annotations

import json
import logging
import re
import sys
import threading
from datetime import UTC, datetime
from types import TracebackType

# The feed's token travels in its URL, so any library that quotes the URL would leak it.
_SECRET = re.compile(
    r"((?:token|access[-_]token|client[-_]?id|password|pin|totp)[\"']?\s*[=:]\s*[\"']?)[^\s&\"',;)}]+"
    r"|(://[^\s:/@]*:)[^\s@/]+(?=@)"
    r"|\beyJ[\w-]+\.[\w-]+\.[\w-]+",
    re.IGNORECASE,
)


# A driver's sentence may end with a full stop, and our sentence that quotes it has one too.
_DOUBLED = re.compile(r"(?<!\.)\.(?:\s?\.)(?=\s|$)")


def redact(text: str) -> str:
    """Return `text` with every token, password and client id replaced by ***."""
    return _SECRET.sub(lambda match: f"{match[1] or match[2] or ''}***", text)


class LineFormatter(logging.Formatter):
    def __init__(self, process: str, as_json: bool) -> None:
        super().__init__()
        self._process, self._as_json = process, as_json

    def format(self, record: logging.LogRecord) -> str:
        message = _DOUBLED.sub(".", record.getMessage())
        if record.exc_info:
            message = f"{message}\n{self.formatException(record.exc_info)}"
        message, at = (
            redact(message),
            datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
        )
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
    """Send all logging to stdout under the name of this process, replacing any earlier configuration."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(LineFormatter(process, as_json=not sys.stdout.isatty()))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    logging.captureWarnings(True)
    sys.excepthook = _log_uncaught
    threading.excepthook = _log_end_of_thread
    # Its three lines of INFO concern its own set-up; ltp.db.upgrade logs the upgrade.
    logging.getLogger("alembic").setLevel(logging.WARNING)
    logging.getLogger("websocket").setLevel(logging.CRITICAL)  # its traces quote the URL with the token
    logging.getLogger("urllib3").setLevel(logging.WARNING)


def _log_uncaught(kind: type[BaseException], error: BaseException, traceback: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, traceback)
    else:
        logging.getLogger(__name__).critical("The process ends by a fault", exc_info=(kind, error, traceback))


def _log_end_of_thread(args: threading.ExceptHookArgs) -> None:
    if args.exc_value is not None and not isinstance(args.exc_value, SystemExit):
        name = args.thread.name if args.thread else "unknown"
        logging.getLogger(__name__).error("The thread %s ended by a fault", name, exc_info=args.exc_value)
