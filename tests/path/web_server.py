"""gunicorn with the configuration of the product, in front of an application of the tests."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, ClassVar

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]


class WebServer:
    """One instance, with one worker unless `environ` sets WEB_CONCURRENCY. `log`: the file of its output."""

    application: ClassVar[str]
    defaults: ClassVar[dict[str, str]] = {}

    def __init__(self, port: int, log: Path, *arguments: str, **environ: str) -> None:
        self.port, self.log = port, log
        command = [sys.executable, "-m", "gunicorn", "-c", str(ROOT / "gunicorn.conf.py")]
        command += ["--pythonpath", str(HERE), *arguments, self.application]
        environ = {"PORT": str(port), "WEB_CONCURRENCY": "1"} | self.defaults | environ
        with log.open("wb") as output:
            self.process = subprocess.Popen(
                command, cwd=ROOT, env=os.environ | environ, stdout=output, stderr=subprocess.STDOUT
            )

    def answers(self) -> bool:
        raise NotImplementedError

    def end(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGQUIT)
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise


@contextmanager
def started(
    server: type[WebServer], free_port: Callable[[], int], wait_for: Callable[..., Any], folder: Path
) -> Iterator[Callable[..., Any]]:
    """Yield a function that starts a server and returns it once it answers; end all of them afterwards."""
    with ExitStack() as ends:

        def start(*arguments: str, **environ: str) -> WebServer:
            port = free_port()
            one = server(port, folder / f"log-{port}", *arguments, **environ)
            ends.callback(one.end)
            wait_for(lambda: one.answers() or one.process.poll() is not None)
            assert one.process.poll() is None, one.log.read_text()
            return one

        yield start


def read_to_end(client: socket.socket) -> bytes:
    """Return all bytes until the server closes the connection; a reset is an error."""
    got = b""
    while chunk := client.recv(65_536):
        got += chunk
    return got
