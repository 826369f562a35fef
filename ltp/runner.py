"""`python app.py`: every process of the product on this machine, supervised.

Embedded Valkey unless REDIS_URL is set; the simulated exchange unless DHANHQ_WS_ENABLED is true or there are
credentials; then the processes that the Procfile names.
"""

from __future__ import annotations

import logging
import os
import shlex
import signal
import sys
import time
from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path

from ltp import embedded, logs, web_probe
from ltp import settings as settings_module
from ltp.checks import check, check_redis, credentials_named
from ltp.db.engine import open_engine
from ltp.errors import ConfigError, DatabaseError, LTPError
from ltp.processes import Child, Family
from ltp.server.listening import LOOPBACK
from ltp.settings import Settings
from ltp.settings_broker import simulator_environment
from ltp.store import rights

logger = logging.getLogger(__name__)
_ROOT = Path(__file__).resolve().parent.parent
_HEALTH = "/api/v1/health/market_stream"
_PRICES_WITHIN_S = 10.0


def main() -> int:
    """Run until SIGINT or SIGTERM. Returns the exit status: 0, or 2 with one sentence on stderr."""
    # `.env`, the state folder and the Procfile are the project's, from whichever folder the command is given.
    os.chdir(_ROOT)
    try:
        settings = settings_module.load()
        settings.refuse_open_door()
        logs.configure("app", settings.log_level)
        web_probe.refuse_taken(settings)
        _refuse_unusable(settings)
        return _run(settings)
    except LTPError as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 2


def _refuse_unusable(settings: Settings) -> None:
    """Find here the errors on which a child would end at its start, again and again.

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
        port = embedded.free_port(6379)
        env["REDIS_URL"] = f"redis://{LOOPBACK}:{port}/0"
        _must_start(family, embedded.valkey(port, settings.state_dir, env))
    simulated = not (settings.feed_enabled or credentials_named(settings))
    if simulated:
        port = embedded.free_port(0)
        env |= simulator_environment(LOOPBACK, port) | {"MARKET_CALENDAR": _simulated_calendar(settings)}
        _must_start(family, embedded.simulator(port, env))
    commands = _procfile().items()
    children = [
        Child(name, command, env, _ready(name, settings), stop_within_s=15) for name, command in commands
    ]
    ready = [_must_start(family, child) for child in children]
    if all(ready):
        priced = _wait_for_prices(family, settings)
        source = "simulated prices" if simulated else _source(settings)
        if not priced and (simulated or settings.feed_enabled):
            source += "; no prices yet, /status shows why"
        _show_ready(f"Ready: {web_probe.page_address(settings)} ({source}; Ctrl-C ends it)")


def _has_redis(settings: Settings) -> bool:
    return bool({"redis_url", "redis_url_file"} & settings.model_fields_set)


def _simulated_calendar(settings: Settings) -> str:
    return settings.market_calendar if "market_calendar" in settings.model_fields_set else "always_open"


def _procfile() -> dict[str, list[str]]:
    """Return the command of each process by its name."""
    lines = (_ROOT / "Procfile").read_text(encoding="utf-8").splitlines()
    pairs = (line.partition(":") for line in lines if line.strip())
    return {name.strip(): shlex.split(command) for name, _, command in pairs}


def _ready(name: str, settings: Settings) -> Callable[[], bool]:
    """Return the check of a process of the Procfile: the worker has no port and is ready when it runs.

    The web server must answer: its port is listened on before the application is loaded.
    """
    return (lambda: web_probe.status(settings, "/healthz") != 0) if name == "web" else (lambda: True)


def _must_start(family: Family, child: Child) -> bool:
    """Return whether it is ready; a child that is not stays in the family, which tries it again."""
    if family.stopping:
        return False
    ready = family.add(child)
    if not ready and not family.stopping:
        logger.error("%s is not ready; see its lines above. It is tried again.", child.name)
    return ready


def _wait_for_prices(family: Family, settings: Settings) -> bool:
    """Wait a moment until the feed is healthy, so that the last line is not lost among those of the start."""
    deadline = time.monotonic() + _PRICES_WITHIN_S
    while web_probe.status(settings, _HEALTH) != HTTPStatus.OK:
        if family.stopping or time.monotonic() >= deadline:
            return False
        time.sleep(0.1)
    return True


def _source(settings: Settings) -> str:
    """Return the source of the prices in words; the addresses of the settings may be another simulator's."""
    return settings.source_in_words if settings.feed_enabled else "no feed: set DHANHQ_WS_ENABLED=true"


def _show_ready(sentence: str) -> None:
    """Write the address of the site, on a terminal as a line that stands out and comes last."""
    if sys.stdout.isatty():
        print(f"\n{sentence}\n", flush=True)  # noqa: T201
    else:
        logger.info("%s", sentence)
