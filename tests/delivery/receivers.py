"""Receivers on this machine that behave badly: an HTTP server and a mail server with a script each."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

Script = Callable[["Receiver", socket.socket], None]


@dataclass
class Receiver:
    """Each connection is handled by `script` on a thread of its own. `requests`: what was received, in order.
    `over`: set at the end of the test; a script that is slow waits for it.
    """

    script: Script
    context: ssl.SSLContext | None = None
    requests: list[bytes] = field(default_factory=list)
    connections: int = 0
    over: threading.Event = field(default_factory=threading.Event)
    port: int = 0

    def serve(self, listener: socket.socket) -> None:
        while not self.over.is_set():
            try:
                accepted, _ = listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._handle, args=(accepted,), daemon=True).start()

    def _handle(self, accepted: socket.socket) -> None:
        with suppress(OSError):
            connected = self.context.wrap_socket(accepted, server_side=True) if self.context else accepted
            with connected:
                self.script(self, connected)


@contextmanager
def receiver(script: Script, context: ssl.SSLContext | None = None) -> Iterator[Receiver]:
    """Listen on a free port of 127.0.0.1 until the block ends."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        made = Receiver(script, context, port=listener.getsockname()[1])
        thread = threading.Thread(target=made.serve, args=(listener,), daemon=True)
        thread.start()
        yield made
        made.over.set()
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
    thread.join(5)


def request_of(connected: socket.socket) -> bytes:
    """Return a whole HTTP request: head and body."""
    data = b""
    while b"\r\n\r\n" not in data:
        data += _some(connected)
    head, _, body = data.partition(b"\r\n\r\n")
    length = next(
        (
            int(line.split(b":")[1])
            for line in head.lower().splitlines()
            if line.startswith(b"content-length")
        ),
        0,
    )
    while len(body) < length:
        body += _some(connected)
    return head + b"\r\n\r\n" + body


def answers(*replies: bytes) -> Script:
    """Answer the requests with these replies in turn, the last one again and again."""

    def script(made: Receiver, connected: socket.socket) -> None:
        made.requests.append(request_of(connected))
        connected.sendall(replies[min(len(made.requests), len(replies)) - 1])

    return script


def status(code: int, *headers: str, body: bytes = b"") -> bytes:
    lines = [f"HTTP/1.1 {code} Words", f"Content-Length: {len(body)}", "Connection: close", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


def mail_script(replies: dict[str, str] | None = None, starttls: ssl.SSLContext | None = None) -> Script:
    """A mail server: `replies` has other answers than 250 to a command, or to "connect" and "body"."""

    def script(made: Receiver, connected: socket.socket) -> None:
        given = replies or {}
        lines = connected.makefile("rwb")

        def say(text: str) -> None:
            if text:
                lines.write(f"{text}\r\n".encode())
                lines.flush()

        say(given.get("connect", "220 ready"))
        while line := lines.readline():
            command = line.split()[0].decode().upper() if line.split() else ""
            made.requests.append(line.strip())
            if command == "DATA" and "DATA" not in given:
                say("354 go on")
                body = b""
                while not body.endswith(b"\r\n.\r\n"):
                    body += lines.readline() or b"\r\n.\r\n"
                made.requests.append(body)
                say(given.get("body", "250 taken"))
                continue
            if command == "STARTTLS" and starttls is not None:
                say("220 go on")
                lines = starttls.wrap_socket(connected, server_side=True).makefile("rwb")
                continue
            if given.get(command) == "close":
                return
            if given.get(command) == "hang":
                made.over.wait(30)
                return
            default = {"QUIT": "221 bye", "EHLO": "250-here\r\n250 8BITMIME"}.get(command, "250 fine")
            say(given.get(command, default))

    return script


def _some(connected: socket.socket) -> bytes:
    data = connected.recv(65_536)
    if not data:
        raise ConnectionError("the client closed the connection")
    return data
