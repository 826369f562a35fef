"""A worker whose threads get a signal or end."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable

import pytest

from tests.path.worker_bench import ROOT, Bench


def test_a_signal_that_the_kernel_gave_to_another_thread_ends_it_too(
    bench: Bench, signalled_elsewhere: Callable[[str, str, str], str]
) -> None:
    code = signalled_elsewhere("import worker", "_run", "sys.exit(worker.main())")
    with bench.log.open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-c", code], cwd=ROOT, env=bench.env, stdout=log, stderr=log
        )
    bench.processes.append(process)
    assert process.wait(30) == 0
    assert b"Stopped" in bench.log.read_bytes()


@pytest.fixture
def ends_a_thread() -> str:
    """Return a program: the worker, which raises an exception that nothing catches in the thread named by its
    argument, once its standard input is closed.
    """
    return """
import ctypes, sys, threading
import worker
class Fault(BaseException):
    pass
def end(name):
    sys.stdin.read()
    (ident,) = [thread.ident for thread in threading.enumerate() if thread.name == name]
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(ident), ctypes.py_object(Fault))
threading.Thread(target=end, args=sys.argv[1:], daemon=True).start()
sys.exit(worker.main())
"""


@pytest.mark.parametrize("name", ["flush", "feed", "rest", "background", "leader", "APScheduler"])
def test_a_worker_of_which_a_thread_ends_gives_its_place_to_another(
    bench: Bench, ends_a_thread: str, name: str
) -> None:
    with bench.log.open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-c", ends_a_thread, name],
            cwd=ROOT,
            env=bench.env,
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
        )
    assert process.stdin
    with process.stdin:
        bench.processes.append(process)
        bench.wait_for(lambda: bench.status("feed") == "live")
    assert process.wait(30) == 1
    assert not bench.client.exists("market_stream:lease", "market_stream:heartbeat")
    lines = [json.loads(line) for line in bench.log.read_text().splitlines()]
    (fault,) = [line["message"] for line in lines if line["level"] in ("error", "critical")]
    assert fault.startswith(f"The thread {name} ended (Fault: ")
