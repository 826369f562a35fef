"""The worker as a process, between a simulated exchange and a real Valkey."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from ltp.feed.simulator import Simulator

ROOT = Path(__file__).resolve().parents[2]
HDFC, TCS, SBI = "NSE_EQ:1333", "NSE_EQ:11536", "NSE_EQ:3045"


class Bench:
    def __init__(
        self, valkey: Any, wait_for: Callable[..., Any], simulator: Simulator, state_dir: Path
    ) -> None:
        self.valkey, self.client, self.wait_for, self.simulator = valkey, valkey.client, wait_for, simulator
        self.log = state_dir / "log"
        self.processes: list[subprocess.Popen[bytes]] = []
        self.env = os.environ | {
            "DHANHQ_WS_URL": simulator.url,
            "DHANHQ_REST_URL": simulator.rest_url,
            "DHANHQ_WS_ENABLED": "true",
            "DHANHQ_CLIENT_ID": "1100001111",
            "DHANHQ_ACCESS_TOKEN": "canary-token",
            "MARKET_CALENDAR": "always_open",
            "REDIS_URL": valkey.url,
            "STATE_DIR": str(state_dir),
            # No child fetches candles beside the worker: it takes a core for seconds.
            "SCREENER_UNIVERSE": "off",
        }

    def start(self, **env: str) -> subprocess.Popen[bytes]:
        with self.log.open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "worker.py"], cwd=ROOT, env=self.env | env, stdout=log, stderr=log
            )
        self.processes.append(process)
        return process

    def end(self, process: subprocess.Popen[bytes]) -> int:
        process.send_signal(signal.SIGTERM)
        return process.wait(20)

    def want(self, *keys: str, for_s: float = 60) -> None:
        self.client.zadd("demand:instruments", {key: time.time() + for_s for key in keys})

    def until(self, *names: str) -> None:
        """Wait until all of these keys exist."""
        self.wait_for(lambda: self.client.exists(*names) == len(names))

    def status(self, field: str) -> str:
        return (self.client.hget("market_stream:status", field) or b"").decode()

    def batches(self) -> Iterator[dict[str, Any]]:
        pubsub = self.client.pubsub(ignore_subscribe_messages=True)
        pubsub.subscribe("live_ltp_updates")
        try:
            while True:
                message = self.wait_for(lambda: pubsub.get_message(timeout=0.05))
                yield json.loads(message["data"])
        finally:
            pubsub.close()
