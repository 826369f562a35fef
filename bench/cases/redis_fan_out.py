"""The cache's cost of one message of the worker for each subscribed web process: an input of the
scaling model.
"""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Final

import redis

from bench import machine, stage
from bench.model import OURS, Case, Figures, Line, Turn
from bench.servers import ROOT

_SUBSCRIBERS: Final = 100
_INSTRUMENTS: Final = 2_000
_TICKS: Final = 100
_HZ: Final = 50.0


def _delivered(turn: Turn) -> Figures:
    """The publisher's own commands count too: they are the price of a message without readers, and are
    measured first.
    """
    seconds = max(1.0, turn.scale.seconds)
    with (
        stage.ready(1) as ready,
        stage.prices(ready, _INSTRUMENTS, _TICKS, _HZ),
        redis.Redis.from_url(ready.url) as server,
    ):
        pid = int(server.info("server")["process_id"])
        alone, _ = _spent(pid, ready.url, 1, seconds)
        spent, heard = _spent(pid, ready.url, turn.scale.of(_SUBSCRIBERS), seconds)
    messages = max(1, heard["messages"])
    return {
        "cpu_us": max(0.0, spent - alone) * 1e6 / messages,
        "message_bytes": heard["bytes"] / messages,
        "ticks": _TICKS,
    }


def _spent(pid: int, url: str, subscribers: int, seconds: float) -> tuple[float, dict[str, int]]:
    port = url.rpartition(":")[2].partition("/")[0]
    command = machine.pinned(
        [sys.executable, "-m", "bench.subscribers", port, subscribers, seconds], machine.SERVER_CORE
    )
    began = machine.cpu_s([pid])
    done = subprocess.run(command, cwd=ROOT, capture_output=True, check=True, timeout=seconds + 20)
    return machine.cpu_s([pid]) - began, json.loads(done.stdout)


CASES: Final = (
    Case(
        "redis-fan-out",
        "Redis: a message of 100 ticks to each of 100 web processes",
        {OURS: _delivered},
        (
            Line("CPU of Valkey per delivered message", "cpu_us", "us"),
            Line("bytes of a message", "message_bytes", "B"),
        ),
    ),
)
