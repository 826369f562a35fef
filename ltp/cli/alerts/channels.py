"""`python -m ltp alerts channels`: where alerts are sent to outside of the pages."""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, datetime
from typing import Any

from ltp import settings as settings_module
from ltp.cli.alerts.deliver import sender_of
from ltp.core.alerts.channel import KINDS, MOST_PER_MINUTE, PER_MINUTE, Channel
from ltp.core.alerts.delivery import Attempt
from ltp.core.alerts.message import Message
from ltp.core.counted import listed
from ltp.db.alerts import channels, deliveries
from ltp.db.alerts.channels import Wanted
from ltp.db.alerts.deliveries import Delivery
from ltp.db.engine import Engine, open_engine
from ltp.errors import InputError


def add(commands: Any) -> None:
    """Register the command on the sub-parsers of `alerts`."""
    group = commands.add_parser("channels", help="web addresses, mail addresses and services for alerts")
    actions = group.add_subparsers(required=True, metavar="ACTION")
    actions.add_parser("list", help="print the channels, targets masked").set_defaults(command=_list)
    _add_create(actions.add_parser("add", help="add a channel; its target is read from the standard input"))
    for name, help_, command in (
        ("remove", "delete a channel", _remove),
        ("test", "send a test to a channel, now and from here", _test),
    ):
        named = actions.add_parser(name, help=help_)
        named.add_argument("name", help="of the channel, or its number")
        named.set_defaults(command=command)


def _add_create(create: argparse.ArgumentParser) -> None:
    create.add_argument("name", help="unique, for people")
    create.add_argument("kind", choices=KINDS)
    create.add_argument(
        "--per-minute",
        type=int,
        default=PER_MINUTE,
        metavar="N",
        help=f"more messages in a minute are sent as one; 1 to {MOST_PER_MINUTE} (default %(default)s)",
    )
    create.add_argument(
        "--signed", action="store_true", help="the second line of the input signs the messages of a webhook"
    )
    create.set_defaults(command=_create)


def _create(given: argparse.Namespace) -> int:
    """The target comes by the standard input: arguments are shown by `ps` and kept by the shell."""
    settings = settings_module.load()
    if sys.stdin.isatty():
        print("Type the target, such as https://hooks.example.com/path, and press Enter:", file=sys.stderr)
    target = sys.stdin.readline().strip()
    secret = sys.stdin.readline().strip() if given.signed else ""
    if given.signed and not secret:
        raise InputError("--signed", "", "the second line of the input is the secret")
    wanted = Wanted(given.name, given.kind, target, secret, given.per_minute)
    made = channels.create(open_engine(settings.database), wanted, internal=settings.alerts_allow_internal)
    print(_line(made, None))
    return 0


def _list(_: argparse.Namespace) -> int:
    engine = open_engine(settings_module.load().database)
    newest = deliveries.newest_of_channels(engine)
    for each in channels.all_of(engine):
        print(_line(each, newest.get(each.id)))
    return 0


def _remove(given: argparse.Namespace) -> int:
    engine = open_engine(settings_module.load().database)
    channel = _named(engine, given.name)
    channels.remove(engine, channel.id)
    print(f"Deleted {channel.name}")
    return 0


def _test(given: argparse.Namespace) -> int:
    settings = settings_module.load()
    channel = _named(open_engine(settings.database), given.name)
    message = Message(f"ltp-test-{datetime.now(UTC):%Y%m%dT%H%M%S}", channel.name)
    attempt: Attempt = sender_of(settings)(channel, message)
    print(f"{channel.name} ({channel.masked}): {attempt.outcome}")
    return 0 if attempt.sent else 1


def _named(engine: Engine, name: str) -> Channel:
    known = channels.all_of(engine)
    found = next((each for each in known if name in (each.name, str(each.id))), None)
    if found is None:
        names = listed([each.name for each in known], 20) if known else "of which there is none yet"
        raise InputError("name", name, f"a channel: {names}")
    return found


def _line(channel: Channel, newest: Delivery | None) -> str:
    state = "on" if channel.is_on else "off"
    last = f"; {newest.state}{f': {newest.outcome}' if newest.outcome else ''}" if newest else ""
    about = f"{channel.id:>4}  {state:3}  {channel.kind:7}  {channel.name}  {channel.masked}"
    return f"{about}  {channel.per_minute} a minute{last}"
