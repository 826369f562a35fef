"""A message to a chat or push service by apprise, one receiver a call.

apprise calls each service by `requests`, which gives no say in how it connects. So `isolate` replaces the function
by which urllib3 connects, for the whole process: every connection of any service goes by `connect`.
"""

from __future__ import annotations

import logging
import os
import re
from typing import Any, Final

import urllib3.util.connection
from apprise import Apprise, AppriseAsset, NotifyBase, NotifyFormat, NotifyType, PersistentStoreMode

from ltp.core.alerts.channel import Channel, service_title
from ltp.core.alerts.delivery import Attempt, by_http_status, failed, refused, sent
from ltp.core.alerts.message import Message, subject, text, without_markup
from ltp.delivery import failures
from ltp.delivery.connect import CONNECT_S, Call, connect

WITHIN_S: Final = 10.0  # some services take two or three calls
_STATUS: Final = re.compile(r"\berror=([1-5]\d\d)\b", re.ASCII)
_unguarded: Final = urllib3.util.connection.create_connection


def isolate(*, internal: bool) -> None:
    """Have every connection of this process by urllib3 checked. Proxies and .netrc of the environment are not used:
    a proxy would connect in place of this process, unchecked.
    """

    def guarded(
        address: tuple[str, int],
        timeout: Any = CONNECT_S,
        source_address: Any = None,  # noqa: ARG001
        socket_options: Any = None,  # noqa: ARG001
    ) -> Any:
        timeout_s = timeout if isinstance(timeout, int | float) else CONNECT_S
        return connect(address[0].strip("[]"), address[1], internal=internal, timeout_s=timeout_s)

    urllib3.util.connection.create_connection = guarded
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        del os.environ[name]
    os.environ["NETRC"] = os.devnull
    logger = logging.getLogger(
        "apprise"
    )  # its lines quote addresses, so they stay inside; `_failure` reads them
    logger.propagate, logger.handlers[:] = False, [logging.NullHandler()]


def is_isolated() -> bool:
    return urllib3.util.connection.create_connection is not _unguarded


def load() -> None:
    """Load the services, which takes apprise a second at its first use."""
    Apprise.instantiate("ntfy://load", suppress_exceptions=True)


def send(channel: Channel, message: Message, *, within_s: float = WITHIN_S) -> Attempt:
    """Send a message; never raises for a fault of the service. `isolate` was called before, and the scheme of the
    target is one of `channel.SERVICES`: apprise has others that write files.
    """
    if not is_isolated():
        raise RuntimeError("the connections of this process are not checked")
    title = service_title(channel.target)
    service = _service(channel)
    if service is None:
        return refused(f"the address is none that {title} has")
    if len(service) != 1:
        return refused(f"the address names {len(service)} receivers of {title}; a channel has one")
    with Call(within_s) as call:
        calls = Apprise(asset=service.asset)
        calls.add(service)
        result = calls.notify(
            title=subject(message),
            body=without_markup(text(message)),
            body_format=NotifyFormat.TEXT,
            notify_type=NotifyType.INFO,
        )
        if result and not call.passed:  # an answer that was cut off looks like a whole one
            return sent(f"accepted by {title}")
        return _failure(call, title, result)


def _service(channel: Channel) -> NotifyBase | None:
    asset = AppriseAsset(
        storage_mode=PersistentStoreMode.MEMORY,  # else it writes into the user's home
        service_timeout=0,  # `Call` bounds it; a thread of apprise would go on after its time
        allow_templates=False,
    )
    asset.http_redirects = False
    found = Apprise.instantiate(channel.target.reveal(), asset=asset, suppress_exceptions=True)
    return found if isinstance(found, NotifyBase) else None


def _failure(call: Call, title: str, result: Any) -> Attempt:
    """Return why a service did not accept. apprise keeps the status in a log line only."""
    lines = [str(line.message) for each in result.results for tried in each.attempts for line in tried.logs]
    found = next((match[1] for line in lines if (match := _STATUS.search(line))), "")
    if call.refused or call.passed:
        return failures.of_call(call, ConnectionError())
    if found and not found.startswith("2"):
        return by_http_status(int(found))
    return failed(f"{title} did not accept it, or was not reached")
