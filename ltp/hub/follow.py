"""One browser as a generator of bytes, where the socket cannot be detached from its request.

That is TLS or HTTP/2 ended in the web server itself, development servers and test clients. As on a detached
socket a browser is nothing but a position, so the same rules hold; but each event wakes a thread or greenlet
per browser.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator

from ltp import metrics
from ltp.hub.view import HEARTBEAT, View, farewell
from ltp.hub.writer import HEARTBEAT_S, retry_ms, rotation_retry_ms

log = logging.getLogger(__name__)


def follow(
    view: View,
    open_: Callable[[], bytes],
    close: Callable[[], None],
    *,
    until_s: float,
    draining: Callable[[], bool],
    stall_timeout_s: float,
    monotonic: Callable[[], float],
) -> Iterator[bytes]:
    """Yield whole events, and heartbeats while the view is quiet; the last event names the time to reconnect.

    Args:
        open_: adds the browser and returns its first event, which brings it to the view's position.
        close: removes the browser. Both are called with the hub's lock held.
        until_s: the monotonic instant at which the stream rotates.
    """
    reason, written_s = "left", monotonic()
    with view.flushed:
        event = open_()
        view.followers += 1
        position = view.position
    metrics.count("streams_attached")
    log.debug("stream attached by generator, %d instruments", len(view.keys))
    try:
        yield event
        while not draining():
            now = monotonic()
            if now >= until_s:
                reason = "rotated"
                yield farewell(rotation_retry_ms())
                return
            wait_s = max(0.0, min(written_s + HEARTBEAT_S, until_s) - now)
            event, position = _next_event(view, position, draining, wait_s)
            if event or monotonic() - written_s >= HEARTBEAT_S:
                written_s = monotonic()
                metrics.count("stream_writes")
                yield event or HEARTBEAT
        reason = "drained"
        yield farewell(retry_ms(view.followers))
    except GeneratorExit:
        if reason == "left" and monotonic() - written_s >= stall_timeout_s:
            reason = "stalled"
            log.info("1 browser cut: stalled")
        raise
    finally:
        with view.flushed:
            view.followers -= 1
            close()
        metrics.count(f"stream_ends.{reason}")


def _next_event(view: View, position: int, draining: Callable[[], bool], wait_s: float) -> tuple[bytes, int]:
    """Wait for a flush after `position`; return the event since then, perhaps empty, and its position."""
    with view.flushed:
        if view.position == position and not draining():
            view.flushed.wait(wait_s)
        return view.catch_up(position), view.position
