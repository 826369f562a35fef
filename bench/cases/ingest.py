"""From the feed's socket to Redis: decode, conflate, cache, publish. The cost of a tick, and how many the
worker follows.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from bench import machine, servers, stage
from bench.model import OURS, Bar, Case, Contender, Figures, Line, Turn
from bench.stage import Exchange

_INSTRUMENTS: Final = 5_000
_LATE_S: Final = 0.25
OFFICIAL: Final = "dhanhq, decode only"


def worker_figures(instruments: int, ticks_per_s: float) -> Contender:
    """Measure the worker while so many instruments tick so often, all together."""

    def measure(turn: Turn) -> Figures:
        rate = ticks_per_s * turn.scale.size
        # The feed's probes are subscribed too, and a connection takes 5,000.
        with stage.ready(turn.scale.of(instruments - 2)) as ready, stage.exchange(ready.folder, rate) as feed:
            with stage.worker(ready, feed) as worker:
                figures = _per_tick(feed, worker.pids, turn.scale.seconds)
                return figures | {"taken_per_s": stage.ticks_per_s(ready)}

    return measure


def _per_tick(feed: Exchange, pids: list[int], seconds: float) -> dict[str, float]:
    """Divide the CPU time of `pids` by the ticks that the feed sent meanwhile."""
    before, began = feed.state(), machine.cpu_s(pids)
    began_s = time.monotonic()
    time.sleep(seconds)
    after, spent = feed.state(), machine.cpu_s(pids) - began
    elapsed_s = time.monotonic() - began_s
    rate = (after["sent"] - before["sent"]) / (after["at"] - before["at"])
    return {
        "cpu_us": spent / elapsed_s / rate * 1e6,
        "cores": spent / elapsed_s,
        "sent_per_s": rate,
        "behind_s": after["behind_s"],
    }


def official(turn: Turn) -> Figures:
    """The broker's own client, which only decodes, at a rate it can follow."""
    with TemporaryDirectory() as folder, stage.exchange(Path(folder), 20_000 * turn.scale.size) as feed:
        command = [
            sys.executable,
            "-m",
            "bench.peers.official_client",
            feed.port,
            turn.scale.of(_INSTRUMENTS),
        ]
        with servers.running(command, 0, ready=_flowing(feed)) as client:
            time.sleep(1)
            return _per_tick(feed, client.pids, turn.scale.seconds)


def _flowing(feed: Exchange) -> Callable[[], bool]:
    return lambda: bool(feed.state())


def _checks(name: str, figures: Figures) -> str:
    if figures.get("behind_s", 0) > _LATE_S:
        return f"{name} let the feed wait for {figures['behind_s']:.1f} s"
    return ""


CASES: Final = (
    Case(
        "ingest-20k",
        "ingest: 5,000 instruments, 20,000 ticks/s",
        {OURS: worker_figures(_INSTRUMENTS, 20_000), OFFICIAL: official},
        (Line("CPU of the worker per tick, with its bars", "cpu_us", "us", (Bar(0.7, OFFICIAL),)),),
        _checks,
    ),
    Case(
        "ingest-100k",
        "ingest: 5,000 instruments, 100,000 ticks/s",
        {OURS: worker_figures(_INSTRUMENTS, 100_000)},
        (
            Line("ticks taken a second", "taken_per_s", "1/s", (Bar(98_000, at_least=True),)),
            Line("CPU of the worker per tick", "cpu_us", "us"),
        ),
        _checks,
        repeats=True,
    ),
)
