"""The program `python -m ltp`, and its commands `config`, `status` and `simulate`."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, time
from pathlib import Path
from typing import Final

from ltp import checks, logs
from ltp import settings as settings_module
from ltp.batch.simulated_listings import SimulatedListings
from ltp.cli import actions, candles, instruments, screeners, subscriptions, watchlists
from ltp.cli.alerts import commands as alerts
from ltp.core.instrument import SEGMENTS
from ltp.core.market.session import Calendar
from ltp.db.engine import open_engine
from ltp.errors import LTPError
from ltp.feed import simulator
from ltp.store import heartbeat
from ltp.store.client import connect

_REDIS_TIMEOUT_S: Final = 2.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Returns:
        The exit status: 0; 1 when `status` finds no worker, or some files or candles were not taken; 2 with
            one sentence on stderr; 3 when gaps of some instruments were filled and others failed; 130 after Ctrl-C; 141, as of SIGPIPE, when the output's reader has ended.
    """
    given = _parser().parse_args(arguments)
    try:
        status: int = given.command(given)
        sys.stdout.flush()
    except BrokenPipeError:
        # `| head` has read enough. The output that is still buffered would raise once more at the exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except LTPError as error:
        print(logs.redact(str(error)), file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m ltp", description="Live prices of Indian markets.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    config = commands.add_parser("config", help="print the effective settings, secrets masked")
    config.set_defaults(command=_config)

    status = commands.add_parser("status", help="print the worker's status in Redis")
    status.set_defaults(command=_status)

    candles.add(commands)
    actions.add(commands)
    alerts.add(commands)
    instruments.add(commands)
    watchlists.add(commands)
    screeners.add(commands)
    subscriptions.add(commands)
    _add_simulate(commands.add_parser("simulate", help="run a simulated exchange in the broker's protocol"))
    return parser


def _add_simulate(simulate: argparse.ArgumentParser) -> None:
    simulate.add_argument("--port", type=_port, required=True)
    simulate.add_argument("--host", default="127.0.0.1", help="address to listen on (default %(default)s)")
    simulate.add_argument(
        "--calendar", choices=("always_open", "nse"), default="always_open", help="default %(default)s"
    )
    simulate.add_argument(
        "--seed", type=int, default=1, help="equal seeds give equal prices (default %(default)s)"
    )
    simulate.add_argument(
        "--replay", type=Path, metavar="FILE", help="play bars or captured frames instead of a random walk"
    )
    simulate.add_argument(
        "--from",
        dest="start",
        type=_time,
        metavar="HH:MM",
        help="begin the replay at this time in India; left out: at the file's beginning",
    )
    simulate.add_argument(
        "--speed", type=_speed, default=1.0, help="of the replay, in times real time (default %(default)s)"
    )
    simulate.add_argument(
        "--extra-instruments",
        type=_count,
        default=0,
        metavar="N",
        help="list N invented futures besides, for load runs",
    )
    simulate.set_defaults(command=_simulate)


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= 65535):
        raise argparse.ArgumentTypeError(f"{text!r} is not accepted: a whole number from 1 to 65535")
    return int(text)


def _count(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 6):
        raise argparse.ArgumentTypeError(f"{text!r} is not accepted: a whole number from 0 to 99999")
    return int(text)


def _time(text: str) -> time:
    try:
        return datetime.strptime(text, "%H:%M").time()
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not accepted: a time such as 10:15") from None


def _speed(text: str) -> float:
    try:
        speed = float(text)
    except ValueError:
        speed = 0.0
    if not 0 < speed <= 1e6:  # also refuses nan
        raise argparse.ArgumentTypeError(f"{text!r} is not accepted: a number above 0, such as 10")
    return speed


def _config(_: argparse.Namespace) -> int:
    settings = settings_module.load()
    checks.check(settings)
    _table(settings_module.describe(settings))
    settings.refuse_open_door()
    return 0


def _status(_: argparse.Namespace) -> int:
    settings = settings_module.load()
    client = connect(settings.secret("redis_url"), timeout_s=_REDIS_TIMEOUT_S)
    stored = heartbeat.read(client)
    if stored.heartbeat_at is None:
        print("No worker is running: there is no heartbeat in Redis.", file=sys.stderr)
        return 1
    _table(
        [
            ("heartbeat", f"{stored.heartbeat_at} ({_age(stored.heartbeat_at)})"),
            *sorted(stored.status.items()),
        ]
    )
    return 0


def _age(at: str) -> str:
    try:
        return f"{(datetime.now(UTC) - datetime.fromisoformat(at)).total_seconds():.0f} s ago"
    except (ValueError, TypeError):
        return "not an instant"


def _simulate(given: argparse.Namespace) -> int:
    settings = settings_module.load()
    logs.configure("simulator", settings.log_level)
    calendar = Calendar.named(given.calendar, settings.market_calendar_overrides)

    def in_session(segment: str, epoch_s: float) -> bool:
        return segment in SEGMENTS and calendar.is_open(segment, datetime.fromtimestamp(epoch_s, UTC))

    simulator.run(
        given.port,
        host=given.host,
        calendar=given.calendar,
        in_session=in_session,
        seed=given.seed,
        replay=given.replay,
        start=given.start,
        speed=given.speed,
        extra_instruments=given.extra_instruments,
        known=SimulatedListings(lambda: open_engine(settings.database)),
    )
    return 0


def _table(rows: Iterable[Sequence[str]]) -> None:
    """Print rows with aligned columns."""
    rows = [list(row) for row in rows]
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
