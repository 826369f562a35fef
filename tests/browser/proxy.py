"""A proxy between a browser and the site that answers some requests itself."""

from __future__ import annotations

import re
import socket
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

_CHUNK = 65_536


class Proxy(socketserver.ThreadingTCPServer):
    """Passes each request to the site on a connection of its own. A request with `instead[0]` in its first
    line is answered with the bytes `instead[1]` and the end of the connection. `met`: the number of those.
    """

    allow_reuse_address = daemon_threads = True
    request_queue_size = 64

    def __init__(self, site: str) -> None:
        super().__init__(("127.0.0.1", 0), _Exchange)
        self.site = (str(urlsplit(site).hostname), urlsplit(site).port)
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        self.instead: tuple[str, bytes] | None = None
        self.met = 0

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Print nothing: browsers close connections at any time."""


class _Exchange(socketserver.BaseRequestHandler):
    server: Proxy

    def handle(self) -> None:
        head = b""
        while b"\r\n\r\n" not in head:
            read = self.request.recv(_CHUNK)
            if not read:
                return
            head += read
        line, instead = head.partition(b"\r\n")[0].decode(), self.server.instead
        if instead and instead[0] in line:
            self.server.met += 1
            self.request.sendall(instead[1])
            return
        with socket.create_connection(self.server.site) as site:
            threading.Thread(target=self._rest, args=(site,), daemon=True).start()
            site.sendall(
                re.sub(rb"\r\nConnection: [^\r]*", b"\r\nConnection: close", head, flags=re.IGNORECASE)
            )
            while answer := site.recv(_CHUNK):
                self.request.sendall(answer)

    def _rest(self, site: socket.socket) -> None:
        """Pass on the body of a form, and the end of the connection by the browser."""
        try:
            while sent := self.request.recv(_CHUNK):
                site.sendall(sent)
            site.shutdown(socket.SHUT_RDWR)
        except OSError:
            return


@contextmanager
def between(site: str) -> Iterator[Proxy]:
    with Proxy(site) as proxy:
        thread = threading.Thread(target=proxy.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield proxy
        finally:
            proxy.shutdown()
            thread.join()
