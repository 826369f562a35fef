from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ltp.feed.simulator import Simulator
from tests.path.worker_bench import Bench


@pytest.fixture
def bench(valkey: Any, wait_for: Callable[..., Any], tmp_path: Path) -> Iterator[Bench]:
    simulator = Simulator().start()
    made = Bench(valkey, wait_for, simulator, tmp_path)
    yield made
    for process in made.processes:
        if process.poll() is None:
            process.kill()
        process.wait()
    simulator.stop()
