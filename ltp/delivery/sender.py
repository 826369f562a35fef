"""One message to its channel, by the channel's kind."""

from __future__ import annotations

import logging
import traceback

from ltp.core.alerts.channel import MAIL, WEBHOOK, Channel, checked_target
from ltp.core.alerts.delivery import Attempt, failed, refused
from ltp.core.alerts.message import Message
from ltp.delivery import mail, push_services, webhook
from ltp.delivery.mail_server import MailServer
from ltp.errors import InputError

log = logging.getLogger(__name__)
NO_SERVER = "no mail server is set, see SMTP_URL"


class Sender:
    """Any number of threads may call it. The process is isolated from internal addresses at its first use.

    Args:
        mail_server: None where none is set.
        internal: whether internal addresses are allowed.
    """

    def __init__(self, mail_server: MailServer | None, *, internal: bool) -> None:
        self._mail_server, self._internal = mail_server, internal
        push_services.isolate(internal=internal)

    def __call__(self, channel: Channel, message: Message) -> Attempt:
        """Send a message; never raises."""
        try:
            return self._send(channel, message)
        except Exception as error:  # noqa: BLE001
            # The text of the exception may quote the target, so the log has only where it was raised.
            at = "".join(traceback.format_tb(error.__traceback__)[-3:])
            log.error("Sending to channel %d failed: %s\n%s", channel.id, type(error).__name__, at)  # noqa: TRY400
            return failed(f"a fault of this program ({type(error).__name__})")

    def _send(self, channel: Channel, message: Message) -> Attempt:
        try:
            checked_target(channel.kind, channel.target.reveal(), internal=self._internal)
        except InputError as error:  # it was accepted under other settings, or by an older version
            return refused(f"its target is not accepted now: {error.accepted}")
        if channel.kind == WEBHOOK:
            return webhook.post(channel, message, internal=self._internal)
        if channel.kind == MAIL:
            if self._mail_server is None:
                return refused(NO_SERVER)
            return mail.send(self._mail_server, channel, message, internal=self._internal)
        return push_services.send(channel, message)
