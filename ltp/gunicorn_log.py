"""gunicorn's log in the format of all other lines, in UTC."""

from __future__ import annotations

import logging
import time
from typing import Any

import gevent.hub
from gunicorn.glogging import Logger

from ltp import logs

log = logging.getLogger(__name__)


class GunicornLog(Logger):  # type: ignore[misc]
    """For gunicorn's `logger_class`. Log files and syslog that an operator configures get the same lines."""

    def setup(self, cfg: Any) -> None:
        super().setup(cfg)
        for logger, target in ((self.error_log, cfg.errorlog), (self.access_log, cfg.accesslog)):
            for handler in [each for each in logger.handlers if getattr(each, "_gunicorn", False)]:
                if target == "-" and type(handler) is logging.StreamHandler:
                    logger.removeHandler(handler)
                else:
                    handler.setFormatter(logs.LineFormatter("web", as_json=True))
            logger.propagate = target == "-"

    def info(self, msg: str, *args: Any, **kwargs: Any) -> None:
        """Drop the arbiter's "Listening at" without an address: the workers listen and log their own line."""
        if args and msg.startswith("Listening at:") and not args[0]:
            return
        super().info(msg, *args, **kwargs)

    def now(self) -> str:
        """Return the time of a line of the access log."""
        return time.strftime("[%d/%b/%Y:%H:%M:%S +0000]", time.gmtime())


def log_ends_of_greenlets() -> None:
    """Log the exceptions that end greenlets; gevent prints them to stderr."""

    def handle(_hub: Any, context: Any, kind: type[BaseException] | None, error: Any, traceback: Any) -> None:
        if kind is not None and issubclass(kind, Exception):
            log.error("A greenlet failed: %s", context, exc_info=(kind, error, traceback))

    gevent.hub.Hub.print_exception = handle
