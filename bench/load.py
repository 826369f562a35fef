"""Browsers of streams and clients of the API, from programs in C on a core of their own, and the figures of
the server spent on them.
"""

from __future__ import annotations

import json
import re
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from bench import machine, tools
from bench.model import Figures
from bench.servers import Failed, Server

WARM_S: Final = 0.8


@dataclass(frozen=True)
class Browsers:
    """`key`: prefix of the line with an event's instant. `pages`: number of different pages, the range of a
    %d in `path`; browsers of one page must all be sent the same events. `cells_since_ms`: zero of the volume
    cells.
    """

    count: int
    path: str
    seconds: float
    warm_s: float = WARM_S
    stalled: int = 0
    connects_per_s: int = 4_000
    connect_within_s: float = 20.0
    key: str = "id:"
    pages: int = 1
    cells_since_ms: int = 0

    def arguments(self, port: int) -> list[object]:
        pairs = {
            "-p": port,
            "-u": self.path,
            "-n": self.count,
            "-t": self.seconds,
            "-w": self.warm_s,
            "-c": self.connect_within_s,
            "-s": self.stalled,
            "-r": self.connects_per_s,
            "-k": self.key,
            "-m": self.pages,
            "-v": self.cells_since_ms,
        }
        return [tools.compiled("ssebench"), *(part for pair in pairs.items() for part in pair)]


class Load:
    """A load generator that runs. `figures` waits until its end."""

    def __init__(self, process: subprocess.Popen[bytes], browsers: Browsers) -> None:
        self._process, self._browsers = process, browsers

    def reached(self, point: str) -> None:
        """Wait until its browsers are "connected", until it begins "measuring" or until it has "measured"."""
        assert self._process.stderr is not None
        if not any(line.decode().startswith(point) for line in self._process.stderr):
            raise Failed(f"the load generator ended before it was {point}")

    def figures(self) -> dict[str, float]:
        browsers = self._browsers
        limit_s = browsers.connect_within_s + browsers.warm_s + browsers.seconds + 10
        out, _ = self._process.communicate(timeout=limit_s)
        if self._process.returncode:
            raise Failed(f"the load generator ended with status {self._process.returncode}")
        figures: dict[str, float] = json.loads(out)
        return figures


@contextmanager
def browsing(port: int, browsers: Browsers) -> Iterator[Load]:
    """Have browsers connect to a port of this machine, and end them with the block."""
    process = subprocess.Popen(
        machine.pinned(browsers.arguments(port), machine.LOAD_CORE),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    try:
        yield Load(process, browsers)
    finally:
        process.kill()
        process.communicate()


def cpu_per_event(server: Server, browsers: Browsers) -> dict[str, float]:
    """Measure a server under browsers.

    Returns:
        The load generator's figures, with `cpu_us` (of the server per delivered event), `cores` (share of a
            core the server used) and `event_bytes`.
    Raises:
        Failed: no event arrived.
    """
    with browsing(server.port, browsers) as load:
        load.reached("measuring")
        began, began_s = machine.cpu_s(server.pids), time.monotonic()
        load.reached("measured")
        spent, elapsed_s = machine.cpu_s(server.pids) - began, time.monotonic() - began_s
        figures = load.figures()
    events = figures["events"]
    if not events:
        raise Failed(f"no event arrived at any of {figures['live']:.0f} browsers")
    event_bytes = figures["bytes_per_s"] / figures["events_per_s"]
    return figures | {"cores": spent / elapsed_s, "cpu_us": spent / events * 1e6, "event_bytes": event_bytes}


def resident_per_browser(server: Server, browsers: Browsers) -> dict[str, float]:
    """Return the load generator's figures, with `kb_per_browser` of resident memory above that of the server
    before.
    """
    before_kb = machine.resident_kb(server.pids)
    with browsing(server.port, browsers) as load:
        load.reached("connected")
        time.sleep(browsers.warm_s)
        with_all_kb = machine.resident_kb(server.pids)
        figures = load.figures()
    return figures | {"kb_per_browser": (with_all_kb - before_kb) / browsers.count}


def wrong_with(name: str, figures: Figures) -> str:
    """Return the fault that a browser saw, empty for none."""
    found = [
        f"{figures[what]:.0f} {what.replace('_', ' ')}"
        for what in ("torn", "out_of_order", "bad_status")
        if figures.get(what)
    ]
    return f"{name}: {', '.join(found)}" if found else ""


_LATENCY: Final = re.compile(r"^\s+(50|99)%\s+([\d.]+)(us|ms|s)", re.MULTILINE)
_MS: Final[dict[str, float]] = {"us": 1e-3, "ms": 1.0, "s": 1e3}


def requests_per_s(server: Server, path: str, seconds: float, *, connections: int = 32) -> dict[str, float]:
    """Ask for `path` as fast as the answers come (wrk). Returns `requests_per_s`, `p50_ms`, `p99_ms` and
    `cpu_us` a request.

    Raises:
        Failed: some were not answered with success, or wrk is not installed.
    """
    url = f"http://127.0.0.1:{server.port}{path}"
    command = [
        tools.installed("wrk"),
        "-t",
        1,
        "-c",
        connections,
        "-d",
        f"{max(1, round(seconds))}s",
        "--latency",
        url,
    ]
    subprocess.run(
        machine.pinned([*command[:6], "1s", url], machine.LOAD_CORE),
        capture_output=True,
        timeout=30,
        check=True,
    )
    began = machine.cpu_s(server.pids)
    done = subprocess.run(
        machine.pinned(command, machine.LOAD_CORE), capture_output=True, timeout=60, check=True, text=True
    )
    spent = machine.cpu_s(server.pids) - began
    return _read_wrk(done.stdout, spent)


def _read_wrk(text: str, spent_s: float) -> dict[str, float]:
    if "Non-2xx" in text or "Socket errors" in text:
        trouble = next(
            line.strip() for line in text.splitlines() if "Non-2xx" in line or "Socket errors" in line
        )
        raise Failed(f"wrk: {trouble}")
    rate: Any = re.search(r"Requests/sec:\s+([\d.]+)", text)
    total: Any = re.search(r"(\d+) requests in", text)
    latency = {f"p{share}_ms": float(value) * _MS[unit] for share, value, unit in _LATENCY.findall(text)}
    return {"requests_per_s": float(rate[1]), "cpu_us": spent_s * 1e6 / max(1, int(total[1])), **latency}
