"""Our own fan-out as the cases measure it: hub, sockets and stream view of `stream_app`, without Redis and
pages.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from typing import Any, Final

from bench import load, machine, servers
from bench.load import Browsers
from bench.model import OURS, Contender, Figures, Turn
from bench.peers import streams as peers
from bench.servers import Server

ROWS_OF_AN_EVENT: Final = 7  # about 1.5 kB with three cells a row
_USUAL_BYTES: Final = 1_500
_PATIENCE_S: Final = 5.0  # a peer that is past its limits lets some browsers wait for ever


@contextmanager
def ours(
    hz: float, *, rows: int = ROWS_OF_AN_EVENT, views: int = 1, workers: int = 1, **settings: str
) -> Iterator[Server]:
    """Run the stream application: `views` pages of `rows` instruments, each of which moves HZ times a second."""
    port = machine.free_port()
    env = {"HZ": str(hz), "ROWS": str(rows), "VIEWS": str(views), "WEB_CONCURRENCY": str(workers), **settings}
    with servers.gunicorn("bench.stream_app:app", port, env, ready="/stream/0") as server:
        yield server


def event_bytes(turn: Turn) -> int:
    """Return how long our own events were in this round, so that floor and peers send the same."""
    return round(turn.before.get(OURS, {}).get("event_bytes", _USUAL_BYTES))


def our_figures(count: int, hz: float, *, views: int = 1, workers: int = 1, **options: Any) -> Contender:
    def measure(turn: Turn) -> Figures:
        path, pages = "/stream/0" if views == 1 else "/stream/any", views * workers
        with ours(hz, views=views, workers=workers, **options) as server:
            return load.cpu_per_event(
                server, Browsers(turn.scale.of(count), path, turn.scale.seconds, pages=pages)
            )

    return measure


def peer_figures(
    start: Callable[[float, int], AbstractContextManager[Server]],
    count: int,
    hz: float,
    *,
    path: str = "/",
    **options: Any,
) -> Contender:
    def measure(turn: Turn) -> Figures:
        with start(hz, event_bytes(turn)) as server:
            browsers = Browsers(
                turn.scale.of(count), path, turn.scale.seconds, connect_within_s=_PATIENCE_S, **options
            )
            return load.cpu_per_event(server, browsers)

    return measure


def floor_figures(count: int, hz: float, *, pages: int = 1) -> Contender:
    return peer_figures(partial(peers.limit, pages=pages), count, hz)


def nchan_figures(count: int, hz: float) -> Contender:
    return peer_figures(peers.nchan, count, hz, path="/stream", key=peers.NCHAN_KEY)
