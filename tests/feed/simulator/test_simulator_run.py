from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
import requests

from ltp.errors import ConfigError
from ltp.feed.simulator import Simulator, run


def test_it_serves_until_sigterm_and_exits_with_0(
    free_port: Callable[[], int], wait_for: Callable[..., Any]
) -> None:
    port = free_port()
    process = subprocess.Popen([sys.executable, "-c", f"from ltp.feed.simulator import run; run({port})"])

    def answers() -> bool:
        try:
            return requests.get(f"http://127.0.0.1:{port}/control/connections", timeout=1).ok
        except requests.RequestException:
            return False

    try:
        wait_for(answers)
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
    finally:
        process.kill()
        process.wait()


def test_a_signal_that_the_kernel_gave_to_another_thread_ends_it_too(
    free_port: Callable[[], int], signalled_elsewhere: Callable[[str, str, str], str]
) -> None:
    code = signalled_elsewhere("from ltp.feed.simulator import run", "run", f"run({free_port()})")
    assert subprocess.run([sys.executable, "-c", code], timeout=30).returncode == 0


def test_a_taken_port_is_one_sentence(simulator: Simulator) -> None:
    with pytest.raises(
        ConfigError, match=f"port='{simulator.port}' is not accepted: a port that is free on 127.0.0.1"
    ):
        run(simulator.port)


@pytest.mark.parametrize("calendar", ["lunar", "nse"])
def test_a_calendar_without_sessions_is_refused(calendar: str) -> None:
    with pytest.raises(ConfigError, match=f"calendar='{calendar}'"):
        run(0, calendar=calendar)
