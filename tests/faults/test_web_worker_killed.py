"""One of two web processes is killed: the streams of the other go on, and a new process takes its place."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from typing import Any

import psutil


def children(site: Any) -> list[psutil.Process]:
    return psutil.Process(site.stack.processes["web"].pid).children()


def process_behind(browser: socket.socket, site: Any) -> int:
    """Return the id of the process with the other end of this connection, 0 before one has accepted it."""
    own = browser.getsockname()
    for child in children(site):
        if any(link.raddr and tuple(link.raddr) == own for link in child.net_connections("tcp")):
            return child.pid
    return 0


@contextmanager
def stream(site: Any) -> Iterator[socket.socket]:
    port = int(site.stack.env["PORT"])
    with closing(socket.create_connection(("127.0.0.1", port), 20)) as browser:
        browser.sendall(b"GET /screeners/swing/stream HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert b"200 OK" in browser.recv(65_536).partition(b"\r\n")[0]
        yield browser


def goes_on(browser: socket.socket) -> bool:
    """Whether another message comes; the stream's beat is one every second. False at its end."""
    try:
        return bool(browser.recv(1 << 20))
    except ConnectionResetError:
        return False


def test_browsers_of_the_others_go_on_and_a_new_process_serves(site: Any, wait_for: Any) -> None:
    wait_for(lambda: len(children(site)) == 2)
    streams: dict[int, socket.socket] = {}
    with ExitStack() as opened:

        def one_of_each() -> bool:
            browser = opened.enter_context(stream(site))
            streams.setdefault(wait_for(lambda: process_behind(browser, site)), browser)
            return len(streams) == 2

        wait_for(one_of_each)
        (killed, orphan), (_, other) = streams.items()
        psutil.Process(killed).kill()
        wait_for(lambda: not goes_on(orphan))
        for _ in range(10):
            assert goes_on(other)
        wait_for(lambda: len({child.pid for child in children(site)} - {killed}) == 2)
        new = {child.pid for child in children(site)} - set(streams)
        assert len(new) == 1
        wait_for(lambda: {site.state() for _ in range(10)} == {"live"})

        def served_by_the_new() -> bool:
            with stream(site) as browser:
                return wait_for(lambda: process_behind(browser, site)) in new and goes_on(browser)

        wait_for(served_by_the_new)
