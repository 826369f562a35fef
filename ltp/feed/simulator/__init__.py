"""A simulated exchange: a DhanHQ v2 server with invented prices, for tests and trials without credentials.

It knows only the wire format (`ltp.dhan`) and instruments; the rest of the product connects to it over
sockets.
"""

from __future__ import annotations

import logging
import os
import signal
import threading
from datetime import time
from pathlib import Path
from typing import Final

from ltp.errors import ConfigError
from ltp.feed.simulator.exchange import InSession, Known
from ltp.feed.simulator.replay import load
from ltp.feed.simulator.server import Simulator
from ltp.feed.simulator.universe import universe
from ltp.vital import ENDED, Vital

__all__ = ["Simulator", "run", "universe"]

_log = logging.getLogger(__name__)
_LOOK_EVERY_S: Final = 0.5


def run(
    port: int,
    *,
    host: str = "127.0.0.1",
    calendar: str = "always_open",
    in_session: InSession | None = None,
    seed: int = 1,
    replay: Path | None = None,
    start: time | None = None,
    speed: float = 1.0,
    extra_instruments: int = 0,
    known: Known = lambda _: (),
) -> None:
    """Serve until SIGTERM or SIGINT. Ends the process with status 1 when one of its threads ended.

    Args:
        calendar: "always_open" trades round the clock; "nse" calls `in_session(segment, seconds since the
            epoch)`.
        known: finds instruments outside the shipped universe, which are listed once a client subscribes them.
        replay: a file of bars or captured frames instead of the random walk of its instruments, played from
            `start` on (a time in India, None for its beginning) and `speed` times as fast.
    Raises:
        ConfigError: the port is taken, or there is no such calendar.
        InputError: the replay file is not accepted.
    """
    if calendar not in ("always_open", "nse") or (calendar == "nse" and in_session is None):
        raise ConfigError("calendar", calendar, "always_open, or nse together with its sessions")
    simulator = Simulator(
        port,
        host=host,
        in_session=in_session if calendar == "nse" else None,
        seed=seed,
        replay=load(replay, speed, start) if replay else None,
        extra_instruments=extra_instruments,
        known=known,
    )
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    vital = Vital()
    simulator.start()
    vital.add(simulator.threads)
    _log.info("The simulated exchange listens at %s (REST %s)", simulator.url, simulator.rest_url)
    # Python runs signal handlers in this thread only, and only when it wakes.
    while not stopping.wait(_LOOK_EVERY_S):
        if vital.ended():
            os._exit(ENDED)  # an orderly stop would wait for ever for a thread that has ended
    simulator.stop()
    _log.info("The simulated exchange has stopped")
