"""`python -m ltp alerts deliver`: the process that sends alerts. The worker starts it and keeps it alive."""

from __future__ import annotations

import argparse
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from ltp import logs
from ltp import settings as settings_module
from ltp.core.alerts.channel import SERVICE
from ltp.db.alerts import channels
from ltp.db.engine import open_engine
from ltp.delivery import mail_server
from ltp.delivery.outbox import Outbox
from ltp.delivery.wake import Waker
from ltp.settings import Settings
from ltp.store.keys import ALERTS
from ltp.store.subscription import bodies

if TYPE_CHECKING:
    from ltp.delivery.sender import Sender

_MAX_MESSAGE: Final = 1 << 16  # bytes; its content is not read


def add(commands: Any) -> None:
    """Register the command on the sub-parsers of `alerts`."""
    command = commands.add_parser("deliver", help="send alerts to their channels until SIGTERM")
    command.set_defaults(command=_deliver)


def sender_of(settings: Settings) -> Sender:
    """Return the sender of these settings; from now on the process reaches no internal address by HTTP."""
    from ltp.delivery.sender import Sender  # imports apprise, which the other commands need not wait for

    server = mail_server.parse(settings.secret("smtp_url"), settings.smtp_from)
    return Sender(server, internal=settings.alerts_allow_internal)


def _deliver(_: argparse.Namespace) -> int:
    settings = settings_module.load()
    logs.configure("alerts", settings.log_level)
    engine = open_engine(settings.database)
    outbox = Outbox(engine, sender_of(settings))
    with _stopped_by_sigterm(outbox):
        subscribe = partial(bodies, settings.secret("redis_url"), ALERTS, longest=_MAX_MESSAGE)
        Waker(subscribe, outbox.woken).start()
        if any(each.kind == SERVICE and each.is_on for each in channels.all_of(engine)):
            threading.Thread(target=_load_push_services, name="services", daemon=True).start()
        outbox.run()
    return 0


def _load_push_services() -> None:
    from ltp.delivery import push_services

    push_services.load()


@contextmanager
def _stopped_by_sigterm(outbox: Outbox) -> Iterator[None]:
    before = signal.signal(signal.SIGTERM, lambda *_: outbox.stop())
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
